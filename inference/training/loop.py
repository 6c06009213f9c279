"""The training loop: an objective as a torch module, a torch optimiser, one step after another.

Nothing in a step reads a number back from the device. What is logged is added up there and read
once for every logging interval, and a step whose loss is not finite leaves the parameters alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import pyro
import torch
from pyro.infer.elbo import ELBOModule
from torch import Tensor
from torch.optim import Optimizer

from ...data import Rows
from ...schedules import Schedule
from ..checks.applying import check_applies
from ..foreign import Inputs
from ..foreign.failing import telling
from ..objectives.base import ObjectiveModule
from ..objectives.weights import scheduled, weigh
from .checkpoint import State
from .diagnosis import NotFiniteStepError, diagnose
from .engine import single
from .feed import MONITORED as MONITORED
from .feed import MOVES as MOVES
from .feed import Called, Epoch, Feed, InputsFeed, RowsFeed, check_within, count_of, thinned
from .ledger import NORM, Ledger
from .noise import keyed_noise, seed_of
from .optimisation import clipped, descend, set_rate
from .sampling import Sampler, once
from .weighing import weighed_loss

if TYPE_CHECKING:
    from .engine import Engine

LOG_EVERY = 50
"""Steps of a logging interval."""

SEEN = "rows"
"""Among an epoch's sums, how many rows they are of, where nobody knows it before."""

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
        rows: the training rows with the labels that are shown, or what gives those of an epoch;
            or the minibatches of a user's own.
        epochs: how many in all.
        batch_size: rows per step, all processes together.
        seed: of the order and the noise.
        rate: the networks' step size at a point of the training, 0 at its start and 1 at its end.
        fabric: the processes and devices that share the steps (one process, in float32).
        clip: the gradient's largest norm; 0 leaves it as it is.
        log_every: steps of a logging interval.
        sampler: which rows each step of an epoch sees; every row once by default.
        still: never move an image, even where the data set allows it.
        schedules: of weights of the objective, one of the suite's or of its kind.
        checked: rows of the first batch on which the pair is checked; all of them by default.

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
        rows: Rows | Callable[[int], Rows] | Inputs,
        *,
        epochs: int,
        batch_size: int,
        seed: int,
        rate: Callable[[float], float],
        fabric: Engine | None = None,
        clip: float = 0.0,
        log_every: int = LOG_EVERY,
        sampler: Sampler = once,
        still: bool = True,
        schedules: Sequence[Schedule] = (),
        checked: int | None = None,
    ) -> None:
        self.module, self.optimizer, self.checked = module, optimizer, checked
        self.epochs, self.seed, self.schedules = epochs, seed, schedules
        self.rate, self.clip, self.log_every = rate, clip, log_every
        self.device = next(module.parameters()).device
        self.fabric = fabric or single(self.device)
        self._wrapped, self._stepper = self.fabric.setup(module, optimizer, move_to_device=False)
        self.epoch = self.done = self.total = 0
        self.totals: Metrics = {}
        self.ledger = Ledger(self.device)
        self.feed: Feed
        if isinstance(rows, Inputs):
            self.feed = InputsFeed(rows, self.device)
        else:
            self.feed = RowsFeed(
                (lambda _: rows) if isinstance(rows, Rows) else rows,
                batch_size,
                seed,
                sampler,
                still=still,
                device=self.device,
                rank=self.fabric.global_rank,
                processes=self.fabric.world_size,
            )

    def run(self) -> Iterator[Step]:
        """Go on to the last epoch, yielding after every step.

        Raises:
            ValueError: where the pair fails :func:`~ccvae.inference.check_pair` on its first batch.
            NotFiniteStepError: where a loss or a gradient is not finite.
        """
        if self.epoch < self.epochs:
            self._check()
        while self.epoch < self.epochs:
            yield from self._run_epoch(self.feed.epoch(self.epoch))

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

    def _run_epoch(self, epoch: Epoch) -> Iterator[Step]:
        # At every epoch: whoever drew the last one's metrics may have evaluated the pair since.
        self.module.train()
        if isinstance(self.module, ObjectiveModule):
            self.module.elbo.begin_epoch(self.epoch)
        number = self.epoch
        for batch, count, last in epoch.portions(self.done):
            steps = max(epoch.steps, self.done + 1)
            for each in self.schedules:
                weigh(self.module.elbo, each.name, each.at(number + (self.done + 1) / steps))
            with telling(self.module, number, self.done):
                self._step(batch, count, self.rate((number + self.done / steps) / self.epochs))
            self.done += 1
            self.total += 1
            done, rows = self.done, count_of(batch, count)
            interval = self._read(epoch) if last or done % self.log_every == 0 else None
            metrics = self._end_epoch(epoch) if last else None
            yield Step(number, done, done if last else steps, rows, interval, metrics)

    def _step(self, batch: Called, count: int | None, rate: float) -> None:
        """One step on this process's share of so many rows."""
        set_rate(self.optimizer, rate)

        def backward(loss: Tensor) -> None:
            # Processes average their gradients; the scale N/B of each is that of its own rows.
            weight = batch.rows * self.fabric.world_size / count_of(batch, count)
            self.fabric.backward(loss * weight)
            self.ledger.step(self.module, loss, batch)

        with self._noise(self.done, count):
            descend(
                self._stepper,
                lambda: weighed_loss(self.module, self._wrapped, batch),
                backward=backward,
                before=lambda loss: self._note(loss, count_of(batch, count)),
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

    def state(self) -> State:
        """Where the training stands, as plain data for a checkpoint; ends the logging interval."""
        if self.ledger.steps:
            self._read(self.feed.epoch(self.epoch))
        return {name: vars(self)[name] for name in ("epoch", "done", "total", "totals")}

    def take_up(self, state: State) -> None:
        """Stand where :meth:`state` said, weights and moments being loaded; raise if none can."""
        self.epoch, self.done, self.total = state["epoch"], state["done"], state["total"]
        if self.done and self.epoch < self.epochs:
            check_within(self.feed.epoch(self.epoch), self.done)
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

    def _noise(self, step: int, rows: int | None) -> AbstractContextManager[None]:
        """Noise for a step on so many rows, keyed by seed, step and row."""
        fabric, seed = self.fabric, seed_of(self.seed, self.epoch, step)
        return keyed_noise(seed, rows or 1, fabric.global_rank, fabric.world_size)

    def _together(self, value: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.fabric.world_size == 1:
            return value
        total = self.fabric.all_reduce(value, reduce_op="sum")
        assert isinstance(total, Tensor)  # as what was given; it also takes collections
        return total

    def _read(self, epoch: Epoch) -> Metrics:
        """End a logging interval: the one moment at which numbers leave the device."""
        count, steps = self.ledger.rows, self.ledger.steps
        wrong, sums = self.ledger.read(self._together)
        if wrong >= 0:
            self._explain(epoch, wrong)
        norm = sums.pop(NORM) / steps
        for name, total in sums.items():
            self.totals[name] = self.totals.get(name, 0.0) + total
        if epoch.seen is None:
            self.totals[SEEN] = self.totals.get(SEEN, 0.0) + count
        means = {name: total / count for name, total in sums.items()}
        settings = {"lr": self.optimizer.param_groups[0]["lr"]}
        if epoch.labelled is not None:
            settings["labelled"] = epoch.labelled
        if isinstance(self.module, ObjectiveModule):
            settings |= {
                "beta": self.module.elbo.beta,
                **scheduled(self.module.elbo, self.schedules),
            }
        return {"epoch": self.epoch, **means, NORM: norm, **settings}

    def _end_epoch(self, epoch: Epoch) -> Metrics:
        seen = epoch.seen or self.totals.pop(SEEN)
        means = {name: total / seen for name, total in self.totals.items()}
        self.module.eval()  # batch normalisation must not learn from the monitored rows
        metrics = {"epoch": self.epoch, **means, **epoch.watched(self.module.guide)}
        self.epoch, self.done, self.totals = self.epoch + 1, 0, {}
        return metrics

    def _check(self) -> None:
        """Raise where the pair does not fit together on the next batch."""
        batch = thinned(next(self.feed.epoch(self.epoch).portions(0)).batch, self.checked)
        self.module.train()
        with pyro.get_param_store().scope():
            check_applies(
                self.module.model,
                self.module.guide,
                *batch.args,
                objective=self.module.elbo,
                **batch.kwargs,
            )

    def _explain(self, epoch: Epoch, step: int) -> NoReturn:
        """Raise for a step whose loss or gradient was not finite, made once more to see why."""
        batch, count, _ = next(epoch.portions(step))
        self.module.train()
        with pyro.get_param_store().scope(), self._noise(step, count):
            reason = diagnose(self.module, batch)
        raise NotFiniteStepError(reason, batch, self.epoch, step)
