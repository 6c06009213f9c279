"""The report of a run: one HTML file that holds all of its pictures and asks for nothing else."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ...data import LabelSpace, Rows
from ...files import write_atomically
from ...inference.catalogue import ENTRIES
from ...inference.runs.facts import IMPORT
from ...inference.runs.run import Run
from ..drawing.section import Section
from . import curves
from .conduct import save, saved, subject_of
from .pages import render
from .sliders import write_sliders

REPORT = "report.html"


BASELINES = (
    ("accuracy", "Model"),
    ("classifier", "Plain classifier"),
    ("majority", "Majority class"),
)
"""Keys of an evaluation with the headings of their columns."""

ALWAYS = ("objective", "data", "labelled", "epochs", "batch_size", "lr", "seed")
"""Options that the command which reproduces a run always names."""


@runtime_checkable
class Weighted(Protocol):
    """An objective with a classifier term and its weight α."""

    alpha: float


def write_report(
    run: Run,
    evaluation: dict[str, Any],
    *,
    seconds: float | None = None,
    first: Sequence[Section] = (),
) -> Path:
    """Write the report of a trained run, with the studies that its directory keeps.

    Args:
        run: a trained run; see :func:`ccvae.studies.report.conduct.conduct` for its studies.
        evaluation: what :func:`ccvae.inference.runs.evaluation.evaluate_run` returned.
        seconds: how long the training took, for the report to mention.
        first: sections that stand before those of the studies.

    Returns:
        the path of ``report.html`` in the run's directory; its pictures are also in ``figures/``,
        and ``sliders.html`` beside it moves every label, where labels own blocks of latents.
    """
    sections = saved(run)
    training = curves.section(run.directory, majority=evaluation.get("majority"))
    if training is not None:
        save(run.directory, training)
        sections.append(training)
    title = ENTRIES[run.config.program].title
    sliders = write_sliders(run.directory, subject_of(run), title)
    return write_page(
        run,
        evaluation,
        [*first, *sections],
        seconds=seconds,
        sliders=sliders.name if sliders else None,
    )


def write_page(
    run: Run,
    evaluation: dict[str, Any],
    sections: Sequence[Section],
    *,
    seconds: float | None = None,
    sliders: str | None = None,
    note: str = "",
    refresh: int = 0,
) -> Path:
    """Write the page itself with given sections.

    Args:
        run, evaluation, seconds: as in :func:`write_report`.
        sliders: name of the file with sliders beside it, if there is one.
        note: a sentence that stands first. refresh: seconds after which an open page is to load
            itself anew, 0 for never.
    """
    train, test = run.data()
    title = ENTRIES[run.config.program].title
    page = render(
        REPORT,
        title=title,
        note=note,
        refresh=refresh,
        sliders=sliders,
        lead=describe(run, train, test, seconds),
        findings=findings(evaluation),
        columns=[title for key, title in BASELINES if key in evaluation],
        table=table(run.space, evaluation),
        errors=errors(run.space, evaluation),
        facts=facts(evaluation),
        sections=sections,
        command=command(run),
    )
    write_atomically(run.directory / REPORT, page.encode())
    return run.directory / REPORT


def describe(run: Run, train: Rows, test: Rows, seconds: float | None) -> str:
    """What was trained, on what, and for how long."""
    config = run.config
    weighted = isinstance(run.objective, Weighted)
    weight = f" (classifier weight α = {run.objective.alpha:g})" if weighted else ""
    scale = "" if config.likelihood in ("bernoulli", "levels") else f" of scale {config.scale:g}"
    channels, height, width = run.shape
    time = "" if seconds is None else f" Training took {duration(seconds)}."
    return (
        f"The program {config.program} with the objective {config.objective_name}"
        f"{weight} and a {config.likelihood} likelihood{scale}, trained for {config.epochs} epochs "
        f"on {config.data}: {len(train)} images of {height} × {width} pixels and {channels} "
        f"channel{'s' * (channels > 1)}, of which {len(train.labelled)} "
        f"({100 * config.labelled:.3g}\u00a0%) show their labels. Everything below is from "
        f"{len(test)} test images or some of them, and the guide never sees their labels."
        f"{time}"
    )


def duration(seconds: float) -> str:
    """A time in minutes and seconds.

    >>> duration(222.4)
    '3 min 42 s'
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def findings(evaluation: dict[str, Any]) -> str:
    """How the model's accuracy compares, and on which labels it loses to the plain classifier."""
    if "accuracy" not in evaluation:
        what = "numbers alone" if "error_by_label" in evaluation else "no classes"
        return f"The guide of this run names {what}, so there is no accuracy to compare."
    means = [
        f"{title.lower()} {percent(evaluation[key])}\u00a0%"
        for key, title in BASELINES
        if key in evaluation
    ]
    words = f"Mean accuracy over labels: {', '.join(means)}."
    classifier = evaluation.get("classifier_by_label", {})
    behind = [
        f"{name} by {100 * (classifier[name] - value):.1f} points"
        for name, value in evaluation["accuracy_by_label"].items()
        if classifier.get(name, -math.inf) - value >= 0.0005
    ]
    if behind:
        words += f" The model is behind the plain classifier on {', '.join(behind)}."
    elif classifier:
        words += " On no label is the model behind the plain classifier."
    return words


