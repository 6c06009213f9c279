"""Likelihoods p(x | z) of an image, chosen by name.

A decoder returns raw numbers; a likelihood turns them into a distribution over images. It says how
many numbers it needs for each colour channel (``parameters_per_channel``).
"""

from __future__ import annotations

import math
from typing import ClassVar, Protocol

import pyro.distributions as dist
import torch
from pyro.distributions import TorchDistribution
from torch import Size, Tensor, nn
from torch.distributions import constraints
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, softplus

from .shapes import broadcast


class Likelihood(Protocol):
    """What a program asks of a likelihood."""

    parameters_per_channel: int

    def __call__(self, raw: Tensor) -> TorchDistribution:
        """The distribution of images, event shape (C, H, W), for raw ``(…, C·P, H, W)``."""
        ...


class Pixels(TorchDistribution):
    """Independent pixels around ``loc`` with one scale for the whole image.

    The scale stays a scalar: broadcasting it over an image, as ``Laplace(loc, scale).to_event(3)``
    does, costs as much as a layer of the network.

    Args:
        loc: ``(…, C, H, W)``.
        scale: a scalar tensor or a number.
        power: 1 for Laplace, 2 for Normal.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.independent(constraints.real, 3)
    has_rsample = True

    def __init__(self, loc: Tensor, scale: Tensor | float, power: int) -> None:
        self.loc, self.scale, self.power = loc, scale, power
        super().__init__(loc.shape[:-3], loc.shape[-3:], validate_args=False)

    def expand(self, batch_shape: Size, _instance: object = None) -> Pixels:
        """The same distribution with a larger batch shape."""
        return Pixels(self.loc.expand(*batch_shape, *self.event_shape), self.scale, self.power)

    @property
    def mean(self) -> Tensor:
        """``loc``."""
        return self.loc

    def rsample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A draw, ``sample_shape + (…, C, H, W)``."""
        family = dist.Laplace if self.power == 1 else dist.Normal
        drawn: Tensor = family(self.loc, self.scale).rsample(sample_shape)
        return drawn

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density of images ``(…, C, H, W)``, ``(…)``."""
        # In this order the result, and so its gradient, keeps the decoder's channels-last layout.
        error = self.loc - value
        distance = error.abs() if self.power == 1 else error.square() / 2
        log_scale = self.scale.log() if isinstance(self.scale, Tensor) else math.log(self.scale)
        constant = math.log(2) if self.power == 1 else 0.5 * math.log(2 * math.pi)
        exponent = distance.sum((-3, -2, -1)) / self.scale**self.power
        return -exponent - self._event_size * (constant + log_scale)

    @property
    def _event_size(self) -> int:
        return math.prod(self.event_shape)  # under Pyro's provenance it is a plain tuple


class BinaryPixels(TorchDistribution):
    """Independent Bernoulli pixels.

    The sum over the image comes before the sign, which saves two passes over all pixels beside
    ``Bernoulli(logits=logits).to_event(3)``.

    Args:
        logits: ``(…, C, H, W)``.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.independent(constraints.unit_interval, 3)

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits
        super().__init__(logits.shape[:-3], logits.shape[-3:], validate_args=False)

    def expand(self, batch_shape: Size, _instance: object = None) -> BinaryPixels:
        """The same distribution with a larger batch shape."""
        return BinaryPixels(self.logits.expand(*batch_shape, *self.event_shape))

    @property
    def mean(self) -> Tensor:
        """The probabilities, ``(…, C, H, W)``."""
        return self.logits.sigmoid()

    def sample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A draw, ``sample_shape + (…, C, H, W)``."""
        drawn: Tensor = dist.Bernoulli(logits=self.logits).sample(sample_shape)
        return drawn

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-probability of images ``(…, C, H, W)``, ``(…)``; grey values count in proportion."""
        logits, value = torch.broadcast_tensors(self.logits, value)
        loss = binary_cross_entropy_with_logits(logits, value, reduction="none")
        return -loss.sum((-3, -2, -1))


