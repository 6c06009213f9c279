"""Rows with labels that are kept out of a training, to try its weights on."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ...config import Config
from ...data import Rows

TRIED = 512
"""Validation rows that are looked at after an epoch, at most."""


class Split(NamedTuple):
    """Training rows in two parts.

    Attributes:
        inside: which are trained on, ``(n,)`` booleans.
        train: these. validation: the others, which all have labels.
    """

    inside: Tensor
    train: Rows
    validation: Rows


def split(config: Config, rows: Rows) -> Split:
    """Keep a share of the rows with labels out of the training, all but one at most, by the seed.

    Args:
        config: says which share. rows: with all labels that any epoch shows.
    """
    labelled = rows.shown.nonzero()[:, 0]
    order = torch.randperm(len(labelled), generator=torch.Generator().manual_seed(config.seed))
    count = min(round(config.validation * len(labelled)), max(0, len(labelled) - 1))
    out = labelled[order[:count]]
    inside = torch.ones(len(rows), dtype=torch.bool).index_fill(0, out, False)
    return Split(inside, rows.at(inside) if len(out) else rows, rows.at(out))
