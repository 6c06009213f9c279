"""Anybody's distributions as inspection needs them, those without shapes or densities included."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

import torch
from pyro.distributions import Independent, MaskedDistribution
from pyro.distributions.torch_distribution import ExpandedDistribution
from torch import Tensor, nn

Numbers = tuple[Any, ...]

PARTS = 500
"""Objects within a distribution that are looked into at most."""


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


def contents(part: Any) -> Iterator[Any]:
    """The tensors, numbers and words that a distribution is made of, in their order.

    Distributions, transforms, modules, functions and lists within it are looked into, and anything
    else that has attributes.
    """
    pending, seen = [part], set[int]()
    while pending and len(seen) < PARTS:
        part = pending.pop()
        if isinstance(part, Tensor | bool | int | float | str):
            yield part
        elif part is not None and id(part) not in seen:
            seen.add(id(part))
            pending += reversed(list(_within(part)))


def _within(part: Any) -> Iterable[Any]:
    match part:
        case list() | tuple() | set() | frozenset():
            return part
        case dict():
            return part.values()
        case nn.Module():
            return [*part.parameters(), *part.buffers()]
        case functools.partial():
            return part.func, part.args, part.keywords
        case type() | ModuleType():
            return ()
        case MethodType():
            return (part.__self__,)
        case FunctionType():
            return [cell.cell_contents for cell in part.__closure__ or ()]
    attributes = getattr(part, "__dict__", {})
    return [v for k, v in attributes.items() if k != "_inv" and not k.startswith("_cached")]


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
