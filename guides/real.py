r"""The block of a real label: one dimension, from which the number follows with normal noise.

.. math::  q(y \mid z) = \mathcal N(w z + b,\, \tau^2)

Under q(z | x) = N(m, s²) the number is Gaussian as well, and so is the block given its number. With
μ = w m + b and g² = τ² + w² s²,

.. math::

    q(y \mid x) = \mathcal N(\mu, g^2), \qquad
    q(z \mid x, y) = \mathcal N\Big(m + \frac{s^2 w}{g^2} (y - \mu),\ \frac{s^2 \tau^2}{g^2}\Big).

A missing number is summed over where classes are, at the three nodes of the Gauss–Hermite rule
(:class:`ThreeNodes`): where p(z_c | y) and p(y) are Gaussian, log p(z_c|y) + log p(y) − log q(y|z)
is quadratic in y, and the rule is exact for polynomials up to the fifth degree.
"""

from __future__ import annotations

import math
from typing import ClassVar

import pyro.distributions as dist
import torch
from pyro.distributions.score_parts import ScoreParts
from torch import Size, Tensor, nn
from torch.nn.functional import softplus

from ..data import Kind
from ..models.priors import SEPARATION, START_SCALE
from ..networks.tables import Table
from .blocks import Block
from .predictions import NumberPrediction

MINIMUM_NOISE = 1e-2
"""Smallest τ, in standard deviations of the label's training rows."""


