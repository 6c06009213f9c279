"""Priors of labels and of what belongs to a label, shared by the programs."""

from __future__ import annotations

from typing import ClassVar

import pyro.distributions as dist
import torch
from pyro.distributions import TorchDistribution
from torch import Size, Tensor, nn
from torch.distributions import constraints
from torch.nn.functional import softplus

from ..data import Kind
from ..networks.tables import Table

SEPARATION = 2.0
"""Distance of a class mean from the origin in each dimension that decides it (Joy et al.: 2)."""


START_SCALE = 1.3132617
"""softplus(1), where the deviations of p(z_c | y) start (Joy et al.)."""


def label_prior(kind: Kind, frequencies: Tensor) -> TorchDistribution:
    """p(y) of a kind's labels, batch ``(n,)``.

    Args:
        frequencies: ``(n, K)``, or mean and standard deviation ``(n, 2)`` of real labels.
    """
    if kind.form == "real":
        return dist.Normal(frequencies[:, 0], frequencies[:, 1])
    if kind.form == "nominal" and kind.classes == 2:
        return dist.Bernoulli(frequencies[:, 1])
    return dist.Categorical(frequencies)


def conditional_prior(kind: Kind) -> ConditionalPrior | RealPrior:
    """p(z_c | y) of a kind's labels."""
    return RealPrior(len(kind)) if kind.form == "real" else ConditionalPrior(kind)


class ConditionalPrior(Table):
    """p(z_c | y) of one kind of labels: a learned normal for every class of every label.

    The class means start apart, in the orthants that the classifier assigns to the classes (see
    :mod:`ccvae.guides.characteristic`): class k lies beyond the k-th threshold and before all
    earlier ones. Those of an ordinal label start in order on its one dimension. Means that start at
    one point leave a symmetry that training has to break first. The scales start at
    softplus(1) = 1.31 (Joy et al. 2021).

    Args:
        kind: n labels with K classes and blocks of D dimensions.
        means: ``(K, D)``, where the class means start instead; D may be another number then.
    """

    def __init__(self, kind: Kind, means: Tensor | None = None) -> None:
        super().__init__()
        if means is None:
            start = ordered_means if kind.form == "ordinal" else class_means
            means = start(kind.classes) * SEPARATION
        self.loc = nn.Parameter(means.expand(len(kind), -1, -1).clone())
        self.raw_scale = nn.Parameter(torch.ones_like(self.loc))

    def forward(self, y: Tensor) -> TorchDistribution:
        """The block's distribution, event ``(D,)``, for class codes ``(…, n)``."""
        label = torch.arange(len(self.loc), device=y.device)
        k = y.long()
        scale = softplus(self.raw_scale)
        return dist.Normal(self.loc[label, k], scale[label, k]).to_event(1)


def class_means(classes: int) -> Tensor:
    """Corners ``(K, K − 1)`` that the stick-breaking classifier tells apart.

    >>> class_means(3)
    tensor([[ 1.,  0.],
            [-1.,  1.],
            [-1., -1.]])
    >>> class_means(2).flatten()  # a binary label reads the other way round
    tensor([-1.,  1.])
    """
    k = torch.arange(classes)[:, None]
    j = torch.arange(classes - 1)
    corners = ((j == k).int() - (j < k).int()).to(torch.get_default_dtype())
    return -corners if classes == 2 else corners


def ordered_means(classes: int) -> Tensor:
    """Points ``(K, 1)`` evenly spread over [−1, 1], in the order of the classes.

    >>> ordered_means(3).flatten()
    tensor([-1.,  0.,  1.])
    """
    return torch.linspace(-1, 1, classes)[:, None]


