"""The training loop: an objective as a torch module, a torch optimiser, one step after another.

Nothing in a step reads a number back from the device. What is logged is added up there and read
once for every logging interval, and a step whose loss is not finite leaves the parameters alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import pyro
import torch
from pyro.infer.elbo import ELBOModule
from torch import Tensor
from torch.optim import Optimizer

from ...data import Batch, Rows
from ..checks.applying import check_applies
from ..evaluation.accuracy import accuracy
from ..objectives.base import ObjectiveModule
from .diagnosis import NotFiniteStepError, diagnose
from .engine import single
from .ledger import NORM, Ledger
from .noise import keyed_noise, part_of, seed_of
from .optimisation import clipped, descend, set_rate
from .sampling import Drawn, Sampler, once
from .weighing import weighed_loss

if TYPE_CHECKING:
    from lightning_fabric import Fabric

MONITORED = 512
"""Labelled training rows on which the accuracy is watched."""

LOG_EVERY = 50
"""Steps of a logging interval."""

MOVES = 1
"""What tells the seed of a step's mirrored images from that of its noise."""

Metrics = dict[str, float]


class Step(NamedTuple):
    """Where a training stands after a step.

    Attributes:
        epoch: of the step, counted from 0. done: steps of that epoch that are done.
        steps: of that epoch. rows: of the training rows that the step saw.
        interval: means since the last interval, at the end of one.
        metrics: means over the epoch, at its end.
    """

    epoch: int
    done: int
    steps: int
    rows: int
    interval: Metrics | None
    metrics: Metrics | None


