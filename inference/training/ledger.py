"""What a training measures, kept on its device and read back all at once.

Reading a number from a GPU stops the program until the device has caught up. A ledger adds up what
is to be logged where it arises, and is read once for every logging interval.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from pyro.infer.elbo import ELBOModule
from torch import Tensor

from ..foreign import Foreign
from ..objectives.base import ObjectiveModule
from ..objectives.pyros import PyrosModule
from .feed import Called, share_of
from .weighing import weighed_sum

NORM = "grad_norm"


class Ledger:
    """Sums over the steps since the last reading.

    Attributes:
        sums: by name, scalars on the device; the objective and its terms over rows, the gradient's
            norm over steps.
        rows, steps: how many were summed over, all processes together.
        halted: the first step of the epoch whose loss or gradient was not finite, else −1; a
            scalar on the device, which the optimiser reads there.
    """

    def __init__(self, device: torch.device) -> None:
        self.halted = torch.full((), -1.0, device=device)
        self.clear()

    def clear(self) -> None:
        """Begin a new interval."""
        self.sums: dict[str, Tensor] = {}
        self.rows = self.steps = 0

    def add(self, name: str, value: Tensor) -> None:
        """Add a scalar, without reading it."""
        self.sums[name] = self.sums[name] + value if name in self.sums else value

    def step(self, module: ELBOModule, loss: Tensor, batch: Called) -> None:
        """Add a batch's objective and its terms.

        Args:
            module: whose last call returned the loss. loss: the batch's.
        """
        if isinstance(module, ObjectiveModule):
            for name, term in module.terms.items():
                self.add(name, weighed_sum(term, batch.weights))
            self.add("bound", weighed_sum(module.elbo.evidence_bound(module.terms), batch.weights))
        share = share_of(batch)
        if isinstance(module, PyrosModule):
            for name, total in module.terms.items():
                self.add(name, total * share)
            if not (isinstance(module.model, Foreign) and module.model.weighs):
                self.add("bound", -loss.detach() * share)
        self.add("objective", -loss.detach() * share)

    def watch(
        self, step: int, loss: Tensor, norm: Tensor, together: Callable[[Tensor], Tensor]
    ) -> None:
        """Note the first step that is not finite; see :attr:`halted`.

        Args:
            step: its number within the epoch. loss: of this process.
            norm: of the gradient, the same in all processes.
            together: sums a scalar over all processes.
        """
        self.add(NORM, norm)
        fine = loss.detach().isfinite() & norm.isfinite()
        wrong = together((~fine).float()) > 0
        self.halted = torch.where(wrong & (self.halted < 0), float(step), self.halted)

    def read(self, together: Callable[[Tensor], Tensor]) -> tuple[int, dict[str, float]]:
        """Read everything back at once, and begin a new interval.

        Args:
            together: sums a tensor over all processes.

        Returns:
            the first step that was not finite, or −1; and the sums.
        """
        names = [name for name in self.sums if name != NORM]
        sums = together(torch.stack([self.sums[name] for name in names]))
        values = torch.cat([sums, self.sums[NORM][None], self.halted[None]]).tolist()
        self.clear()
        return int(values[-1]), dict(zip([*names, NORM], values[:-1], strict=True))
