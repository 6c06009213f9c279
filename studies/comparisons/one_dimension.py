r"""A categorical label on one dimension: the poster's choice, as a control for the suite's own.

The block of a label with K classes has one dimension, and its classifier is linear in it,

.. math::  q(y = k \mid z) = \operatorname{softmax}_k(w_k z + b_k),

where the suite has K − 1 dimensions and breaks a stick (:mod:`ccvae.guides.characteristic`). Each
class can own one interval of the line at most, so the classes must be put in an order, and the way
from one to another leads through all in between.

There is no closed form, but one dimension is a line of nodes: q(y|x) is a sum over them, and a draw
given the label inverts the sum up to the node that it falls beside.
"""

from __future__ import annotations

import math
from functools import cached_property

import pyro.distributions as dist
import torch
from pyro.distributions import TorchDistribution
from torch import Size, Tensor, nn

from ...data import Kind
from ...guides import LINKS, Characteristic, Conditioned

REACH, NODES = 8.0, 161
"""Nodes between −8 and 8 standard deviations: a step of a tenth."""


class Line(Characteristic):
    """One normal dimension for each label, together with the label's linear classifier.

    Args:
        loc, scale: ``(…, n, 1)`` for n labels.
        slope, intercept: w and b of the classifier, ``(n, K)``.
    """

    def __init__(self, loc: Tensor, scale: Tensor, slope: Tensor, intercept: Tensor) -> None:
        # Softmax is what the logit link is for two classes; nothing here asks the link itself.
        super().__init__(loc, scale, slope, intercept, LINKS["logit"])

    def expand(self, batch_shape: Size, _instance: object = None) -> Line:
        """The same distribution with a larger batch shape."""
        shape = (*batch_shape, *self.event_shape)
        return Line(self.loc.expand(shape), self.scale.expand(shape), self.slope, self.intercept)

    def given(self, y: Tensor) -> Conditioned:
        """Bayes' rule: the dimension given its label ``y`` ``(…, n)``; unchanged where y is NaN."""
        return ConditionedLine(self, y)

    def label(self, value: Tensor) -> TorchDistribution:
        """q(y | z_c) at ``value`` ``(…, n, 1)``."""
        return dist.Categorical(logits=self.slope * value + self.intercept)

    def log_classes(self) -> Tensor:
        """Log q(y = k | x) for every class k, ``(…, n, K)``."""
        return self.log_joint().logsumexp(-1).to(self.loc.dtype)

    def log_joint(self) -> Tensor:
        """Log of a node's mass times q(y = k | z) there, float64 ``(…, n, K, T)``."""
        epsilon = nodes(self.loc)
        z = self.loc.double() + self.scale.double() * epsilon
        scores = self.slope.double()[..., None] * z[..., None, :]
        log_q = (scores + self.intercept.double()[..., None]).log_softmax(-2)
        return log_q + log_mass(epsilon)


class ConditionedLine(Conditioned):
    """q(z_c | x, y) on one dimension, to the width of a node.

    Args:
        prior: the dimension as it is without the label.
        y: class codes ``(…, n)``, NaN where the label is missing.
    """

    prior: Line

    def expand(self, batch_shape: Size, _instance: object = None) -> ConditionedLine:
        """The same distribution with a larger batch shape."""
        return ConditionedLine(self.prior.expand(batch_shape), self.y.expand(batch_shape))

    def log_classifier(self, value: Tensor) -> Tensor:
        """Log q(y | z_c) of the observed labels, ``(…, n)``; 0 where the label is missing."""
        density = self.prior.label(value).log_prob(self.y.nan_to_num())
        return torch.where(self.y.isnan(), 0.0, density)

    @cached_property
    def _log_evidence(self) -> Tensor:
        return self._log_nodes.logsumexp(-1).to(self.prior.loc.dtype)

    @cached_property
    def _log_nodes(self) -> Tensor:
        """Log of every node's mass, with q(y | z) where the label is observed; ``(…, n, T)``."""
        joint = self.prior.log_joint()
        code = self.y.nan_to_num().long()[..., None, None].expand(*joint.shape[:-2], 1, NODES)
        free = log_mass(nodes(self.prior.loc))
        return torch.where(self.y.isnan()[..., None], free, joint.gather(-2, code)[..., 0, :])

    def rsample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A draw, ``sample_shape + (…, n, 1)``, differentiable through the nodes' masses."""
        shape = self._extended_shape(sample_shape)
        log_f = self._log_nodes
        f = (log_f - log_f.detach().amax(-1, keepdim=True)).exp()
        level = torch.cat([torch.zeros_like(f[..., :1]), (f[..., 1:] + f[..., :-1]) / 2], -1)
        level = level.cumsum(-1).expand(*shape[:-1], NODES)
        goal = torch.rand_like(level[..., -1:]) * level[..., -1:]
        cell = torch.searchsorted(level.detach().contiguous(), goal.detach()).clamp(1, NODES - 1)
        low, high = level.gather(-1, cell - 1), level.gather(-1, cell)
        part = (goal - low) / (high - low)
        epsilon = nodes(self.prior.loc)[cell - 1] + part * (2 * REACH / (NODES - 1))
        return self.prior.loc + self.prior.scale * epsilon.to(self.prior.loc.dtype)


def nodes(like: Tensor) -> Tensor:
    """Positions ``(T,)`` of the nodes in standard deviations, float64 on the device of ``like``."""
    return torch.linspace(-REACH, REACH, NODES, dtype=torch.float64, device=like.device)


def log_mass(epsilon: Tensor) -> Tensor:
    """Log of the standard normal's mass at each node."""
    step = 2 * REACH / (NODES - 1)
    return -0.5 * epsilon**2 + math.log(step / math.sqrt(2 * math.pi))


class LineClassifier(nn.Module):
    """q(y | z_c) of one kind of labels, linear in one dimension.

    The slopes start evenly spread over [−1, 1] in the order of the classes, so that each begins
    with an interval of its own; the intercepts start at 0.

    Args:
        kind: n labels with K classes.
    """

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.linspace(-1, 1, kind.classes).repeat(len(kind), 1))
        self.intercept = nn.Parameter(torch.zeros(len(kind), kind.classes))

    @property
    def size(self) -> int:
        """Dimensions of the labels' blocks together, n."""
        return len(self.slope)

    def forward(self, loc: Tensor, scale: Tensor) -> Line:
        """The dimensions with their classifier, for mean and standard deviation ``(B, n)``."""
        return Line(loc[..., None], scale[..., None], self.slope, self.intercept)
