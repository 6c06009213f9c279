r"""q(z_c | x), a characteristic block that can be conditioned on its own label by Bayes' rule.

.. math::  q(z_c \mid x, y) = q(z_c \mid x)\, q(y \mid z_c) / q(y \mid x)

A block is a normal with independent dimensions, and its label's classifier q(y | z_c). What the
classifier is differs from kind to kind of label, and for each of them Bayes' rule is exact:

====================================================  ===================  =================
block                                                 label                q(y | z_c)
====================================================  ===================  =================
:class:`~ccvae.guides.characteristic.Characteristic`  binary, categorical  a stick is broken
:class:`~ccvae.guides.ordinal.OrdinalBlock`           ordinal              ordered probit
:class:`~ccvae.guides.real.RealBlock`                 real                 normal
====================================================  ===================  =================
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import ClassVar

import pyro.distributions as dist
from pyro.distributions import TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints

from .predictions import Prediction


class Block(TorchDistribution):
    """Independent normals over a label's block, together with the label's classifier.

    Args:
        loc, scale: ``(…, n, D)`` for n labels with blocks of D dimensions.

    The batch shape is ``(…, n)`` and the event shape ``(D,)``. In what follows labels are codes
    ``(…, n)``, NaN where missing, and a log-probability is 0 there.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, scale: Tensor) -> None:
        self.loc, self.scale = loc, scale
        super().__init__(loc.shape[:-1], loc.shape[-1:], validate_args=False)

    @abstractmethod
    def moved(self, loc: Tensor, scale: Tensor) -> Block:
        """The same classifier on a block with another mean and standard deviation."""

    @abstractmethod
    def label(self, value: Tensor) -> TorchDistribution:
        """q(y | z_c) at ``value`` ``(…, n, D)``."""

    @abstractmethod
    def log_evidence(self, y: Tensor) -> Tensor:
        """Log q(y | x) of the observed labels, ``(…, n)``, exact."""

    @abstractmethod
    def log_classifier(self, value: Tensor, y: Tensor) -> Tensor:
        """Log q(y | z_c) of the observed labels at ``value`` ``(…, n, D)``, ``(…, n)``."""

    @abstractmethod
    def noise(self, y: Tensor, shape: Size) -> Tensor:
        """A reparameterised draw of ε = (z_c − loc) / scale given the observed labels.

        Args:
            y: the labels. shape: of what is drawn, ``(…, n, D)``, with more dimensions in front.
        """

    @abstractmethod
    def prediction(self) -> Prediction:
        """What q(y | x) says of the labels."""

    def expand(self, batch_shape: Size, _instance: object = None) -> Block:
        """The same distribution with a larger batch shape."""
        shape = (*batch_shape, *self.event_shape)
        return self.moved(self.loc.expand(shape), self.scale.expand(shape))

    @property
    def mean(self) -> Tensor:
        """``loc``."""
        return self.loc

    def rsample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A reparameterised draw, ``sample_shape + (…, n, D)``."""
        drawn: Tensor = dist.Normal(self.loc, self.scale).rsample(sample_shape)
        return drawn

    def log_prob(self, value: Tensor) -> Tensor:
        """Log q(z_c | x), ``(…, n)``."""
        density: Tensor = dist.Normal(self.loc, self.scale).log_prob(value).sum(-1)
        return density

    def given(self, y: Tensor) -> Conditioned:
        """Bayes' rule: the block given its label ``y`` ``(…, n)``; where y is NaN, unchanged."""
        return Conditioned(self, y)


class Conditioned(TorchDistribution):
    """q(z_c | x, y): a characteristic block given its label, exactly.

    Args:
        prior: the block as it is without the label.
        y: codes ``(…, n)``, NaN where the label is missing and the block unchanged.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, prior: Block, y: Tensor) -> None:
        self.prior, self.y = prior, y
        super().__init__(prior.batch_shape, prior.event_shape, validate_args=False)

    def expand(self, batch_shape: Size, _instance: object = None) -> Conditioned:
        """The same distribution with a larger batch shape."""
        return Conditioned(self.prior.expand(batch_shape), self.y.expand(batch_shape))

    def label(self, value: Tensor) -> TorchDistribution:
        """q(y | z_c), which conditioning does not change."""
        return self.prior.label(value)

    def log_evidence(self) -> Tensor:
        """Log q(y | x) of the observed labels, ``(…, n)``; 0 where the label is missing."""
        return self._log_evidence

    @cached_property
    def _log_evidence(self) -> Tensor:
        # An objective asks twice, in log q(z_c|x,y) and for α; by quadrature that is dear.
        return self.prior.log_evidence(self.y)

    def log_classifier(self, value: Tensor) -> Tensor:
        """Log q(y | z_c) of the observed labels, ``(…, n)``; 0 where the label is missing."""
        return self.prior.log_classifier(value, self.y)

    def rsample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A reparameterised draw, ``sample_shape + (…, n, D)``."""
        epsilon = self.prior.noise(self.y, self._extended_shape(sample_shape))
        return self.prior.loc + self.prior.scale * epsilon.to(self.prior.loc.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log q(z_c | x) + log q(y | z_c) − log q(y | x), ``(…, n)``."""
        return self.prior.log_prob(value) + self.log_classifier(value) - self.log_evidence()
