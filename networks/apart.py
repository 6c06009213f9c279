r"""A decoder whose images move no block of a label.

Under a bound the encoder of a block learns from the label and from the image that the decoder makes
of it, and where few rows have labels the many images outweigh them: the block drifts towards what
helps to draw. Here the decoder reads the blocks and sends nothing back,

.. math::  \log p(x \mid \mathrm{stop}(z_c), z_{\setminus c}),

so that a block learns of the labels and of p(z_c | y) alone, while the decoder learns to draw from
what the block says. The value of the bound is what it was; its gradient is no longer that of the
bound, and what a block could tell of the image beyond the label stays out of the reconstruction
(docs/training.md has what that gains and costs). The decoder ``local`` does so always.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Apart(nn.Module):
    """A decoder through which no gradient reaches those of the latents that labels own.

    Args:
        decoder: latents ``(…, D)`` to raw likelihood parameters ``(…, C, H, W)``.
        parts: how many dimensions follow each other, and whether they are of labels' blocks; D in
            all.
    """

    told: Tensor

    def __init__(self, decoder: nn.Module, parts: Sequence[tuple[int, bool]]) -> None:
        super().__init__()
        self.decoder = decoder
        told = [of_labels for count, of_labels in parts for _ in range(count)]
        self.register_buffer("told", torch.tensor(told), persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        """What the decoder makes of latents ``(…, D)``."""
        raw: Tensor = self.decoder(torch.where(self.told, z.detach(), z))
        return raw
