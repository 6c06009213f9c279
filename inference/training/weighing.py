"""What rows count for in the loss and in what is logged, where they are not drawn alike."""

from __future__ import annotations

from collections.abc import Callable

from pyro.infer.elbo import ELBOModule
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from torch import Tensor

from ..foreign import Minibatch
from ..foreign.inputs import Extent
from ..objectives.base import ObjectiveModule
from ..objectives.draw import DATA
from .feed import Called


def weighed_loss(module: ELBOModule, call: Callable[..., Tensor], batch: Called) -> Tensor:
    """The loss of a batch, in which rows count as much as their weights say.

    Args:
        module: whose loss it is. call: the module, or what a Fabric made of it.
        batch: with weights, or with None where all rows count alike.
    """
    if isinstance(batch, Minibatch):
        with Extent(batch):
            return call(*batch.args, **batch.kwargs)
    if batch.weights is None:
        return call(*batch.args, **batch.kwargs)
    if isinstance(module, ObjectiveModule):
        return call(*batch.args, weights=batch.weights, **batch.kwargs)
    # Pyro's own ELBOs have no terms to weigh; they weigh every site of a row alike.
    with RowScale(batch.weights):
        return call(*batch.args, **batch.kwargs)


class RowScale(Messenger):
    """Scales every site of a row alike, whichever dimension the plate of the rows has.

    Args:
        weights: of the rows, ``(B,)``.
    """

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = weights

    def _pyro_sample(self, msg: Message) -> None:
        for frame in msg["cond_indep_stack"]:
            if frame.name == DATA and frame.dim is not None:
                shape = (-1, *[1] * (-frame.dim - 1))
                msg["scale"] = msg["scale"] * self.weights.reshape(shape)


def weighed_sum(term: Tensor, weights: Tensor | None) -> Tensor:
    """What the rows of a term ``(B,)`` add to that of all rows."""
    return term.sum() if weights is None else (term * weights).sum()
