"""Where the nodes of a graph go, so that plates nest, arrows point down and few of them cross.

A node's rank is the length of the longest path of the model from it to a leaf, so that what is
observed lies at the bottom, as in the papers. Within a plate every chain of nodes and every inner
plate has a column of its own; the orders of the columns are tried, and the best is kept.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .graph import MISSING, Edge, Graph, Node
from .notation import LATEX, SIZES, UNICODE

RADIUS = 0.33
"""Of a node, in units of which one is about 14 mm in print."""

ROW, COLUMN = 1.25, 1.3
"""Distance of rows, and the least distance of columns."""

BEND = 0.28
"""How far an arrow that would cover another one leaves the straight line, in its lengths."""

PAD, TEXT = 0.2, 0.42
"""Room between a plate and what is in it, and where the plate's name stands."""

TRIES = 2000
"""Orders of columns that are compared at most."""

Point = tuple[float, float]
Plates = tuple[str, ...]


@dataclass(frozen=True)
class Disc:
    """A node: an ellipse around ``centre``, ``width`` and ``height`` its half axes."""

    node: Node
    label: str
    centre: Point
    width: float
    height: float = RADIUS

    @property
    def corners(self) -> tuple[Point, Point]:
        """The lower left and the upper right."""
        x, y = self.centre
        return (x - self.width, y - self.height), (x + self.width, y + self.height)


@dataclass(frozen=True)
class Arrow:
    """An edge: a quadratic curve from border to border."""

    edge: Edge
    kind: str
    start: Point
    control: Point
    end: Point
    bent: bool


@dataclass(frozen=True)
class Box:
    """A plate: a rectangle from corner to corner, with its name and size below or above."""

    label: str
    lower: Point
    upper: Point
    above: bool

    def name_place(self, middle: float) -> tuple[float, float, str]:
        """Where the name stands, and whether it begins or ends there: ``"west"`` or ``"east"``.

        It stands on the outer side of the drawing, where no arrow to its ``middle`` passes.
        """
        (left, low), (right, high) = self.lower, self.upper
        y = high - 0.12 if self.above else low + 0.12
        if (left + right) / 2 < middle - 1e-6:
            return left + 0.14, y, "west"
        return right - 0.14, y, "east"


@dataclass(frozen=True)
class Drawing:
    """A figure in units that no format has chosen yet."""

    discs: tuple[Disc, ...]
    arrows: tuple[Arrow, ...]
    boxes: tuple[Box, ...]

    @property
    def corners(self) -> tuple[Point, Point]:
        """The lower left and the upper right of everything."""
        boxes = [(box.lower, box.upper) for box in self.boxes]
        (left, low), (right, high) = hull([*boxes, *(disc.corners for disc in self.discs)])
        line = 0.03
        return (left - line, low - line), (right + line, high + line)


def lay_out(graph: Graph, sides: str = "pq") -> Drawing:
    """A drawing of a graph.

    Args:
        graph: what to draw.
        sides: ``"p"`` the model alone, ``"q"`` the guide alone, ``"pq"`` one over the other. The
            nodes have the same places in all three.
    """
    centres = place(graph)
    discs = {
        name: Disc(node, label(graph, node), centres[name], half_width(node))
        for name, node in graph.nodes.items()
    }
    sides = {*sides, MISSING} if "q" in sides else set(sides)
    drawn = sorted(edge for edge in graph.edges if edge.side in sides)
    arrows = [
        Arrow(edge, graph.kind(edge), *curve(discs[edge.parent], discs[edge.child], bend), bend > 0)
        for edge, bend in bends(drawn, centres)
    ]
    return Drawing(tuple(discs.values()), tuple(arrows), tuple(boxes(graph, discs)[::-1]))


def label(graph: Graph, node: Node) -> str:
    """A node's name in LaTeX, with an index where it lies in an inner plate."""
    if node.copies > 1:
        return LATEX.symbol(node.name, superscript="1:L")
    inner = len(node.plates) - len(graph.shared_plates)
    return LATEX.symbol(node.name, superscript=",".join("ijklm"[: max(0, inner)]))


def half_width(node: Node) -> float:
    """Half the width of the ellipse that holds a node's name."""
    letters = len(UNICODE.symbol(node.name).replace("_", "").replace("\\", ""))
    letters += 2 * max(0, len(node.plates) - 1) + 3 * (node.copies > 1 and letters > 1)
    return max(RADIUS, 0.07 * letters + 0.04)


