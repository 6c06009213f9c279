r"""Differences between methods, paired over the seeds.

Methods of one seed share their labelled rows and the order in which they see them, so that what a
seed makes easy or hard falls on all of them, and goes when they are subtracted. With the
differences d_1 … d_n of n seeds, their mean d̄ and standard deviation s, the interval is Student's,

.. math::  \bar d \pm t_{n-1,\,(1+c)/2}\; s / \sqrt n

which holds the true mean difference in a share c of repetitions with new seeds where the
differences are normal, whatever the seeds do to both methods alike. The data set is the same in all
of them: the interval says nothing of other data.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scipy.special import stdtrit

from .rows import MEASURES, Row, fractions_of, methods_of, values

CONFIDENCE = 0.95

MOST_DIGITS = 6
"""Decimal places of a difference, at most."""


class Difference(NamedTuple):
    """How much a method is above another on the seeds that both have.

    Attributes:
        method, reference: the first minus the second.
        labelled: at which fraction. key: of which measure.
        mean, low, high: with its interval, NaN of a single seed.
        seeds: how many.
    """

    method: str
    reference: str
    labelled: float
    key: str
    mean: float
    low: float
    high: float
    seeds: int

    def digits(self, factor: float) -> int:
        """Decimal places for its numbers times a factor: one, or more where that would hide that
        the interval leaves 0 out.

        >>> Difference("b", "a", 1.0, "accuracy", 0.001, 0.0002, 0.0018, 3).digits(100)
        2
        """
        nearest = factor * min(abs(self.low), abs(self.high))
        if not self.is_clear:
            return 1
        return next((n for n in range(1, MOST_DIGITS) if round(nearest, n) > 0), MOST_DIGITS)

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return (self.high - self.low) / 2 / quantile(self.seeds)


def quantile(count: int, confidence: float = CONFIDENCE) -> float:
    """How many standard errors an interval reaches to either side with so many seeds.

    >>> round(quantile(5), 3)
    2.776
    """
    if count < 2:
        return math.nan
    return float(stdtrit(count - 1, (1 + confidence) / 2))


def interval(
    first: Mapping[int, float], second: Mapping[int, float], confidence: float = CONFIDENCE
) -> tuple[float, float, float, int]:
    """The mean difference over the seeds of both, its interval, and how many there are.

    >>> interval({0: 1.0, 1: 2.0, 2: 4.0}, {0: 0.0, 1: 1.5, 2: 2.5, 9: 7.0})
    (1.0, -0.2420..., 2.2420..., 3)
    """
    common = sorted(first.keys() & second.keys())
    off = [first[seed] - second[seed] for seed in common]
    if not off:
        return math.nan, math.nan, math.nan, 0
    mean = statistics.fmean(off)
    if len(off) == 1:
        return mean, math.nan, math.nan, 1
    reach = quantile(len(off), confidence) * statistics.stdev(off) / math.sqrt(len(off))
    return mean, mean - reach, mean + reach, len(off)


def differences(
    rows: Sequence[Row], reference: str, confidence: float = CONFIDENCE
) -> list[Difference]:
    """How much every other method on the same data is above the reference, in units of the rows.

    Args:
        rows: of which the chosen settings count. reference: a method's name.
    """
    found = []
    inputs = {row["method"]: row.get("inputs", "") for row in rows}
    for measure in MEASURES:
        for fraction in fractions_of(rows):
            against = values(rows, reference, fraction, measure.key)
            for method in methods_of(rows):
                own = values(rows, method, fraction, measure.key)
                mean, low, high, count = interval(own, against, confidence)
                same = inputs[method] == inputs.get(reference, "")
                if method != reference and same and count:
                    place = (method, reference, fraction, measure.key)
                    found.append(Difference(*place, mean, low, high, count))
    return found
