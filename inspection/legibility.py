"""What is wrong with a drawing: what lies over what, and what a plate holds that is not its own."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from .drawing import Arrow, Box, Disc, Drawing

STEPS = 40


def flaws(drawing: Drawing) -> list[str]:
    """Everything in a drawing that misleads a reader, in words.

    Nodes that overlap; arrows through nodes; arrows that cover each other; nodes in a plate's box
    that are not in the plate, or out of it; boxes that cross though their plates share no node, or
    do not meet though they share one.
    """
    return [
        *_overlaps(drawing),
        *_hits(drawing),
        *_covers(drawing),
        *_strangers(drawing),
        *_meetings(drawing),
    ]


def _overlaps(drawing: Drawing) -> Iterable[str]:
    for a, b in itertools.combinations(drawing.discs, 2):
        (ax, ay), (bx, by) = a.centre, b.centre
        if math.hypot((ax - bx) / (a.width + b.width), (ay - by) / (a.height + b.height)) < 1:
            yield f"{a.node.name} and {b.node.name} overlap"


def _hits(drawing: Drawing) -> Iterable[str]:
    for arrow in drawing.arrows:
        ends = (arrow.edge.parent, arrow.edge.child)
        points = [arrow.at(step / STEPS) for step in range(STEPS + 1)]
        for disc in drawing.discs:
            if disc.node.name not in ends and any(_within(disc, x, y) for x, y in points):
                yield f"{' → '.join(ends)} runs through {disc.node.name}"


def _within(disc: Disc, x: float, y: float) -> bool:
    (cx, cy) = disc.centre
    return math.hypot((x - cx) / disc.width, (y - cy) / disc.height) < 1


def _covers(drawing: Drawing) -> Iterable[str]:
    for a, b in itertools.combinations(drawing.arrows, 2):
        same = {a.edge.parent, a.edge.child} == {b.edge.parent, b.edge.child}
        if same and math.dist(a.at(0.5), b.at(0.5)) < 0.1:
            yield f"two arrows between {a.edge.parent} and {a.edge.child} cover each other"
    for a, b in itertools.combinations(drawing.arrows, 2):
        if _runs_along(a, b):
            first, second = (f"{e.parent} → {e.child}" for e in (a.edge, b.edge))
            yield f"{first} and {second} run along each other"


def _runs_along(a: Arrow, b: Arrow) -> bool:
    """Whether straight arrows of different nodes share a stretch of one line."""
    if a.bent or b.bent or {a.edge.parent, a.edge.child} == {b.edge.parent, b.edge.child}:
        return False
    (ax, ay), (bx, by) = (
        (arrow.end[0] - arrow.start[0], arrow.end[1] - arrow.start[1]) for arrow in (a, b)
    )
    if abs(ax * by - ay * bx) > 0.05 * math.hypot(ax, ay) * math.hypot(bx, by):
        return False
    other = [b.at(t / 20) for t in range(21)]
    near = [min(math.dist(a.at(s / 10), point) for point in other) < 0.03 for s in range(1, 10)]
    return sum(near) >= 3


def _strangers(drawing: Drawing) -> Iterable[str]:
    for plate in _plates(drawing):
        parts = [box for box in drawing.boxes if box.plate == plate]
        for disc in drawing.discs:
            inside = [_holds(box, disc) for box in parts]
            name = disc.node.name
            if plate in disc.node.plates and not any(whole for whole, _ in inside):
                yield f"{name} is not in the box of {plate}"
            if plate not in disc.node.plates and any(touched for _, touched in inside):
                yield f"{name} is in the box of {plate}, which it is not in"


def _plates(drawing: Drawing) -> dict[str, set[str]]:
    """The nodes of every plate that a node or a box speaks of."""
    own: dict[str, set[str]] = {box.plate: set() for box in drawing.boxes}
    for disc in drawing.discs:
        for plate in disc.node.plates:
            own.setdefault(plate, set()).add(disc.node.name)
    return own


def _holds(box: Box, disc: Disc) -> tuple[bool, bool]:
    """Whether a box holds all of a node, and whether it touches it."""
    (left, low), (right, high) = box.lower, box.upper
    (x0, y0), (x1, y1) = disc.corners
    whole = left <= x0 and x1 <= right and low <= y0 and y1 <= high
    return whole, left < x1 and x0 < right and low < y1 and y0 < high


def _meetings(drawing: Drawing) -> Iterable[str]:
    own = _plates(drawing)
    for a, b in itertools.combinations(drawing.boxes, 2):
        meet = all(a.lower[i] < b.upper[i] and b.lower[i] < a.upper[i] for i in (0, 1))
        if meet and a.plate in own and b.plate in own and not own[a.plate] & own[b.plate]:
            yield f"the boxes of {a.plate} and {b.plate} meet and share no node"
    single = {p: [b for b in drawing.boxes if b.plate == p] for p in own}
    for p, q in itertools.permutations(own, 2):
        if own[p] and own[p] < own[q] and len(single[p]) == len(single[q]) == 1:
            (a,), (b,) = single[p], single[q]
            if not all(b.lower[i] <= a.lower[i] and a.upper[i] <= b.upper[i] for i in (0, 1)):
                yield f"the box of {p} is not within that of {q}"
