"""Plate diagrams: in every format, and laid out as a person would."""

import itertools
import math
import xml.etree.ElementTree as ET

import pytest

from ccvae.inspection.figure import save_graph
from ccvae.inspection.layout import lay_out
from ccvae.inspection.svg import svg
from ccvae.inspection.tikz import tikz

CASES = [
    ("vae", ""),
    ("m2", ""),
    ("diva", ""),
    ("ccvae", "ccvae"),
    ("ccvae", "adapted-diva"),
]


def points(arrow, count=40):
    """Along its curve, without its ends."""
    return [arrow.at(step / count) for step in range(1, count)]


@pytest.mark.parametrize("sides", ["p", "q", "pq"])
@pytest.mark.parametrize("case", CASES)
def test_nothing_lies_over_anything_else(inspected, case, sides):
    drawing = lay_out(inspected(*case).graph, sides)
    for a, b in itertools.combinations(drawing.discs, 2):
        assert math.dist(a.centre, b.centre) > a.width + b.width
    for arrow in drawing.arrows:
        for disc in drawing.discs:
            if disc.node.name not in (arrow.edge.parent, arrow.edge.child):
                assert min(math.dist(p, disc.centre) for p in points(arrow)) > disc.width


@pytest.mark.parametrize("case", CASES)
def test_no_two_arrows_cross(inspected, case):
    """Nor do two arrows between the same nodes run along each other."""
    drawing = lay_out(inspected(*case).graph)
    for a, b in itertools.combinations(drawing.arrows, 2):
        ends = {a.edge.parent, a.edge.child} & {b.edge.parent, b.edge.child}
        near = min(math.dist(p, q) for p in points(a) for q in points(b))
        assert near > (0.02 if ends else 0.1)


@pytest.mark.parametrize("case", CASES)
def test_plates_hold_their_nodes_and_no_others(inspected, case):
    graph = inspected(*case).graph
    drawing = lay_out(graph)
    for box in drawing.boxes:
        name = box.label.split("  ")[0]
        for disc in drawing.discs:
            (x, y), (low, high) = disc.centre, zip(box.lower, box.upper, strict=True)
            inside = low[0] < x < low[1] and high[0] < y < high[1]
            assert inside == (name in disc.node.plates)


def test_what_is_observed_lies_at_the_bottom(inspected):
    drawing = lay_out(inspected("ccvae").graph)
    heights = {disc.node.name: disc.centre[1] for disc in drawing.discs}
    assert heights["x"] < heights["z_c"] == heights["z_style"] < heights["y"]


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize(
    ("form", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_formats(inspected, tmp_path, form, start, beside):
    path = tmp_path / f"figure.{form}"
    save_graph(inspected("ccvae").graph, path, beside=beside)
    first = path.read_bytes()
    assert first.startswith(start)
    save_graph(inspected("ccvae").graph, path, beside=beside)
    assert path.read_bytes() == first


def test_svg_is_well_formed(inspected, tmp_path):
    path = tmp_path / "figure.svg"
    save_graph(inspected("diva").graph, path)
    assert ET.parse(path).getroot().tag.endswith("svg")


@pytest.mark.parametrize("case", CASES)
def test_tikz_draws_every_node_and_arrow(inspected, case):
    graph = inspected(*case).graph
    document = tikz(graph)
    assert document.count(r"\node at") == len(graph.nodes)
    kinds = ("generative", "inference", "conditional prior", "label classifier")
    drawn = sum(document.count(rf"\draw[{kind}]") for kind in kinds)
    assert drawn == len(graph.edges)
    assert document.count(r"\draw[plate]") == len(graph.plates)
    assert document.count("{") == document.count("}")


@pytest.mark.parametrize("case", CASES)
def test_a_pages_svg_has_every_node_within_reach(inspected, case):
    graph = inspected(*case).graph
    root = ET.fromstring(svg(graph))
    nodes = {e.get("data-node"): e for e in root.iter() if e.get("data-node")}
    assert set(nodes) == set(graph.nodes)
    for name, element in nodes.items():
        assert (element.get("tabindex"), element.get("role")) == ("0", "button")
        assert graph.nodes[name].role in element.get("aria-label")
    assert len([e for e in root.iter() if "arrow" in e.get("class", "")]) == len(graph.edges)
    _, _, width, height = map(float, root.get("viewBox").split())
    for element in root.iter("ellipse"):
        assert 0 < float(element.get("cx")) < width
        assert 0 < float(element.get("cy")) < height
    assert "Arrows of the model" in root.get("aria-label")
