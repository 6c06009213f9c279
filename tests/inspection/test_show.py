"""What shows itself in a notebook, and pictures in one call."""

import builtins
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pyro
import pyro.distributions as dist
import pytest
import torch

from ccvae.inference import Objective
from ccvae.inference.catalogue import PROGRAMS
from ccvae.inspection import render
from ccvae.inspection.notebook.theme import DARK, LIGHT, page_style

OBJECTIVES = [kind for known in PROGRAMS.values() for kind in known.values()]


def parsed(html):
    """The output as a tree: HTML that is well-formed."""
    return ET.fromstring(f"<div>{html}</div>".replace("&nbsp;", " "))


def words(html):
    return " ".join("".join(parsed(html).itertext()).split())


def model(x, scale=1.0):
    with pyro.plate("data", len(x)):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        pyro.sample("x", dist.Normal(z, scale), obs=x)


def guide(x, scale=1.0):
    with pyro.plate("data", len(x)):
        pyro.sample("z", dist.Normal(x / 2, scale))


def test_an_inspection_shows_all_of_itself(inspected):
    found = inspected("ccvae")
    html = found._repr_html_()
    tree = parsed(html)
    assert len([e for e in tree.iter("svg") if e.get("aria-label")]) == 1
    assert len(list(tree.iter("math"))) > 10
    rows = ["".join(row.itertext()) for row in tree.iter("tr")]
    assert len(rows) == 1 + 6 + 5
    assert "tabindex" not in html
    text = words(html)
    assert "ccvae with the objective ccvae, some of the labels known" in text
    assert "label classifier" in text
    assert "L = L_2 + L_5 = 3" in text


def test_the_figure_alone(inspected):
    """As a file: with its name space, its colours in light and dark, and all its nodes."""
    graph = inspected("diva").graph
    root = ET.fromstring(graph._repr_svg_())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    named = {e.get("data-node") for e in root.iter() if e.get("data-node")}
    assert named == set(graph.nodes)
    style = next(root.iter("{http://www.w3.org/2000/svg}style")).text
    assert "prefers-color-scheme: dark" in style
    assert LIGHT["ink"] in style
    assert DARK["ink"] in style
    assert "var(" not in style  # which only browsers know


def test_latex(inspected):
    found = inspected("vae")
    assert found.graph._repr_latex_() == (
        r"$$\begin{array}{l}p(x, z) = p(z) \, p(x \mid z) \\ q(z \mid x)\end{array}$$"
    )
    assert r"\mathbb{E}_{q(z \mid x)}" in found._repr_latex_()


def test_graphs_that_were_changed_show_it(inspected):
    graph = inspected("ccvae", "adapted-diva").graph
    missing = graph.inverse().added_to(graph)._repr_html_()
    assert missing.count('class="arrow missing"') == 3 + 1  # and one in the legend
    assert "missing from" in words(missing)
    after = graph.do("y")._repr_html_()
    assert 'class="node intervened"' in after
    assert "set from outside" in words(after)
    assert "do(y)" in words(after).replace(" ", "")


def test_answers_show_their_sentences(inspected):
    graph = inspected("ccvae").graph
    assert words(graph.independent("y", "x", "z_c")._repr_html_()).endswith("which is given.")
    assert "Given z_c (child), y is independent" in words(graph.blanket("y")._repr_html_())
    assert "z_style → z_c: z_style → x ← z_c" in words(graph.inverse()._repr_html_())


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_an_objective_shows_its_formula(kind):
    objective = kind()
    text = words(objective._repr_html_())
    assert text.count("𝔼") == (1 if kind is PROGRAMS["vae"]["vae"] else 2)
    assert objective._repr_latex_().count(r"\mathbb{E}") == text.count("𝔼")


def test_an_objective_of_the_user():
    class Mine(Objective):
        """Mine & nobody's."""

        def formula(self, draw):
            return {"log p(x|z)": draw.p("x")}

    text = words(Mine()._repr_html_())
    assert "Mine & nobody's." in text
    assert "inspect_pair(model, guide, …, objective=this)" in text
    assert Mine()._repr_latex_() is None


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_texts_are_legible(theme):
    """A contrast of 4.5 with the paper, 3 for lines (WCAG 2.2, 1.4.3 and 1.4.11)."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    def contrast(one, other):
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    for name in ("ink", "muted"):
        assert contrast(theme[name], theme["paper"]) >= 4.5
    assert contrast(theme["ink"], theme["set"]) >= 4.5
    assert contrast(theme["ink"], theme["shade"]) >= 4.5
    for name in ("prior", "classifier", "guide", "missing"):
        assert contrast(theme[name], theme["paper"]) >= 3


def test_styles_reach_no_further_than_the_output():
    rules = re.findall(r"([^{}]+)\{", page_style().removeprefix("<style>"))
    for selectors in rules:
        for selector in selectors.split(","):
            assert re.search(r"ccvae-shown|svg\.plates|\.plates|@media", selector), selector


def test_text_in_a_notebook(inspected, monkeypatch):
    """Rich asks for the shell, and in a notebook writes to the page; the text is still a string."""
    plain = inspected("vae").to_text()

    class ZMQInteractiveShell:
        pass

    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    assert inspected("vae").to_text() == plain
    assert "parameters of" in plain


@pytest.mark.parametrize("ending", ["svg", "png", "pdf", "tex"])
def test_a_picture_in_one_call(tmp_path, ending):
    path = tmp_path / f"figure.{ending}"
    graph = render(model, guide, (torch.randn(3),), {"scale": 2.0}, filename=path)
    assert path.stat().st_size > 500
    assert set(graph.nodes) == {"z", "x"}
    assert graph.guided == ("z",)


def test_a_picture_of_a_model_alone():
    graph = render(model, args=(torch.randn(3),))
    assert not [edge for edge in graph.edges if edge.side == "q"]


def test_pictures_that_cannot_be(tmp_path):
    with pytest.raises(ValueError, match="expected a guide or None, got a sequence"):
        render(model, (torch.randn(3),))
    with pytest.raises(ValueError, match=r"unknown format '\.gif'; name a file \.svg"):
        render(model, args=(torch.randn(3),), filename=tmp_path / "figure.gif")


def test_nothing_is_needed_besides():
    """No graphviz: the figure of a notebook is made without matplotlib even."""
    program = (
        "import sys; sys.modules['graphviz'] = None\n"
        "from ccvae.inspection import Graph, Node, Edge\n"
        "nodes = {'z': Node('z', 'latent'), 'x': Node('x', 'observed')}\n"
        "graph = Graph(nodes, frozenset({Edge('z', 'x', 'p')}), {}, ())\n"
        "assert '<svg' in graph._repr_html_()\n"
        "assert 'matplotlib' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
