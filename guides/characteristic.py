r"""q(z_c | x), a characteristic block that can be conditioned on its own label by Bayes' rule.

Every dimension j of a block carries a score a_j = w_j z_j + b_j. The classifier q(y | z_c) breaks a
stick along the dimensions (F is the link, see :mod:`ccvae.guides.links`):

.. math::  q(y = k \mid z_c) = F(a_k) \prod_{j<k} F(-a_j), \qquad F(a_{K-1}) := 1 .

A binary label has one dimension and reads the other way round, q(y = 1 | z) = F(a_0), as in
Joy et al. (2021). Because the dimensions of q(z_c | x) are independent, q(y | x) is a product of
one-dimensional integrals, and so is Bayes' rule

.. math::  q(z_c \mid x, y) = q(z_c \mid x)\, q(y \mid z_c) / q(y \mid x).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import ClassVar

import pyro.distributions as dist
import torch
from pyro.distributions import TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints

from .links import Link


class Characteristic(TorchDistribution):
    """Independent normals over a label's block, together with the label's classifier.

    Args:
        loc, scale: ``(…, n, D)`` for n labels with blocks of D dimensions.
        slope, intercept: w and b of the classifier, ``(n, D)``.
        link: its link.

    The batch shape is ``(…, n)`` and the event shape ``(D,)``.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: Tensor, scale: Tensor, slope: Tensor, intercept: Tensor, link: Link
    ) -> None:
        self.loc, self.scale = loc, scale
        self.slope, self.intercept = slope, intercept
        self.link = link
        super().__init__(loc.shape[:-1], loc.shape[-1:], validate_args=False)

    def expand(self, batch_shape: Size, _instance: object = None) -> Characteristic:
        """The same distribution with a larger batch shape."""
        shape = (*batch_shape, *self.event_shape)
        return Characteristic(
            self.loc.expand(shape), self.scale.expand(shape), self.slope, self.intercept, self.link
        )

    @property
    def mean(self) -> Tensor:
        """``loc``."""
        return self.loc

    def rsample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A reparameterised draw, ``sample_shape + (…, n, D)``."""
        return dist.Normal(self.loc, self.scale).rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log q(z_c | x), ``(…, n)``."""
        return dist.Normal(self.loc, self.scale).log_prob(value).sum(-1)

    def given(self, y: Tensor) -> Conditioned:
        """Bayes' rule: the block given its label ``y`` ``(…, n)``; where y is NaN, unchanged."""
        return Conditioned(self, y)

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

    def score(self) -> tuple[Tensor, Tensor]:
        """Mean μ and standard deviation τ (signed) of the scores, float64 ``(…, n, D)``."""
        slope, intercept = self.slope.double(), self.intercept.double()
        return slope * self.loc.double() + intercept, slope * self.scale.double()


class Conditioned(TorchDistribution):
    """q(z_c | x, y): a characteristic block given its label, exactly.

    Args:
        prior: the block as it is without the label.
        y: class codes ``(…, n)``, NaN where the label is missing and the block unchanged.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, prior: Characteristic, y: Tensor) -> None:
        self.prior, self.y = prior, y
        super().__init__(prior.batch_shape, prior.event_shape, validate_args=False)

    def expand(self, batch_shape: Size, _instance: object = None) -> Conditioned:
        """The same distribution with a larger batch shape."""
        return Conditioned(self.prior.expand(batch_shape), self.y.expand(batch_shape))

    def label(self, value: Tensor) -> TorchDistribution:
        """q(y | z_c), which conditioning does not change."""
        return self.prior.label(value)

    @cached_property
    def signs(self) -> Tensor:
        """Which side of its stick each dimension fell on: +1, −1, or 0 for untouched; (…, n, D).

        Class k stops at dimension k and passes all before it; the rest of the block is free.
        """
        dimensions = self.event_shape[0]
        stop = 1 - self.y if dimensions == 1 else self.y
        stop = stop[..., None].double()
        j = torch.arange(dimensions, device=self.y.device)
        side = torch.where(j < stop, -1.0, torch.where(j == stop, 1.0, 0.0))
        return side.to(stop.dtype)

    def log_evidence(self) -> Tensor:
        """Log q(y | x) of the observed labels, ``(…, n)``; 0 where the label is missing."""
        return self._log_evidence

    @cached_property
    def _log_evidence(self) -> Tensor:
        # An objective asks twice, in log q(z_c|x,y) and for α; by quadrature that is dear.
        mu, tau = self.prior.score()
        return self._chosen(self.prior.link.log_marginal, mu, tau)

    def log_classifier(self, value: Tensor) -> Tensor:
        """Log q(y | z_c) of the observed labels, ``(…, n)``; 0 where the label is missing."""
        score = self.prior.slope * value + self.prior.intercept
        return self._chosen(self.prior.link.log_cdf, score.double())

    def rsample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A reparameterised draw, ``sample_shape + (…, n, D)``."""
        shape = self._extended_shape(sample_shape)
        side = self.signs.expand(shape)
        mu, tau = (t.expand(shape) for t in self.prior.score())
        # Untouched dimensions are free: they keep a plain standard normal.
        sign = torch.where(side == 0, 1.0, side)
        tilted = self.prior.link.conditioned(sign * mu, sign * tau)
        epsilon = torch.where(side == 0, torch.randn_like(mu), tilted)
        return self.prior.loc + self.prior.scale * epsilon.to(self.prior.loc.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log q(z_c | x) + log q(y | z_c) − log q(y | x), ``(…, n)``."""
        return self.prior.log_prob(value) + self.log_classifier(value) - self.log_evidence()

    def _chosen(self, log_side: Callable[..., Tensor], *scores: Tensor) -> Tensor:
        """Sum over the block of log F on the side that each dimension fell on."""
        side = self.signs
        # Masked twice: the first `where` keeps a NaN label out of the gradient of the second.
        sign = torch.where(side == 0, 1.0, side)
        chosen = log_side(*(sign * s for s in scores))
        return torch.where(side == 0, 0.0, chosen).sum(-1).to(self.prior.loc.dtype)


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