def table(space: LabelSpace, evaluation: dict[str, Any]) -> list[list[str]]:
    """Rows of the table of accuracies: a name, then its cells; the mean over labels comes last.

    There are none where the guide names no classes.
    """
    if "accuracy" not in evaluation:
        return []
    keys = [key for key, _ in BASELINES if key in evaluation]
    by_label = [evaluation[f"{key}_by_label"] for key in keys] + [evaluation["balanced_by_label"]]
    rows = [
        [label.name, *(percent(column.get(label.name)) for column in by_label)]
        for label in space
        if label.classes
    ]
    shown = [value for value in by_label[-1].values() if not math.isnan(value)]
    balanced = sum(shown) / len(shown) if shown else None
    return [*rows, ["Mean", *(percent(evaluation[key]) for key in keys), percent(balanced)]]


def errors(space: LabelSpace, evaluation: dict[str, Any]) -> list[list[str]]:
    """Rows of the table of mean absolute errors: a label and its unit, then its cells.

    There are none where no label has an order.
    """
    rows = []
    for label in space:
        if label.name not in evaluation.get("error_by_label", {}):
            continue
        of = [
            evaluation.get(f"{key}error_by_label", {}).get(label.name, math.nan)
            for key in ("", "classifier_", "majority_")
        ]
        share = evaluation.get("r2_by_label", {}).get(label.name)
        unit = "classes" if label.classes else "its units"
        explained = "" if share is None else f"{share:.2f}".replace("-", "−")
        rows.append([f"{label.name}, in {unit}", *(f"{error:.3g}" for error in of), explained])
    return rows


def percent(share: float | None) -> str:
    """A share in per cent.

    >>> percent(0.9871), percent(None)
    ('98.7', '–')
    """
    return "–" if share is None or math.isnan(share) else f"{100 * share:.1f}"


def facts(evaluation: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Figures besides the accuracies: a value, its unit, and what it is."""
    return [
        (
            f"{evaluation['bound']:.1f}".replace("-", "−"),
            "nats per image",
            "lower bound on log p(x): the objective with every label hidden, where a classifier "
            "weight plays no part",
        ),
        (
            f"{evaluation['reconstruction_l1']:.4f}",
            "of the pixel range",
            "reconstruction error, mean absolute difference per channel",
        ),
    ]


def command(run: Run) -> str:
    """The command line that makes the run again, beside it."""
    config = run.config
    if run.facts.command == IMPORT:
        return shlex.join(["ccvae", "import", "DIR", "--data", config.data, "--out", "again"])
    words = ["ccvae", "train", config.program]
    for option in fields(config):
        value = getattr(config, option.name)
        if option.name == "program" or value in (None, ""):
            continue
        flag = f"--{option.name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif value is False and option.default is None:
            words.append(f"--no-{flag[2:]}")
        elif option.name in ALWAYS or value != option.default:
            words += [flag, str(value)]
    return shlex.join([*words, "--out", f"{run.directory.resolve().name}-again"])
