"""A program without the weights that ``poutine.scale`` puts on its sites, as a bound needs it.

Annealing, a β, or N/B in the place of a subsampled plate are weights of a training. With them what
one of Pyro's objectives comes to is no bound on the evidence; without them it is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from pyro.poutine.trace_struct import Trace
from torch import Tensor

from .sites import Program


def weighs(trace: Trace) -> bool:
    """Whether a program puts weights on its sites."""
    sites = (site for site in trace.nodes.values() if site["type"] == "sample")
    return any(_differ(site["scale"], scale_of(site)) for site in sites)


def scale_of(site: Mapping[str, Any]) -> float:
    """What the plates of a site scale it by: those that are subsampled stand for the whole."""
    frames = [frame for frame in site["cond_indep_stack"] if frame.size and frame.full_size]
    scale: float = prod(frame.full_size / frame.size for frame in frames)
    return scale


def _differ(scale: float | Tensor, expected: float) -> bool:
    if isinstance(scale, Tensor):
        return bool(((scale - expected).abs() > CLOSE * expected).any())
    return abs(scale - expected) > CLOSE * expected


CLOSE = 1e-5
"""How far from what its plates say a scale may be for want of digits."""


class _Unweighted(Messenger):
    """Counts every site as its plates say, which scale minibatches to the whole."""

    def _pyro_sample(self, msg: Message) -> None:
        msg["scale"] = scale_of(msg)


def unweighted(program: Program) -> Program:
    """The program without weights on its sites.

    >>> import pyro, torch
    >>> from pyro import distributions as dist, poutine
    >>> def model():
    ...     with pyro.plate("data", 10, subsample_size=5), poutine.scale(scale=0.1):
    ...         pyro.sample("z", dist.Normal(0.0, 1.0))
    >>> for each in (model, unweighted(model)):
    ...     print(round(poutine.trace(each).get_trace().nodes["z"]["scale"], 2))
    0.2
    2.0
    """

    def run(*args: object, **kwargs: object) -> object:
        with _Unweighted():
            return program(*args, **kwargs)

    return run
