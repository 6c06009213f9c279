"""Which images a study looks at, where it cannot look at all."""

from __future__ import annotations

import torch

from ..data import Rows


def spread(rows: Rows, count: int) -> Rows:
    """At most ``count`` rows, evenly spaced, so that rows sorted by class show every class."""
    chosen = torch.linspace(0, len(rows) - 1, min(count, len(rows))).round().long()
    return Rows(rows.dataset, rows.rows[chosen], rows.labels[chosen])
