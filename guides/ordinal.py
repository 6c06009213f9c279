r"""The block of an ordinal label: one dimension, cut by ordered thresholds (ordered probit).

With :math:`v = w z + \varepsilon_2` and a standard normal :math:`\varepsilon_2` the label has the
class k where :math:`t_k < v \le t_{k+1}`, for thresholds
:math:`-\infty = t_0 < t_1 < \dots < t_{K-1} < t_K = \infty`:

.. math::  q(y = k \mid z) = \Phi(t_{k+1} - w z) - \Phi(t_k - w z) .

v is Gaussian under q(z | x) = N(m, s²), with mean w m and variance g² = 1 + w² s². So

.. math::  q(y = k \mid x) = \Phi(b_{k+1}) - \Phi(b_k), \qquad b_k = (t_k - w m) / g,

and the block given its label is a normal whose v is cut off at both ends. As in
:class:`~ccvae.guides.links.Probit` an unconditional pair (ε₁, v₀) is moved along the regression of
ε on v: with t standard normal between b_k and b_{k+1},

.. math::  \varepsilon = \varepsilon_1 + \frac{w s}{g^2} \big(g\, t - w s\, \varepsilon_1
           - \varepsilon_2\big), \qquad z = m + s\, \varepsilon .

All of it is computed in float64, in logarithms, and from the side on which Φ is small.
"""

from __future__ import annotations

import pyro.distributions as dist
import torch
from pyro.distributions import TorchDistribution
from torch import Size, Tensor, nn
from torch.nn.functional import pad, softplus
from torch.special import log_ndtr

from ..data import Kind
from ..models.priors import SEPARATION, ordered_means
from ..models.shapes import broadcast
from ..networks.tables import Table
from .blocks import Block
from .links import quantile_above
from .predictions import ClassPrediction

MINIMUM_GAP = 1e-3
"""Between two thresholds, in deviations of the probit's noise."""

FAR = 1e9
"""Stands for infinity, in deviations; it has a finite derivative."""


