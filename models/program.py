"""What all programs of the suite are: Pyro modules that can be run for their sites alone.

Whenever a PyroModule reads one of its networks it tells all handlers of every parameter in it, as
Pyro's own optimisers want to know. An objective asks for sites alone, and without
:func:`sites_alone` the terms of 4 images of 28×28 take 16 to 30 % longer, by the program, and a
training step on 20 images of 64×64 1 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from pyro import get_param_store
from pyro.nn import PyroModule
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message, am_i_wrapped
from torch import Tensor, nn
from torch.distributions import constraints

from .shapes import broadcast

_alone = ContextVar("sites_alone", default=False)


@contextmanager
def sites_alone() -> Iterator[None]:
    """Within it programs announce no parameters, unless a handler around it may want to know."""
    token = _alone.set(not am_i_wrapped())
    try:
        yield
    finally:
        _alone.reset(token)


class NetworkProgram(PyroModule):
    """A generative or an inference program, whose networks are attributes.

    A network with random weights (a PyroModule itself) is read as Pyro does it everywhere.
    """

    def __getattr__(self, name: str) -> Any:
        part = self.__dict__.get("_modules", {}).get(name)
        if not isinstance(part, nn.Module) or isinstance(part, PyroModule):
            return super().__getattr__(name)
        if _alone.get():
            return part
        with Kept():
            return super().__getattr__(name)


class Kept(Messenger):
    """Lets Pyro's store keep the parameters themselves, where it would keep copies of some.

    The store makes what it keeps contiguous, which of a convolution's weights that lie
    channels-last makes a copy: ``SVI`` would train the copy, and never the weights.
    """

    def _pyro_param(self, msg: Message) -> None:
        name, own = (*msg["args"], None)[:2]
        store = get_param_store()
        if isinstance(own, nn.Parameter) and not own.is_contiguous() and name not in store:
            store.set_state({"params": {name: own}, "constraints": {name: constraints.real}})


def joined(parts: Sequence[Tensor]) -> Tensor:
    """Latents ``(…, D)`` one after the other, ``(…, ΣD)``.

    The dimensions to the left may differ by 1: handlers put worlds and particles there, and only
    what they reach has them.
    """
    if len({part.shape[:-1] for part in parts}) > 1:
        shape = broadcast(*(part.shape[:-1] for part in parts))
        parts = [part.expand(*shape, -1) for part in parts]
    return torch.cat(list(parts), -1)
