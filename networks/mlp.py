"""Multi-layer perceptrons with softplus units, as in M2 (Kingma et al. 2014), for any shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from .heads import Decoder, Encoder

HIDDEN = 500
"""Units of a hidden layer."""


def _dense(sizes: Sequence[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.Softplus()]
    return layers


class MLPEncoder(Encoder):
    """Dense layers over the flattened image.

    Args:
        shape: an image's shape (C, H, W). outputs: D, latent dimensions.
        hidden: widths of the hidden layers.
    """

    def __init__(
        self, shape: tuple[int, int, int], outputs: int, hidden: Sequence[int] = (HIDDEN,)
    ) -> None:
        trunk = nn.Sequential(nn.Flatten(), *_dense([math.prod(shape), *hidden]))
        super().__init__(trunk, hidden[-1], outputs)


class MLPDecoder(Decoder):
    """Dense layers to an image.

    Args:
        inputs: D, latent dimensions. shape: (raw numbers for each pixel, H, W).
        hidden: widths of the hidden layers, in the encoder's order.
    """

    def __init__(
        self, inputs: int, shape: tuple[int, int, int], hidden: Sequence[int] = (HIDDEN,)
    ) -> None:
        layers = _dense([inputs, *reversed(hidden)])
        layers += [nn.Linear(hidden[0], math.prod(shape)), nn.Unflatten(1, shape)]
        super().__init__(nn.Sequential(*layers))
