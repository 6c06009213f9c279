"""How the weights of an objective change over a training, as ``alpha=linear:0:3000:10``.

==========================  ====================================================================
``NAME=constant:V``         V all the time
``NAME=linear:A:B:E``       from A to B in a straight line over E epochs, and B from then on
``NAME=cosine:A:B:E``       the same along half a cosine, slow at both ends
==========================  ====================================================================

A weight changes from step to step and depends on nothing but where the training stands, so that one
that is taken up goes on as if it had not been left. After the first step it is a little beyond A.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

NUMBERS = {"constant": 1, "linear": 3, "cosine": 3}
"""How many numbers each shape has."""

RATE = "cosine"
"""How the step size falls, if nothing else is said."""

LARGEST, LONGEST = 1e9, 10**6
"""Of a weight, and of the epochs over which it changes."""


class Schedule(NamedTuple):
    """How one weight changes.

    Attributes:
        name: the weight's. shape: a name of :data:`NUMBERS`.
        start, end: its first and its last value. epochs: over which it changes.
    """

    name: str
    shape: str
    start: float
    end: float
    epochs: float

    def at(self, epoch: float) -> float:
        """Its value when so many epochs are done, in parts too.

        >>> Schedule("alpha", "linear", 0.0, 3000.0, 10.0).at(2.5)
        750.0
        """
        share = min(1.0, epoch / self.epochs)
        if self.shape == "cosine":
            share = (1 - math.cos(math.pi * share)) / 2
        return self.start + (self.end - self.start) * share


def read_schedules(text: str) -> tuple[str, tuple[Schedule, ...]]:
    """The step size's schedule by name, and those of weights.

    Raises:
        ValueError: where one is none, or a weight has two.

    >>> read_schedules("linear,beta=constant:0.5")
    ('linear', (Schedule(name='beta', shape='constant', start=0.5, end=0.5, epochs=1.0),))
    """
    pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
    rates = [piece for piece in pieces if "=" not in piece]
    found = tuple(_read(piece) for piece in pieces if "=" in piece)
    names = [each.name for each in found]
    if len(rates) > 1 or len(set(names)) < len(names):
        raise ValueError(
            f"expected one schedule of the step size and one of each weight, got {text!r}"
        )
    return (rates or [RATE])[0], found


def _read(piece: str) -> Schedule:
    name, _, rest = piece.partition("=")
    shape, *words = rest.split(":")
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    fine = (
        re.fullmatch(r"[A-Za-z]\w*", name)
        and len(numbers) == NUMBERS.get(shape)
        and all(0 <= number <= LARGEST for number in numbers[:2])
        and all(0 < number <= LONGEST for number in numbers[2:])
    )
    if not fine:
        raise ValueError(
            f"expected a weight's schedule as alpha=linear:0:3000:10, cosine:0:1:5 or constant:1, "
            f"with values from 0 to {LARGEST:g} and epochs above 0, got {piece[:60]!r}"
        )
    first, last, epochs = numbers if len(numbers) == 3 else (numbers[0], numbers[0], 1.0)
    return Schedule(name, shape, first, last, epochs)
