"""The report of a comparison: one HTML file that holds its tables and pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...files import write_atomically
from ..drawing.section import Picture, Section
from ..drawing.tables import Figure, fixed, mean_and_error
from ..report.pages import render
from ..report.report import duration
from . import chances, labels, pictures, saying
from .chart import Chart
from .plan import CLASSIFIER, MAJORITY, Comparison
from .rows import CRITERIA, MEASURES, Row, fractions_of, measures_of, methods_of, rivals_of
from .writing import Result, bests, differences_table, means_table

REPORT, PAGE, FIGURES = "report.html", "comparison.html", "figures"


@dataclass(frozen=True)
class Line:
    """A row of a table: its cells, which of them are the best, and whether it is a baseline's."""

    cells: Sequence[str]
    best: Sequence[int] = ()
    muted: bool = False


@dataclass(frozen=True)
class Table:
    """A table of the page with its paragraphs; ``words`` are the columns that are no numbers."""

    name: str
    heading: str
    columns: Sequence[str]
    rows: Sequence[Line]
    before: Sequence[str] = ()
    after: Sequence[str] = ()
    words: Sequence[str] = field(default=())


def write_report(
    result: Result,
    comparison: Comparison,
    folder: Path,
    *,
    runs: Path,
    command: str,
) -> Path:
    """Write ``report.html``, and its pictures into ``figures`` as PDF.

    Args:
        folder: where it goes. runs: the folder of the runs' directories.
        command: that makes the comparison again.
    """
    rows = result.rows
    tables = [_means(result, saying.how(comparison, rows, result.counts))]
    tables += [_differences(result), *_by_label(rows)]
    if comparison.grid:
        tables.append(_choices(comparison, rows))
    tables.append(_costs(rows, runs))
    if any(row["failure"] for row in rows):
        tables.append(_failures(rows))
    sections = _sections(result, runs)
    page = render(
        PAGE,
        title=f"A comparison on {result.name}",
        lead=f"{_lead(comparison, rows)} {saying.findings(rows)}".strip(),
        tables=[table for table in tables if table.rows],
        sections=sections,
        command=command,
    )
    (folder / FIGURES).mkdir(exist_ok=True)
    for picture in (picture for section in sections for picture in section.pictures):
        if isinstance(picture, Chart):
            write_atomically(folder / FIGURES / f"{picture.name}.pdf", picture.pdf)
    write_atomically(folder / REPORT, page.encode())
    return folder / REPORT


def _lead(comparison: Comparison, rows: Sequence[Row]) -> str:
    methods = [name for name in methods_of(rows) if name not in (CLASSIFIER, MAJORITY)]
    base, seeds = comparison.base, len(comparison.seeds)
    return (
        f"{len(methods)} method{'s' * (len(methods) > 1)}, {seeds} seed{'s' * (seeds > 1)}, "
        f"{base.epochs} epochs in steps of {base.batch_size}, network {base.network}, "
        f"{base.likelihood} likelihood, {base.style} dimensions of style."
    )


def _plain(text: str) -> str:
    """A note without the stars of Markdown, and with real minus signs."""
    return text.replace("*", "")


def _means(result: Result, how: str) -> Table:
    table, rivals = means_table(result), rivals_of(result.rows)
    body = [
        Line(
            [_shown(cell) for cell in row],
            bests(table, place, rivals),
            row[0] in (CLASSIFIER, MAJORITY),
        )
        for place, row in enumerate(table.rows)
    ]
    heading = "Means and standard errors"
    said = [_plain(text) for text in (how, *saying.weights(result.rows))]
    return Table("means", heading, table.columns, body, after=said)


def _shown(cell: object) -> str:
    match cell:
        case Figure(mean=mean, error=None):
            text = fixed(mean)
        case Figure(mean=mean, error=error):
            text = f"{fixed(mean)} ± {error:.1f}"
        case None:
            text = "–"
        case _:
            return str(cell)
    return text.replace("-", "−")


def _differences(result: Result) -> Table:
    table = differences_table(result)
    body = [
        Line([row[0], *(_shown(cell).replace("-", "−") for cell in row[1:])])  # type: ignore[list-item]
        for row in table.rows
    ]
    said = [_plain(text) for text in saying.seeds_tell(result.rows, result.differences)]
    return Table("differences", table.title, table.columns, body, after=said)