class Linear(TorchDistribution):
    """p(z_c | y) of real labels: independent normals whose means are linear in the number.

    Args:
        y: standardised numbers ``(…, n)``.
        slope, intercept, scale: a, c and σ, ``(n, D)``.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, y: Tensor, slope: Tensor, intercept: Tensor, scale: Tensor) -> None:
        self.y, self.slope, self.intercept, self.scale = y, slope, intercept, scale
        super().__init__(y.shape, slope.shape[-1:], validate_args=False)

    def expand(self, batch_shape: Size, _instance: object = None) -> Linear:
        """The same distribution with a larger batch shape."""
        return Linear(self.y.expand(batch_shape), self.slope, self.intercept, self.scale)

    @property
    def mean(self) -> Tensor:
        """a y + c, ``(…, n, D)``."""
        return self.slope * self.y[..., None] + self.intercept

    @property
    def variance(self) -> Tensor:
        """σ², ``(…, n, D)``."""
        return self.scale.square().expand_as(self.mean)

    def rsample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A reparameterised draw, ``sample_shape + (…, n, D)``."""
        return dist.Normal(self.mean, self.scale).rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log p(z_c | y), ``(…, n)``."""
        return dist.Normal(self.mean, self.scale).log_prob(value).sum(-1)

    def log_marginal(self, value: Tensor, numbers: dist.Normal) -> Tensor:
        """Log ∫ p(z_c | y) p(y) dy for a Gaussian p(y), ``(…, n)``, exact.

        One dimension has the variance σ² + a² s²; of several, which share the number, the
        covariance is diagonal but for a matrix of rank one.
        """
        ratio = self.slope / self.scale
        away = (value - self.slope * numbers.loc[..., None] - self.intercept) / self.scale
        own = dist.Normal(0.0, 1.0).log_prob(away).sum(-1) - self.scale.log().sum(-1)
        gain = 1 + numbers.scale.square() * ratio.square().sum(-1)
        shared = numbers.scale.square() * (ratio * away).sum(-1).square() / gain
        joint: Tensor = own + (shared - gain.log()) / 2
        return joint


class RealPrior(Table):
    """p(z_c | y) of real labels: a learned line, and the deviation from it.

    Args:
        labels: n. block: D, dimensions of each label's block.
    """

    def __init__(self, labels: int, block: int = 1) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.full((labels, block), SEPARATION))
        self.intercept = nn.Parameter(torch.zeros(labels, block))
        self.raw_scale = nn.Parameter(torch.ones(labels, block))

    def forward(self, y: Tensor) -> Linear:
        """The block's distribution, event ``(D,)``, for standardised numbers ``(…, n)``."""
        return Linear(y, self.slope, self.intercept, softplus(self.raw_scale))


class ClassTable(nn.Module):
    """p(z | class) by a network of the class's one-hot code (Ilse et al. 2020, appendix).

    Linear, batch normalisation, ReLU, two linear heads. The network sees the K codes and no data,
    so a table of all classes is made once for each call, whatever is then looked up in it; batch
    normalisation takes its statistics over the classes.

    Args:
        labels: n, how many labels have a table of their own. classes: K. block: D, dimensions.
        hidden: units of the hidden layer.
    """

    def __init__(self, labels: int, classes: int, block: int, hidden: int = 64) -> None:
        super().__init__()
        self.classes = classes
        self.networks = nn.ModuleList(
            nn.Sequential(
                nn.Linear(classes, hidden, bias=False),
                nn.BatchNorm1d(hidden),
                nn.ReLU(),
                nn.Linear(hidden, 2 * block),
            )
            for _ in range(labels)
        )

    def forward(self, codes: Tensor) -> TorchDistribution:
        """The normal, event ``(D,)``, of each label's class codes ``(…, n)``."""
        weight = next(self.parameters())
        one_hot = torch.eye(self.classes, dtype=weight.dtype, device=weight.device)
        loc, raw_scale = torch.stack([net(one_hot) for net in self.networks]).chunk(2, -1)
        label = torch.arange(len(self.networks), device=weight.device)
        k = codes.long()
        scale = softplus(raw_scale[label, k]) + 1e-4
        return dist.Normal(loc[label, k], scale).to_event(1)
