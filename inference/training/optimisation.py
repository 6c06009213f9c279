"""The optimiser, the step that it takes, and what changes over a training: step sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import pyro
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ...networks.tables import Table

TABLE_FACTOR = 20.0
"""How much larger the steps of tables are than those of networks."""

WARM_UP = 0.1
"""Share of a training over which the step size rises to its largest."""


def adam(module: nn.Module, lr: float) -> Adam:
    """Adam in its fused form, with larger steps for tables of a few numbers.

    Adam moves every number by about its step size. What a network puts out is moved by the steps
    of thousands of weights together, but a class mean only by its own: at the networks' step size
    the conditional priors would stay where they start while the blocks that they describe move
    away. So they are a :class:`~ccvae.networks.tables.Table`. (The classifiers' slopes are as few,
    but with large steps some fall to 0 early, and do not come back from there.)

    Args:
        module: whose parameters are optimised.
        lr: the step size of networks; that of tables is ``TABLE_FACTOR`` times as large.
    """
    tables = {
        id(parameter)
        for part in module.modules()
        if isinstance(part, Table)
        for parameter in part.parameters()
    }
    groups = [
        {"params": [p for p in module.parameters() if (id(p) in tables) == table], "factor": factor}
        for table, factor in ((False, 1.0), (True, TABLE_FACTOR))
    ]
    return Adam([group for group in groups if group["params"]], lr=lr, fused=True)


class Steps(Protocol):
    """What a step asks of an optimiser; a Fabric's wrapper of one has it too."""

    def zero_grad(self) -> None:
        """Forget the gradients."""
        ...

    def step(self) -> object:
        """Move the parameters."""
        ...


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Give the networks this step size, and the tables theirs in proportion."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)


def descend(
    optimizer: Steps,
    loss: Callable[[], Tensor],
    *,
    backward: Callable[[Tensor], None] = Tensor.backward,
    before: Callable[[Tensor], None] | None = None,
) -> Tensor:
    """One step of an optimiser, the one that every training of the suite takes.

    Programs run in a parameter store of their own, so that nothing of a pair stays in Pyro's global
    one, and without Pyro's validation, which reads numbers back from the device.

    Args:
        optimizer: of the parameters that the loss depends on.
        loss: computes the loss of a batch.
        backward: adds its gradient to the parameters'.
        before: looks at the loss when the gradients are there and the step is not taken.

    Returns:
        the loss.
    """
    optimizer.zero_grad()
    with pyro.get_param_store().scope(), pyro.validation_enabled(False):
        value = loss()
        backward(value)
    if before is not None:
        before(value)
    optimizer.step()
    return value


def warm_cosine(progress: float) -> float:
    """A factor that rises from 0 to 1 over the warm-up and falls to 0 along half a cosine.

    >>> [round(warm_cosine(p), 3) for p in (0.05, 0.1, 0.55, 1.0)]
    [0.5, 1.0, 0.5, 0.0]
    """
    falling = max(0.0, progress - WARM_UP) / (1 - WARM_UP)
    return warm_constant(progress) * 0.5 * (1 + math.cos(math.pi * falling))


def warm_linear(progress: float) -> float:
    """A factor that rises from 0 to 1 over the warm-up and falls to 0 in a straight line.

    >>> [round(warm_linear(p), 3) for p in (0.05, 0.1, 0.55, 1.0)]
    [0.5, 1.0, 0.5, 0.0]
    """
    return min(warm_constant(progress), (1 - progress) / (1 - WARM_UP))


def warm_constant(progress: float) -> float:
    """A factor that rises from 0 to 1 over the warm-up and stays.

    >>> [round(warm_constant(p), 3) for p in (0.05, 0.1, 0.55, 1.0)]
    [0.5, 1.0, 1.0, 1.0]
    """
    return min(1.0, progress / WARM_UP)


SCHEDULES: dict[str, Callable[[float], float]] = {
    "cosine": warm_cosine,
    "linear": warm_linear,
    "constant": warm_constant,
}
"""How the networks' step size changes over a training, from 0 at its start to 1 at its end."""