class ThreeNodes(dist.Normal):
    """A normal that can be listed: expectations of quadratics over it are sums over three nodes.

    The nodes are mean and mean ± √3 standard deviations, with the weights 2/3 and 1/6. A draw is
    not reparameterised, so that whoever samples labels treats all kinds of them alike; the nodes
    are, and carry the gradient.

    >>> normal = ThreeNodes(torch.tensor(2.0), torch.tensor(0.5))
    >>> nodes = normal.enumerate_support()
    >>> weights = normal.log_weights(nodes).exp()
    >>> (weights * nodes).sum().item(), (weights * (nodes - 2) ** 2).sum().item()
    (2.0, 0.25...)
    """

    has_enumerate_support = True
    has_rsample = False

    nodes: ClassVar[tuple[float, ...]] = (-math.sqrt(3), 0.0, math.sqrt(3))

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """The three nodes, ``(3, …)``; they differ from row to row whatever ``expand`` says."""
        nodes = torch.tensor(self.nodes, dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + self.scale * nodes.view(-1, *(1 for _ in self.batch_shape))

    def log_weights(self, nodes: Tensor) -> Tensor:
        """Log of the rule's weight at each of the nodes."""
        away = ((nodes - self.loc) / self.scale).square() > 1.5
        # A tensor among the two, or the type would be the default one.
        return torch.where(away, torch.full_like(nodes, math.log(1 / 6)), math.log(2 / 3))

    def expand(self, batch_shape: Size, _instance: object = None) -> ThreeNodes:
        """The same distribution with a larger batch shape."""
        return ThreeNodes(
            self.loc.expand(batch_shape), self.scale.expand(batch_shape), validate_args=False
        )

    def score_parts(self, value: Tensor) -> ScoreParts:
        """What Pyro's own ELBOs weigh draws by: nodes, which have a dimension more, by the rule."""
        density = self.log_prob(value)
        listed = value.dim() > len(self.batch_shape)
        return ScoreParts(density, self.log_weights(value) if listed else density, 0)


class RealBlock(Block):
    """One normal dimension for each label, together with the number that it stands for.

    Args:
        loc, scale: ``(…, n, 1)`` for n labels.
        slope, intercept: w and b, ``(n, 1)``. tau: standard deviation of the noise, ``(n, 1)``.
    """

    def __init__(
        self, loc: Tensor, scale: Tensor, slope: Tensor, intercept: Tensor, tau: Tensor
    ) -> None:
        self.slope, self.intercept, self.tau = slope, intercept, tau
        super().__init__(loc, scale)

    def moved(self, loc: Tensor, scale: Tensor) -> RealBlock:
        """The same line on a block with another mean and standard deviation."""
        return RealBlock(loc, scale, self.slope, self.intercept, self.tau)

    def label(self, value: Tensor) -> ThreeNodes:
        """q(y | z_c) at ``value`` ``(…, n, 1)``."""
        mean = (self.slope * value + self.intercept)[..., 0]
        return ThreeNodes(mean, self.tau[..., 0].expand_as(mean), validate_args=False)

    def marginal(self) -> dist.Normal:
        """q(y | x), batch ``(…, n)``, exact; in float64."""
        mu = self.slope.double() * self.loc.double() + self.intercept.double()
        return dist.Normal(mu[..., 0], self._g()[..., 0], validate_args=False)

    def prediction(self) -> NumberPrediction:
        """What q(y | x) says of the labels."""
        of, dtype = self.marginal(), self.loc.dtype
        return NumberPrediction(of.loc.to(dtype), of.scale.to(dtype))

    def log_evidence(self, y: Tensor) -> Tensor:
        """Log q(y | x) of the observed labels, ``(…, n)``, exact; 0 where the label is missing."""
        return self._known(y, self.marginal())

    def log_classifier(self, value: Tensor, y: Tensor) -> Tensor:
        """Log q(y | z_c) of the observed labels, ``(…, n)``; 0 where the label is missing."""
        return self._known(y, self.label(value.double()))

    def noise(self, y: Tensor, shape: Size) -> Tensor:
        """A reparameterised draw of ε given the observed labels; see :class:`Block`."""
        g, tau = self._g(), self.slope.double() * self.scale.double()
        epsilon = torch.randn(shape, dtype=g.dtype, device=g.device)
        away = y.nan_to_num().double()[..., None] - self.marginal().loc[..., None]
        moved = tau / g**2 * away + self.tau.double() / g * epsilon
        return torch.where(y.isnan()[..., None], epsilon, moved)

    def _known(self, y: Tensor, of: dist.Normal) -> Tensor:
        density = of.log_prob(y.nan_to_num().double())
        return torch.where(y.isnan(), 0.0, density).to(self.loc.dtype)

    def _g(self) -> Tensor:
        """The standard deviation of q(y | x), float64 ``(…, n, 1)``."""
        return torch.hypot(self.tau.double(), self.slope.double() * self.scale.double())


class Noise(Table):
    """τ of n labels.

    Args:
        labels: n. start: τ at first.
    """

    def __init__(self, labels: int, start: float) -> None:
        super().__init__()
        raw = math.log(math.expm1(start - MINIMUM_NOISE))
        self.raw = nn.Parameter(torch.full((labels, 1), raw))

    def forward(self) -> Tensor:
        """τ, ``(n, 1)``."""
        return MINIMUM_NOISE + softplus(self.raw)


class RealClassifier(nn.Module):
    """q(y | z_c) of real labels: a slope, an intercept, and the standard deviation of the noise.

    They start as Bayes' rule has them where p(z_c | y) starts and y is standard normal.

    Args:
        kind: n real labels.
    """

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        variance = SEPARATION**2 + START_SCALE**2
        self.slope = nn.Parameter(torch.full((len(kind), 1), SEPARATION / variance))
        self.intercept = nn.Parameter(torch.zeros(len(kind), 1))
        self.noise = Noise(len(kind), START_SCALE / variance**0.5)

    @property
    def size(self) -> int:
        """Dimensions of the labels' blocks together, n."""
        return len(self.slope)

    def forward(self, loc: Tensor, scale: Tensor) -> RealBlock:
        """The block with its classifier, for mean and standard deviation ``(B, n)``."""
        return RealBlock(loc[..., None], scale[..., None], self.slope, self.intercept, self.noise())