class Levels(TorchDistribution):
    """A categorical distribution over 256 grey levels for every pixel and channel.

    Args:
        logits: ``(…, C, 256, H, W)``. An image value x in [0, 1] is the level round(255·x).
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.independent(constraints.real, 3)

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits
        channels, _, height, width = logits.shape[-4:]
        super().__init__(logits.shape[:-4], Size((channels, height, width)), validate_args=False)

    def expand(self, batch_shape: Size, _instance: object = None) -> Levels:
        """The same distribution with a larger batch shape."""
        return Levels(self.logits.expand(*batch_shape, *self.logits.shape[-4:]))

    @property
    def mean(self) -> Tensor:
        """The mean level, scaled to [0, 1]; ``(…, C, H, W)``."""
        levels = torch.linspace(0, 1, 256, dtype=self.logits.dtype, device=self.logits.device)
        return (self.logits.softmax(-3) * levels[:, None, None]).sum(-3)

    def sample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A draw, ``sample_shape + (…, C, H, W)``."""
        levels: Tensor = dist.Categorical(logits=self.logits.movedim(-3, -1)).sample(sample_shape)
        return levels / 255

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-probability of images ``(…, C, H, W)``, ``(…)``."""
        shape = broadcast(value.shape[:-3], self.batch_shape)
        logits = self.logits.expand(*shape, *self.logits.shape[-4:])
        level = (value * 255).round().long().expand(*shape, *self.event_shape)
        image_axes = len(self.event_shape)
        loss = cross_entropy(logits.flatten(0, -4), level.flatten(0, -image_axes), reduction="none")
        return -loss.reshape(*shape, -1).sum(-1)


class Laplace(nn.Module):
    """Laplace around a decoded image in (0, 1), scale 1 by default (Joy et al. 2021).

    Args:
        scale: the scale b, in units of the pixel range.
        learn: learn the scale, starting from ``scale``.
    """

    parameters_per_channel = 1
    power = 1
    raw_scale: nn.Parameter | None

    def __init__(self, scale: float = 1.0, *, learn: bool = False) -> None:
        super().__init__()
        if not scale > 0:
            raise ValueError(f"expected a positive likelihood scale, got {scale}")
        self.fixed = scale
        self.raw_scale = None
        if learn:
            self.raw_scale = nn.Parameter(torch.tensor(math.log(math.expm1(scale))))

    def __call__(self, raw: Tensor) -> TorchDistribution:
        """Pixels around sigmoid(raw)."""
        scale = self.fixed if self.raw_scale is None else softplus(self.raw_scale)
        return Pixels(raw.sigmoid(), scale, self.power)


class Normal(Laplace):
    """Normal around a decoded image in (0, 1), standard deviation ``scale``."""

    power = 2


class Bernoulli(nn.Module):
    """Bernoulli pixels (Kingma et al. 2014); grey values count as probabilities.

    For x strictly between 0 and 1 the value is the usual cross-entropy, not a density.
    """

    parameters_per_channel = 1

    def __call__(self, raw: Tensor) -> TorchDistribution:
        """Independent Bernoulli pixels with logits ``raw``."""
        return BinaryPixels(raw)


class Levels256(nn.Module):
    """256-way categorical pixels (Ilse et al. 2020)."""

    parameters_per_channel = 256

    def __call__(self, raw: Tensor) -> TorchDistribution:
        """Levels with logits from raw ``(…, C·256, H, W)``."""
        return Levels(raw.unflatten(-3, (-1, 256)))


LIKELIHOODS: dict[str, type[Laplace] | type[Bernoulli] | type[Levels256]] = {
    "laplace": Laplace,
    "normal": Normal,
    "bernoulli": Bernoulli,
    "levels": Levels256,
}
"""The likelihoods by name."""
