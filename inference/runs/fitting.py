"""Training a run: from its configuration to its checkpoints, logs and last epoch."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.optim import Optimizer

from ...config import Config
from ...data import Dataset, Rows
from ...stopping import Request, Stopped
from ...words import is_own
from ..evaluation.evaluating import evaluate, in_short, share_right
from ..evaluation.own import evaluate_own
from ..foreign import Inputs
from ..training.alpha import label_worth
from ..training.checkpoint import NotWholeError, load_training, save_checkpoint
from ..training.diagnosis import NotFiniteStepError
from ..training.engine import compile_networks, engine
from ..training.loop import LOG_EVERY, Metrics, Step, Training
from ..training.optimisation import SCHEDULES, adam
from ..training.sampling import LabelledShare, Sampler, once
from ..training.validation import TRIED, split
from .checks import check_own
from .keeping import Keeper, Trial
from .logbook import Logbook
from .run import CHECKPOINT, NOT_FINITE, Run, create, training_rows

if TYPE_CHECKING:
    from ..training.engine import Engine


CHECKED = 32
"""Rows on which a pair of the suite's is checked before its first step."""

SAVE_SECONDS = 600.0
"""Between checkpoints within an epoch."""


def fit(
    run: Run,
    rows: Rows | Inputs,
    *,
    resume: bool,
    fabric: Engine | None = None,
    save_seconds: float = SAVE_SECONDS,
    log_every: int = LOG_EVERY,
    board: bool = False,
    compiled: bool = False,
    stop: Request | None = None,
    watch: Callable[[Step], None] | None = None,
) -> Iterator[Metrics]:
    """Train a run to its last epoch, yielding after each what it logs of it.

    What was found on the validation rows is among it, under names that begin with ``validation_``.

    At the end the run has the weights that are kept (:mod:`.keeping`), and so has its directory.
    A checkpoint is written after every epoch, in between whenever ``save_seconds`` have passed,
    and where the training is asked to stop.

    Args:
        run: a new one, or with ``resume`` one whose checkpoint is to be continued.
        rows: the training rows, with those that validate; or minibatches of the user's own.
        resume: go on where the checkpoint stands; without a checkpoint, start afresh.
        fabric: processes and devices (one process on the run's device).
        log_every: steps of a logging interval, after which numbers are read from the device.
        board: log for TensorBoard as well, where it is installed.
        compiled: compile the networks first, which pays after some thousand steps.
        stop: where somebody may ask for an end.
        watch: called after every step.

    Raises:
        ValueError: where a loss or a gradient is not finite; its rows are in the run directory.
        Stopped: where ``stop`` was asked for.
    """
    if compiled:
        compile_networks(run.model, run.guide)
    optimizer = adam(nn.ModuleDict(run.modules), run.config.lr)
    training = _training(run, optimizer, rows, fabric, log_every, compiled=compiled)
    seen = None if isinstance(rows, Inputs) else split(run.config, rows).train
    keeper = Keeper(run, trial_of(run, rows), training.fabric, seen)
    path = run.directory / CHECKPOINT
    if resume and path.exists():
        state = load_training(path, keeper.held, optimizer)
        check_own(run.directory, run.facts.id, state)
        try:
            training.take_up(state)
        except ValueError as error:
            raise NotWholeError(path, error) from error
        keeper.take_up(state)
    writes = training.fabric.is_global_zero
    logs = Logbook(run.directory, training.epoch, training.total, board=board) if writes else None
    saved = time.monotonic()
    try:
        for step in training.run() if not keeper.enough else ():
            if watch is not None:
                watch(step)
            keeper.after_step(training.total)
            found = keeper.after_epoch(step.epoch) if step.metrics is not None else {}
            if logs is not None:
                logs.log(step, training.total)
                logs.log_validation(step.epoch, found, training.total)
            stopping = training.agree(stop is not None and stop.asked)
            late = training.settled and time.monotonic() - saved > save_seconds
            if writes and (step.metrics or stopping or late):
                keeper.before_saving()
                facts = {"run": run.facts.id, **training.state(), **keeper.state()}
                save_checkpoint(path, keeper.held, optimizer, **facts)
                saved = time.monotonic()
            if step.metrics is not None:
                yield step.metrics | {f"validation_{name}": value for name, value in found.items()}
            if stopping and training.epoch < training.epochs:
                raise Stopped(step.epoch, step.done, stop.signal if stop else 0)
            if step.metrics is not None and keeper.enough:
                break
        keeper.end()
    except NotFiniteStepError as error:
        error.save(run.directory / NOT_FINITE, run.modules)
        raise ValueError(f"{error}; {run.directory / NOT_FINITE} has its rows") from error
    finally:
        if logs is not None:
            logs.close()


