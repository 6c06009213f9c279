"""Beliefs: what a guide, or whatever else predicts, holds of every label of an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...data import LabelSpace
from ...guides.contracts import Classifier, classifying
from .steps import probabilities

Beliefs = dict[str, Tensor]


@torch.no_grad()
def beliefs(guide: nn.Module | Classifier, space: LabelSpace, x: Tensor) -> Beliefs:
    """q(y = k | x) of every label by name, ``(B, K)`` for images ``(B, C, H, W)``.

    Of a number it is the probability of each step, see :mod:`.steps`.

    Raises:
        ValueError: for a guide without a classifier.
    """
    table: Beliefs = {}
    for kind, said in zip(space.kinds, classifying(guide).predict(x), strict=True):
        for position, column in enumerate(kind.columns):
            label = space.labels[column]
            table[label.name] = probabilities(said, position, label)
    return {name: table[name] for name in space.names}
