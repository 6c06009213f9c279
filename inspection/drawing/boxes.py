"""The rectangles of plates: each around its own nodes and no others, nested, beside or crossed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..graphs.structure import Structure
from ..writing.notation import size_of
from .shapes import PAD, TEXT, Arrow, Box, Disc, Point, Title, hull

APART = 0.12
"""Least distance of two borders that run side by side."""

BEND = 0.1
"""Distance of a border from a bend within it."""

SIDES = ("west", "east")

Corners = tuple[Point, Point]


class Plates:
    """The plates of a graph, as far as they can be known before anything has its place.

    Args:
        graph: what is drawn. rows: of its nodes.
        spans: labels of those that stand for a loop's steps.
        numbers: whether labels have the sizes in numbers too.

    Attributes:
        inside: the nodes in every plate that has any, the fewest first.
        levels: how many boxes lie within each other up to a plate: those that share nodes count up.
        above: whether a plate's label stands at its upper side: where fewer arrows leave it.
    """

    def __init__(
        self,
        graph: Structure,
        rows: Mapping[str, int],
        spans: Mapping[str, Title],
        *,
        numbers: bool = False,
    ) -> None:
        self.graph, self.spans, self.numbers = graph, spans, numbers
        self.inside = _members(graph)
        self.levels: dict[str, int] = {}
        for name, own in self.inside.items():
            within = [self.levels[o] for o in self.levels if self.inside[o] & own]
            self.levels[name] = 1 + max(within, default=0)
        lines = {frozenset((e.parent, e.child)) for e in graph.edges if e.parent != e.child}
        self.above = {name: _leaves_down(own, lines, rows) for name, own in self.inside.items()}

    def title(self, name: str) -> Title:
        """What is written in a plate."""
        number = " + ".join(map(str, self.graph.plates[name].sizes)) if self.numbers else ""
        if name in self.spans:
            return replace(self.spans[name], number=number)
        size = size_of(name)
        return Title("" if size.name == f"N_{name}" else name, size, number)

    def row_gaps(self, rows: Mapping[str, int], disc: float) -> dict[int, float]:
        """How far the row above each row must be, for the borders that run between them."""
        down: dict[int, float] = {}
        up: dict[int, float] = {}
        for name, own in self.inside.items():
            low, high = min(rows[n] for n in own), max(rows[n] for n in own)
            below, over = (PAD, TEXT) if self.above[name] else (TEXT, PAD)
            within = self.levels[name] - 1
            down[low] = max(down.get(low, 0.0), below + within * TEXT)
            up[high] = max(up.get(high, 0.0), over + within * (TEXT if self.above[name] else PAD))
        return {
            row: 2 * disc + up.get(row, 0.0) + down.get(row + 1, 0.0) + 0.24
            for row in range(min(rows.values(), default=0), max(rows.values(), default=0))
        }

    def room(self, discs: Mapping[str, Disc]) -> dict[str, float]:
        """How much further a plate reaches on each side than its nodes ask for: for its label."""
        found = {}
        for name, own in self.inside.items():
            (left, _), (right, _) = hull([discs[n].corners for n in own])
            more = (self.title(name).width + 0.3 - (right - left)) / 2 - PAD
            found[name] = max(0.0, more)
        return found

    def boxes(self, discs: Mapping[str, Disc], arrows: Sequence[Arrow]) -> list[Box]:
        """A rectangle for every plate, the innermost first.

        A plate whose nodes no rectangle can hold without others is drawn in several parts.
        """
        found: dict[str, list[Box]] = {}
        for name, own in self.inside.items():
            within = [b for o, parts in found.items() if self.inside[o] <= own for b in parts]
            across = [b for o, parts in found.items() if not self.inside[o] <= own for b in parts]
            found[name] = []
            for part in _parts(own, discs):
                held = [b for b in within if _holds(part, b, discs, self.inside)]
                box = self._framed(name, [*(discs[n].corners for n in part),
                                          *((b.lower, b.upper) for b in held)])  # fmt: skip
                box = _around(box, own, discs, arrows)
                found[name].append(_moved_off(box, across))
        every = [box for parts in found.values() for box in parts]
        paths = [[arrow.at(step / 24) for step in range(25)] for arrow in arrows]
        return [_with_side(box, every, paths) for box in every]

    def _framed(self, name: str, corners: Sequence[Corners]) -> Box:
        (left, low), (right, high) = hull(corners)
        title, above = self.title(name), self.above[name]
        more = max(PAD, (title.width + 0.3 - (right - left)) / 2)
        low, high = low - (PAD if above else TEXT), high + (TEXT if above else PAD)
        return Box(title, (left - more, low), (right + more, high), above, name, name in self.spans)


def _members(graph: Structure) -> dict[str, frozenset[str]]:
    found, depth = {}, {}
    for plate in graph.plates:
        own = [node for node in graph.nodes.values() if plate in node.plates]
        found[plate] = frozenset(node.name for node in own)
        depth[plate] = max((node.plates.index(plate) for node in own), default=0)
    order = sorted(found, key=lambda plate: (len(found[plate]), -depth[plate]))
    return {plate: found[plate] for plate in order if found[plate]}


def _leaves_down(
    own: frozenset[str], lines: Iterable[frozenset[str]], rows: Mapping[str, int]
) -> bool:
    """Whether more arrows leave a plate downwards than upwards."""
    leaving = 0
    for line in lines:
        if len(line & own) == len(line - own) == 1:
            (a,), (b,) = line & own, line - own
            leaving += (rows[b] < rows[a]) - (rows[b] > rows[a])
    return leaving > 0


def _parts(own: frozenset[str], discs: Mapping[str, Disc]) -> Iterable[list[str]]:
    """The nodes of a plate in as few groups as their rectangles can hold without others."""
    order = sorted(own, key=lambda name: discs[name].centre)
    part: list[str] = []
    for name in order:
        if part and _meets_others([*part, name], own, discs):
            yield part
            part = []
        part.append(name)
    yield part


def _meets_others(part: Sequence[str], own: frozenset[str], discs: Mapping[str, Disc]) -> bool:
    (left, low), (right, high) = hull([discs[name].corners for name in part])
    for name, disc in discs.items():
        (x0, y0), (x1, y1) = disc.corners
        if name not in own and x1 > left and x0 < right and y1 > low and y0 < high:
            return True
    return False


def _holds(
    part: Sequence[str], box: Box, discs: Mapping[str, Disc], inside: Mapping[str, frozenset[str]]
) -> bool:
    (left, low), (right, high) = box.lower, box.upper
    mine = [discs[n].centre for n in part if n in inside[box.plate]]
    return any(left < x < right and low < y < high for x, y in mine)


def _around(
    box: Box, own: frozenset[str], discs: Mapping[str, Disc], arrows: Sequence[Arrow]
) -> Box:
    """The box wide enough for the bends of arrows within it, where that takes in no other node."""
    bends = [
        arrow.at(step / 24)[0]
        for arrow in arrows
        if arrow.bent and {arrow.edge.parent, arrow.edge.child} <= own
        for step in range(25)
    ]
    (left, low), (right, high) = box.lower, box.upper
    left, right = min([left, *(x - BEND for x in bends)]), max([right, *(x + BEND for x in bends)])
    wider = replace(box, lower=(left, low), upper=(right, high))
    for name, disc in discs.items():
        (x0, y0), (x1, y1) = disc.corners
        if name not in own and x1 > left and x0 < right and y1 > low and y0 < high:
            return box
    return wider


def _moved_off(box: Box, others: Sequence[Box]) -> Box:
    """The box a little larger where its border would run along that of one that it crosses."""
    (left, low), (right, high) = box.lower, box.upper
    below, over = (PAD, TEXT) if box.above else (TEXT, PAD)
    for _ in range(len(others)):
        for other in others:
            (x0, y0), (x1, y1) = other.lower, other.upper
            if x0 < right and x1 > left and y0 < high and y1 > low:
                low -= below * (abs(low - y0) < APART)
                high += over * (abs(high - y1) < APART)
                left -= PAD * (abs(left - x0) < APART)
                right += PAD * (abs(right - x1) < APART)
    return replace(box, lower=(left, low), upper=(right, high))


def _with_side(box: Box, every: Sequence[Box], paths: Sequence[Sequence[Point]]) -> Box:
    """The box with its label at the end where less of other boxes and of arrows is in its way."""
    crossed = {side: _in_the_way(replace(box, side=side), every, paths) for side in SIDES}
    if crossed["west"] == crossed["east"]:
        return box
    return replace(box, side=min(SIDES, key=lambda side: crossed[side]))


def _in_the_way(box: Box, every: Sequence[Box], paths: Sequence[Sequence[Point]]) -> float:
    """How many borders and arrows run through a label."""
    x, y, side = box.name_place(0.0)
    left, right = sorted((x, x + box.title.width * (1 if side == "west" else -1)))
    low, high = (y - 0.22, y + 0.04) if box.above else (y - 0.04, y + 0.22)
    borders = sum(
        other.lower[1] < high and low < other.upper[1] and left - 0.05 < edge < right + 0.05
        for other in every
        if (other.lower, other.upper) != (box.lower, box.upper)
        for edge in (other.lower[0], other.upper[0])
    )
    met = sum(any(left < x < right and low < y < high for x, y in path) for path in paths)
    return borders + 0.5 * met
