"""What a density is put together from: factors, products, and the letters of their indices."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ..graphs.structure import Node

INDICES = "ijklmnrst"

TIME = "time:"
"""What the plates begin with that stand for the steps of a chain."""


class Part(NamedTuple):
    """A factor, or a product.

    Attributes:
        factors: as they are written. lower, upper: what a product runs over; empty for a factor.
        nested: whether there is a product within.
    """

    factors: str
    lower: str = ""
    upper: str = ""
    nested: bool = False


def letters(taken: set[str]) -> Iterator[str]:
    """Letters for indices that no variable is called, without end."""
    for turn in itertools.count():
        yield from (name for c in INDICES if (name := f"{c}{turn or ''}") not in taken)


def apart(
    within: Sequence[Node],
    nodes: Sequence[Node],
    plates_of: Callable[[Node], tuple[str, ...]],
    depth: int,
) -> Iterator[list[Node]]:
    """Nodes of a plate in two parts: those in it alone, and those where another plate crosses it.

    Args:
        within: nodes of the plate. nodes: all whose factors stand beside each other.
        plates_of: their plates. depth: how many of these they all have in common.
    """
    plate = plates_of(within[0])[depth]
    beside = {p for node in nodes if plate not in plates_of(node) for p in plates_of(node)[depth:]}
    crossed = [node for node in within if beside & set(plates_of(node)[depth + 1 :])]
    yield from filter(None, ([node for node in within if node not in crossed], crossed))


def is_time(plate: str) -> bool:
    """Whether a plate stands for the steps of a chain."""
    return plate.startswith(TIME)
