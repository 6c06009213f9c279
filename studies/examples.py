"""Which images a study looks at, where it cannot look at all."""

from __future__ import annotations

import torch
from torch import Tensor

from ..data import Batch, Rows


def evenly(total: int, count: int) -> Tensor:
    """Positions of at most ``count`` of ``total`` things, evenly spaced."""
    return torch.linspace(0, total - 1, min(count, total)).round().long()


def spread(rows: Rows, count: int) -> Rows:
    """At most ``count`` rows, evenly spaced, so that rows sorted by class show every class."""
    return picked(rows, evenly(len(rows), count))


def picked(rows: Rows, positions: Tensor) -> Rows:
    """The rows at some positions ``(n,)`` of a set."""
    return Rows(rows.dataset, rows.rows[positions], rows.labels[positions])


def whole(rows: Rows, device: torch.device | str = "cpu") -> Batch:
    """All rows as one batch."""
    return rows.batch(torch.arange(len(rows)), device)
