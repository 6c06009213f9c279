r"""An encoder whose style does not repeat what the labels' blocks say.

In the model z_style is independent of the labels and of their blocks. Nothing makes it so in the
guide: style learns sooner than the classifiers do, and what it has learned of a label by then the
decoder takes from it and not from the label's block. An intervention on the block then changes too
little. Here the mean of q(z_style | x) is what its regression on the blocks leaves over:

.. math::

    s = s(\bar z_c(x)), \qquad
    \bar z_{\setminus c}(x) = f(x) - \big(s - \bar s\big)\,
        \big(\mathrm{Cov}[s] + \epsilon I\big)^{-1}\, \mathrm{Cov}[s, f(x)]

with what the blocks' means z̄_c say: the t that the decoder is told (:mod:`.local`), and of a label
with K > 2 classes also how much of a stick its block breaks off for each of them, as its classifier
does (:mod:`ccvae.guides.characteristic`):

.. math::  \Big(v_k \prod_{j<k} (1 - v_j)\Big)_{0 < k < K - 1}, \qquad v = (1 + t) / 2 .

What is linear in t is not enough there: a class is a product of its dimensions, and with t alone
draws of the style told Hair's five classes up to 7 points better than the commonest of them.

The moments run over the batches as those of batch normalisation do; both modes use the running
ones, and only a step of training renews them. After an epoch they are made exact
(:mod:`ccvae.inference.runs.precise`). No gradient passes through s or the moments, so that a block
is never moved in order to help the style.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from .local import Told

MOMENTUM = 0.01
"""Weight of a new batch in the running moments; with .05 their noise left a label in the style."""

RIDGE = 1e-4
"""ε: keeps the regression defined while a block says nothing yet; .01 of a label's variance was
enough to name it, as the style without it spreads twenty times as wide as its noise."""


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
        self.sizes = list(blocks)
        self.dimensions = sum(blocks)
        self.numbers = numbers = sum(2 * size - 1 for size in blocks)
        self.register_buffer("mean", torch.zeros(numbers + style))
        self.register_buffer("product", torch.eye(numbers, numbers + style))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation ``(B, D + S)`` for images ``(B, C, H, W)``."""
        loc, scale = self.encoder(x)
        blocks, style = loc.tensor_split([self.dimensions], -1)
        if self.training and torch.is_grad_enabled():  # to look at a pair must not change it
            self.renew(blocks, style)
        return torch.cat([blocks, style - self.predicted(blocks)], -1), scale

    def said(self, blocks: Tensor) -> Tensor:
        """s, of the blocks' means ``(B, D)``: 2 d − 1 numbers for a block of d dimensions."""
        told = self.told(blocks)
        larger = [part for part in told.split(self.sizes, -1) if part.shape[-1] > 1]
        return torch.cat([told, *(broken(part)[..., 1:] for part in larger)], -1)

    @torch.no_grad()
    def renew(self, blocks: Tensor, style: Tensor) -> None:
        """Let the moments take in a batch: means ``(B, D)`` and f ``(B, S)``."""
        both = self._both(blocks, style)
        self.mean.lerp_(both.mean(0), MOMENTUM)
        self.product.lerp_(self._product(both), MOMENTUM)

    @torch.no_grad()
    def settle(self, images: Iterable[Tensor]) -> None:
        """Take the moments of all of some images, ``(B, C, H, W)`` at a time, as they are now."""
        means = (self.encoder(x)[0].tensor_split([self.dimensions], -1) for x in images)
        both = torch.cat([self._both(blocks, style) for blocks, style in means])
        self.mean.copy_(both.mean(0))
        self.product.copy_(self._product(both))

    def _both(self, blocks: Tensor, style: Tensor) -> Tensor:
        """s and f beside each other."""
        return torch.cat([self.said(blocks), style], -1).to(self.mean)

    def _product(self, both: Tensor) -> Tensor:
        """Cov[s] beside Cov[s, f], about the mean that is known."""
        centred = both - self.mean
        product = centred[:, : self.numbers].T @ centred / len(both)
        return product.to(self.product)  # autocast multiplies in fewer digits

    @torch.no_grad()
    def predicted(self, blocks: Tensor) -> Tensor:
        """What the blocks' means ``(B, D)`` predict of f, less its mean: ``(B, S)``."""
        square, cross = self.product.tensor_split([self.numbers], -1)
        ridge = RIDGE * torch.eye(self.numbers, dtype=square.dtype, device=square.device)
        said = self.said(blocks) - self.mean[: self.numbers]
        regression: Tensor = said @ torch.linalg.solve(square + ridge, cross)
        return regression


def broken(told: Tensor) -> Tensor:
    """How much of a stick a block breaks off for each class but the last, ``(…, D)``.

    Args:
        told: t, ``(…, D)``, 1 where the stick ends and −1 where it goes on.

    >>> broken(torch.tensor([-1.0, 1.0, 0.5]))
    tensor([0., 1., 0.])
    """
    stop = (1 + told) / 2
    left = torch.cat([torch.ones_like(stop[..., :1]), (1 - stop[..., :-1]).cumprod(-1)], -1)
    return stop * left