def _by_label(rows: Sequence[Row]) -> Iterator[Table]:
    """Accuracy by label beside the majority class, where there are several labels."""
    for table in labels.tables(rows):
        body = [Line([_shown(cell) for cell in row]) for row in table.rows]
        said = [_plain(text) for text in labels.not_learnt(rows)]
        yield Table(table.name, table.title, table.columns, body, after=said)


def _choices(comparison: Comparison, rows: Sequence[Row]) -> Table:
    """Every setting that was tried, with what it did on the validation rows."""
    body = []
    for fraction in fractions_of(rows):
        for method in methods_of(rows):
            own = [r for r in rows if (r["method"], r["labelled"]) == (method, fraction)]
            settings = list(dict.fromkeys(row["setting"] for row in own))
            for setting in settings if len(settings) > 1 else []:
                some = [row for row in own if row["setting"] == setting]
                cells = [_shown(_tried(some, key)) for key in CRITERIA if _any(rows, key)]
                mark = "chosen" if some[0]["chosen"] else ""
                body.append(Line([method, f"{fraction:g}", setting, *cells, mark]))
    titles = [m.title for key in CRITERIA for m in MEASURES if m.key == key and _any(rows, key)]
    columns = ("method", "F", "setting", *titles, "")
    text = _plain(saying.choices(comparison, rows))
    return Table("settings", "Settings, on validation images", columns, body, before=(text,))


def _any(rows: Sequence[Row], key: str) -> bool:
    return any(f"validation_{key}" in row for row in rows)


def _tried(rows: Sequence[Row], key: str) -> Figure | None:
    factor = next(measure.factor for measure in MEASURES if measure.key == key)
    found = [row.get(f"validation_{key}", math.nan) for row in rows]
    return mean_and_error(factor * value for value in found if math.isfinite(value))


def _costs(rows: Sequence[Row], runs: Path) -> Table:
    found = pictures.costs_of(rows, runs)
    body = [
        Line([name, f"{seconds:.1f}", f"{memory:.0f}", str(count)], muted=name == CLASSIFIER)
        for name, seconds, memory, count in found
    ]
    total = sum(seconds * count for _, seconds, _, count in found)
    columns = ("method", "seconds a run", "peak memory, MiB", "runs")
    text = (
        f"Trainings together took {duration(total)}. Seconds are those of the clock while a run "
        "trained, its validation included and what a killed process had not yet written down left "
        "out. The memory is the most that the process had, with torch and the data set in it, or "
        "on a GPU what the training held there."
    )
    return Table("cost", "Cost", columns, body, after=(text,))


def _failures(rows: Sequence[Row]) -> Table:
    body = [
        Line([row["run"], row["failure"]])
        for row in rows
        if row["failure"] and row["method"] != MAJORITY
    ]
    text = "Repeat the command to try them again; the others are not trained twice."
    return Table("failed", "Failed", ("run", "why"), body, after=(text,), words=("why",))


def _sections(result: Result, runs: Path) -> list[Section]:
    rows = result.rows
    shown = {measure.key for measure in measures_of(rows)}
    found = [
        (
            "chance",
            "Differences and chance",
            "What the seeds say of the mean difference: a point with its 95 % interval, and above "
            "it Student's density about it, all of one height, drawn by ArviZ. Left of the dashed "
            "line the method is below the reference.",
            chances.of_differences(rows, result.differences),
        ),
        (
            "curves",
            "Curves",
            "Means over the seeds after every epoch, and a standard error to either side, on "
            "validation images, or training images where there are none of these; the tables are "
            "of test images. The settings are the chosen ones.",
            pictures.of_curves(rows, runs),
        ),
        (
            "trade",
            "Labels against images",
            "A model may name the labels better by describing the images worse.",
            pictures.of_trade(rows) if {"accuracy", "r2"} & shown else iter(()),
        ),
    ]
    made: list[tuple[str, str, str, tuple[Picture, ...]]] = [
        (name, title, text, tuple(drawn)) for name, title, text, drawn in found
    ]
    return [Section(name, title, (text,), drawn) for name, title, text, drawn in made if drawn]
