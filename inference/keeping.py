"""What of a training is kept: the last weights or the best epoch's, averaged or as they are.

After every epoch the weights are tried on validation rows, which have labels and are not trained
on. Their score is in nats an image: the bound with the labels hidden, plus the weight that the
training gives to the labels times the accuracy. Where there is a better one than ever before, its
weights are written to ``weights.safetensors``, which is what a loaded run has. The checkpoint
beside it stays where the training stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..data import Rows
from .average import Average
from .checkpoint import load_checkpoint, save_checkpoint
from .evaluation import TRIED, evaluate
from .noise import seed_of
from .runs import WEIGHTS, Run

if TYPE_CHECKING:
    from lightning_fabric import Fabric

VALIDATION = 2
"""What tells the seed of an epoch's validation from those of its steps."""


class Keeper:
    """Tries the weights after each epoch, and keeps those that the configuration asks for.

    Args:
        run: in training.
        validation: rows to try the weights on; none to keep the last ones.
        weight: nats an image that a right label is worth.
        fabric: the processes, which agree on the first one's figures.

    Attributes:
        best: score of the best epoch so far, −∞ before the first.
        waited: epochs since then.
    """

    def __init__(self, run: Run, validation: Rows, weight: float, fabric: Fabric) -> None:
        self.run, self.validation, self.weight = run, validation.first(TRIED), weight
        self.fabric = fabric
        self.best, self.waited = float("-inf"), 0
        self.average: Average[nn.ModuleDict] | None = None
        if run.config.average:
            self.average = Average(nn.ModuleDict(run.modules), run.config.average)

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What a checkpoint holds beside the modules in training."""
        if self.average is None:
            return {}
        return {f"average_{name}": module for name, module in self._current.items()}

    @property
    def enough(self) -> bool:
        """Whether the training was told to wait no longer for a better epoch."""
        patience = self.run.config.patience
        return 0 < patience <= self.waited

    def after_step(self, steps: int) -> None:
        """Take in the weights after so many steps of the training."""
        if self.average is not None:
            self.average.update(steps)

    def after_epoch(self, epoch: int) -> dict[str, float]:
        """Try the weights and keep them where they are to be kept.

        Returns:
            ``validation_bound``, ``validation_accuracy`` (for a guide that classifies) and
            ``validation_reconstruction_l1``; nothing where there are no validation rows.
        """
        found = self._tried(epoch) if len(self.validation) else {}
        score = found.get("bound", 0.0) + self.weight * found.get("accuracy", 0.0)
        better = score > self.best
        self.best, self.waited = max(score, self.best), 0 if better else self.waited + 1
        if better if self._keeps_best else self.average is not None:
            self._write(epoch)
        return {f"validation_{name}": value for name, value in found.items()}

    def state(self) -> dict[str, Any]:
        """What a checkpoint notes of it."""
        return {"best": self.best if self.best > float("-inf") else None, "waited": self.waited}

    def take_up(self, state: dict[str, Any]) -> None:
        """Stand where :meth:`state` said."""
        best = state.get("best")
        self.best = float("-inf") if best is None else best
        self.waited = state.get("waited", 0)

    def load(self) -> None:
        """Put the kept weights into the run, where they are not those of the last step."""
        path = self.run.directory / WEIGHTS
        if path.exists() and (self._keeps_best or self.average is not None):
            load_checkpoint(path, self.run.modules)

    @property
    def _keeps_best(self) -> bool:
        return self.run.config.keep == "best" and len(self.validation) > 0

    @property
    def _current(self) -> dict[str, nn.Module]:
        return self.run.modules if self.average is None else dict(self.average.module.items())

    def _tried(self, epoch: int) -> dict[str, float]:
        torch.manual_seed(seed_of(self.run.config.seed, epoch, VALIDATION))
        model, guide = self._current["model"], self._current["guide"]
        found = evaluate(model, guide, self.run.objective, self.validation, self.run.device)
        names = ("bound", "accuracy", "reconstruction_l1")
        mine = {name: found[name] for name in names if name in found}
        return self.fabric.broadcast(mine)

    def _write(self, epoch: int) -> None:
        if self.fabric.is_global_zero:
            save_checkpoint(self.run.directory / WEIGHTS, self._current, None, epoch=epoch)
