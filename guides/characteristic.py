r"""The block of a binary or a categorical label, whose classifier breaks a stick.

Every dimension j of a block carries a score a_j = w_j z_j + b_j. The classifier q(y | z_c) breaks a
stick along the dimensions (F is the link, see :mod:`ccvae.guides.links`):

.. math::  q(y = k \mid z_c) = F(a_k) \prod_{j<k} F(-a_j), \qquad F(a_{K-1}) := 1 .

A binary label has one dimension and reads the other way round, q(y = 1 | z) = F(a_0), as in
Joy et al. (2021). Because the dimensions of q(z_c | x) are independent, q(y | x) is a product of
one-dimensional integrals, and so is Bayes' rule, see :mod:`ccvae.guides.blocks`.
"""

from __future__ import annotations

from collections.abc import Callable

import pyro.distributions as dist
import torch
from pyro.distributions import TorchDistribution
from torch import Size, Tensor, nn

from ..data import Kind
from .blocks import Block
from .links import LINKS, Link
from .predictions import ClassPrediction


class Characteristic(Block):
    """Independent normals over a label's block, together with the label's classifier.

    Args:
        loc, scale: ``(…, n, D)`` for n labels with blocks of D dimensions.
        slope, intercept: w and b of the classifier, ``(n, D)``.
        link: its link.
    """

    def __init__(
        self, loc: Tensor, scale: Tensor, slope: Tensor, intercept: Tensor, link: Link
    ) -> None:
        self.slope, self.intercept = slope, intercept
        self.link = link
        super().__init__(loc, scale)

    def moved(self, loc: Tensor, scale: Tensor) -> Characteristic:
        """The same classifier on a block with another mean and standard deviation."""
        return Characteristic(loc, scale, self.slope, self.intercept, self.link)

    def label(self, value: Tensor) -> TorchDistribution:
        """q(y | z_c) at ``value`` ``(…, n, D)``: Bernoulli for one dimension, else Categorical."""
        score = (self.slope * value + self.intercept).double()
        if score.shape[-1] == 1:
            return dist.Bernoulli(logits=self.link.logit(score)[..., 0].to(value.dtype))
        logits = stick_breaking(self.link.log_cdf(score), self.link.log_cdf(-score))
        return dist.Categorical(logits=logits.to(value.dtype))

    def log_classes(self) -> Tensor:
        """Log q(y = k | x) for every class k, ``(…, n, K)``, exact."""
        mu, tau = self.score()
        yes, no = self.link.log_marginal(mu, tau), self.link.log_marginal(-mu, -tau)
        if mu.shape[-1] == 1:
            return torch.cat([no, yes], -1).to(self.loc.dtype)
        return stick_breaking(yes, no).to(self.loc.dtype)

    def prediction(self) -> ClassPrediction:
        """What q(y | x) says of the labels."""
        return ClassPrediction(self.log_classes())

    def score(self) -> tuple[Tensor, Tensor]:
        """Mean μ and standard deviation τ (signed) of the scores, float64 ``(…, n, D)``."""
        slope, intercept = self.slope.double(), self.intercept.double()
        return slope * self.loc.double() + intercept, slope * self.scale.double()

    def signs(self, y: Tensor) -> Tensor:
        """Which side of its stick each dimension fell on: +1, −1, or 0 for untouched; (…, n, D).

        Class k stops at dimension k and passes all before it; the rest of the block is free.
        """
        dimensions = self.event_shape[0]
        stop = (1 - y if dimensions == 1 else y)[..., None].double()
        j = torch.arange(dimensions, device=y.device)
        side = torch.where(j < stop, -1.0, torch.where(j == stop, 1.0, 0.0))
        return side.to(stop.dtype)

    def log_evidence(self, y: Tensor) -> Tensor:
        """Log q(y | x) of the observed labels, ``(…, n)``, exact; 0 where the label is missing."""
        mu, tau = self.score()
        return self._chosen(y, self.link.log_marginal, mu, tau)

    def log_classifier(self, value: Tensor, y: Tensor) -> Tensor:
        """Log q(y | z_c) of the observed labels, ``(…, n)``; 0 where the label is missing."""
        score = self.slope * value + self.intercept
        return self._chosen(y, self.link.log_cdf, score.double())

    def noise(self, y: Tensor, shape: Size) -> Tensor:
        """A reparameterised draw of ε given the observed labels; see :class:`Block`."""
        side = self.signs(y).expand(shape)
        mu, tau = (t.expand(shape) for t in self.score())
        # Untouched dimensions are free: they keep a plain standard normal.
        sign = torch.where(side == 0, 1.0, side)
        tilted = self.link.conditioned(sign * mu, sign * tau)
        return torch.where(side == 0, torch.randn_like(mu), tilted)

    def _chosen(self, y: Tensor, log_side: Callable[..., Tensor], *scores: Tensor) -> Tensor:
        """Sum over the block of log F on the side that each dimension fell on."""
        side = self.signs(y)
        # Masked twice: the first `where` keeps a NaN label out of the gradient of the second.
        sign = torch.where(side == 0, 1.0, side)
        chosen = log_side(*(sign * s for s in scores))
        return torch.where(side == 0, 0.0, chosen).sum(-1).to(self.loc.dtype)


def stick_breaking(yes: Tensor, no: Tensor) -> Tensor:
    """Class log-probabilities of a broken stick.

    Args:
        yes: log-probability to stop at each of the D dimensions, ``(…, D)``.
        no: log-probability to pass it, ``(…, D)``.

    Returns:
        ``(…, D + 1)``: stop at dimension k having passed all before it; the last passes all.

    >>> stick_breaking(torch.tensor([0.5, 0.5]).log(), torch.tensor([0.5, 0.5]).log()).exp()
    tensor([0.5000, 0.2500, 0.2500])
    """
    passed = torch.cat([torch.zeros_like(no[..., :1]), no.cumsum(-1)], -1)
    return torch.cat([yes + passed[..., :-1], passed[..., -1:]], -1)


class LabelClassifier(nn.Module):
    """q(y | z_c) of one kind of labels: a slope and an intercept for every dimension of a block.

    The slope starts at 1 (Joy et al. 2021) and the intercepts where every class is equally likely.

    Args:
        kind: n labels with K classes and blocks of D = K − 1 dimensions.
        link: the link's name.
    """

    def __init__(self, kind: Kind, link: str) -> None:
        super().__init__()
        self.link = LINKS[link]
        start = [self.link.quantile(1 / (kind.classes - k)) for k in range(kind.block)]
        self.slope = nn.Parameter(torch.ones(len(kind), kind.block))
        self.intercept = nn.Parameter(torch.tensor(start).repeat(len(kind), 1))

    @property
    def size(self) -> int:
        """Dimensions of the labels' blocks together, n·D."""
        return self.slope.numel()

    def forward(self, loc: Tensor, scale: Tensor) -> Characteristic:
        """The block with its classifier, for mean and standard deviation ``(B, n·D)``."""
        shape = self.slope.shape
        return Characteristic(
            loc.unflatten(-1, shape),
            scale.unflatten(-1, shape),
            self.slope,
            self.intercept,
            self.link,
        )
