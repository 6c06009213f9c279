"""A running average of weights, which ends in a better place than the last step does."""

from __future__ import annotations

from copy import deepcopy
from typing import Generic, TypeVar

import torch
from torch import nn

Kind = TypeVar("Kind", bound=nn.Module)


class Average(Generic[Kind]):
    """A running average of the weights of a module, number by number.

    After t steps the average moves by 1 − min(decay, (1 + t)/(10 + t)) of the way to the weights,
    so that it does not remember where they started.

    Args:
        source: whose weights are averaged; what it counts in whole numbers is copied.
        decay: by step.

    Attributes:
        module: a copy of it with averaged weights, in evaluation mode.
    """

    def __init__(self, source: Kind, decay: float) -> None:
        self.decay = decay
        self.module: Kind = deepcopy(source).eval()
        pairs = list(zip(*(m.state_dict().values() for m in (self.module, source)), strict=True))
        self._floats = [pair for pair in pairs if pair[0].is_floating_point()]
        self._counts = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self, steps: int) -> None:
        """Take in the weights after so many steps."""
        weight = 1 - min(self.decay, (1 + steps) / (10 + steps))
        own, new = map(list, zip(*self._floats, strict=True))
        torch._foreach_lerp_(own, new, weight)
        for count, now in self._counts:
            count.copy_(now)
