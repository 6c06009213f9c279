"""How arrows run between nodes: straight where they can, bent around what is in their way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .detours import Detours
from .drawing import Arrow, Disc, Point
from .graph import Edge
from .slices import Scene

BENDS = (0.0, 0.16, 0.24, 0.32, 0.42, 0.55, 0.7, 0.9, 1.2)
"""How far the control point of an arrow may lie from the straight line, in its lengths."""

APART = 0.24
"""Least bend of an arrow that runs along another one between the same nodes."""

CLEAR = 0.07
"""Distance that an arrow keeps from the nodes that it passes."""

MET = 100.0
"""What a curve costs that meets a node."""

HIGH = 2.6
"""How far a bent arrow may leave the straight line; beyond it runs from gap to gap."""

SHARES = np.linspace(0.0, 1.0, 49)

Floats = NDArray[np.float64]


def route(shown: Scene, edges: Sequence[Edge], discs: Mapping[str, Disc]) -> list[Arrow]:
    """The arrows of a drawing.

    Args:
        shown: what is drawn. edges: those that are shown. discs: where the nodes are.
    """
    router = _Router(shown, discs)
    straight: dict[frozenset[str], Edge] = {}
    for edge in sorted(edges, key=lambda edge: (edge.side, edge)):
        straight.setdefault(frozenset((edge.parent, edge.child)), edge)

    def length(edge: Edge) -> float:
        return math.dist(discs[edge.parent].centre, discs[edge.child].centre)

    return [
        router.arrow(edge, beside=straight[frozenset((edge.parent, edge.child))] != edge)
        for edge in sorted(edges, key=lambda edge: (length(edge), edge))
    ]


class _Router:
    def __init__(self, shown: Scene, discs: Mapping[str, Disc]) -> None:
        self.shown, self.discs = shown, discs
        self.names = list(discs)
        self.centres = np.array([disc.centre for disc in discs.values()]).reshape(-1, 2)
        self.sizes = np.array([(d.width, d.height) for d in discs.values()]).reshape(-1, 2)
        self.detours = Detours(discs)
        self.paths: list[tuple[frozenset[str], Floats]] = []

    def arrow(self, edge: Edge, *, beside: bool) -> Arrow:
        """The best of the curves that an arrow may be."""
        parent, child = self.discs[edge.parent], self.discs[edge.child]
        best, value = 0.0, math.inf
        length = math.dist(parent.centre, child.centre)
        least, most = APART if beside else 0.0, max(0.5, 2 * HIGH / length)
        for size in (b for b in BENDS if least <= b <= most):
            for bend in dict.fromkeys((size, -size)):
                found = self._cost(edge, *curve(parent, child, bend), bend)
                if found < value - 1e-9:
                    best, value = bend, found
            if value < min(MET, size + 0.6):
                break
        start, control, end = curve(parent, child, best)
        controls: tuple[Point, ...] = (control,)
        bent = best != 0
        if value >= MET:
            controls, bent = tuple(self.detours.way(parent, child, 0.2 if beside else 0.0)), True
            start, end = _border(parent, controls[0]), _border(child, controls[-1])
        head = not (child.is_square or parent.is_square)
        kind, mark = self.shown.graph.kind(edge), self.shown.marks.get(edge, "")
        arrow = Arrow(edge, kind, start, controls, end, bent, head, mark)
        path = np.array([arrow.at(share) for share in SHARES])
        self.paths.append((frozenset((edge.parent, edge.child)), path))
        return arrow

    def _cost(self, edge: Edge, start: Point, control: Point, end: Point, bend: float) -> float:
        """Nodes that are met weigh most, then arrows that are crossed, then the bend."""
        path = _path(start, control, end)
        cost = abs(bend) + MET * self._met(path, edge)
        if bend == 0 and cost == 0:
            return 0.0
        ends = frozenset((edge.parent, edge.child))
        others = [p for names, p in self.paths if names != ends]
        same = [p for names, p in self.paths if names == ends]
        cost += 0.25 * (_crossed(path[::6], np.stack([p[::6] for p in others])) if others else 0)
        gap = min((np.hypot(*(path[24] - p[24])) for p in same), default=np.inf)
        return cost + (20 if gap < 0.18 else 0)

    def _met(self, path: Floats, edge: Edge) -> float:
        """How many points of a curve lie in nodes that are not its ends."""
        away = np.abs(path[:, None] - self.centres[None]) / (self.sizes + CLEAR)
        inside = (away**2).sum(-1) < 1
        ends = [self.names.index(name) for name in (edge.parent, edge.child)]
        inside[:, ends] = False
        return float(inside.sum())


def _path(start: Point, control: Point, end: Point) -> Floats:
    a, b, c = (np.array(point)[None] for point in (start, control, end))
    t = SHARES[:, None]
    return (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c


def _crossed(path: Floats, others: Floats) -> float:
    """How many pieces of other paths a path crosses."""
    a, b = path[:-1, None, None], path[1:, None, None]
    c, d = others[None, :, :-1], others[None, :, 1:]

    def turn(p: Floats, q: Floats, r: Floats) -> Floats:
        u, v = q - p, r - p
        return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]

    crossing = (turn(a, b, c) * turn(a, b, d) < 0) & (turn(c, d, a) * turn(c, d, b) < 0)
    return float(crossing.sum())


def curve(parent: Disc, child: Disc, bend: float) -> tuple[Point, Point, Point]:
    """Start, control point and end of an arrow between the borders of two nodes."""
    (ax, ay), (bx, by) = parent.centre, child.centre
    control = ((ax + bx) / 2 - bend * (by - ay), (ay + by) / 2 + bend * (bx - ax))
    return _border(parent, control), control, _border(child, control)


def _border(disc: Disc, towards: Point) -> Point:
    """Where the line from a node's centre to a point leaves the node."""
    (cx, cy), (tx, ty) = disc.centre, towards
    dx, dy = tx - cx, ty - cy
    if disc.is_square:
        reach = max(abs(dx) / disc.width, abs(dy) / disc.height)
    else:
        reach = math.hypot(dx / disc.width, dy / disc.height)
    return (cx + dx / reach, cy + dy / reach) if reach else (cx, cy)
