"""What all programs of the suite are: Pyro modules that can be run for their sites alone.

Whenever a PyroModule reads one of its networks it tells all handlers of every parameter in it, as
Pyro's own optimisers want to know. An objective asks for sites alone, and with small networks the
announcements take longer than the sites do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from pyro.nn import PyroModule
from pyro.poutine.runtime import am_i_wrapped
from torch import Tensor, nn

_alone = ContextVar("sites_alone", default=False)


@contextmanager
def sites_alone() -> Iterator[None]:
    """Within it programs announce no parameters, unless a handler around it may want to know."""
    token = _alone.set(not am_i_wrapped())
    try:
        yield
    finally:
        _alone.reset(token)


class Program(PyroModule):
    """A generative or an inference program, whose networks are attributes.

    A network with random weights (a PyroModule itself) is read as Pyro does it everywhere.
    """

    def __getattr__(self, name: str) -> Any:
        part = self.__dict__.get("_modules", {}).get(name)
        if isinstance(part, nn.Module) and not isinstance(part, PyroModule) and _alone.get():
            return part
        return super().__getattr__(name)


def joined(parts: Sequence[Tensor]) -> Tensor:
    """Latents ``(…, D)`` one after the other, ``(…, ΣD)``.

    The dimensions to the left may differ by 1: handlers put worlds and particles there, and only
    what they reach has them.
    """
    if len({part.shape[:-1] for part in parts}) > 1:
        shape = torch.broadcast_shapes(*(part.shape[:-1] for part in parts))
        parts = [part.expand(*shape, -1) for part in parts]
    return torch.cat(list(parts), -1)
