"""Where nodes stand from left to right: the orders of nodes are searched, and the best is kept.

In an order, nodes that would disturb each other keep a distance: those of one row, those in a plate
and those beside it in the plate's rows, those of different steps of time. Within these bounds every
node moves to the middle of its neighbours. The search swaps and moves nodes and whole plates; its
length depends on the graph's size alone: the same graph gives the same figure.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from .drawing import PAD, RADIUS
from .graph import Graph
from .orders import Floats, Ints, Mask, in_blocks, planar
from .rows import times

GAP = 0.6
"""Between two nodes side by side."""

ROW = 1.25
"""The least distance of rows."""

WORK = 60000
"""How long is searched: the number of orders times that of pairs of nodes and arrows, about."""

WEAK = 0.004
"""How much an arrow within a row pulls: its ends cannot meet, and those below each other shall."""

TORN = 1000.0
"""What a node costs that stands between those of a plate."""


class Field:
    """A graph as arrays: nodes by number, in the order of the program.

    Args:
        graph: what is drawn. half: half the width of every node.
        levels: of every plate, how many boxes lie in it, itself counted; its border is that far
            from its nodes. room: further room that a plate's label needs on each side.
        rows: of the nodes; arrows within one pull less, as their ends cannot meet.
    """

    def __init__(
        self,
        graph: Graph,
        half: Mapping[str, float],
        levels: Mapping[str, int],
        room: Mapping[str, float],
        rows: Mapping[str, int],
    ) -> None:
        self.names = list(graph.nodes)
        number = {name: i for i, name in enumerate(self.names)}
        self.half = np.array([half[name] for name in self.names])
        plates = [name for name in levels if any(name in n.plates for n in graph.nodes.values())]
        self.inside = np.array(
            [[name in node.plates for node in graph.nodes.values()] for name in plates], dtype=bool
        ).reshape(len(plates), len(self.names))
        self.pads = np.array([levels[name] * PAD + room.get(name, 0.0) for name in plates])
        lines = {
            (number[edge.parent], number[edge.child]): (1.0 if edge.side == "p" else 0.3)
            * (1.0 if rows[edge.parent] != rows[edge.child] else WEAK)
            for edge in sorted(graph.edges, key=lambda edge: edge.side, reverse=True)
            if edge.parent != edge.child
        }
        once = {tuple(sorted(line)): weight for line, weight in lines.items()}
        self.lines = np.array(sorted(once), dtype=int).reshape(-1, 2)
        self.weights = np.zeros((len(self.names), len(self.names)))
        for (a, b), weight in once.items():
            self.weights[a, b] = self.weights[b, a] = weight
        steps = times(graph)
        self.time = np.array([steps.get(name, np.nan) for name in self.names])
        self._known = ~np.isnan(self.time)
        self._widest = np.array(
            [self.half[self.time == t].max() if k else h
             for t, k, h in zip(self.time, self._known, self.half, strict=True)]
        )  # fmt: skip

    def apart(self, row: Ints) -> Floats:
        """Least distances of all pairs of nodes, minus infinity where they do not disturb."""
        disturb = row[:, None] == row[None]
        pads = np.zeros(disturb.shape)
        spans = [(row[i].min(), row[i].max()) for i in self.inside]
        for inside, pad, (low, high) in zip(self.inside, self.pads, spans, strict=True):
            beside = np.outer(inside, ~inside)
            disturb |= _both(np.outer(inside, ~inside & (row >= low) & (row <= high)))
            pads = np.maximum(pads, pad * beside)
        for p, (low, high) in enumerate(spans):
            for q in range(p):
                if not (self.inside[p] & self.inside[q]).any() and (
                    spans[q][0] <= high and low <= spans[q][1]
                ):
                    disturb |= _both(np.outer(self.inside[p], self.inside[q]))
        later = self._known[:, None] & self._known & (self.time[:, None] != self.time[None])
        # All of a step keeps the distance of its widest node: a step is a column.
        half = np.where(later, self._widest[:, None], self.half[:, None])
        distance = half + half.T + GAP + pads + pads.T
        disturb |= later
        np.fill_diagonal(disturb, False)
        return np.where(disturb, distance, -np.inf)

    def torn(self, order: Sequence[int], row: Ints) -> int:
        """How many nodes stand between those of a plate that they are not in, or out of time."""
        place = np.empty(len(order), dtype=int)
        place[list(order)] = np.arange(len(order))
        count = 0
        for inside in self.inside:
            mine, rows = place[inside], row[inside]
            within = (row >= rows.min()) & (row <= rows.max()) & ~inside
            count += int((within & (place > mine.min()) & (place < mine.max())).sum())
        time = self.time[list(order)]
        time = time[~np.isnan(time)]
        return count + int((np.diff(time) < 0).sum())

    def spread(self, order: Sequence[int], apart: Floats, sweeps: int) -> Floats:
        """Places from left to right in a given order."""
        order = list(order)
        least = apart[np.ix_(order, order)]
        pull = self.weights[np.ix_(order, order)]
        total = pull.sum(1)
        count = len(order)
        left, right = np.zeros(count), np.zeros(count)
        for i in range(1, count):
            left[i] = max(0.0, (left[:i] + least[:i, i]).max())
        right[:] = left.max()
        for i in range(count - 2, -1, -1):
            right[i] = min(right[i], (right[i + 1 :] - least[i, i + 1 :]).min())
        across = (left + right) / 2
        for sweep in range(sweeps):
            for i in range(count) if sweep % 2 else range(count - 1, -1, -1):
                if total[i] > 0:
                    low = (across[:i] + least[:i, i]).max(initial=-np.inf)
                    high = (across[i + 1 :] - least[i, i + 1 :]).min(initial=np.inf)
                    across[i] = min(max(pull[i] @ across / total[i], low), high)
        found = np.empty(count)
        found[order] = across - across.min(initial=0.0)
        return found

    def cost(self, across: Floats, row: Ints) -> float:
        """Crossings, arrows that pass over nodes, lengths, and a little for another order."""
        points = np.stack([across, row * ROW], -1)
        a, b = points[self.lines[:, 0]], points[self.lines[:, 1]]
        lengths = np.hypot(*(b - a).T)
        cost = lengths.sum() + 0.3 * np.ptp(across)
        cost += 30 * self._covered(points, a, b, lengths) + 12 * self._crossings(a, b)
        return float(cost - 1e-3 * (np.arange(len(across)) * across).sum() / max(1, len(across)))

    def _covered(self, points: Floats, a: Floats, b: Floats, lengths: Floats) -> float:
        """How many nodes lie on an arrow's straight line that are no ends of it."""
        along = b - a
        offset = points[None] - a[:, None]
        share = (offset * along[:, None]).sum(-1) / np.maximum(lengths**2, 1e-9)[:, None]
        gap = offset - share.clip(0, 1)[..., None] * along[:, None]
        near = np.hypot(gap[..., 0] * RADIUS / self.half, gap[..., 1]) < 1.35 * RADIUS
        near[np.arange(len(a))[:, None], self.lines] = False
        return float(near.sum())

    def _crossings(self, a: Floats, b: Floats) -> float:
        def turn(p: Floats, q: Floats, r: Floats) -> Floats:
            u, v = q - p, r - p
            return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]

        first, second = (a[:, None], b[:, None]), (a[None], b[None])
        cross = (turn(*first, second[0]) * turn(*first, second[1]) < -1e-9) & (
            turn(*second, first[0]) * turn(*second, first[1]) < -1e-9
        )
        return float(cross.sum()) / 2


