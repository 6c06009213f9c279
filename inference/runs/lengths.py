"""How many rows the epochs of a training have, without going through all of them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from ...config import Config
from ...data import Rows
from .fitting import rows_of_epoch


@dataclass(frozen=True)
class Lengths:
    """Rows of each epoch, which change only where a share of the epochs begins.

    Attributes:
        starts: epochs at which a share begins, from 0. rows: of each epoch of it.
    """

    starts: list[int]
    rows: list[int]

    def of(self, epoch: int) -> int:
        """Rows of an epoch."""
        return self.rows[bisect_right(self.starts, epoch) - 1]

    def before(self, epoch: int) -> int:
        """Rows of all epochs before one."""
        ends = [min(epoch, end) for end in (*self.starts[1:], epoch)]
        pairs = zip(self.starts, ends, self.rows, strict=True)
        return sum(max(0, end - start) * rows for start, end, rows in pairs)


def lengths(config: Config, rows: Rows) -> Lengths:
    """Of the epochs that :func:`~ccvae.inference.runs.fitting.rows_of_epoch` gives."""
    shares = len(config.fractions)
    starts = {0, config.labelled_epochs, *(-(-config.epochs * k // shares) for k in range(shares))}
    starts = {start for start in starts if start < config.epochs}
    ordered = sorted(starts)
    return Lengths(ordered, [len(rows_of_epoch(config, rows, start)) for start in ordered])
