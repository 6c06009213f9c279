"""The layout of any graph: plates hold their own, arrows meet no node, time runs to the right."""

import random
import sys
import xml.etree.ElementTree as ET

import pytest

from ccvae.inspection import Edge, Graph, Node, Plate
from ccvae.inspection.drawing.figure import draw_graph
from ccvae.inspection.drawing.layout import lay_out
from ccvae.inspection.drawing.legibility import flaws
from ccvae.inspection.drawing.rows import rows
from ccvae.inspection.drawing.shapes import Box
from ccvae.inspection.drawing.svg import svg
from ccvae.inspection.drawing.tikz import tikz
from ccvae.inspection.graphs.structure import Chain, Series


def graph(edges, plates="", roles="", guide="", **more):
    """A graph from ``"a>b b>c"``, plates ``"i: a b; j: b"`` and roles ``"c: factor"``."""
    pairs = [tuple(edge.split(">")) for edge in edges.split()]
    back = [tuple(edge.split(">")) for edge in guide.split()]
    names = dict.fromkeys(name for pair in pairs + back for name in pair)
    own = {e.split(":")[0].strip(): e.split(":")[1].split() for e in plates.split(";") if e}
    names |= dict.fromkeys(name for inside in own.values() for name in inside)
    role = dict(entry.strip().split(": ") for entry in roles.split(";") if entry)
    nodes = {
        n: Node(n, role.get(n, "latent"), tuple(p for p, inside in own.items() if n in inside))
        for n in names
    }
    drawn = {Edge(*pair, "p") for pair in pairs} | {Edge(*pair, "q") for pair in back}
    return Graph(nodes, frozenset(drawn), {p: Plate(p, (3,)) for p in own}, (), **more)


def at(drawing):
    return {disc.node.name: disc.centre for disc in drawing.discs}


def chain(length, lags=(1,)):
    pairs = [(t - lag, t) for t in range(length) for lag in lags if t >= lag]
    edges = [f"z{a}>z{b}" for a, b in pairs] + [f"z{t}>x{t}" for t in range(length)]
    series = tuple(
        Series(name, tuple(f"{name}{t}" for t in range(length)), tuple(range(length)))
        for name in "zx"
    )
    return graph(" ".join(edges), series=series)


@pytest.mark.parametrize(
    "plates",
    [
        "i: a c; j: b c",
        "i: a; j: b; k: c",
        "i: a b c d; j: b c; k: c",
        "i: a c; j: b d",
        "i: a b c; j: a b c",
        "i: a ab abc; j: b ab bc abc; k: c bc abc",
    ],
)
def test_plates_nest_cross_or_lie_apart(plates):
    edges = "a>ab b>ab b>bc c>bc ab>abc bc>abc" if "abc;" in plates else "a>c b>c c>d"
    assert flaws(lay_out(graph(edges, plates))) == []


def test_a_node_between_two_plates_is_in_neither():
    drawing = lay_out(graph("x>y y>z", "i: x; j: z"))
    assert flaws(drawing) == []
    assert len(drawing.boxes) == 2


def test_a_plate_holds_the_bends_of_its_own_arrows():
    drawing = lay_out(graph("a>b b>c c>d a>d", "i: a b c d"))
    (box,) = drawing.boxes
    bent = [arrow for arrow in drawing.arrows if arrow.bent]
    assert bent
    for arrow in bent:
        for step in range(25):
            assert box.lower[0] < arrow.at(step / 24)[0] < box.upper[0]


def test_a_size_called_after_its_plate_says_its_name():
    drawn = graph("a>b", "rows: a; data: b")
    assert {box.label for box in lay_out(drawn).boxes} == {r"$N_{\mathrm{rows}}$", "data  $N$"}
    labels = {box.label for box in lay_out(drawn, numbers=True).boxes}
    assert any(label.endswith(r"N_{\mathrm{rows}} = 3$") for label in labels), labels


def test_plates_that_no_rectangle_can_hold_are_drawn_in_parts():
    """All pairs of five: a complete graph's incidence has no rectangles."""
    names = [f"{a}{b}" for a in "abcde" for b in "abcde" if a < b]
    plates = "; ".join(f"{p}: {' '.join(n for n in names if p in n)}" for p in "abcde")
    drawing = lay_out(graph("", plates))
    assert len(drawing.boxes) > 5
    assert not [said for said in flaws(drawing) if "not in" in said]


def test_the_checks_find_what_is_wrong():
    """A drawing is spoilt in every way, and each is told."""
    drawing = lay_out(graph("a>b b>c a>c", "i: b", guide="b>a"))
    one, two, three = drawing.discs
    moved = type(one)(one.node, None, two.centre, one.width)
    assert any("overlap" in said for said in flaws(type(drawing)((moved, two, three), (), ())))
    straight = [arrow for arrow in drawing.arrows if not arrow.bent]
    through = type(straight[0])(
        Edge("a", "c", "p"), "generative", one.centre, (two.centre,), three.centre, False
    )
    spoilt = type(drawing)(drawing.discs, (through,), drawing.boxes)
    assert any("runs through b" in said for said in flaws(spoilt))
    twice = type(drawing)(drawing.discs, (straight[0], straight[0]), drawing.boxes)
    assert any("cover each other" in said for said in flaws(twice))
    (box,) = drawing.boxes
    wide = Box(box.title, (-9, -9), (9, 9), box.above, box.plate)
    assert any("is in the box" in said for said in flaws(type(drawing)(drawing.discs, (), (wide,))))
    assert any("is not in" in said for said in flaws(type(drawing)(drawing.discs, (), ())))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("count", "arrows", "plates"), [(12, 18, 2), (40, 50, 3), (60, 75, 0)])
