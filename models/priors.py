"""Priors of labels and of what belongs to a label, shared by the programs."""

from __future__ import annotations

import pyro.distributions as dist
import torch
from pyro.distributions import TorchDistribution
from torch import Tensor, nn
from torch.nn.functional import softplus

from ..data import Kind
from ..networks.tables import Table

SEPARATION = 2.0
"""Distance of a class mean from the origin in each dimension that decides it (Joy et al.: 2)."""


def label_prior(frequencies: Tensor) -> TorchDistribution:
    """p(y) of a kind's labels from its table ``(n, K)``: Bernoulli for two classes."""
    if frequencies.shape[-1] == 2:
        return dist.Bernoulli(frequencies[:, 1])
    return dist.Categorical(frequencies)


class ConditionalPrior(Table):
    """p(z_c | y) of one kind of labels: a learned normal for every class of every label.

    The class means start apart, in the orthants that the classifier assigns to the classes (see
    :mod:`ccvae.guides.characteristic`): class k lies beyond the k-th threshold and before all
    earlier ones. Means that start at one point leave a symmetry that training has to break first.
    The scales start at softplus(1) = 1.31 (Joy et al. 2021).

    Args:
        kind: n labels with K classes and blocks of D = K − 1 dimensions.
        means: ``(K, D)``, where the class means start instead; D may be another number then.
    """

    def __init__(self, kind: Kind, means: Tensor | None = None) -> None:
        super().__init__()
        if means is None:
            means = class_means(kind.classes) * SEPARATION
        self.loc = nn.Parameter(means.expand(len(kind), -1, -1).clone())
        self.raw_scale = nn.Parameter(torch.ones_like(self.loc))

    def forward(self, y: Tensor) -> TorchDistribution:
        """The block's distribution, event ``(D,)``, for class codes ``(…, n)``."""
        label = torch.arange(len(self.loc), device=y.device)
        k = y.long()
        loc, scale = self.classes()
        return dist.Normal(loc[label, k], scale[label, k]).to_event(1)

    def classes(self) -> tuple[Tensor, Tensor]:
        """Means and standard deviations of all classes, ``(n, K, D)`` both."""
        return self.loc, softplus(self.raw_scale)


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
