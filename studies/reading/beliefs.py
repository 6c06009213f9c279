"""Beliefs: what a guide, or whatever else predicts, holds of every label of an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...data import LabelSpace

Beliefs = dict[str, Tensor]


@torch.no_grad()
def beliefs(guide: nn.Module, space: LabelSpace, x: Tensor) -> Beliefs:
    """q(y = k | x) of every label by name, ``(B, K)`` for images ``(B, C, H, W)``."""
    table: Beliefs = {}
    for kind, log_classes in zip(space.kinds, guide.predict(x), strict=True):  # type: ignore[operator]
        for position, column in enumerate(kind.columns):
            table[space.names[column]] = log_classes[:, position].exp()
    return {name: table[name] for name in space.names}
