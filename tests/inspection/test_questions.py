"""Questions on the command line: text, JSON, figures, and what is no question."""

import json

import pytest

from ccvae.cli import main

QUICK = ("--network", "mlp")


@pytest.fixture
def ask(capsys):
    def call(program, *arguments):
        status = main(["inspect", program, *QUICK, *map(str, arguments)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def test_independence(ask):
    question = ("ccvae", "--independent", "z_c,z_style", "--given", "x")
    status, out, _ = ask(*question)
    assert status == 0
    text = " ".join(out.split())
    assert "z_c and z_style are not independent given x: the path z_c → x ← z_style is open" in text
    assert "guide z_c and z_style are independent given x" in text
    status, out, _ = ask(*question, "--json")
    found = json.loads(out)["independence"]
    assert found["independent"] is False
    assert found["path"] == ["z_c", "x", "z_style"]
    assert found["guide"]["independent"] is True


def test_cells_and_several_variables(ask):
    _, out, _ = ask("ccvae", "--independent", "y[1]+y[2],z_c[data=2,labels=1]", "--json")
    found = json.loads(out)["independence"]
    assert found["first"] == ["y[1]", "y[2]"]
    assert found["independent"] is False


def test_every_pair(ask):
    _, out, _ = ask("ccvae", "--independent", "all", "--json")
    found = {answer["statement"] for answer in json.loads(out)["independence"]}
    assert {"y ⊥ x | z_c", "z_c ⊥ z_style", "y ⊥̸ z_c", "y[1] ⊥ y[2]"} <= found
    _, out, _ = ask("ccvae", "--independent", "all", "--given", "x")
    assert "z_c ⊥̸ z_style | x" in out
    (first, second), *_ = [[line for line in out.splitlines() if " | x " in line][:2]]
    assert first.replace("\u0338", "").index("y → z_c") == second.replace("\u0338", "").index("the")


def test_blanket(ask):
    _, out, _ = ask("ccvae", "--blanket", "z_c[1]", "--json")
    found = json.loads(out)["blanket"]
    assert found["blanket"] == ["y[1]", "x", "z_c[≠1]", "z_style"]
    _, out, _ = ask("ccvae", "--blanket", "y")
    assert "Given z_c (child), y is independent of all other variables." in out


def test_inverse(ask):
    found = {}
    for objective in ("adapted-diva", "ccvae"):
        _, out, _ = ask("ccvae", "--objective", objective, "--inverse", "--json")
        found[objective] = json.loads(out)["inverse"]
    arrows = {
        name: {(arrow["parent"], arrow["child"]) for arrow in inverse["missing"]}
        for name, inverse in found.items()
    }
    assert ("y", "z_c") in arrows["adapted-diva"]
    assert ("y", "z_c") not in arrows["ccvae"]
    assert ("z_style", "z_c") in arrows["adapted-diva"] & arrows["ccvae"]
    assert found["ccvae"]["pyro"]["differences"]
    _, out, _ = ask("ccvae", "--inverse")
    assert "the posterior depends on what the guide lacks:" in out
    assert "  z_style → z_c: z_style → x ← z_c" in out
    assert "Beside get_dependencies of Pyro" in out


@pytest.mark.parametrize("question", [("--inverse",), ("--do", "y")])
@pytest.mark.parametrize("form", ["svg", "tex"])
def test_figures(ask, tmp_path, form, question):
    path = tmp_path / f"figure.{form}"
    status, _, _ = ask("ccvae", "--objective", "adapted-diva", *question, "-o", path)
    assert status == 0
    plain = tmp_path / f"plain.{form}"
    ask("ccvae", "--objective", "adapted-diva", "-o", plain)
    assert path.read_text() != plain.read_text()


def test_interventions(ask):
    _, out, _ = ask("ccvae", "--do", "z_c", "--independent", "y,x")
    assert "y and x are independent under do(z_c): no path joins them." in out
    assert r"p(x,y,z_\c|do(z_c)) = ∏_{i=1}^{L} [p(y^i)] p(z_\c) p(x|z_c,z_\c)" in out
    _, out, _ = ask("ccvae", "--do", "z_c[1]", "--independent", "y[1],x", "--json")
    assert json.loads(out)["independence"]["independent"] is True
    assert "do" not in json.loads(out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--given", "x"), "expected --independent A,B with --given"),
        (("--independent", "z_c"), "expected --independent A,B or all, got 'z_c'"),
        (("--independent", "z_c,w"), "unknown variable 'w'; choose among y, z_c, z_style, x"),
        (("--independent", "z_c,x", "--given", "x"), "expected different variables, got x twice"),
        (("--blanket", "w"), "unknown variable 'w'"),
        (("--do", "w"), "unknown variable 'w'"),
        (("--do", "y[1]"), "one cell, y[1], can be set where --independent A,B asks"),
    ],
)
def test_what_is_no_question(ask, arguments, message):
    status, out, err = ask("ccvae", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
