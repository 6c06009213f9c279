"""What a program is called with and what it refers to, by name: where its data may come from."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from types import MethodType
from typing import Any, TypeVar

import torch
from pyro.poutine.messenger import Messenger
from pyro.poutine.reparam_messenger import ReparamHandler
from pyro.poutine.trace_messenger import TraceHandler
from torch import Tensor, nn

from ...data import LabelSpace
from ...inference.checks.untouched import modules
from ...inference.objectives.sites import Program
from .provenance import Provenance

T = TypeVar("T")

LABEL_TABLE_WIDTH = 256
"""Up to how many columns a table among the arguments has each column followed apart."""

ENTRIES = 50_000
"""Up to how many entries a tensor may have whose axes are followed."""


def innermost(program: Program) -> Program:
    """The program that Pyro's handlers were wrapped around."""
    while True:
        if isinstance(program, ReparamHandler | TraceHandler):
            program = program.fn
            continue
        if not isinstance(program, functools.partial):
            return program
        wrapped = program.func
        if not isinstance(wrapped, functools.partial) or len(wrapped.args) != 2:
            return program
        handler, inside = wrapped.args
        if not isinstance(handler, Messenger):
            return program
        program = inside


def bound(program: Program, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name.

    Raises:
        ValueError: where the program does not take them.
    """
    function = called(innermost(program))
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # what is written in C has none
        return {**{str(i): value for i, value in enumerate(args)}, **kwargs}
    try:
        return dict(signature.bind(*args, **kwargs).arguments)
    except TypeError as error:
        given = [type(value).__name__ for value in args] + [f"{name}=…" for name in kwargs]
        raise ValueError(
            f"expected arguments of {getattr(function, '__name__', 'the program')}{signature}, "
            f"got ({', '.join(given)}): {error}; give what the program is called with"
        ) from error


def called(program: Program) -> Program:
    """What has the arguments of a program: of a module its ``forward``, where it has one."""
    if isinstance(program, functools.partial):
        return functools.partial(called(program.func), *program.args, **program.keywords)
    if not isinstance(program, nn.Module):
        return program
    # Pyro's guides by messengers are modules that have a __call__ alone.
    has_forward = type(program).forward is not nn.Module.forward
    function: Program = (
        program.forward if has_forward else MethodType(type(program).__call__, program)
    )
    return function


def named(arguments: Mapping[str, Any], kind: type[T]) -> Iterator[tuple[str, T]]:
    """Arguments of a kind, those in lists and dictionaries with names of their own."""
    for name, value in arguments.items():
        if isinstance(value, kind):
            yield name, value
        elif isinstance(value, Mapping):
            yield from named({str(key): item for key, item in value.items()}, kind)
        elif isinstance(value, list | tuple):
            yield from named({f"{name}{i}": item for i, item in enumerate(value)}, kind)


def referred(program: Program) -> Iterator[tuple[str, Any]]:
    """What a program refers to beside its arguments: of its file, its class, its closure."""
    pending, seen = [innermost(program)], set()
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, functools.partial):
            pending += [part.func, *part.args]
            yield from part.keywords.items()
        elif inspect.ismethod(part):
            pending.append(part.__func__)
            yield from vars(part.__self__).items() if hasattr(part.__self__, "__dict__") else ()
        elif inspect.isfunction(part):
            names = inspect.getclosurevars(part)
            for name, value in {**names.globals, **names.nonlocals}.items():
                yield name, value
                if inspect.isfunction(value) and value.__module__ == part.__module__:
                    pending.append(value)
    for module in modules(program):
        for inner in module.modules():
            yield from inner.named_buffers(recurse=False)
            yield from vars(inner).items()


def declared_space(program: Program) -> LabelSpace | None:
    """The label space that a program states: an attribute, or a name of its file or closure."""
    return next((v for _, v in referred(program) if isinstance(v, LabelSpace)), None)


def mark(provenance: Provenance, name: str, value: Tensor, *, by_axes: bool) -> None:
    """State where an argument comes from: from itself, and its entries apart where they are few.

    A missing entry (NaN, or −1 in a vector of codes) is no origin.

    Args:
        provenance: is told. name, value: the argument.
        by_axes: tell the positions along its first axes apart, and not only a table's columns.
    """
    missing = value.isnan() if value.is_floating_point() else value < 0 if _ordered(value) else None
    followed = value.numel() <= ENTRIES and value.layout == torch.strided and value.numel() > 0
    axes = [axis for axis in range(min(3, value.dim())) if value.shape[axis] <= LABEL_TABLE_WIDTH]
    if value.dim() == 1 and missing is not None and bool(missing.all()):
        return
    if by_axes and followed and axes:
        provenance.mark_axes(value, name, axes)
    elif value.dim() == 2 and value.shape[1] <= LABEL_TABLE_WIDTH and value.is_floating_point():
        assert missing is not None
        provenance.mark_columns(value, name, absent=missing.all(0))
    else:
        provenance.mark(value, name)


def _ordered(value: Tensor) -> bool:
    return not value.is_complex() and value.dtype is not torch.bool and not value.is_sparse