class Training:
    """A training that can be left after any step, and taken up there.

    Each step draws its order and its noise from the seed and its own number, so a training that is
    taken up at ``epoch`` and ``done`` with the weights and the optimiser's state of that moment
    goes on as if it had not been left.

    Args:
        module: an ELBO of a model and a guide, ``objective(model, guide)``, on its device.
        optimizer: over the module's parameters.
        rows: the training rows with the labels that are shown, or what gives those of an epoch.
        epochs: how many in all.
        batch_size: rows per step, all processes together.
        seed: of the order and the noise.
        rate: the networks' step size at a point of the training, 0 at its start and 1 at its end.
        fabric: the processes and devices that share the steps (one process, in float32).
        clip: the gradient's largest norm; 0 leaves it as it is.
        log_every: steps of a logging interval.
        sampler: which rows each step of an epoch sees; every row once by default.
        still: never move an image, even where the data set allows it.

    Attributes:
        epoch, done: the epoch that the training is in, and how many of its steps are done.
        total: steps done in all epochs.
        totals: sums over this epoch up to the last interval, by name.
        ledger: what was measured since then.
    """

    def __init__(
        self,
        module: ELBOModule,
        optimizer: Optimizer,
        rows: Rows | Callable[[int], Rows],
        *,
        epochs: int,
        batch_size: int,
        seed: int,
        rate: Callable[[float], float],
        fabric: Fabric | None = None,
        clip: float = 0.0,
        log_every: int = LOG_EVERY,
        sampler: Sampler = once,
        still: bool = True,
    ) -> None:
        self.sampler, self.still = sampler, still
        self.module, self.optimizer = module, optimizer
        self.rows = (lambda _: rows) if isinstance(rows, Rows) else rows
        self.epochs, self.batch_size, self.seed = epochs, batch_size, seed
        self.rate, self.clip, self.log_every = rate, clip, log_every
        self.device = next(module.parameters()).device
        self.fabric = fabric or single(self.device)
        self._wrapped, self._stepper = self.fabric.setup(module, optimizer, move_to_device=False)
        self.epoch = self.done = self.total = 0
        self.totals: Metrics = {}
        self.ledger = Ledger(self.device)

    def run(self) -> Iterator[Step]:
        """Go on to the last epoch, yielding after every step.

        Raises:
            ValueError: where the pair fails :func:`~ccvae.inference.check_pair` on its first batch.
            NotFiniteStepError: where a loss or a gradient is not finite.
        """
        if self.epoch < self.epochs:
            self._check()
        while self.epoch < self.epochs:
            yield from self._run_epoch(self.rows(self.epoch))

    def metrics(self) -> Iterator[Metrics]:
        """Go on to the last epoch, yielding after each what is worth logging.

        Yields:
            ``epoch``; ``objective``, each of its terms, and the evidence ``bound`` in it (all per
            row); and ``accuracy`` on up to 512 labelled rows by q(y|x), where there is one.

        Raises:
            ValueError: as :meth:`run`.
        """
        for step in self.run():
            if step.metrics is not None:
                yield step.metrics

    def _run_epoch(self, rows: Rows) -> Iterator[Step]:
        # At every epoch: whoever drew the last one's metrics may have evaluated the pair since.
        self.module.train()
        if isinstance(self.module, ObjectiveModule):
            self.module.elbo.begin_epoch(self.epoch)
        epoch, batches = self.epoch, self._batches(rows)
        seen = sum(len(drawn.rows) for drawn in batches)
        for step, drawn in list(enumerate(batches))[self.done :]:
            self._step(rows, drawn, self.rate((epoch + step / len(batches)) / self.epochs))
            self.done += 1
            self.total += 1
            last = self.done == len(batches)
            interval = self._read(rows) if last or self.done % self.log_every == 0 else None
            metrics = self._end_epoch(rows, seen) if last else None
            yield Step(epoch, step + 1, len(batches), len(drawn.rows), interval, metrics)

    def _step(self, rows: Rows, drawn: Drawn, rate: float) -> None:
        """One step on the rows that were drawn, of which this process takes its share."""
        set_rate(self.optimizer, rate)
        count, batch = len(drawn.rows), self._batch(rows, drawn, self.done)

        def backward(loss: Tensor) -> None:
            # Processes average their gradients; the scale N/B of each is that of its own rows.
            weight = len(batch.x) * self.fabric.world_size / count
            self.fabric.backward(loss * weight)
            self.ledger.step(self.module, loss, batch)

        with self._noise(self.done, count):
            descend(
                self._stepper,
                lambda: weighed_loss(self.module, self._wrapped, batch),
                backward=backward,
                before=lambda loss: self._note(loss, count),
            )

    def _note(self, loss: Tensor, rows: int) -> None:
        """Clip the gradients of a step on so many rows, and keep what the ledger is to know."""
        norm = clipped(self.module, self.clip)
        self.ledger.watch(self.done, loss, norm, self._together)
        self.ledger.rows += rows
        self.ledger.steps += 1
        if getattr(self.optimizer, "_step_supports_amp_scaling", False):
            # Read by fused optimisers on the device: they leave the parameters alone where it is 1.
            self.optimizer.found_inf = (self.ledger.halted >= 0).float()  # type: ignore[attr-defined]

    def _batch(self, rows: Rows, drawn: Drawn, step: int) -> Batch:
        """This process's share of the rows of a step."""
        part, moves = self._part(), None
        if not self.still:
            moves = rows.moves(len(drawn.rows), seed_of(self.seed, self.epoch, step, MOVES))
        index, weights = drawn.part(part)
        return rows.batch(
            index, self.device, weights=weights, moves=None if moves is None else moves.part(part)
        )

    def state(self) -> dict[str, Any]:
        """Where the training stands, as plain data for a checkpoint; ends the logging interval."""
        if self.ledger.steps:
            self._read(self.rows(self.epoch))
        names = ("epoch", "done", "total", "totals")
        return {name: getattr(self, name) for name in names}

    def take_up(self, state: dict[str, Any]) -> None:
        """Stand where :meth:`state` said, the weights and the optimiser's state being loaded."""
        self.epoch, self.done, self.total = state["epoch"], state["done"], state["total"]
        self.totals = dict(state["totals"])

    @property
    def settled(self) -> bool:
        """Whether the training may be written down now: several processes end an interval first."""
        return self.fabric.world_size == 1 or not self.ledger.steps

    def agree(self, asked: bool) -> bool:
        """Whether any process was asked for something, where all can answer."""
        if self.fabric.world_size == 1 or not self.settled:
            return asked and self.settled
        return self._together(torch.tensor(float(asked), device=self.device)).item() > 0

    def _batches(self, rows: Rows) -> list[Drawn]:
        """The rows of each step of the epoch, at least one for every process."""
        batches = self.sampler(rows, self.batch_size, self.seed, self.epoch)
        if len(batches) > 1 and len(batches[-1].rows) < self.fabric.world_size:
            # Only where each row is seen once is a last batch smaller, and there none has weights.
            batches[-2:] = [Drawn(torch.cat([drawn.rows for drawn in batches[-2:]]), None)]
        return batches

    def _part(self) -> slice:
        """Which rows of a batch are this process's."""
        return part_of(self.fabric.global_rank, self.fabric.world_size)

    def _noise(self, step: int, rows: int) -> AbstractContextManager[None]:
        """Noise for a step on so many rows, keyed by seed, step and row."""
        fabric, seed = self.fabric, seed_of(self.seed, self.epoch, step)
        return keyed_noise(seed, rows, fabric.global_rank, fabric.world_size)

    def _together(self, value: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.fabric.world_size == 1:
            return value
        total = self.fabric.all_reduce(value, reduce_op="sum")
        assert isinstance(total, Tensor)  # as what was given; it also takes collections
        return total

    def _read(self, rows: Rows) -> Metrics:
        """End a logging interval: the one moment at which numbers leave the device."""
        count, steps = self.ledger.rows, self.ledger.steps
        wrong, sums = self.ledger.read(self._together)
        if wrong >= 0:
            self._explain(rows, wrong)
        norm = sums.pop(NORM) / steps
        for name, total in sums.items():
            self.totals[name] = self.totals.get(name, 0.0) + total
        means = {name: total / count for name, total in sums.items()}
        settings = {"lr": self.optimizer.param_groups[0]["lr"], "labelled": rows.labelled_share}
        if isinstance(self.module, ObjectiveModule):
            settings["beta"] = self.module.elbo.beta
        return {"epoch": self.epoch, **means, NORM: norm, **settings}

    def _end_epoch(self, rows: Rows, seen: int) -> Metrics:
        means = {name: total / seen for name, total in self.totals.items()}
        monitored = rows.labelled.first(MONITORED)
        self.module.eval()  # batch normalisation must not learn from the monitored rows
        metrics = {
            "epoch": self.epoch,
            **means,
            **accuracy(self.module.guide, monitored, self.device),
        }
        self.epoch, self.done, self.totals = self.epoch + 1, 0, {}
        return metrics

    def _check(self) -> None:
        """Raise where the pair does not fit together on the next batch."""
        rows = self.rows(self.epoch)
        batch = self._batch(rows, self._batches(rows)[0], 0)
        self.module.train()
        with pyro.get_param_store().scope():
            check_applies(
                self.module.model,
                self.module.guide,
                *batch.args,
                objective=self.module.elbo,
                **batch.kwargs,
            )

    def _explain(self, rows: Rows, step: int) -> NoReturn:
        """Raise for a step whose loss or gradient was not finite, made once more to see why."""
        drawn = self._batches(rows)[step]
        batch = self._batch(rows, drawn, step)
        self.module.train()
        with pyro.get_param_store().scope(), self._noise(step, len(drawn.rows)):
            reason = diagnose(self.module, batch)
        raise NotFiniteStepError(reason, batch, self.epoch, step)
