"""A cell of a comparison: trained, tried on validation rows, measured on test rows, and kept.

Its directory is a run's like any other, with two files more:

=================  =============================================================================
``measured.json``  what was measured, by which a repeated comparison knows that the cell is done
``cost.json``      seconds of training and bytes of memory
=================  =============================================================================
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import pyro
import torch

from ...data import Dataset, Rows
from ...data.spec import load as load_data
from ...faults import words_of
from ...files import SEAL, is_whole, read_json, say, sealed, write_atomically
from ...inference.evaluation.accuracy import answers
from ...inference.evaluation.evaluating import (
    Figures,
    evaluate,
    in_short,
    judged,
    majority,
)
from ...inference.foreign import Inputs
from ...inference.objectives.weights import weights_of
from ...inference.runs.evaluation import TESTED
from ...inference.runs.facts import CHECKPOINT, read_facts
from ...inference.runs.fitting import fit
from ...inference.runs.logbook import METRICS, read_lines
from ...inference.runs.own import figures_of, resume_or_create_own
from ...inference.runs.run import Run, resume_or_create, training_rows
from ...inference.runs.settling import settled
from ...inference.training.baselines import train_classifier
from ...inference.training.checkpoint import NotWholeError
from ...inference.training.engine import keep_freed_memory
from ...inference.training.noise import seed_of
from ...inference.training.validation import split
from ...lock import alone
from ...stopping import Request, Stopped
from .cost import Meter
from .plan import BASELINE, Cell

MEASURED = "measured.json"

RULED, GIVEN, SCHEDULED, CONSTRUCTED = "rule", "given", "schedule", "constructor"
"""Where the α of a training comes from."""

ONE = threading.Lock()
"""Cells of one process take turns: they seed torch's generator."""


@dataclass(frozen=True)
class Task:
    """A cell with all that training it needs, wherever that happens.

    Attributes:
        cell: what to train. directory: where. data: digest of the data that it is for.
        device: where it trains. threads: of torch; 0 leaves them as they are.
    """

    cell: Cell
    directory: Path
    data: str
    device: str = "cpu"
    threads: int = 0

    @property
    def asked(self) -> str:
        """What tells this cell from one that was asked for something else."""
        parts = [self.cell.method, self.cell.config.to_json(), self.data]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


Outcome = dict[str, Any]
"""What came of a cell: ``test`` and ``validation`` figures, or ``failed`` with the reason."""


def kept(task: Task) -> Outcome | None:
    """What is kept of a cell that is done; None where it has to be trained."""
    found = read_json(task.directory / MEASURED) or {}
    whole = SEAL in found and is_whole(found)
    return found if whole and found.get("asked") == task.asked else None


def run_cell(task: Task, stop: Request | None = None) -> Outcome:
    """Train a cell, or go on training it, and measure it.

    What goes wrong in it, or in a user's code, is an outcome too.

    Raises:
        Stopped: where ``stop`` was asked for; the cell has a checkpoint, a classifier's has none.
    """
    with ONE:
        if (found := kept(task)) is not None:
            return found
        if task.threads:
            torch.set_num_threads(task.threads)
        try:
            with alone(task.directory), pyro.get_param_store().scope():
                found = _measured(task, stop)
        except Stopped:
            raise
        except Exception as error:  # of whatever kind a user's code fails with
            return {"failed": words_of(error)}
        return found


def _measured(task: Task, stop: Request | None) -> Outcome:
    keep_freed_memory()
    _clear(task)
    work = _own if task.cell.method.inputs else _trained
    work = _baselines if task.cell.method == BASELINE else work
    try:
        found = work(task, stop)
    except NotWholeError as error:
        say(f"{error.path} is not as it was written; {task.cell.name} is trained from its start")
        error.path.unlink()
        found = work(task, stop)
    found |= {"asked": task.asked}
    write_atomically(task.directory / MEASURED, json.dumps(sealed(found), indent=2).encode())
    return found


def _data(task: Task) -> tuple[Dataset, Dataset]:
    """The data set of a cell, and the same to be measured on.

    There it has no domains, so that every program bounds log p(x) and can be compared.
    """
    dataset = _loaded(task)
    return dataset, replace(dataset, domains=None)


def _trained(task: Task, stop: Request | None) -> Outcome:
    """A cell on the data set."""
    config, device = task.cell.config, torch.device(task.device)
    standing = (task.directory / CHECKPOINT).exists()
    dataset, test = _data(task)
    run = resume_or_create(config, dataset, task.directory, device, resume=True)
    rows = training_rows(config, dataset)
    epochs = _fitted(task, run, rows, stop, fresh=not standing)
    tried = split(config, rows).validation
    return {
        **_alpha(task, run),
        "validation": _figures(run, Rows(test, tried.rows, tried.labels)),
        "test": _figures(run, test.subset(test.test)),
        "epochs": epochs,
    }