def place(graph: Graph) -> dict[str, Point]:
    """The centre of every node."""
    rank = ranks(graph)
    columns = {plates: _columns(graph, plates, rank) for plates in _all_plates(graph)}
    widths = {n: text_width(plate_label(n, p.sizes)) + 0.45 for n, p in graph.plates.items()}
    best, least = None, math.inf
    orders = [
        list(itertools.islice(itertools.permutations(range(len(c))), TRIES))
        for c in columns.values()
    ]
    for chosen in itertools.islice(itertools.product(*orders), TRIES):
        order = dict(zip(columns, chosen, strict=True))
        across, _ = _spread((), columns, order, widths, graph.nodes)
        centres = {name: (x, rank[name] * ROW) for name, x in across.items()}
        centres = _centred(graph, centres, rank)
        if (cost := _cost(graph, centres)) < least - 1e-9:
            best, least = centres, cost
    assert best is not None
    return best


def ranks(graph: Graph) -> dict[str, int]:
    """Length of the longest path of the model from every node to a leaf."""
    children: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for edge in graph.edges:
        if edge.side == "p":
            children[edge.parent].append(edge.child)
    found: dict[str, int] = {}

    def rank(name: str) -> int:
        if name not in found:
            found[name] = max((rank(child) + 1 for child in children[name]), default=0)
        return found[name]

    return {name: rank(name) for name in graph.nodes}


def _all_plates(graph: Graph) -> list[Plates]:
    prefixes = {
        n.plates[:depth] for n in graph.nodes.values() for depth in range(len(n.plates) + 1)
    }
    return sorted(prefixes, key=lambda plates: (len(plates), plates))


Column = tuple[str, ...] | Plates
"""Nodes that stand below each other, or an inner plate as ``("", *plates)``."""


def _columns(graph: Graph, plates: Plates, rank: Mapping[str, int]) -> list[Column]:
    """What stands side by side directly in a plate."""
    inner = dict.fromkeys(
        node.plates[: len(plates) + 1]
        for node in graph.nodes.values()
        if node.plates[: len(plates)] == plates and len(node.plates) > len(plates)
    )
    own = [name for name, node in graph.nodes.items() if node.plates == plates]
    chains: list[list[str]] = []
    for name in sorted(own, key=lambda name: rank[name]):
        below = [e.child for e in graph.edges if e.parent == name and e.side == "p"]
        for chain in chains:
            if below == [chain[-1]] and len(graph.parents(chain[-1], "p")) == 1:
                chain.append(name)
                break
        else:
            chains.append([name])
    if inner or len(chains) > 1:
        alone = [c for c in chains if _is_alone(graph, c, plates, rank)]
        chains = [c for c in chains if c not in alone] or chains
    return [*(("", *plate) for plate in inner), *map(tuple, chains)]


def _is_alone(graph: Graph, chain: Sequence[str], plates: Plates, rank: Mapping[str, int]) -> bool:
    """Whether nothing else of the plate has a rank of the chain's: it may stand in the middle."""
    own = {rank[name] for name in chain}
    others = [
        rank[name]
        for name, node in graph.nodes.items()
        if node.plates[: len(plates)] == plates and name not in chain
    ]
    return not own & set(others) and not (min(others) < min(own) < max(others))


def _spread(
    plates: Plates,
    columns: Mapping[Plates, list[Column]],
    order: Mapping[Plates, Sequence[int]],
    widths: Mapping[str, float],
    nodes: Mapping[str, Node],
) -> tuple[dict[str, float], float]:
    """Where the nodes of a plate stand from left to right, from 0, and how wide that is."""
    across: dict[str, float] = {}
    width = 0.0
    for position in order[plates]:
        column = columns[plates][position]
        if column[0] == "":
            inside, own = _spread(column[1:], columns, order, widths, nodes)
            size = max(own, widths.get(column[-1], 0.0))
            across |= {name: x + width + (size - own) / 2 for name, x in inside.items()}
        else:
            size = max(COLUMN, *(2 * half_width(nodes[name]) + 0.6 for name in column))
            across |= dict.fromkeys(column, width + size / 2)
        width += size
    return across, max(width, COLUMN)


def _centred(graph: Graph, centres: dict[str, Point], rank: Mapping[str, int]) -> dict[str, Point]:
    """Put the nodes without a column of their own in the middle of those that they touch."""
    for name in sorted(set(graph.nodes) - set(centres), key=lambda name: -rank[name]):
        touching = (
            [
                centres[other][0]
                for edge in graph.edges
                for other in (edge.parent, edge.child)
                if name in (edge.parent, edge.child) and other in centres
            ]
            or [x for x, _ in centres.values()]
            or [0.0]
        )
        middle = (min(touching) + max(touching)) / 2
        centres[name] = (middle, rank[name] * ROW)
    return centres


