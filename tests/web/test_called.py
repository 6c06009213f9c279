"""Variables are called before people as the figure writes them, and understood by both names."""

from ccvae.web.called import site_of, symbols, written


def test_a_symbol_that_is_anothers_name_is_not_used():
    called = symbols(["z_style", "mu_0", "z_c", "alpha", "α", "x_real_2"])
    assert called == {"z_style": r"z_\c", "mu_0": "μ_0"}


def test_a_text_has_symbols_where_it_has_sites():
    called = symbols(["z_style", "z_style_2", "mu"])
    text = "z_style → x, z_style[1] and mu_3 but not my.z_style nor z_styles"
    assert written(text, called) == r"z_\c → x, z_\c[1] and mu_3 but not my.z_style nor z_styles"
    assert written("z_style", {}) == "z_style"
    assert [site_of(name, called) for name in (r"z_\c[1]", "z_style", "x")] == [
        "z_style[1]",
        "z_style",
        "x",
    ]


def test_questions_are_understood_in_both_names_and_answered_in_the_figures(page):
    asked = {"program": "ccvae", "second": "y"}
    by_site, by_symbol = (
        page.get("/api/ask", params={**asked, "first": name}).json()
        for name in ("z_style", r"z_\c")
    )
    assert by_site == by_symbol
    assert by_site["statement"] == r"z_\c ⊥ y"
    assert "z_style" not in " ".join(by_site["sentences"])
    around = page.get("/api/ask", params={"program": "ccvae", "blanket": "z_style"}).json()
    assert "z_style" not in " ".join(around["sentences"])
    wrong = page.get("/api/ask", params={**asked, "first": "nosuch"}).json()["error"]
    assert r"z_\c" in wrong
    lacks = page.get("/programs/view", params={"program": "ccvae", "lacks": 1}).text
    assert "in the figure z_\\c" in lacks
    assert "z_style" not in lacks[lacks.index('<ul class="lacks">') : lacks.index("Factorisation")]