def test_no_arrow_meets_a_node_in_random_graphs(seed, count, arrows, plates):
    dice = random.Random(seed)
    names = [f"n{i:02}" for i in range(count)]
    edges = {tuple(sorted(dice.sample(names, 2))) for _ in range(arrows)}
    inside = [
        f"p{k}: {' '.join(n for i, n in enumerate(names) if i % (plates + 1) == k)}"
        for k in range(plates)
    ]
    drawing = lay_out(graph(" ".join(f"{a}>{b}" for a, b in edges), "; ".join(inside)))
    assert flaws(drawing) == []


def test_opposite_arrows_do_not_cover_each_other():
    drawing = lay_out(graph("z>x y>z", guide="x>z z>y"))
    assert flaws(drawing) == []
    assert sum(arrow.bent for arrow in drawing.arrows) == 2


@pytest.mark.parametrize("length", [4, 8])
def test_time_runs_to_the_right_in_one_row(length):
    places = at(lay_out(chain(length), steps=8))
    across = [places[f"z{t}"][0] for t in range(length)]
    assert across == sorted(across)
    assert len({places[f"z{t}"][1] for t in range(length)}) == 1
    assert [places[f"x{t}"][0] for t in range(length)] == pytest.approx(across, abs=0.05)


def test_dense_chains_end():
    """Every step on all before: as deep as the recursion may be and deeper."""
    edges = " ".join(f"a{s:02}>a{t:02}" for t in range(16) for s in range(t))
    assert len(lay_out(graph(edges)).arrows) == 120
    long = " ".join(f"a{t}>a{t + 1}" for t in range(sys.getrecursionlimit() + 10))
    assert max(rows(graph(long)).values()) == sys.getrecursionlimit() + 10


def test_circles_of_a_guide_do_not_matter():
    assert flaws(lay_out(graph("a>b", guide="b>a a>b"))) == []


def folded(lag=1):
    nodes = {
        "rate": Node("rate", "latent"),
        "z": Node("z", "latent", steps=("z0", "z1", "z2")),
        "x": Node("x", "observed", steps=("x0", "x1", "x2")),
    }
    edges = {
        Edge("z", "z", "p", lag=lag),
        Edge("z", "x", "p"),
        Edge("rate", "z", "p"),
        Edge("z", "z", "p", lag=1),
    }
    chains = (Chain("t", 12, ("z", "x")),)
    return Graph(nodes, frozenset(edges), {}, (), chains=chains)


def test_a_template_has_two_steps_a_mark_and_a_length():
    drawing = lay_out(folded())
    assert flaws(drawing) == []
    assert {disc.label: disc.lag for disc in drawing.discs if "z" in disc.label} == {
        "z_{t}": 0,
        "z_{t-1}": 1,
    }
    assert [arrow.mark for arrow in drawing.arrows if arrow.mark] == ["t-1 → t"]
    (box,) = drawing.boxes
    assert box.dashed
    assert box.label == "t = 1 …  $T$"
    places = at(drawing)
    assert places["z at t−1"][0] < places["z"][0]
    assert places["z at t−1"][1] == places["z"][1]


def test_a_template_of_second_order_has_three_steps():
    drawing = lay_out(folded(lag=2))
    assert flaws(drawing) == []
    assert sorted(disc.lag for disc in drawing.discs) == [0, 0, 0, 1, 2]


def test_many_steps_become_a_template_unless_all_are_wanted():
    drawn = chain(12)
    for name, node in drawn.nodes.items():
        assert node.name == name
    assert len(lay_out(drawn).discs) == 3
    assert len(lay_out(drawn, steps=12).discs) == 24


def test_factors_and_what_is_drawn_together_are_squares(tmp_path):
    drawn = graph("a>f b>f", roles="f: factor", blocks=(("a", "b"),))
    drawing = lay_out(drawn)
    squares = {disc.node.role: disc.label for disc in drawing.discs if disc.is_square}
    assert squares == {"factor": r"\psi", "block": ""}
    assert not any(arrow.head for arrow in drawing.arrows)
    assert "block" not in {disc.node.role for disc in lay_out(drawn, "p").discs}
    root = ET.fromstring(svg(drawn))
    assert len([e for e in root.iter("rect") if e.get("class") == "body outline"]) == 2
    assert not list(root.iter("polygon"))
    assert tikz(drawn).count("fill=black, draw=black") == 1
    draw_graph(drawn).savefig(tmp_path / "factors.png")


def test_the_same_graph_gives_the_same_figure():
    assert lay_out(chain(5, (1, 2))) == lay_out(chain(5, (1, 2)))
