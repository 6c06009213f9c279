"""What a comparison would take, from a few steps of each method: ``ccvae compare --dry-run``."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch

from ...config import Config
from ...data import Dataset, Rows
from ...faults import words_of
from ...inference.evaluation.evaluating import evaluate
from ...inference.foreign import Inputs
from ...inference.runs.fitting import fit
from ...inference.runs.own import create_own, figures_of
from ...inference.runs.run import Run, create, training_rows
from ...inference.runs.settling import settled
from ...inference.training.baselines import classifier_loss, passes
from ...inference.training.loop import Step
from ...inference.training.optimisation import adam, descend
from ...inference.training.validation import TRIED, split
from ...networks import build
from ...stopping import Request, Stopped
from .plan import BASELINE, Cell
from .training import Task, kept

STEPS, LOOKED = 6, 500
"""Steps that are tried of each method, and rows that it is tried on."""

SIZES = (
    "network",
    "batch_size",
    "style",
    "likelihood",
    "trunks",
    "heads",
    "taught_apart",
    "precision",
    "average",
)
"""Options on which the time of a step depends; others share what was measured."""


class Pace(NamedTuple):
    """What was measured of a method.

    Attributes:
        step: seconds of one. steps: of an epoch. tried: seconds of a look at validation rows.
        tested: of the last measurements. size: bytes of the run.
    """

    step: float
    steps: int
    tried: float
    tested: float
    size: int


class Estimate(NamedTuple):
    """What a cell would take; ``failed`` says why it would fail at once."""

    cell: Cell
    seconds: float
    size: int
    is_done: bool
    failed: str = ""


def estimates(tasks: Sequence[Task], dataset: Dataset | None) -> list[Estimate]:
    """What every cell would take. Trains a few steps of each method, and keeps nothing of them."""
    paces: dict[object, Pace | str] = {}
    found = []
    for task in tasks:
        if kept(task) is not None:
            found.append(Estimate(task.cell, 0.0, 0, True))
            continue
        sizes = tuple(vars(task.cell.config)[name] for name in SIZES)
        key = (task.cell.method, sizes)
        if key not in paces:
            paces[key] = _pace(task, dataset)
        pace = paces[key]
        if isinstance(pace, str):
            found.append(Estimate(task.cell, 0.0, 0, False, pace))
        else:
            epochs = _epochs(task.cell, dataset)
            seconds = epochs * (pace.steps * pace.step + pace.tried) + pace.tested
            found.append(Estimate(task.cell, seconds, pace.size, False))
    return found


def summary(found: Iterable[Estimate], workers: int) -> str:
    """The whole in a sentence."""
    left = [each for each in found if not each.is_done]
    seconds = sum(each.seconds for each in left)
    longest = max((each.seconds for each in left), default=0.0)
    clock = max(seconds / workers, longest)
    size = sum(each.size for each in left) / 1e6
    several = f" by {workers} workers, if they have cores of their own" * (workers > 1)
    return (
        f"{len(left)} cells to train: about {span(clock)}{several}, and {size:.0f} MB; measured on "
        f"{STEPS} steps of each method on this machine"
    )


def span(seconds: float) -> str:
    """A time in words.

    >>> span(50), span(600), span(9000)
    ('50 seconds', '10 minutes', '2.5 hours')
    """
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _epochs(cell: Cell, dataset: Dataset | None) -> int:
    """How often a cell goes through its rows."""
    if cell.method != BASELINE or dataset is None:
        return cell.config.epochs
    config, train = _classifier_rows(cell.config, dataset)
    return passes(config, train)[0]


def _classifier_rows(config: Config, dataset: Dataset) -> tuple[Config, Rows]:
    rows = training_rows(config, dataset)
    return settled(replace(config, alpha=1.0), rows), split(config, rows).train


def _pace(task: Task, dataset: Dataset | None) -> Pace | str:
    try:
        if task.cell.method.inputs or dataset is None:
            return _of_own(task)
        return _of_classifier(task, dataset) if task.cell.method == BASELINE else _of(task, dataset)
    except Exception as error:  # the cell itself would fail so, whatever the user's code does
        return words_of(error)


def _steps(run: Run, rows: Rows | Inputs) -> tuple[float, int, int]:
    """Seconds of a step, steps of an epoch, and bytes of the run after a few of them."""
    stop, times, steps = Request(), [time.monotonic()], [1]

    def watch(step: Step) -> None:
        times.append(time.monotonic())
        steps[0] = step.steps
        if len(times) > STEPS:
            stop.signal = signal.SIGTERM

    with suppress(Stopped):
        for _ in fit(run, rows, resume=False, watch=watch, stop=stop):
            pass
    size = sum(path.stat().st_size for path in run.directory.rglob("*") if path.is_file())
    spans = [after - before for before, after in pairwise(times[1:])]
    return median(spans or [times[-1] - times[0]]), steps[0], size


def _of_own(task: Task) -> Pace:
    """The pace of a program on minibatches of its own."""
    config, device = task.cell.config, torch.device(task.device)
    inputs = Inputs.named(config.inputs, config.seed)
    with TemporaryDirectory() as folder:
        run = create_own(config, inputs, Path(folder) / "run", device)
        step, steps, size = _steps(run, inputs)
    tried = _seconds(partial(figures_of, run, "validation")) if inputs.has("validation") else 0.0
    return Pace(step, steps, tried, _seconds(partial(figures_of, run)), size)


def _of(task: Task, dataset: Dataset) -> Pace:
    """The pace of a program on the data set."""
    device = torch.device(task.device)
    with TemporaryDirectory() as folder:
        run = create(task.cell.config, dataset, Path(folder) / "run", device)
        step, steps, size = _steps(run, training_rows(task.cell.config, dataset))
    rows = training_rows(task.cell.config, dataset)
    validation, test = split(run.config, rows).validation, dataset.subset(dataset.test)
    look = partial(evaluate, run.model, run.guide, run.objective)
    tried = _seconds(partial(look, validation.first(TRIED), device)) if len(validation) else 0.0
    some = test.first(LOOKED)
    tested = _seconds(partial(look, some, device)) * len(test) / len(some)
    return Pace(step, steps, tried, tested, size)


def _of_classifier(task: Task, dataset: Dataset) -> Pace:
    """The pace of the plain classifier."""
    config, train = _classifier_rows(task.cell.config, dataset)
    device, space = torch.device(task.device), dataset.space
    outputs = sum(count or 1 for count in space.classes)
    encoder = build.encoder(config.network, dataset.shape, outputs).to(device)
    optimizer = adam(encoder, config.lr)
    rows = train.labelled
    batch = rows.batch(torch.arange(min(config.batch_size, len(rows))), device)
    step = partial(descend, optimizer, lambda: classifier_loss(space, encoder(batch.x)[0], batch.y))
    step()
    spans = [_seconds(step) for _ in range(STEPS)]
    return Pace(median(spans), passes(config, train)[1], 0.0, 0.0, 0)


def _seconds(call: Callable[[], object]) -> float:
    start = time.monotonic()
    call()
    return time.monotonic() - start
