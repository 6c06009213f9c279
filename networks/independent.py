r"""An encoder whose style does not repeat what the labels' blocks say.

In the model z_style is independent of the labels and of their blocks. Nothing makes it so in the
guide: style learns sooner than the classifiers do, and what it has learned of a label by then the
decoder takes from it and not from the label's block. An intervention on the block then changes too
little. Here the mean of q(z_style | x) is what its regression on the blocks leaves over:

.. math::

    t = t(\bar z_c(x)), \qquad
    \bar z_{\setminus c}(x) = f(x) - \big(t - \bar t\big)\,
        \big(\mathrm{Cov}[t] + \epsilon I\big)^{-1}\, \mathrm{Cov}[t, f(x)]

with the blocks' means z̄_c, the t of which the decoder is told (:mod:`.local`), and moments that run
over the batches as those of batch normalisation do. Both modes use the running ones; only a step of
training renews them. No gradient passes through t or the moments, so that a block is never moved in
order to help the style.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .local import Told

MOMENTUM = 0.01
"""Weight of a new batch in the running moments; with .05 their noise left a label in the style."""

RIDGE = 0.01
"""ε: keeps the regression defined while a block says nothing yet."""


class IndependentEncoder(nn.Module):
    """An encoder whose later means are uncorrelated with what its first means tell a decoder.

    Args:
        encoder: images ``(B, C, H, W)`` to means and standard deviations ``(B, D + S)``.
        blocks: dimensions of each label's block, D in all, which come first. style: S.
        ordered: see :class:`~ccvae.networks.local.Told`.
    """

    mean: Tensor
    product: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        blocks: Sequence[int],
        style: int,
        ordered: Sequence[bool] = (),
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.told = Told(blocks, ordered)
        self.dimensions = dimensions = sum(blocks)
        self.register_buffer("mean", torch.zeros(dimensions + style))
        self.register_buffer("product", torch.eye(dimensions, dimensions + style))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation ``(B, D + S)`` for images ``(B, C, H, W)``."""
        loc, scale = self.encoder(x)
        blocks, style = loc.tensor_split([self.dimensions], -1)
        if self.training and torch.is_grad_enabled():  # to look at a pair must not change it
            self.renew(blocks, style)
        return torch.cat([blocks, style - self.predicted(blocks)], -1), scale

    @torch.no_grad()
    def renew(self, blocks: Tensor, style: Tensor) -> None:
        """Let the moments take in a batch: means ``(B, D)`` and f ``(B, S)``."""
        both = torch.cat([self.told(blocks), style], -1).to(self.mean)
        self.mean.lerp_(both.mean(0), MOMENTUM)
        centred = both - self.mean
        product = centred[:, : self.dimensions].T @ centred / len(both)
        self.product.lerp_(product.to(self.product), MOMENTUM)

    @torch.no_grad()
    def predicted(self, blocks: Tensor) -> Tensor:
        """What the blocks' means ``(B, D)`` predict of f, less its mean: ``(B, S)``."""
        square, cross = self.product.tensor_split([self.dimensions], -1)
        ridge = RIDGE * torch.eye(self.dimensions, dtype=square.dtype, device=square.device)
        said = self.told(blocks) - self.mean[: self.dimensions]
        regression: Tensor = said @ torch.linalg.solve(square + ridge, cross)
        return regression