def trial_of(run: Run, rows: Rows | Inputs) -> Trial | None:
    """How the weights of a run are tried after an epoch; None where nothing is kept out for that.

    The score is in nats an image: the bound with the labels hidden, plus what a right label is
    worth by the rule for α. On minibatches of the user's own it is the bound.
    """
    if isinstance(rows, Inputs):
        if not rows.has("validation"):
            return None

        def own(model: nn.Module, guide: nn.Module) -> Metrics:
            found = evaluate_own(model, guide, run.objective, rows, "validation", run.device)
            return in_short(found)

        return Trial(own, lambda found: found["bound"])
    parts = split(run.config, rows)
    tried = parts.validation.first(TRIED)
    worth = cache(partial(label_worth, run.config, parts.train))  # no training waits for it

    def figures(model: nn.Module, guide: nn.Module) -> Metrics:
        return in_short(evaluate(model, guide, run.objective, tried, run.device))

    def score(found: Metrics) -> float:
        return found["bound"] + worth() * share_right(run.space, found)

    return Trial(figures, score) if len(tried) else None


def _training(
    run: Run,
    optimizer: Optimizer,
    rows: Rows | Inputs,
    fabric: Engine | None,
    log_every: int,
    *,
    compiled: bool,
) -> Training:
    """The training that a configuration asks for, at its start."""
    config, schedule = run.config, SCHEDULES[run.config.rate_schedule]
    # Code of the user's may know the batch's size, and compiled code is made for it.
    whole = compiled or is_own(config.program) or is_own(config.network)
    return Training(
        run.objective(run.model, run.guide),
        optimizer,
        rows if isinstance(rows, Inputs) else lambda epoch: rows_of_epoch(config, rows, epoch),
        epochs=config.epochs,
        batch_size=config.batch_size,
        seed=config.seed,
        rate=lambda progress: config.lr * schedule(progress),
        fabric=fabric or engine(run.device, precision=config.precision),
        clip=config.clip,
        log_every=log_every,
        sampler=sampler(config),
        still=config.still,
        schedules=config.weight_schedules,
        checked=None if whole else CHECKED,
    )


def rows_of_epoch(config: Config, rows: Rows, epoch: int) -> Rows:
    """The rows that an epoch trains on, with the labels that it shows.

    Args:
        rows: the training rows with every label that any epoch shows, and those that validate.
        epoch: counted from 0. Where the labelled fraction is a schedule, equal shares of the
            epochs take its entries in turn; rows that keep their labels under a smaller fraction
            are among those of a larger one.
    """
    fractions, parts = config.fractions, split(config, rows)
    if len(fractions) == 1:
        return parts.train
    fraction = fractions[min(epoch * len(fractions) // config.epochs, len(fractions) - 1)]
    shown = rows.dataset.training(fraction, config.seed, balanced=config.balanced)
    return shown.at(parts.inside)


def sampler(config: Config) -> Sampler:
    """Which rows each step sees."""
    if not config.labelled_share:
        return once
    return LabelledShare(
        config.labelled_share, by_class=config.by_class, weighted=not config.unweighted
    )


def train_once(config: Config, dataset: Dataset, device: torch.device) -> Run:
    """A run trained to its end whose directory is gone afterwards, for comparisons."""
    with tempfile.TemporaryDirectory() as folder:
        run = create(config, dataset, Path(folder), device)
        for _ in fit(run, training_rows(config, dataset), resume=False):
            pass
    return run
