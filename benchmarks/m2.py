"""M2's networks and its losses written by hand, without a probabilistic program.

28×28 images in ten classes, one hidden layer of 500 softplus units in each network, 50 dimensions
of z, Bernoulli pixels. A labelled image is encoded and decoded for its own class, an unlabelled one
for all ten with the image's part of the first layer shared, or for one that is drawn; cross-entropy
and KL are written out: the least that M2 can cost, with which :mod:`ccvae.benchmarks.step` compares
its step.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from .timing import Step, trained

CLASSES, HIDDEN, STYLE, PIXELS = 10, 500, 50, 784


class Networks(nn.Module):
    """M2's networks with their losses, each summed over images ``(B, PIXELS)``."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.Sequential(
            nn.Linear(PIXELS, HIDDEN), nn.Softplus(), nn.Linear(HIDDEN, CLASSES)
        )
        self.encode, self.encode_class = nn.Linear(PIXELS, HIDDEN), _table()
        self.heads = nn.Linear(HIDDEN, 2 * STYLE)
        self.decode, self.decode_class = nn.Linear(STYLE, HIDDEN), _table()
        self.image = nn.Linear(HIDDEN, PIXELS)

    def forward(self, labelled: Tensor, y: Tensor, unlabelled: Tensor) -> Tensor:
        """The loss of images with the codes ``(B,)`` of their classes, and of others without."""
        if len(labelled) == 0:
            return self.unsupervised(unlabelled)
        if len(unlabelled) == 0:
            return self.supervised(labelled, y)
        return self.supervised(labelled, y) + self.unsupervised(unlabelled)

    def supervised(self, x: Tensor, y: Tensor) -> Tensor:
        """Cross-entropy + KL at the image's own class, − log q(y|x)."""
        cost = self.cost(x, self.encode_class[y], self.decode_class[y])
        log_q = self.classifier(x).log_softmax(-1)
        return cost.sum() - log_q.gather(-1, y[:, None]).sum()

    def unsupervised(self, x: Tensor) -> Tensor:
        """Σ_y q(y|x) [cross-entropy + KL + log q(y|x)]."""
        log_q = self.classifier(x).log_softmax(-1)
        cost = self.cost(x, self.encode_class[:, None], self.decode_class[:, None])
        return (log_q.exp() * (cost.T + log_q)).sum()

    def sampled(self, x: Tensor, y: Tensor, missing: Tensor) -> Tensor:
        """The loss with a class drawn where it is missing ``(B,)``, by the score function."""
        log_q = self.classifier(x).log_softmax(-1)
        with torch.no_grad():
            drawn = log_q.exp().multinomial(1)[:, 0]
        k = torch.where(missing, drawn, y)
        log_q_y = log_q.gather(-1, k[:, None])[:, 0]
        cost = self.cost(x, self.encode_class[k], self.decode_class[k])
        score = torch.where(missing, (cost + log_q_y).detach(), -1.0)
        return (cost + score * log_q_y).sum()

    def cost(self, x: Tensor, encoded: Tensor, decoded: Tensor) -> Tensor:
        """Cross-entropy + KL ``(…, B)`` with what the classes add to both first layers."""
        hidden = softplus(self.encode(x) + encoded)
        loc, raw_scale = self.heads(hidden).chunk(2, -1)
        scale = softplus(raw_scale)
        z = loc + scale * torch.randn_like(scale)
        logits = self.image(softplus(self.decode(z) + decoded))
        target = x.expand_as(logits)
        error = binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)
        divergence = 0.5 * (loc.square() + scale.square() - 1).sum(-1) - scale.log().sum(-1)
        return error + divergence


def step(x: Tensor, y: Tensor, *, sampled: bool = False) -> Step:
    """A step by hand on images ``(B, 1, 28, 28)`` with class codes ``(B,)``, NaN where missing.

    Args:
        x, y: the batch.
        sampled: draw missing classes, and do not sum over them.
    """
    networks, flat, known = Networks(), x.flatten(1), ~y.isnan()
    if sampled:
        codes = y.nan_to_num().long()
        return trained(networks, lambda: networks.sampled(flat, codes, ~known))
    parts = flat[known], y[known].long(), flat[~known]
    return trained(networks, lambda: networks(*parts))


def _table() -> nn.Parameter:
    return nn.Parameter(torch.randn(CLASSES, HIDDEN) / HIDDEN**0.5)
