"""Which rows keep their labels."""

from __future__ import annotations

import torch
from torch import Tensor


def labelled_rows(rows: int, fraction: float, seed: int, classes: Tensor | None = None) -> Tensor:
    """Sorted positions of the ``round(fraction · rows)`` rows that keep their labels.

    Args:
        rows: how many there are. fraction: of them. seed: of the choice.
        classes: codes ``(rows,)``, NaN where missing; the classes then take turns.

    Raises:
        ValueError: for a fraction outside [0, 1] or one too small to keep a single row.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"expected a labelled fraction between 0 and 1, got {fraction}")
    count = round(fraction * rows)
    if fraction > 0 and count == 0:
        raise ValueError(
            f"a labelled fraction of {fraction} of {rows} rows leaves no labelled row; "
            f"give at least {1 / rows:.2g}, or 0 to train without labels"
        )
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    if classes is not None:
        shuffled = classes[order]
        own = shuffled == shuffled[~shuffled.isnan()].unique()[:, None]
        turn = (own.cumsum(1) * own).sum(0)
        # Rows without a class come when all others have had their turn.
        order = order[torch.where(turn == 0, rows + 1, turn).argsort(stable=True)]
    return order[:count].sort().values
