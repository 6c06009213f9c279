"""Running programs so that nothing of it remains."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from contextlib import contextmanager

import pyro
import torch
from pyro import poutine
from torch import nn
from torch.nn.parameter import is_lazy

from ..objectives.sites import Program


@contextmanager
def untouched(*programs: Program) -> Iterator[None]:
    """Run programs inside without leaving a trace.

    Afterwards random state, Pyro's parameter store and the buffers of the programs' modules (the
    running statistics of batch normalisation) are what they were, and handlers outside have seen
    nothing. Inside, the programs see the store's parameters. What builds itself at its first run,
    as Pyro's autoguides do, stays built.

    Args:
        programs: modules, methods of modules, or functions that refer to modules.
    """
    parts = {part for program in programs for found in modules(program) for part in found.modules()}
    buffers = [
        (part, name, buffer, buffer.clone())
        for part in parts
        for name, buffer in part.named_buffers(recurse=False)
        if not is_lazy(buffer)
    ]
    # Before CUDA is set up there is no tensor on it for which a program could draw.
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    store, state = pyro.get_param_store(), pyro.util.get_rng_state()
    try:
        with torch.random.fork_rng(devices), store.scope(store.get_state()), poutine.block():
            yield
    finally:
        pyro.util.set_rng_state(state)
        for part, name, buffer, value in buffers:
            setattr(part, name, buffer)
            buffer.data.copy_(value)  # by .data, for graphs made before stay valid so
        dict(store.items())  # Pyro's scope unlinks parameters from their unconstrained values


def modules(program: Program) -> list[nn.Module]:
    """The modules that a program is made of: itself, its method's, or those that it refers to."""
    found: list[nn.Module] = []
    pending: list[object] = [program]
    seen: dict[int, object] = {}  # keeps what it has seen alive, and so its id its own
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen[id(part)] = part
        if isinstance(part, nn.Module):
            found.append(part)
        elif isinstance(part, functools.partial):  # Pyro's handlers wrap programs in these
            pending += [part.func, *part.args, *part.keywords.values()]
        elif inspect.ismethod(part):
            pending += [part.__self__, part.__func__]
        elif inspect.isfunction(part):
            names = inspect.getclosurevars(part)
            pending += names.nonlocals.values()
            pending += [v for v in names.globals.values() if isinstance(v, nn.Module)]
    return found
