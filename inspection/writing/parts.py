"""What a density is put together from: factors, products, and the letters of their indices."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

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


def is_time(plate: str) -> bool:
    """Whether a plate stands for the steps of a chain."""
    return plate.startswith(TIME)
