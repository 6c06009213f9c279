"""Ways around nodes for arrows that no single bend can save: through the gaps of the rows between.

Between two rows nothing is in the way, and in every row there is room between neighbours. So an
arrow runs from gap to gap, straight through each row and across between rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from .drawing import RADIUS, Disc, Point

BAND = RADIUS + 0.07
"""Half the height of a row with what must stay clear of it."""

NARROW = 0.24
"""The least gap that an arrow runs through."""

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

    def way(self, parent: Disc, child: Disc, aside: float = 0.0) -> list[Point]:
        """The points that an arrow is drawn towards, one after another.

        Args:
            parent, child: its ends. aside: how far it keeps from another one between them.
        """
        (ax, ay), (bx, by) = parent.centre, child.centre
        if abs(ay - by) < 1e-6:
            return self._over((ax, ay), (bx, by))
        down = -1.0 if by < ay else 1.0
        between = sorted(
            (y for y in self.gaps if min(ay, by) + 1e-6 < y < max(ay, by) - 1e-6),
            key=lambda y: down * y,
        )
        points = [(ax + aside, ay + down * (BAND + 0.12 - aside / 2))]
        for y, x in zip(between, self._through(ax, between, bx), strict=True):
            points += [(x, y - down * BAND), (x, y), (x, y + down * BAND)]
        return [*points, (bx + aside, by - down * (BAND + 0.12 + aside / 2))]

    def _over(self, start: Point, end: Point) -> list[Point]:
        """Along a row, above it or below it, where fewer arrows run."""
        y = start[1]
        above, below = (y, 1.0), (y, -1.0)
        side = above if self.used[above] <= self.used[below] else below
        height = BAND + 0.16 + LANE * self.used[side]
        self.used[side] += 1
        return [(x, y + side[1] * height) for x in (start[0], end[0])]

    def _through(self, start: float, rows: Sequence[float], end: float) -> list[float]:
        """The gap in every row that together make the shortest way, those in use counted longer."""
        ways: list[tuple[float, list[float], float]] = [(0.0, [], start)]
        for y in rows:
            ways = [
                min(
                    (cost + abs(x - at) + 0.4 * self.used[x, y], [*way, x], x)
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
            lanes.append(x + step * ((lane + 1) // 2) * (1 if lane % 2 else -1))
        return lanes


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
