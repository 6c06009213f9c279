"""Orders of nodes from left to right that a search may begin with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def in_blocks(times: Floats, weights: Floats, inside: Mask) -> list[int]:
    """Plates as blocks, time from left to right, and nodes at the middle of their neighbours."""
    count = len(times)
    timed = ~np.isnan(times)
    place = np.arange(count, dtype=float)
    place[timed] = times[timed] * count + place[timed]
    total = weights.sum(1)
    outer_first = np.argsort(-inside.sum(1), kind="stable")

    def key(i: int) -> tuple[float, ...]:
        if timed[i]:
            return place[i], i
        blocks = [place[inside[p]].mean() if inside[p, i] else place[i]
                  for p in outer_first]  # fmt: skip
        return (*blocks, place[i], i)

    for _ in range(6):
        middle = np.where(total > 0, weights @ place / np.maximum(total, 1e-9), place)
        place = np.where(timed, place, 0.5 * place + 0.5 * middle)
        if not timed.any():
            place[sorted(range(count), key=key)] = np.arange(count)
    return sorted(range(count), key=key)


def planar(times: Floats, lines: Ints, row: Ints) -> list[int]:
    """Every node right before what hangs on it alone: trees come out without crossings."""
    below: dict[int, list[int]] = {i: [] for i in range(len(times))}
    above = dict.fromkeys(below, 0)
    for a, b in lines:
        high, low = (a, b) if row[a] >= row[b] else (b, a)
        below[high].append(low)
        above[low] += 1
    order: list[int] = []
    for root in sorted(below, key=lambda i: (above[i] > 0, i)):
        todo = [root]
        while todo:
            if (node := todo.pop()) not in order:
                order.append(node)
                todo += sorted(below[node], reverse=True)
    time = np.nan_to_num(times, nan=-np.inf)
    timed = sorted((i for i in order if time[i] > -np.inf), key=lambda i: time[i])
    return [i for i in order if time[i] == -np.inf] + timed
