r"""Weights at the start with which every layer passes on how much its inputs differ.

Torch draws the weights of a layer so small that a rectified network of several says nearly the
same of every input, the more so where transposed convolutions widen an image: the features of two
faces differ by a thousandth, two decoded images by half of one, and the first epochs go into
growing. He et al. (2015), equation 10, draw weights with variance 2/n, where n is how many inputs
a unit adds up and one in two is rectified away; a transposed convolution with kernel k and stride
s adds up

.. math::  n = C k^2 / s^2

of C maps, for only every s-th input along each side meets a weight. (Of a single cell that it
widens to k × k it adds up C. That layer counts as the others do, and so decoders start with quiet
images.)
"""

from __future__ import annotations

import math
from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


@torch.no_grad()
def passing_on(module: Module) -> Module:
    """The same module with all its layers drawn anew so, their biases 0."""
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, std=math.sqrt(2 / inputs_of(layer)))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module


def inputs_of(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> float:
    """n: how many inputs a unit of the layer adds up.

    >>> inputs_of(nn.ConvTranspose2d(32, 3, 4, stride=2))
    128.0
    """
    if isinstance(layer, nn.Linear):
        return float(layer.in_features)
    kernel = math.prod(layer.kernel_size)
    if isinstance(layer, nn.ConvTranspose2d):
        return layer.in_channels * kernel / math.prod(layer.stride)
    return float(layer.in_channels * kernel)
