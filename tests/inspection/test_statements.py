"""Distributions in nodes and lines, what is deterministic, and programs without any site."""

import json
import xml.etree.ElementTree as ET

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.infer.autoguide import AutoMultivariateNormal, AutoNormal

from ccvae.cli import main
from ccvae.inspection import LATEX, UNICODE, inspect_pair, render
from ccvae.inspection.drawing.figure import draw_graph
from ccvae.inspection.drawing.layout import lay_out
from ccvae.inspection.drawing.legend import caption
from ccvae.inspection.drawing.legibility import flaws
from ccvae.inspection.drawing.svg import svg
from ccvae.inspection.drawing.tikz import tikz
from ccvae.inspection.writing.statements import statements

PROGRAMS = """
import pyro, torch
import pyro.distributions as dist

def model(name):
    a = pyro.sample("a", dist.Gamma(2.0, 1.0))
    b = pyro.deterministic("b", 2 * a)
    pyro.sample("x", dist.Poisson(b), obs=torch.tensor(3.0))

def nothing(name):
    pass

def computed(name):
    pyro.deterministic("c", torch.tensor(1.0))

def inputs():
    return {"name": "theirs"}
"""


@pytest.fixture
def theirs(tmp_path, monkeypatch, capsys):
    """Runs ``ccvae inspect`` on programs of a user's; returns what it prints."""
    (tmp_path / "drawn_alone.py").write_text(PROGRAMS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(name, *options):
        assert not main(["inspect", f"drawn_alone:{name}", "--inputs", "drawn_alone:inputs",
                         *options])  # fmt: skip
        return capsys.readouterr().out

    return run


def regression():
    weight = pyro.sample("weight", dist.LogNormal(0.0, 1.0))
    bias = pyro.sample("bias", dist.Normal(0.0, 1.0))
    with pyro.plate("rows", 4):
        pyro.sample("y", dist.StudentT(3.0, weight + bias), obs=torch.zeros(4))


def test_every_variable_has_its_distribution_in_a_line(inspected):
    graph = inspected("ccvae", "adapted-diva").graph
    assert statements(graph, "p") == [
        "y^i ∼ Bernoulli, Categorical",
        "z_c^i|y^i ∼ Normal, parameters of prior",
        "z_\\c ∼ Normal",
        "x|z_c,z_\\c ∼ Pixels, parameters of decoder",
    ]
    assert "y^i|z_c^i ∼ Bernoulli, Categorical, parameters of classifier" in statements(graph, "q")
    assert statements(graph, "p", LATEX)[1] == (
        r"z_{c}^{i} \mid y^{i} \sim \text{Normal, parameters of prior}"
    )


@pytest.mark.parametrize("kind", [AutoNormal, AutoMultivariateNormal])
def test_what_an_automatic_guide_draws_is_no_point_mass(kind):
    found = inspect_pair(regression, kind(regression))
    laws = {node.law("q").families for node in found.graph.nodes.values()}
    family = {AutoNormal: "Normal", AutoMultivariateNormal: "MultivariateNormal"}[kind]
    assert laws == {(f"transformed {family}",), ()}


@pytest.mark.parametrize("program", ["vae", "m2", "diva", "ccvae"])
def test_nodes_hold_their_distributions(inspected, program):
    graph = inspected(program).graph
    for sides in ("p", "q", "pq"):
        drawing = lay_out(graph, sides, distributions=True)
        assert flaws(drawing) == []
        lines = {disc.node.name: disc.lines for disc in drawing.discs}
        assert lines["x"] == (() if sides == "q" else ("Pixels", "of decoder"))
    one, two = (lay_out(graph, sides, distributions=True) for sides in "pq")
    assert [disc.centre for disc in one.discs] == [disc.centre for disc in two.discs]
    root = ET.fromstring(svg(graph, distributions=True))
    words = [e.text for e in root.iter("text") if e.get("class") == "law"]
    assert "of decoder" in words
    assert "{of decoder}" in tikz(graph, distributions=True)
    texts = draw_graph(graph, distributions=True).axes[0].texts
    assert "of decoder" in {text.get_text() for text in texts}


def test_options_of_the_command(theirs, tmp_path):
    text = theirs("model", "--distributions", "--deterministic")
    assert "x|b ∼ Poisson" in text
    assert "b = f(a)" in text
    assert "determined" in text
    assert "p(x|a)" in theirs("model")
    document = json.loads(theirs("model", "--deterministic", "--json"))
    roles = {node["name"]: node["role"] for node in document["graph"]["nodes"]}
    assert roles == {"a": "latent", "b": "deterministic", "x": "observed"}
    theirs("model", "--distributions", "-o", "figure.tex")
    assert "{Poisson}" in (tmp_path / "figure.tex").read_text()


@pytest.mark.parametrize("name", ["nothing", "computed", "nothing,nothing"])
def test_a_program_without_sites_says_so(theirs, tmp_path, name):
    assert "No sites" in theirs(name, "--independent", "all", "--inverse")
    for ending in ("svg", "png", "pdf", "tex"):
        theirs(name, "-o", f"figure.{ending}", "--beside")
        assert (tmp_path / f"figure.{ending}").stat().st_size > 500
    assert "No sites" in (tmp_path / "figure.tex").read_text()


def test_what_is_computed_alone_is_drawn_on_wish(theirs):
    assert "c = f()" in theirs("computed", "--deterministic")


def test_a_program_without_sites_shows_itself():
    found = inspect_pair(lambda: None)
    assert "No sites" in found._repr_html_()
    assert found._repr_svg_().startswith("<svg")
    assert lay_out(found.graph).discs == ()


def test_a_caption_says_what_a_figure_does_not(inspected, tmp_path, capsys):
    graph = inspected("ccvae").graph
    words = caption(graph, "CC-VAE", UNICODE)
    assert words == (
        "CC-VAE. Shaded nodes are observed, half-shaded ones in some rows. "
        "Plates: data (N=13), labels (L=2+1)."
    )
    assert tikz(graph, caption=caption(graph, "a_b")).startswith(r"% \caption{a\_b. Shaded")
    assert "$N=13$" in tikz(graph, caption=caption(graph)).splitlines()[-3]
    path = tmp_path / "figure.svg"
    heights = []
    for options in ([], ["--caption"]):
        main(["inspect", "vae", "-o", str(path), *options])
        heights.append(float(ET.parse(path).getroot().get("height").removesuffix("pt")))
    assert heights[1] - heights[0] > 20
    capsys.readouterr()
    main(["inspect", "vae", "--caption"])
    assert "caption    vae with the objective vae" in capsys.readouterr().out


def test_a_figure_of_a_call(tmp_path):
    path = tmp_path / "figure.tex"
    render(regression, filename=path, distributions=True)
    assert "{StudentT}" in path.read_text()