def _both(pairs: Mask) -> Mask:
    return pairs | pairs.T


def search(field: Field, row: Ints) -> tuple[Floats, Ints]:
    """Places from left to right, and the rows, of which some may have been raised."""
    blocks = in_blocks(field.time, field.weights, field.inside)
    starts = (blocks, planar(field.time, field.lines, row))
    state = min((_State(field, start, row) for start in starts), key=lambda state: state.value)
    dice = random.Random(0)
    size = len(field.names)
    effort = size * (size + len(field.lines)) + len(field.lines) ** 2 // 4
    rounds = min(240, 6 * size * size, WORK // (effort + 1) + 40)
    for _ in range(rounds if size > 1 else 0):
        state.try_one(dice)
    across = field.spread(state.order, field.apart(state.row), sweeps=60)
    return across, state.row


class _State:
    """The best order that the search has found so far."""

    def __init__(self, field: Field, order: list[int], row: Ints) -> None:
        self.field, self.order, self.row = field, order, row
        self._apart: dict[bytes, Floats] = {}
        self.value = np.inf
        self.value = self._value(order, row)

    def try_one(self, dice: random.Random) -> None:
        """Change something, and keep it where it is better."""
        order, row = list(self.order), self.row
        move = dice.randrange(4)
        if move == 0:
            i, j = dice.sample(range(len(order)), 2)
            order[i], order[j] = order[j], order[i]
        elif move == 1:
            order.insert(dice.randrange(len(order)), order.pop(dice.randrange(len(order))))
        elif move == 2 and len(self.field.inside):
            order = self._with_a_plate_moved(dice)
        else:
            row = self._with_one_raised(dice)
        value = self._value(order, row)
        if value < self.value - 1e-9:
            self.order, self.row, self.value = order, row, value

    def apart(self, row: Ints) -> Floats:
        """The least distances with nodes in these rows."""
        if row.tobytes() not in self._apart:
            self._apart[row.tobytes()] = self.field.apart(row)
        return self._apart[row.tobytes()]

    def _value(self, order: list[int], row: Ints) -> float:
        torn = TORN * self.field.torn(order, row)
        if torn > self.value:
            return np.inf
        across = self.field.spread(order, self.apart(row), sweeps=6)
        return torn + self.field.cost(across, row) + 2.5 * float(row.max(initial=0))

    def _with_a_plate_moved(self, dice: random.Random) -> list[int]:
        inside = self.field.inside[dice.randrange(len(self.field.inside))]
        group = [i for i in self.order if inside[i]]
        rest = [i for i in self.order if not inside[i]]
        at = dice.randrange(len(rest) + 1)
        return rest[:at] + (group if dice.random() < 0.6 else group[::-1]) + rest[at:]

    def _with_one_raised(self, dice: random.Random) -> Ints:
        """A node stands higher or lower where all its arrows still point the same way."""
        row, chosen = self.row.copy(), dice.randrange(len(self.row))
        if not np.isnan(self.field.time[chosen]):
            return self.row
        row[chosen] += dice.choice((1, -1))
        lines = self.field.lines
        before, after = (np.sign(r[lines[:, 0]] - r[lines[:, 1]]) for r in (self.row, row))
        return row if (before == after).all() and row.min() >= 0 else self.row


def heights(row: Ints, gaps: Mapping[int, float]) -> dict[int, float]:
    """The height of every row: at least ``ROW`` above the one below, or what its gap needs."""
    low, high = int(row.min(initial=0)), int(row.max(initial=0))
    found = {low: 0.0}
    for below, here in pairwise(range(low, high + 1)):
        found[here] = found[below] + max(ROW, gaps.get(below, 0.0))
    return found