class OrdinalBlock(Block):
    """One normal dimension for each label, together with the label's ordered classifier.

    Args:
        loc, scale: ``(…, n, 1)`` for n labels.
        slope: w, ``(n, 1)``. thresholds: increasing, ``(n, K − 1)``.
    """

    def __init__(self, loc: Tensor, scale: Tensor, slope: Tensor, thresholds: Tensor) -> None:
        self.slope, self.thresholds = slope, thresholds
        super().__init__(loc, scale)

    def moved(self, loc: Tensor, scale: Tensor) -> OrdinalBlock:
        """The same classifier on a block with another mean and standard deviation."""
        return OrdinalBlock(loc, scale, self.slope, self.thresholds)

    def label(self, value: Tensor) -> TorchDistribution:
        """q(y | z_c) at ``value`` ``(…, n, 1)``."""
        logits = log_between(*ends(self._cuts(value)))
        return dist.Categorical(logits=logits.to(value.dtype))

    def log_classes(self) -> Tensor:
        """Log q(y = k | x) for every class k, ``(…, n, K)``, exact."""
        cuts = self._cuts(self.loc) / self._g()
        return log_between(*ends(cuts)).to(self.loc.dtype)

    def prediction(self) -> ClassPrediction:
        """What q(y | x) says of the labels."""
        return ClassPrediction(self.log_classes(), ordered=True)

    def log_evidence(self, y: Tensor) -> Tensor:
        """Log q(y | x) of the observed labels, ``(…, n)``, exact; 0 where the label is missing."""
        return self._known(y, *self._standardised(y))

    def log_classifier(self, value: Tensor, y: Tensor) -> Tensor:
        """Log q(y | z_c) of the observed labels, ``(…, n)``; 0 where the label is missing."""
        score = self._score(value)[..., 0]
        return self._known(y, *(end - score for end in self._of_class(y)))

    def noise(self, y: Tensor, shape: Size) -> Tensor:
        """A reparameterised draw of ε given the observed labels; see :class:`Block`."""
        tau = self._tau().expand(shape)
        g = (1 + tau**2).sqrt()
        epsilon, noise = torch.randn_like(tau), torch.randn_like(tau)
        low, high = (end[..., None].expand(shape) for end in self._standardised(y))
        t = normal_between(low, high)
        moved = epsilon + tau / g**2 * (g * t - tau * epsilon - noise)
        return torch.where(y.isnan()[..., None], epsilon, moved)

    def _known(self, y: Tensor, low: Tensor, high: Tensor) -> Tensor:
        return torch.where(y.isnan(), 0.0, log_between(low, high)).to(self.loc.dtype)

    def _tau(self) -> Tensor:
        """w s, float64 ``(…, n, 1)``."""
        return self.slope.double() * self.scale.double()

    def _g(self) -> Tensor:
        """The standard deviation of v under q(z | x), float64 ``(…, n, 1)``."""
        return (1 + self._tau() ** 2).sqrt()

    def _score(self, value: Tensor) -> Tensor:
        """w z, float64 ``(…, n, 1)``."""
        return self.slope.double() * value.double()

    def _cuts(self, value: Tensor) -> Tensor:
        """t_k − w z at the K − 1 thresholds, float64 ``(…, n, K − 1)``."""
        return self.thresholds.double() - self._score(value)

    def _of_class(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Thresholds below and above each label's class, ``(…, n)``; of the lowest for NaN."""
        both = ends(self.thresholds.double())
        shape = broadcast(y.shape, both[0].shape[:-1])
        code = y.nan_to_num().long().expand(shape)[..., None]
        low, high = (end.expand(*shape, -1).gather(-1, code)[..., 0] for end in both)
        return low, high

    def _standardised(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """b_k and b_{k+1} of each label's class k, ``(…, n)``."""
        score, g = self._score(self.loc)[..., 0], self._g()[..., 0]
        low, high = ((end - score) / g for end in self._of_class(y))
        return low, high


def ends(cuts: Tensor) -> tuple[Tensor, Tensor]:
    """Lower and upper end ``(…, K)`` of every class, from increasing cuts ``(…, K − 1)``."""
    return pad(cuts, (1, 0), value=-FAR), pad(cuts, (0, 1), value=FAR)


def log_between(low: Tensor, high: Tensor) -> Tensor:
    """Log(Φ(high) − Φ(low)) for low < high, in float64, accurate in both tails.

    >>> log_between(torch.tensor(37.0).double(), torch.tensor(FAR).double())
    tensor(-689.0306, dtype=torch.float64)
    """
    low, high, _ = smaller_side(low, high)
    top: Tensor = log_ndtr(high)
    return top + (-torch.expm1(log_ndtr(low) - top)).log()


def normal_between(low: Tensor, high: Tensor) -> Tensor:
    """A reparameterised draw of a standard normal between ``low`` and ``high``, in float64."""
    low, high, flipped = smaller_side(low, high)
    uniform = torch.rand_like(low).clamp(min=torch.finfo(low.dtype).tiny)
    log_p = torch.logaddexp(log_ndtr(low), uniform.log() + log_between(low, high))
    # Just below 1, of which the quantile is infinite.
    t = -quantile_above(log_p.clamp(max=-torch.finfo(low.dtype).eps / 2))
    return torch.where(flipped, -t, t)


def smaller_side(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The interval, mirrored where it lies rather above 0; and where that is."""
    flipped = low + high > 0
    return torch.where(flipped, -high, low), torch.where(flipped, -low, high), flipped


class Thresholds(Table):
    """K − 1 increasing thresholds of n labels: the lowest, and the logarithms of what follows.

    They are a :class:`~ccvae.networks.tables.Table`: a few numbers, which
    have to follow where the classes go.

    Args:
        labels: n. start: the thresholds at first, ``(K − 1,)``.
    """

    def __init__(self, labels: int, start: Tensor) -> None:
        super().__init__()
        gap = start.diff() - MINIMUM_GAP
        self.lowest = nn.Parameter(start[:1].repeat(labels, 1))
        self.raw_gap = nn.Parameter(gap.expm1().log().repeat(labels, 1))

    def forward(self) -> Tensor:
        """The thresholds, ``(n, K − 1)``."""
        gaps = MINIMUM_GAP + softplus(self.raw_gap)
        return torch.cat([self.lowest, self.lowest + gaps.cumsum(-1)], -1)


def evenly(classes: int) -> Tensor:
    """Thresholds ``(K − 1,)`` half-way between the class means at which p(z_c | y) starts.

    >>> evenly(3)
    tensor([-1.,  1.])
    """
    means = ordered_means(classes)[:, 0] * SEPARATION
    return (means[1:] + means[:-1]) / 2


class OrdinalClassifier(nn.Module):
    """q(y | z_c) of one kind of ordinal labels: a slope, and thresholds that stay in order.

    The slope starts at K − 1, so that neighbouring classes are as far apart in their scores as the
    two of a binary label; and the thresholds half-way between the class means of p(z_c | y).

    Args:
        kind: n labels with K classes.
    """

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        steep = kind.classes - 1
        self.slope = nn.Parameter(torch.full((len(kind), 1), float(steep)))
        self.thresholds = Thresholds(len(kind), steep * evenly(kind.classes))

    @property
    def size(self) -> int:
        """Dimensions of the labels' blocks together, n."""
        return len(self.slope)

    def forward(self, loc: Tensor, scale: Tensor) -> OrdinalBlock:
        """The block with its classifier, for mean and standard deviation ``(B, n)``."""
        return OrdinalBlock(loc[..., None], scale[..., None], self.slope, self.thresholds())
