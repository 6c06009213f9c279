"""Distributions of which a part is set from outside, as :func:`ccvae.models.do` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any, ClassVar

import torch
from pyro.distributions import Independent, TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints

from .joint import JointLabels
from .shapes import broadcast


@dataclass(frozen=True, eq=False)
class Entry:
    """A part of a site that is set.

    Attributes:
        text: the setting as it was written. value: to what.
        event: dimensions of the site's event.
        dim: the dimension of its value along which the part lies, from the right; None for all.
        position: of the part along it. size: of the dimension.
    """

    text: str
    value: Tensor | float | int | bool
    event: int
    dim: int | None = None
    position: int = 0
    size: int = 0

    def __post_init__(self) -> None:
        if self.dim is not None and not 0 <= self.position < self.size:
            raise ValueError(
                f"{self.text!r}: the site has the cells 1 to {self.size}; name one of them"
            )

    def put(self, value: Tensor) -> Tensor:
        """A value with the part set."""
        new = torch.as_tensor(self.value, dtype=value.dtype, device=value.device)
        if self.dim is None:
            return self._fitted(new, value.shape)
        shape = list(value.shape)
        shape[self.dim] = self.size  # an enumerated value is not repeated for each cell
        whole = value.expand(shape).clone()
        part = whole.select(self.dim, self.position)
        part.copy_(self._fitted(new, part.shape))
        return whole

    def _fitted(self, new: Tensor, shape: Size) -> Tensor:
        try:
            return new.expand(shape)
        except RuntimeError:
            if new.numel() == shape.numel():
                return new.reshape(shape)
            raise ValueError(
                f"{self.text!r}: expected a number or one for each of {tuple(shape)}, got "
                f"a tensor of shape {tuple(new.shape)}"
            ) from None

    def kept(self, like: Tensor, dims: int) -> Tensor:
        """What is not set, as a mask that broadcasts; ``dims`` lie to the right of it."""
        assert self.dim is not None
        places = torch.arange(self.size, device=like.device) != self.position
        return places.reshape(-1, *[1] * (-self.dim - 1 - dims))


class Intervened(TorchDistribution):
    """A distribution of which parts are set: draws have them, and they have no density.

    Attributes:
        enumerated: whether all values are summed over. The parts then keep the density of what
            would have been drawn in their place, which adds to 1.

    Args:
        base: the distribution. entries: the parts.

    Raises:
        ValueError: where a part belongs to an event whose entries are not independent.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}

    def __init__(self, base: Any, entries: tuple[Entry, ...]) -> None:
        self.base, self.entries = base, entries
        self.enumerated = False
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)
        self.inside = [e for e in entries if e.dim is not None and -e.dim <= e.event]
        self.beside = [e for e in entries if e.dim is not None and -e.dim > e.event]
        for entry in self.inside:
            if _tied(base, entry):
                raise ValueError(
                    f"{entry.text!r}: the entries of {type(base).__name__} depend on each other; "
                    "set the whole site, or write it with a plate or .to_event"
                )

    @property
    def has_rsample(self) -> bool:
        """As the distribution itself."""
        return bool(self.base.has_rsample)

    @property
    def has_enumerate_support(self) -> bool:
        """As the distribution itself."""
        return bool(self.base.has_enumerate_support)

    @property
    def support(self) -> constraints.Constraint:
        """As the distribution itself."""
        support: constraints.Constraint = self.base.support
        return support

    def expand(self, batch_shape: Size, _instance: object = None) -> Intervened:
        """The same with a larger batch shape."""
        return Intervened(self.base.expand(batch_shape), self.entries)

    def sample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A draw with the parts set."""
        return self._set(self.base.sample(sample_shape))

    def rsample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A draw with gradients and the parts set."""
        return self._set(self.base.rsample(sample_shape))

    def _set(self, value: Tensor) -> Tensor:
        for entry in self.entries:
            value = entry.put(value)
        return value

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of the distribution itself; the handler sets the parts in them."""
        support: Tensor = self.base.enumerate_support(expand=expand)
        return support

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density of what is not set."""
        if self.enumerated:
            density: Tensor = self.base.log_prob(value)
            return density
        if any(entry.dim is None for entry in self.entries):
            event = len(self.event_shape)
            shape = value.shape[: value.dim() - event]
            return value.new_zeros(broadcast(shape, self.batch_shape))
        density = without(self.base, value, self.inside)
        for entry in self.beside:
            density = density.where(entry.kept(density, entry.event), 0.0)
        return density


def _tied(fn: Any, entry: Entry) -> bool:
    """Whether an entry of an event depends on the event's others."""
    assert entry.dim is not None
    if isinstance(fn, Independent):
        return bool(-entry.dim <= fn.event_dim - fn.reinterpreted_batch_ndims)
    return not isinstance(fn, JointLabels)


def without(fn: Any, value: Tensor, entries: Sequence[Entry]) -> Tensor:
    """Log-density of the other entries of an event of independent ones."""
    density: Tensor
    if not entries:
        density = fn.log_prob(value)
    elif isinstance(fn, JointLabels):
        kept = reduce(and_, (entry.kept(value, 0) for entry in entries))
        density = fn.counting(fn.counted & kept).log_prob(value)
    else:
        apart = fn.base_dist.log_prob(value)
        own = fn.event_dim - fn.reinterpreted_batch_ndims
        for entry in entries:
            apart = apart.where(entry.kept(apart, own), 0.0)
        density = apart.sum(tuple(range(-fn.reinterpreted_batch_ndims, 0)))
    return density
