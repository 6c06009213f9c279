r"""An encoder whose labels' blocks have a trunk and heads of their own, beside that of z_style.

In one trunk the classifier's gradient and that of the reconstruction share every layer, and Adam's
steps are as long as their sum allows: the more the labels weigh, the slower the style learns. DIVA
has an encoder for each latent (Ilse et al. 2020); this is the same for the blocks of CC-VAE.

The classifier q(y | z_c) of a label with K > 2 classes breaks a stick, so that linear means have to
tell each class from all later ones together by one hyperplane. A softmax need not: it tells each
class from each. With ``softmax`` there is a score s_k for every class, and the means are those with
which the stick says what the softmax of the scores would (exactly, for the logit link and no
variance):

.. math::  m_j = s_j - \log \frac{1}{K - 1 - j} \sum_{k > j} e^{s_k}, \qquad j = 0 \ldots K - 2 .

The log(1/(K − 1 − j)) that is left out is where the link's intercepts start. With two classes this
is one mean, which is linear as before. It classifies better where many rows have labels, and costs
bound (docs/training.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


def scores_of(block: int) -> int:
    """How many numbers say where a block of so many dimensions is: one, or one a class."""
    return block if block == 1 else block + 1


class SeparateEncoder(nn.Module):
    """Two encoders side by side.

    Args:
        encoder: makes one, images ``(B, C, H, W)`` to so many means and standard deviations.
        blocks: dimensions of the labels' blocks. style: S, dimensions of z_style.
        softmax: make the means of a block of a score for every class.
    """

    def __init__(
        self,
        encoder: Callable[[int], nn.Module],
        blocks: Sequence[int],
        style: int,
        *,
        softmax: bool = False,
    ) -> None:
        super().__init__()
        self.softmax = softmax
        self.sizes = [scores_of(block) if softmax else block for block in blocks]
        self.blocks = encoder(sum(self.sizes))
        self.style = encoder(style)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation ``(B, D + S)``, the blocks first."""
        means, scales = (t.split(self.sizes, -1) for t in self.blocks(x))
        loc, scale = self.style(x)
        if self.softmax:
            means, scales = scored(means, scales)
        return torch.cat([*means, loc], -1), torch.cat([*scales, scale], -1)


class ScoredEncoder(nn.Module):
    """One encoder of all, in which the means of a block are made of a score for every class.

    Args:
        encoder, blocks, style: as of :class:`SeparateEncoder`.
    """

    def __init__(
        self, encoder: Callable[[int], nn.Module], blocks: Sequence[int], style: int
    ) -> None:
        super().__init__()
        self.sizes = [scores_of(block) for block in blocks]
        self.both = encoder(sum(self.sizes) + style)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation ``(B, D + S)``, the blocks first."""
        told = sum(self.sizes)
        loc, scale = self.both(x)
        parts = (t[..., :told].split(self.sizes, -1) for t in (loc, scale))
        means, scales = scored(*parts)
        return torch.cat([*means, loc[..., told:]], -1), torch.cat([*scales, scale[..., told:]], -1)


def scored(scores: Sequence[Tensor], scales: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Means and standard deviations of blocks, ``(…, K − 1)`` each of ``(…, K)``."""
    means = [means_of(score) for score in scores]
    return means, [s[..., : m.shape[-1]] for s, m in zip(scales, means, strict=True)]


def means_of(scores: Tensor) -> Tensor:
    """A block's means ``(…, K − 1)`` of the scores of its classes ``(…, K)``; one score is itself.

    >>> means_of(torch.zeros(1, 4))
    tensor([[0., 0., 0.]])
    """
    later = scores.shape[-1] - 1
    if later == 0:
        return scores
    sums = scores[..., 1:].flip(-1).logcumsumexp(-1).flip(-1)
    counts = torch.arange(later, 0, -1, dtype=scores.dtype, device=scores.device)
    return scores[..., :-1] - sums + counts.log()