def _cost(graph: Graph, centres: Mapping[str, Point]) -> float:
    """Crossings, arrows that pass over nodes, lengths, and a little for another order of nodes."""
    lines = sorted({frozenset((e.parent, e.child)) for e in graph.edges}, key=sorted)
    cost = 0.0
    for line in lines:
        a, b = (centres[name] for name in sorted(line))
        cost += math.dist(a, b)
        cost += 50 * sum(
            _distance(centres[other], a, b) < 1.4 * RADIUS for other in set(centres) - line
        )
    for first, second in itertools.combinations(lines, 2):
        if not first & second:
            ends = [centres[name] for line in (first, second) for name in sorted(line)]
            cost += 100 * _cross(*ends)
    order = list(graph.nodes)
    return cost + 1e-3 * sum(order.index(name) * x for name, (x, _) in centres.items()) * -1


def _distance(point: Point, a: Point, b: Point) -> float:
    """From a point to a line between two others."""
    (px, py), (ax, ay), (bx, by) = point, a, b
    length = math.dist(a, b)
    if length == 0:
        return math.dist(point, a)
    t = ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length**2
    t = min(1.0, max(0.0, t))
    return math.dist(point, (ax + t * (bx - ax), ay + t * (by - ay)))


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the lines a–b and c–d cross."""

    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def bends(edges: Sequence[Edge], centres: Mapping[str, Point]) -> Iterable[tuple[Edge, float]]:
    """How much each arrow bends to its left: the guide's where it would cover another arrow."""
    for edge in edges:
        same = [e for e in edges if {e.parent, e.child} == {edge.parent, edge.child}]
        blocked = any(
            _distance(centre, centres[edge.parent], centres[edge.child]) < RADIUS
            for name, centre in centres.items()
            if name not in (edge.parent, edge.child)
        )
        bent = blocked or (len(same) > 1 and edge.side != "p")
        yield edge, BEND if bent else 0.0


def curve(parent: Disc, child: Disc, bend: float) -> tuple[Point, Point, Point]:
    """Start, control point and end of an arrow between the borders of two nodes."""
    (ax, ay), (bx, by) = parent.centre, child.centre
    control = ((ax + bx) / 2 - bend * (by - ay), (ay + by) / 2 + bend * (bx - ax))
    return _border(parent, control), control, _border(child, control)


def _border(disc: Disc, towards: Point) -> Point:
    """Where the line from a node's centre to a point leaves the node."""
    (cx, cy), (tx, ty) = disc.centre, towards
    dx, dy = tx - cx, ty - cy
    reach = math.hypot(dx / disc.width, dy / disc.height)
    return cx + dx / reach, cy + dy / reach


def boxes(graph: Graph, discs: Mapping[str, Disc]) -> list[Box]:
    """A rectangle for every plate, around what lies in it, the innermost first."""
    depths = {n: node.plates.index(n) for node in graph.nodes.values() for n in node.plates}
    found: dict[str, Box] = {}
    for name in sorted(depths, key=lambda name: -depths[name]):
        members = [discs[n.name] for n in graph.nodes.values() if name in n.plates]
        inside = {plate for disc in members for plate in disc.node.plates[depths[name] + 1 :]}
        corners = [disc.corners for disc in members]
        corners += [(found[plate].lower, found[plate].upper) for plate in inside]
        (left, low), (right, high) = hull(corners)
        text = plate_label(name, graph.plates[name].sizes)
        more = max(PAD, (text_width(text) + 0.3 - (right - left)) / 2)
        above = _leaving(graph, discs, name, up=False) > _leaving(graph, discs, name, up=True)
        low, high = low - (PAD if above else TEXT), high + (TEXT if above else PAD)
        found[name] = Box(text, (left - more, low), (right + more, high), above)
    return list(found.values())


def _leaving(graph: Graph, discs: Mapping[str, Disc], plate: str, *, up: bool) -> int:
    """How many lines leave a plate upwards, or downwards."""
    lines = {frozenset((edge.parent, edge.child)) for edge in graph.edges}
    heights = [
        sorted((plate in graph.nodes[n].plates, discs[n].centre[1]) for n in line) for line in lines
    ]
    return sum(
        not outside and inside and (there > here) == up
        for (outside, there), (inside, here) in heights
    )


def hull(corners: Sequence[tuple[Point, Point]]) -> tuple[Point, Point]:
    """Lower left and upper right of several rectangles together."""
    lows, highs = zip(*corners, strict=True)
    return (
        (min(x for x, _ in lows), min(y for _, y in lows)),
        (max(x for x, _ in highs), max(y for _, y in highs)),
    )


def text_width(label: str) -> float:
    """About how wide a plate's label is."""
    return 0.11 * len(label.replace("$", ""))


def plate_label(name: str, sizes: Sequence[int]) -> str:
    """A plate's name and size: ``labels, L = 2 + 1``."""
    size = " + ".join(map(str, sizes))
    return f"{name}  ${SIZES[name]} = {size}$" if name in SIZES else f"{name}  ${size}$"
