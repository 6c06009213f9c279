"""Beliefs: what a guide, or whatever else predicts, holds of every label of an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...data import LabelSpace
from .steps import probabilities

Beliefs = dict[str, Tensor]


@torch.no_grad()
def beliefs(guide: nn.Module, space: LabelSpace, x: Tensor) -> Beliefs:
    """q(y = k | x) of every label by name, ``(B, K)`` for images ``(B, C, H, W)``.

    Of a number it is the probability of each step, see :mod:`.steps`.
    """
    table: Beliefs = {}
    for kind, said in zip(space.kinds, guide.predict(x), strict=True):  # type: ignore[operator]
        for position, column in enumerate(kind.columns):
            label = space.labels[column]
            table[label.name] = probabilities(said, position, label)
    return {name: table[name] for name in space.names}
