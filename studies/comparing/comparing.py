"""Comparisons that resume: many trainings in one folder, their tables and their report.

========================  ======================================================================
``comparison.json``       what was asked for, on which data, with how many threads
``runs/NAME``             a run directory for every cell, see :mod:`.training`
``table.md``, ``.tex``    means, standard errors and paired differences
``table.csv``             the same tidily, a row a run
``costs.csv``             seconds and memory of every run
``report.html``           all that with pictures, which are in ``figures`` as PDF
========================  ======================================================================

Of a comparison that was killed at any moment nothing is lost but a part of an epoch of what was
being trained, and the tables become the same to the last byte.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ...config import Config
from ...data import Dataset, LabelSpace
from ...data.spec import load as load_data
from ...data.spec import with_options
from ...files import write_atomically
from ...inference.runs.identity import Fingerprint
from ...inference.runs.run import training_rows
from ...inference.training.validation import split
from ...lock import alone
from ...specification import title_of
from ...stopping import Stopped
from .applying import check_named
from .beginning import RUNS, How, begun, check_folder, noted, threads_of
from .compared import Compared, Runs
from .estimate import Estimate, estimates
from .paired import differences
from .plan import BASELINE, Cell, Comparison
from .report import write_report
from .rows import rows_of
from .saying import notes
from .training import Outcome, Task, hold, kept
from .words import OWN, listed, programs_of, word_of
from .workers import Ended, in_processes, in_turn, on_cluster
from .writing import COSTS, Result, with_costs, write

EARLY_SECONDS = 60.0
"""Between two writings of the tables before a comparison's end."""


def compare(
    *,
    data: str = Config.data,
    programs: str | Sequence[str] = (Config.program,),
    objectives: str | Sequence[str | type] = (),
    labelled: float | Sequence[float] = Config.labelled,
    seeds: int | Sequence[int] = 3,
    grid: Mapping[str, Sequence[Any]] | None = None,
    out: Path | str = "comparison",
    reference: str = "",
    criterion: str = "",
    workers: int = 1,
    scheduler: str = "",
    threads: int = 0,
    device: str = "cpu",
    told: Callable[[str], None] = print,
    **options: Any,
) -> Compared:
    """Train methods side by side and hold them against each other; repeated, it goes on.

    Args:
        data: the specification of the data set, as the command line has it.
        programs, objectives: see :meth:`Comparison.methods`, lists or words by commas; a class
            stands for its name.
        labelled: fractions of the training rows that show their labels. seeds: how many, or which.
        grid: for options of a training the values that are tried.
        out: a folder, new or of this comparison; what is new is trained, what is done is kept.
        reference: the method that others are held against (the first).
        criterion: what chooses a setting on validation rows: accuracy, r2, bound or
            reconstruction_l1.
        workers, scheduler, threads, device, told: see :class:`How`.
        options: of every training, as :class:`~ccvae.config.Config` has them.

    Raises:
        ValueError: for words that name nothing, or a folder that holds something else.
    """
    unknown = sorted(
        options.keys() - {option.name for option in fields(Config)} | options.keys() & {*OWN}
    )
    if unknown:
        raise ValueError(
            f"a training has no option {', '.join(unknown)} that a comparison could share; see "
            "ccvae.config.Config"
        )
    comparison = Comparison(
        Config(**{**options, "data": with_options(data, {})}),
        tuple(programs_of(programs) if isinstance(programs, str) else map(word_of, programs)),
        tuple(listed(objectives) if isinstance(objectives, str) else map(word_of, objectives)),
        (labelled,) if isinstance(labelled, float | int) else tuple(labelled),
        tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds),
        {name: tuple(values) for name, values in (grid or {}).items()},
        reference,
        criterion,
    )
    how = How(workers, scheduler, threads, device, told=told)
    return carry_out(comparison, Path(out), how)


def carry_out(comparison: Comparison, folder: Path, how: How) -> Compared:
    """Train what is not trained yet, and write the tables and the report.

    Raises:
        Stopped: where ``how.stop`` was asked for.
        ValueError: as :func:`compare`.
    """
    dataset = data_of(comparison, how)
    check(comparison, dataset)
    check_folder(folder)
    with alone(folder):
        data = print_of(dataset)
        threads = begun(comparison, folder, data, how)
        tasks = tasks_of(comparison, dataset, folder, data, replace(how, threads=threads))
        outcomes: dict[str, Outcome] = {}
        how.told(_begins(tasks))
        early = partial(_tables, comparison, dataset, folder, tasks, outcomes)
        written = time.monotonic()
        try:
            for task, outcome in _ended(tasks, how):
                outcomes[task.cell.name] = outcome
                how.told(_line(task.cell, outcome, len(outcomes), len(tasks)))
                if time.monotonic() - written > EARLY_SECONDS:
                    early()
                    written = time.monotonic()
        except Stopped:
            early()
            raise
        return _reported(comparison, early(), folder, tasks, outcomes, how)


