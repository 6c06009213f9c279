"""Anybody's distributions as inspection needs them, those without shapes or densities included."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import torch
from pyro.distributions import Independent, MaskedDistribution
from pyro.distributions.torch_distribution import ExpandedDistribution
from torch import Tensor, nn

Numbers = tuple[Any, ...]

DEPTH = 6
"""Of distributions within distributions that are looked into."""


def family(fn: Any) -> str:
    """The name of a distribution's family, without the wrappers that shape it."""
    return type(unwrapped(fn)).__name__


def unwrapped(fn: Any) -> Any:
    """The distribution within the wrappers that only shape or mask it."""
    while isinstance(fn, Independent | MaskedDistribution | ExpandedDistribution):
        fn = fn.base_dist
    return fn


def unmasked(fn: Any) -> Any:
    """A distribution without the masks around it, which say what counts and cause nothing."""
    while isinstance(fn, MaskedDistribution):
        fn = fn.base_dist
    if isinstance(fn, Independent) and fn.base_dist is not (base := unmasked(fn.base_dist)):
        return Independent(base, fn.reinterpreted_batch_ndims)
    return fn


def masks(fn: Any) -> list[Any]:
    """The masks around a distribution."""
    found = []
    while isinstance(fn, Independent | MaskedDistribution):
        if isinstance(fn, MaskedDistribution):
            found.append(fn._mask)
        fn = fn.base_dist
    return found


def shape(fn: Any, which: str) -> tuple[int, ...]:
    """``batch_shape`` or ``event_shape``; ``()`` for what has none."""
    try:
        return tuple(getattr(fn, which, ()))
    except (NotImplementedError, TypeError, AttributeError):
        return ()


def is_finite(fn: Any) -> bool:
    """Whether it lists its values, more than one."""
    return bool(getattr(fn, "has_enumerate_support", False)) and family(fn) != "Delta"


def entries_are_independent(fn: Any) -> bool:
    """Whether the entries of its event are independent of each other, and form a vector."""
    if not isinstance(fn, Independent) or len(shape(fn, "event_shape")) != 1:
        return False
    base = unwrapped(fn)
    return shape(base, "event_shape") == () and not hasattr(base, "transforms")


def contents(part: Any, depth: int = DEPTH) -> Iterator[Any]:
    """The tensors, numbers and words that a distribution is made of.

    Distributions, transforms, modules and lists within it are looked into.
    """
    if isinstance(part, Tensor | bool | int | float | str):
        yield part
    elif depth and isinstance(part, list | tuple | set | frozenset):
        for item in part:
            yield from contents(item, depth - 1)
    elif depth and isinstance(part, dict):
        for item in part.values():
            yield from contents(item, depth - 1)
    elif depth and isinstance(part, nn.Module):
        yield from part.parameters()
    elif depth and isinstance(part, functools.partial):
        yield from contents([part.func, part.args, part.keywords], depth - 1)
    elif depth and inspect.ismethod(part):
        yield from contents(part.__self__, depth - 1)
    elif depth and inspect.isfunction(part):
        yield from contents([cell.cell_contents for cell in part.__closure__ or ()], depth - 1)
    elif depth and hasattr(part, "__dict__") and not isinstance(part, type | ModuleType):
        for name, item in vars(part).items():
            if name != "_inv" and not name.startswith("_cached"):
                yield from contents(item, depth - 1)


def same(one: Numbers, two: Numbers) -> bool:
    """Whether two distributions are made of the same numbers, bit for bit."""
    return len(one) == len(two) and all(map(_equal, one, two))


def _equal(one: Any, two: Any) -> bool:
    if not (isinstance(one, Tensor) and isinstance(two, Tensor)):
        return type(one) is type(two) and bool(one == two or (one != one and two != two))
    if one.shape != two.shape or one.dtype != two.dtype:
        return False
    if one.is_sparse or two.is_sparse:
        one, two = one.to_dense(), two.to_dense()
    return bool(torch.equal(one, two) or torch.equal(one.nan_to_num(), two.nan_to_num()))
