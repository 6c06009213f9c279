"""An encoder whose labels' blocks have a trunk of their own, beside that of z_style.

In one trunk the classifier's gradient and that of the reconstruction share every layer, and Adam's
steps are as long as their sum allows: the more the labels weigh, the slower the style learns. DIVA
has an encoder for each latent (Ilse et al. 2020); this is the same for the blocks of CC-VAE.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SeparateEncoder(nn.Module):
    """Two encoders side by side.

    Args:
        blocks: images ``(B, C, H, W)`` to means and standard deviations ``(B, D)`` of the labels'
            blocks. style: the same ``(B, S)`` of z_style.
    """

    def __init__(self, blocks: nn.Module, style: nn.Module) -> None:
        super().__init__()
        self.blocks = blocks
        self.style = style

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation ``(B, D + S)``, the blocks first."""
        loc, scale = zip(self.blocks(x), self.style(x), strict=True)
        return torch.cat(loc, -1), torch.cat(scale, -1)
