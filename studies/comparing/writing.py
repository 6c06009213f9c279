"""A comparison as files: ``table.md``, ``table.tex`` and the tidy ``table.csv``, a row a run.

None of them holds a time of day or a duration, so that a comparison which was killed and resumed
writes the same bytes as one that was not. What trainings cost is in ``costs.csv``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

from ...files import write_atomically
from ..drawing.tables import Cell, Figure, Table, fixed, mean_and_error
from .cost import cost_of
from .latex import Captioned, latex
from .paired import CONFIDENCE, Difference
from .plan import MAJORITY
from .rows import (
    DONE,
    FAILED,
    MEASURES,
    Measure,
    Row,
    fractions_of,
    measures_of,
    methods_of,
    rivals_of,
    values,
)

TABLE, COSTS = "table", "costs.csv"


@dataclass(frozen=True)
class Result:
    """All that a comparison found.

    Attributes:
        rows: a run each. reference: the method that others are held against.
        differences: to it. notes: paragraphs below the tables. name: of the data.
        counts: training and test rows.
    """

    rows: Sequence[Row]
    reference: str
    differences: Sequence[Difference]
    notes: Sequence[str]
    name: str
    counts: tuple[int, int] = (0, 0)


def frame_of(rows: Sequence[Row]) -> pandas.DataFrame:
    """The rows as a frame, with the columns that any of them has."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    tables = [column for column in columns if "[" in column]
    plain = [column for column in columns if "[" not in column]
    return pandas.DataFrame(list(rows), columns=[*plain, *tables])


def with_costs(rows: Sequence[Row], runs: Path) -> pandas.DataFrame:
    """The rows as a frame, with what each training cost; the majority class has none."""
    frame = frame_of(rows)
    costs = [cost_of(runs / row["run"] if row["method"] != MAJORITY else None) for row in rows]
    return frame.assign(
        seconds=[cost["seconds"] for cost in costs], memory=[cost["memory"] for cost in costs]
    )


def write(result: Result, folder: Path) -> None:
    """Write the three tables into a folder."""
    means, apart = means_table(result), differences_table(result)
    markdown = means.to_markdown()
    if apart.rows:
        markdown += "\n" + apart.to_markdown().replace("# ", "## ", 1)
    markdown += "\n" + "\n\n".join(result.notes) + "\n"
    write_atomically(folder / f"{TABLE}.md", markdown.encode())
    write_atomically(folder / f"{TABLE}.tex", latex(_captioned(result), result.notes).encode())
    csv = frame_of(result.rows).to_csv(index=False, lineterminator="\n")
    write_atomically(folder / f"{TABLE}.csv", csv.encode())


def _captioned(result: Result) -> list[Captioned]:
    """The tables as a paper has them."""
    means, apart, rivals = means_table(result), differences_table(result), rivals_of(result.rows)
    best = [bests(means, row, rivals) for row in range(len(means.rows))]
    said = f"{means.title}: mean ± standard error over the seeds; the best of the methods is bold"
    return [Captioned(means, said, best), Captioned(apart, apart.title)]


def means_table(result: Result) -> Table:
    """Means and standard errors of every method's chosen setting."""
    rows, measures = result.rows, measures_of(result.rows)
    weighted = any(row.get("alpha") is not None for row in rows)
    body: list[tuple[Cell, ...]] = [
        (
            *place(method, fraction, rows),
            *(figure(rows, method, fraction, measure) for measure in measures),
            *((alpha_of(rows, method, fraction),) if weighted else ()),
            runs_of(rows, method, fraction),
        )
        for fraction in fractions_of(rows)
        for method in methods_of(rows)
    ]
    titles = [measure.title for measure in measures]
    columns = (*place("method", "F", rows), *titles, *(("α",) if weighted else ()), "runs")
    return Table("means", f"A comparison on {result.name}", columns, tuple(body))


def place(method: str, fraction: float | str, rows: Sequence[Row]) -> tuple[str, ...]:
    """What names a row of a table: the method, and the fraction where there are several."""
    if len(fractions_of(rows)) == 1:
        return (method,)
    return (method, fraction if isinstance(fraction, str) else f"{fraction:g}")


def figure(rows: Sequence[Row], method: str, fraction: float, measure: Measure) -> Figure | None:
    """A method's mean and standard error in the unit of tables."""
    found = values(rows, method, fraction, measure.key).values()
    return mean_and_error(measure.factor * value for value in found)


def alpha_of(rows: Sequence[Row], method: str, fraction: float) -> str | None:
    """The α of a method's chosen setting, or the least and the most of it over the seeds.

    >>> row = {"method": "m2", "labelled": 1.0, "chosen": True}
    >>> alpha_of([{**row, "alpha": 1099.7}, {**row, "alpha": 1103.2}], "m2", 1.0)
    '1100 to 1103'
    """
    own = [row for row in rows if (row["method"], row["labelled"]) == (method, fraction)]
    found = sorted(row["alpha"] for row in own if row["chosen"] and row.get("alpha") is not None)
    if not found:
        return None
    least, most = f"{found[0]:.4g}", f"{found[-1]:.4g}"
    return least if least == most else f"{least} to {most}"


def runs_of(rows: Sequence[Row], method: str, fraction: float) -> str:
    """How many runs of a method are done, and what became of the others.

    >>> rows = [{"method": "m2", "labelled": 1.0, "state": state} for state in ("done", "failed")]
    >>> runs_of(rows, "m2", 1.0)
    '1 of 2, 1 failed'
    """
    own = [row for row in rows if (row["method"], row["labelled"]) == (method, fraction)]
    states = [row["state"] for row in own]
    done, failed = states.count(DONE), states.count(FAILED)
    if done == len(states):
        return str(done)
    return f"{done} of {len(states)}" + (f", {failed} failed" if failed else "")


def differences_table(result: Result) -> Table:
    """What every method is above the reference, with the interval."""
    rows, measures = result.rows, measures_of(result.rows)
    found = {(d.method, d.labelled, d.key): d for d in result.differences}
    body: list[tuple[Cell, ...]] = [
        (
            *place(method, fraction, rows),
            *(_interval(found.get((method, fraction, m.key)), m) for m in measures),
        )
        for fraction in fractions_of(rows)
        for method in methods_of(rows)
        if any((method, fraction, measure.key) in found for measure in measures)
    ]
    title = f"Minus {result.reference}: mean difference [{CONFIDENCE:.0%} interval]"
    columns = (*place("method", "F", rows), *(measure.title for measure in measures))
    return Table("differences", title, columns, tuple(body))


def _interval(difference: Difference | None, measure: Measure) -> str | None:
    if difference is None:
        return None
    mean, low, high = signed(difference, measure)
    return mean if math.isnan(difference.low) else f"{mean} [{low}, {high}]"


def signed(difference: Difference, measure: Measure) -> tuple[str, str, str]:
    """Mean, low and high with their signs, in the unit of tables."""
    digits = difference.digits(measure.factor)
    mean, low, high = (
        fixed(measure.factor * value, digits, signed=True)
        for value in (difference.mean, difference.low, difference.high)
    )
    return mean, low, high


def bests(table: Table, place: int, rivals: Sequence[str]) -> list[int]:
    """The columns in which a row of :func:`means_table` has the best mean of all rivals."""
    found = []
    for column, title in enumerate(table.columns):
        measure = next((m for m in MEASURES if title.startswith(m.title)), None)
        if measure is None:
            continue
        own = table.rows[place]
        means = {
            number: measure.better * cell.mean
            for number, row in enumerate(table.rows)
            if isinstance(cell := row[column], Figure) and row[0] in rivals
            if table.columns[1] != "F" or row[1] == own[1]
        }
        if len(means) > 1 and means.get(place) == max(means.values()):
            found.append(column)
    return found
