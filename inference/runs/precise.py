"""Running moments made exact after an epoch, over all rows that it trained on.

The moments of an encoder whose style is independent (:mod:`ccvae.networks.independent`) run over
the batches, while its weights move: they are of a few thousand rows and some steps behind. With so
little a label is left in the style, three points of a binary one. So what is tried and kept after
an epoch has the moments of the weights as they are then, which costs one look at the rows.
"""

from __future__ import annotations

import torch
from torch import nn

from ...data import Rows
from ...networks import IndependentEncoder

ROWS = 500
"""Looked at together."""


def make_exact(module: nn.Module, rows: Rows, device: torch.device) -> None:
    """Give the encoders in a module the moments of some rows; others are left as they are.

    Args:
        module: a guide, or several programs. rows: whose labels are not looked at.
        device: where the module is.
    """
    for part in module.modules():
        if isinstance(part, IndependentEncoder):
            part.settle(batch.x for batch in rows.batches(ROWS, device=device))