def foreseen(comparison: Comparison, folder: Path, how: How) -> list[Estimate]:
    """What every cell of a comparison would take; nothing is trained to its end, or kept.

    Raises:
        ValueError: as :func:`compare`.
    """
    dataset = data_of(comparison, how)
    check(comparison, dataset)
    data = print_of(dataset)
    threads = threads_of(how, noted(folder) or {})
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        tasks = tasks_of(comparison, dataset, folder, data, replace(how, threads=threads))
        return estimates(tasks, dataset)
    finally:
        torch.set_num_threads(before)


def data_of(comparison: Comparison, how: How) -> Dataset | None:
    """The data set of a comparison; None where all its programs have minibatches of their own.

    Raises:
        ValueError: for a word that names nothing, before anything is loaded.
    """
    check_named(comparison.methods())
    if not comparison.takes_data:
        return None
    found = load_data(comparison.base.data, comparison.base.only)
    how.seen(found)
    return found


def space_of(dataset: Dataset | None) -> LabelSpace | None:
    """Its labels, if there is one."""
    return None if dataset is None else dataset.space


def print_of(dataset: Dataset | None) -> dict[str, object]:
    """What tells a data set from others, as plain data."""
    return {} if dataset is None else Fingerprint.of(dataset).to_json()


def check(comparison: Comparison, dataset: Dataset | None) -> None:
    """Raise where a comparison cannot be carried out, before anything is trained.

    Raises:
        ValueError: saying why.
    """
    methods = comparison.methods(space_of(dataset))
    comparison.referred(methods)
    if not comparison.grid or dataset is None:
        return
    for fraction in comparison.labelled:
        config = replace(comparison.base, labelled=fraction, seed=comparison.seeds[0])
        if len(split(config, training_rows(config, dataset)).validation) == 0:
            raise ValueError(
                f"no row is left to choose a setting on at --labelled {fraction:g} and "
                f"--validation {config.validation:g}, and test rows are not for choosing; raise "
                "one of them, or leave --grid out"
            )


def tasks_of(
    comparison: Comparison,
    dataset: Dataset | None,
    folder: Path,
    data: Mapping[str, object],
    how: How,
) -> list[Task]:
    """What there is to train, the cells with where and how."""
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
    runs, base = folder.resolve() / RUNS, comparison.base
    if dataset is not None:
        hold(digest, base.data, base.only, dataset)
    return [
        Task(cell, runs / cell.name, digest, how.device, how.threads)
        for cell in comparison.cells(space_of(dataset))
    ]


def _ended(tasks: Sequence[Task], how: How) -> Iterator[Ended]:
    """What is kept of the cells, and then the others as they end."""
    left = []
    for task in tasks:
        found = kept(task)
        if found is None:
            left.append(task)
        else:
            yield task, found
    if how.scheduler:
        yield from on_cluster(left, how.scheduler, how.stop)
    elif how.workers > 1:
        yield from in_processes(left, how.workers, how.stop)
    else:
        yield from in_turn(left, how.stop)


def _begins(tasks: Sequence[Task]) -> str:
    left = [task.cell.name for task in tasks if kept(task) is None]
    there = f"{len(tasks) - len(left)} of {len(tasks)} cells are done"
    return f"{there}; {left[0]} begins" if left else there


def _line(cell: Cell, outcome: Outcome, done: int, count: int) -> str:
    found = outcome.get("test", {})
    figures = [
        f"{key} {found[key]:.{places}f}"
        for key, places in (("accuracy", 3), ("r2", 3), ("bound", 1))
        if key in found
    ]
    said = f"failed: {outcome['failed']}" if "failed" in outcome else ", ".join(figures)
    return f"{done} of {count}: {cell.name}: {said}"


def _tables(
    comparison: Comparison,
    dataset: Dataset | None,
    folder: Path,
    tasks: Sequence[Task],
    outcomes: Mapping[str, Outcome],
) -> Result:
    """Write the tables of what was found until now."""
    rows = rows_of(comparison, [task.cell for task in tasks], outcomes)
    reference = comparison.referred(comparison.methods(space_of(dataset)))
    found = differences(rows, reference)
    counts = (len(dataset.train), len(dataset.test)) if dataset else (0, 0)
    name = title_of(comparison.base.data) if dataset else "minibatches of their own"
    said = notes(comparison, rows, found, counts)
    result = Result(rows, reference, found, said, name, counts)
    write(result, folder)
    return result


def _reported(
    comparison: Comparison,
    result: Result,
    folder: Path,
    tasks: Sequence[Task],
    outcomes: Mapping[str, Outcome],
    how: How,
) -> Compared:
    """Write the report and the costs, and return what was found."""
    cells, runs = [task.cell for task in tasks], folder / RUNS
    frame = with_costs(result.rows, runs)
    text = frame[["run", "method", "seconds", "memory"]].to_csv(index=False, lineterminator="\n")
    write_atomically(folder / COSTS, text.encode())
    write_report(result, comparison, folder, runs=runs, command=how.command or "compare(…)")
    done = [cell.name for cell in cells if "test" in outcomes.get(cell.name, {})]
    trained = [cell.name for cell in cells if cell.name in done and cell.method != BASELINE]
    return Compared(frame, Runs(runs, trained, how.device, comparison.modules()))
