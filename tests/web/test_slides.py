"""Lessons as pages and slides: one file each, which a browser without a network shows whole."""

import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pyro
import pyro.distributions as dist
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

import ccvae

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs"))
import fitting  # noqa: E402
import notebooks  # noqa: E402
import offline  # noqa: E402

LESSONS = sorted((ROOT / "lessons").glob("[0-9]*.py"))


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A browser that finds no host."""
    if not (CHROMIUM and DRIVER) and os.environ.get("CCVAE_BROWSER") != "required":
        pytest.skip("no chromium and chromedriver here")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
@pytest.mark.parametrize("made", [offline.page, offline.slides])
def test_nothing_is_loaded(lesson, made):
    """No script, style or picture has an address, and every formula is MathML."""
    notebook = notebooks.notebook(lesson)
    text = made(notebook)
    tags = re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", _own(text))
    assert not [tag for tag in tags if re.search(r"""(src|href)=["']?(?!data:)""", tag)]
    assert not re.search(r"@import|url\((?!data:|[\"']data:|#)|import\(", _own(text))
    prose = re.sub(r"<(script|style|pre|math).*?</\1>", "", text, flags=re.S)
    assert "$$" not in prose
    shown = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        and (made is offline.page or cell.metadata["slideshow"]["slide_type"] != "skip")
    ]
    formulas = re.findall(r"\$\$.+?\$\$", "\n".join(shown), re.S)
    assert len(re.findall(r'<math[^>]*display="block"', text)) == len(formulas)
    assert "formula§" not in text


def _own(text):
    """A page without what its scripts hold."""
    return re.sub(r"(<script[^>]*>).*?</script>", r"\1", text, flags=re.S)


def test_a_browser_without_a_network_shows_the_slides(tmp_path, alone):
    path = tmp_path / "slides.html"
    path.write_text(offline.slides(notebooks.notebook(ROOT / "lessons/2_objectives.py")))
    alone.get(path.as_uri())
    assert alone.execute_script("return Reveal.getTotalSlides()") >= 6
    before = alone.execute_script("return Reveal.getIndices().h")
    alone.execute_script("Reveal.next()")
    assert alone.execute_script("return Reveal.getIndices().h") == before + 1
    wide, tall = alone.execute_script(
        "const math = () => Reveal.getCurrentSlide().querySelector('math');"
        "while (!math()) { Reveal.next(); }"
        "const box = math().getBoundingClientRect();"
        "return [box.width, box.height]"
    )
    assert wide > 5
    assert tall > 5
    said = [line for line in alone.get_log("browser") if line["level"] == "SEVERE"]
    assert said == []
    loaded = alone.execute_script("return performance.getEntriesByType('resource').length")
    assert loaded == 0


LONG = "\n".join(f"line_{k} = {k}" for k in range(14))


def _section():
    """A section whose code and figure are too tall for one slide, and an exercise."""

    def program():
        a = pyro.sample("a", dist.Normal(0.0, 1.0))
        b = pyro.sample("b", dist.Normal(a, 1.0))
        c = pyro.sample("c", dist.Normal(b, 1.0))
        pyro.sample("d", dist.Normal(c, 1.0))

    figure = ccvae.inspect(program).graph._repr_html_()
    answer = "the path is open, for nothing on it is given; " * 5
    cells = [
        nbformat.v4.new_markdown_cell("## 1. A program\n\nA text."),
        nbformat.v4.new_code_cell(
            LONG + "  #" + " long" * 30,
            outputs=[nbformat.v4.new_output("display_data", data={"text/html": figure})],
        ),
        nbformat.v4.new_markdown_cell("Another text."),
        nbformat.v4.new_code_cell(
            "\n\n\n".join([LONG] * 4), outputs=[nbformat.v4.new_output("stream", text=answer)]
        ),
    ]
    cells[0].metadata["slideshow"] = {"slide_type": "slide"}
    return nbformat.v4.new_notebook(cells=cells)


def test_what_is_too_tall_goes_on_on_the_next_slide():
    section = _section()
    cells = fitting.fitted(section).cells
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in cells]
    starts = [cell for cell, kind in zip(cells, kinds, strict=True) if kind == "slide"]
    assert len(starts) == 4
    assert {cell.source for cell in starts[1:]} == {"*1. A program (continued)*"}
    code = [c for c in cells if c.cell_type == "code" and "transient" not in c.metadata]
    assert "\n\n\n".join(c.source for c in code[1:]) == section.cells[3].source
    put_out = [output for c in cells for output in c.get("outputs", [])]
    assert put_out == [output for c in section.cells for output in c.get("outputs", [])]


def test_a_figure_is_seen_whole_and_words_are_not_broken(tmp_path, alone):
    path = tmp_path / "slides.html"
    path.write_text(offline.slides(_section()))
    window = {"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    alone.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", window)
    alone.get(path.as_uri())
    figures = 0
    for number in range(alone.execute_script("return Reveal.getTotalSlides()")):
        seen = alone.execute_script(
            f"Reveal.slide({number});"
            "const slide = Reveal.getCurrentSlide();"
            "const all = (what) => [...slide.querySelectorAll(what)];"
            "return {tall: slide.scrollHeight, room: Reveal.getConfig().height,"
            " ends: all('svg').map(each => each.getBoundingClientRect().bottom),"
            " wide: all('pre').filter(each => each.scrollWidth > each.clientWidth + 1).length,"
            " breaks: all('pre').map(each => getComputedStyle(each).wordBreak)}"
        )
        assert seen["tall"] <= seen["room"]
        assert all(end < 900 for end in seen["ends"])
        figures += len(seen["ends"])
        assert not seen["wide"]
        assert set(seen["breaks"]) <= {"normal"}
    assert figures >= 1


def test_letters_and_signs_of_formulas():
    made = offline.mathml(r"\mathbb E_{q(z_{\setminus c})} \log \mathcal N < 0", block=True)
    assert "𝔼" in made
    assert "𝒩" in made
    assert "∖" in made
    assert '<mi>log</mi><mspace width="0.17em"/>' in made
    assert r'alttext="\mathbb E_{q(z_{\setminus c})} \log \mathcal N &lt; 0"' in made
