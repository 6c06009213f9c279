"""What of a training is kept: the last weights or the best epoch's, averaged or as they are.

After every epoch the weights are tried on validation rows, which have labels and are not trained
on. Their score is in nats an image: the bound with the labels hidden, plus the weight that the
training gives to the labels times the accuracy, of numbers R². The weights of the best epoch, or of
the last, are what a checkpoint holds under the names of the programs, and what a loaded run has.
The weights in training are beside them in the same file, so that the two never disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from ...data import Rows
from ..training.average import Average
from ..training.checkpoint import State, Stateful
from ..training.noise import seed_of
from .precise import make_exact
from .run import Run

if TYPE_CHECKING:
    from ..training.engine import Engine

VALIDATION = 2
"""What tells the seed of an epoch's validation from those of its steps."""


class Trial(NamedTuple):
    """How weights are tried.

    Attributes:
        figures: what is found of a model and a guide, by name.
        score: of those figures, the higher the better.
    """

    figures: Callable[[nn.Module, nn.Module], dict[str, float]]
    score: Callable[[dict[str, float]], float]


class Weights:
    """The weights of a module beside it, which cannot be run; a program of a user's cannot be
    copied.

    Args:
        source: whose weights they are until others are taken on.
    """

    def __init__(self, source: nn.Module) -> None:
        self.source = source

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Its own tensors by name, made once others than the source's are taken on."""
        return {name: t.detach().clone() for name, t in self.source.state_dict().items()}

    def state_dict(self) -> dict[str, Tensor]:
        """Its tensors by name."""
        return self.tensors if "tensors" in vars(self) else self.source.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take tensors on.

        Raises:
            RuntimeError: where one has another shape.
        """
        for name, tensor in self.tensors.items():
            if tensor.shape != state[name].shape:
                raise RuntimeError(f"{name} is of shape {tuple(state[name].shape)}")
            tensor.copy_(state[name])


class Keeper:
    """Tries the weights after each epoch, and keeps those that the configuration asks for.

    Args:
        run: in training.
        trial: how the weights are tried; None to keep the last ones.
        fabric: the processes, which agree on the first one's figures.
        rows: those that are trained on, for :mod:`.precise`; None where there are none.

    Attributes:
        best: score of the best epoch so far, −∞ before the first.
        waited: epochs since then.
    """

    def __init__(
        self, run: Run, trial: Trial | None, fabric: Engine, rows: Rows | None = None
    ) -> None:
        self.run, self.trial, self.fabric, self.rows = run, trial, fabric, rows
        self.best, self.waited = float("-inf"), 0
        self.training = nn.ModuleDict(run.modules)
        self.average: Average[nn.ModuleDict] | None = None
        if run.config.average:
            self.average = Average(self.training, run.config.average)
        same = self.average is None and not self._keeps_best
        self.kept: dict[str, Stateful] = {
            name: module if same else Weights(module) for name, module in run.modules.items()
        }
        self._apart = not same

    @property
    def held(self) -> dict[str, Stateful]:
        """What a checkpoint holds: the kept weights, and those in training if they are others."""
        held = dict(self.kept.items())
        if self._apart:
            held |= {f"training_{name}": module for name, module in self.training.items()}
        if self.average is not None:
            held |= {f"average_{name}": module for name, module in self.average.module.items()}
        return held

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
            what :func:`~ccvae.inference.evaluation.evaluating.in_short` says of the validation
            rows; nothing where there are none.
        """
        if self.rows is not None:
            make_exact(self._current, self.rows, self.run.device)
        found = self._tried(epoch, self.trial) if self.trial is not None else {}
        score = self.trial.score(found) if self.trial is not None else 0.0
        better = score > self.best or not found  # who is not tried does not wait
        self.best, self.waited = max(score, self.best), 0 if better else self.waited + 1
        if better or not self._keeps_best:
            self._keep()
        return found

    def state(self) -> State:
        """What a checkpoint notes of it."""
        return {"best": self.best if self.best > float("-inf") else None, "waited": self.waited}

    def take_up(self, state: State) -> None:
        """Stand where :meth:`state` said."""
        best = state.get("best")
        self.best = float("-inf") if best is None else best
        self.waited = state.get("waited", 0)

    def before_saving(self) -> None:
        """Until there is a best epoch, keep what there is."""
        if self.best == float("-inf"):
            self._keep()

    def end(self) -> None:
        """Put the kept weights into the run."""
        if self._apart:
            for name, module in self.run.modules.items():
                module.load_state_dict(self.kept[name].state_dict())

    @property
    def _keeps_best(self) -> bool:
        return self.run.config.keep == "best" and self.trial is not None

    @property
    def _current(self) -> nn.ModuleDict:
        return self.training if self.average is None else self.average.module

    @torch.no_grad()
    def _keep(self) -> None:
        if self._apart:
            for name, module in self._current.items():
                self.kept[name].load_state_dict(module.state_dict())

    def _tried(self, epoch: int, trial: Trial) -> dict[str, float]:
        torch.manual_seed(seed_of(self.run.config.seed, epoch, VALIDATION))
        model, guide = self._current["model"], self._current["guide"]
        return self.fabric.broadcast(trial.figures(model, guide))
