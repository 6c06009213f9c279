"""Running programs so that nothing of it remains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyro
import torch
from pyro import poutine
from torch import nn
from torch.nn.parameter import is_lazy

from ..objectives.sites import Program
from ..objectives.store import modules as modules


@contextmanager
def untouched(*programs: Program) -> Iterator[None]:
    """Run programs inside without leaving a trace.

    Afterwards random state, torch's default type, Pyro's parameter store, and the attributes and
    buffers of the programs' modules (the running statistics of batch normalisation) are what they
    were, and handlers outside have seen nothing. Inside, the programs see the store's parameters.
    What builds itself at its first run, as Pyro's autoguides do, is taken down again, so that it
    is built for the batch that trains; torch's lazy layers alone stay built.

    Args:
        programs: modules, methods of modules, or functions that refer to modules.
    """
    parts = {part for program in programs for found in modules(program) for part in found.modules()}
    attributes = [(part, kept_attributes(part)) for part in parts if not is_building(part)]
    buffers = [
        (part, name, buffer, buffer.clone())
        for part in parts
        for name, buffer in part.named_buffers(recurse=False)
        if not is_lazy(buffer)
    ]
    # Before CUDA is set up there is no tensor on it for which a program could draw.
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    store, state = pyro.get_param_store(), pyro.util.get_rng_state()
    dtype = torch.get_default_dtype()
    try:
        with torch.random.fork_rng(devices), store.scope(store.get_state()), poutine.block():
            yield
    finally:
        pyro.util.set_rng_state(state)
        torch.set_default_dtype(dtype)
        for part, kept in attributes:
            restore(part, kept)
        for part, name, buffer, value in buffers:
            setattr(part, name, buffer)
            buffer.data.copy_(value)  # by .data, for graphs made before stay valid so
        dict(store.items())  # Pyro's scope unlinks parameters from their unconstrained values


def kept_attributes(part: nn.Module) -> dict[str, tuple[Any, Any]]:
    """A module's attributes, and of those that are lists or dictionaries what is in them."""
    return {
        name: (value, value.copy() if isinstance(value, dict | list | set) else None)
        for name, value in vars(part).items()
    }


def restore(part: nn.Module, kept: dict[str, tuple[Any, Any]]) -> None:
    """Give a module the attributes that it had; its tensors are not looked into."""
    attributes = vars(part)
    for name in attributes.keys() - kept.keys():
        del attributes[name]
    for name, (value, content) in kept.items():
        attributes[name] = value
        if isinstance(value, list):
            value[:] = content
        elif isinstance(value, dict | set):
            value.clear()
            value.update(content)


def is_building(part: nn.Module) -> bool:
    """Whether a layer of torch's waits for its first input to know its shape."""
    return any(is_lazy(parameter) for parameter in part.parameters(recurse=False))
