"""Networks of images (or latents) and labels together, as M2 has them (Kingma et al. 2014).

Their first layer is linear in both: W·x + Σ_i E_i[y^i]. A label enters as a row of a table, which
is what multiplying by its one-hot code picks. Where labels are enumerated, the part of the image is
computed once and shared by all classes; only the sums are made for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from ..data.classes import ClassColumns
from .heads import Decoder, Gaussian
from .tables import Table


class LabelTables(Table):
    """Σ_i E_i[y^i]: what the labels add to a first layer.

    They are tables (see :func:`ccvae.inference.training.optimisation.adam`): at the networks'
    step size the latents take over what the labels could say before the tables have moved.

    Args:
        classes: number of classes of each label. width: units of the layer.
    """

    def __init__(self, classes: Sequence[int], width: int) -> None:
        super().__init__()
        self.columns = ClassColumns(classes)
        self.table = nn.Parameter(torch.randn(self.columns.width, width) / width**0.5)

    def forward(self, codes: Tensor) -> Tensor:
        """``(…, width)`` for class codes ``(…, L)``."""
        if len(self.columns.classes) == 1:
            # One row of the table is faster picked, and of many the sum faster multiplied.
            return embedding(codes[..., 0].long(), self.table)
        return self.columns(codes).to(self.table.dtype) @ self.table


class JoinedEncoder(nn.Module):
    """q(z | x, y): features of the image and the labels in one hidden layer, then two heads.

    Args:
        features: F, width of the image's features.
        classes: number of classes of each label. hidden: units of the joined layer.
        outputs: D, latent dimensions. activation: of the joined layer.
    """

    def __init__(
        self,
        features: int,
        classes: Sequence[int],
        hidden: int,
        outputs: int,
        activation: nn.Module,
    ) -> None:
        super().__init__()
        self.image = nn.Linear(features, hidden)
        self.labels = LabelTables(classes, hidden)
        self.activation = activation
        self.heads = Gaussian(hidden, outputs)

    def forward(self, features: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation ``(…, B, D)`` for features ``(B, F)`` and codes ``(…, B, L)``."""
        joined = self.image(features) + self.labels(codes)
        loc, scale = self.heads(self.activation(joined))
        return loc, scale


class JoinedDecoder(nn.Module):
    """p(x | y, z): latents and labels in one hidden layer, then an image.

    Args:
        inputs: D, latent dimensions. classes: number of classes of each label.
        hidden: units of the joined layer. activation: of that layer.
        tail: the joined layer ``(B, hidden)`` to raw numbers ``(B, C, H, W)``.
    """

    def __init__(
        self,
        inputs: int,
        classes: Sequence[int],
        hidden: int,
        activation: nn.Module,
        tail: nn.Module,
    ) -> None:
        super().__init__()
        self.latents = nn.Linear(inputs, hidden)
        self.labels = LabelTables(classes, hidden)
        self.tail = Decoder(nn.Sequential(activation, tail))

    def forward(self, z: Tensor, codes: Tensor) -> Tensor:
        """Raw numbers ``(…, C, H, W)`` for latents ``(…, D)`` and class codes ``(…, L)``."""
        image: Tensor = self.tail(self.latents(z) + self.labels(codes))
        return image
