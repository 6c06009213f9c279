"""Ways around nodes for arrows that no single bend can save: through the gaps of the rows between.

Between two rows nothing is in the way, and in every row there is room between neighbours. So an
arrow runs from gap to gap, straight through each row and across between rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from .shapes import RADIUS, Disc, Point

CLEAR = 0.07
"""How far an arrow keeps from a row."""

NARROW = 0.24
"""The least gap that an arrow runs through."""

CORNER = 0.3
"""How far from a corner an arrow begins to turn."""

LANE = 0.09
"""Between arrows that share a way."""


class Detours:
    """The gaps between the nodes of a drawing, and how many arrows run through each.

    Args:
        discs: the nodes.
    """

    def __init__(self, discs: Mapping[str, Disc]) -> None:
        rows: dict[float, list[tuple[float, float]]] = {}
        for disc in discs.values():
            (left, _), (right, _) = disc.corners
            rows.setdefault(round(disc.centre[1], 6), []).append((left, right))
        self.gaps = {y: dict(_gaps(sorted(spans))) for y, spans in rows.items()}
        self.used: Counter[Point] = Counter()
        self.band = max((disc.height for disc in discs.values()), default=RADIUS) + CLEAR

    def way(self, parent: Disc, child: Disc, aside: float = 0.0) -> list[Point]:
        """The points that an arrow is drawn towards, one after another.

        Args:
            parent, child: its ends. aside: how far it keeps from another one between them.
        """
        (ax, ay), (bx, by) = parent.centre, child.centre
        if abs(ay - by) < 1e-6:
            return self._over((ax, ay), (bx, by), aside)
        down = -1.0 if by < ay else 1.0
        between = sorted(
            (y for y in self.gaps if min(ay, by) + 1e-6 < y < max(ay, by) - 1e-6),
            key=lambda y: down * y,
        )
        points = [(ax + aside, ay + down * (self.band + 0.12 - 0.6 * aside))]
        for y, x in zip(between, self._through(ax, between, bx, aside), strict=True):
            points += [(x, y - down * self.band), (x, y), (x, y + down * self.band)]
        return _tight([*points, (bx + aside, by - down * (self.band + 0.12 + 0.6 * aside))])

    def _over(self, start: Point, end: Point, aside: float) -> list[Point]:
        """Along a row, above it or below it, where fewer arrows run."""
        y = start[1]
        above, below = (y, 1.0), (y, -1.0)
        side = above if self.used[above] <= self.used[below] else below
        height = self.band + 0.16 + LANE * self.used[side] + aside
        self.used[side] += 1
        return [(x, y + side[1] * height) for x in (start[0], end[0])]

    def _through(
        self, start: float, rows: Sequence[float], end: float, aside: float
    ) -> list[float]:
        """The gap in every row that together make the shortest way, those in use counted longer."""
        busy = 3.0 if aside else 0.4
        ways: list[tuple[float, list[float], float]] = [(0.0, [], start)]
        for y in rows:
            ways = [
                min(
                    (cost + abs(x - at) + busy * self.used[x, y], [*way, x], x)
                    for cost, way, at in ways
                )
                for x in self.gaps[y]
            ]
        _, way, _ = min(ways, key=lambda one: one[0] + abs(end - one[2]))
        lanes = []
        for x, y in zip(way, rows, strict=True):
            lane, reach = self.used[x, y], self.gaps[y][x]
            self.used[x, y] += 1
            step = min(LANE, reach / max(1, (lane + 1) // 2))
            beside = step * ((lane + 1) // 2) * (1 if lane % 2 else -1) + aside
            lanes.append(x + max(-reach, min(beside, reach)))
        return lanes


def _tight(points: Sequence[Point]) -> list[Point]:
    """The same way with its corners kept close, however long the stretches between them are."""
    found = [points[0]]
    for (ax, ay), (bx, by) in pairwise(points):
        length = math.dist((ax, ay), (bx, by))
        if length > 4 * CORNER:
            share = CORNER / length
            found += [
                (ax + share * (bx - ax), ay + share * (by - ay)),
                (bx - share * (bx - ax), by - share * (by - ay)),
            ]
        found.append((bx, by))
    return found


def _gaps(spans: Sequence[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    """The middle of every gap of a row, and how far beside it there is room."""
    edge = -math.inf
    for left, right in spans:
        if left - edge >= NARROW:
            yield (
                (left - 0.3, 0.2)
                if edge == -math.inf
                else ((edge + left) / 2, (left - edge) / 2 - 0.08)
            )
        edge = max(edge, right)
    yield edge + 0.3, 0.2