def _own(task: Task, stop: Request | None) -> Outcome:
    """A cell on minibatches of its own."""
    config, device = task.cell.config, torch.device(task.device)
    standing = (task.directory / CHECKPOINT).exists()
    inputs = Inputs.named(config.inputs, config.seed)
    run = resume_or_create_own(config, inputs, task.directory, device, resume=True)
    epochs = _fitted(task, run, inputs, stop, fresh=not standing)
    parts = {}
    for part in ("validation", "test"):
        torch.manual_seed(seed_of(config.seed, TESTED))
        there = part == "test" or inputs.has(part)
        parts[part] = in_short(figures_of(run, part)) if there else {}
    return {**_alpha(task, run), **parts, "epochs": epochs}


def _alpha(task: Task, run: Run) -> Outcome:
    """The weight of the labels that a run was trained with, and where it comes from."""
    value = weights_of(run.objective).get("alpha")
    if value is None:
        return {"alpha": run.config.alpha}
    if "alpha" in {schedule.name for schedule in run.config.weight_schedules}:
        where = SCHEDULED
    elif task.cell.config.alpha is not None:
        where = GIVEN
    else:
        where = CONSTRUCTED if run.config.alpha is None else RULED
    return {"alpha": value, "alpha_from": where}


def _fitted(task: Task, run: Run, rows: Rows | Inputs, stop: Request | None, *, fresh: bool) -> int:
    """Train a run to its end; how many epochs that took."""
    meter = Meter(task.directory, run.device, fresh=fresh)
    for _ in fit(run, rows, resume=True, stop=stop):
        meter.tick()
    meter.stop()
    lines = read_lines(task.directory / METRICS)  # of all the times that it was taken up
    return int(lines[-1]["epoch"]) + 1 if lines else 0


def _figures(run: Run, rows: Rows) -> Figures:
    """The figures of a run on some rows; none where there are no rows."""
    if not len(rows):
        return {}
    torch.manual_seed(seed_of(run.config.seed, TESTED))
    found = evaluate(run.model, run.guide, run.objective, rows, run.device)
    tables = ("accuracy_by_label", "error_by_label", "r2_by_label")
    return in_short(found) | {name: found[name] for name in tables if name in found}


def _baselines(task: Task, stop: Request | None) -> Outcome:
    """The plain classifier, and the majority class beside it.

    Raises:
        Stopped: where ``stop`` was asked for; the classifier is trained from its start next time.
    """
    device = torch.device(task.device)
    dataset, test = _data(task)
    rows = training_rows(task.cell.config, dataset)
    config = settled(replace(task.cell.config, alpha=1.0), rows)
    meter = Meter(task.directory, device, fresh=True)
    classifier = train_classifier(config, rows, device, stop=stop)
    meter.stop()
    space, tested = dataset.space, test.subset(test.test)
    tried = split(config, rows).validation
    found = judged(space, answers(classifier, tested, device), tested.labels)
    plain = majority(rows, tested)
    named = {NAMED.get(key, key.removeprefix("majority_")): plain[key] for key in plain}
    return {
        "alpha": None,
        "validation": in_short(judged(space, answers(classifier, tried, device), tried.labels))
        if len(tried)
        else {},
        "test": in_short(found) | found,
        "majority": in_short(named) | named,
        "epochs": config.epochs,
    }


NAMED = {"majority": "accuracy", "majority_by_label": "accuracy_by_label"}
"""What figures of the majority class are called as those of a method."""


_held: dict[tuple[str, str, str], Dataset] = {}


def hold(task_data: str, data: str, only: str, dataset: Dataset) -> None:
    """Keep the data set of this process's cells, and no other."""
    _held.clear()
    _held[task_data, data, only] = dataset


def _loaded(task: Task) -> Dataset:
    """The data set of a cell, loaded once for all cells of a process that have the same."""
    key = (task.data, task.cell.config.data, task.cell.config.only)
    if key not in _held:
        hold(*key, load_data(*key[1:]))
    return _held[key]


def _clear(task: Task) -> None:
    """Remove what is left of a cell that was asked for otherwise, or killed before it was a run."""
    directory = task.directory
    facts = read_facts(directory)
    if task.cell.method != BASELINE and facts is None and directory.exists():
        for path in directory.iterdir():
            if path.is_dir():
                rmtree(path)
            elif path.name != ".lock":
                path.unlink()
