"""A comparison as files: ``table.md``, ``table.tex`` and the tidy ``table.csv``, a row a run.

None of them holds a time of day or a duration, so that a comparison which was killed and resumed
writes the same bytes as one that was not. What trainings cost is in ``costs.csv``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

from ...files import write_atomically
from ..drawing.tables import Cell, Figure, Table, mean_and_error
from .paired import CONFIDENCE, Difference
from .rows import (
    DONE,
    FAILED,
    Measure,
    Row,
    fractions_of,
    measures_of,
    methods_of,
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


def write(result: Result, folder: Path) -> None:
    """Write the three tables into a folder."""
    means, apart = means_table(result), differences_table(result)
    markdown = means.to_markdown()
    if apart.rows:
        markdown += "\n" + apart.to_markdown().replace("# ", "## ", 1)
    markdown += "\n" + "\n\n".join(result.notes) + "\n"
    write_atomically(folder / f"{TABLE}.md", markdown.encode())
    write_atomically(folder / f"{TABLE}.tex", latex([means, apart], result.notes).encode())
    csv = frame_of(result.rows).to_csv(index=False, lineterminator="\n")
    write_atomically(folder / f"{TABLE}.csv", csv.encode())


def means_table(result: Result) -> Table:
    """Means and standard errors of every method's chosen setting."""
    rows, measures = result.rows, measures_of(result.rows)
    body: list[tuple[Cell, ...]] = [
        (
            *place(method, fraction, rows),
            *(figure(rows, method, fraction, measure) for measure in measures),
            runs_of(rows, method, fraction),
        )
        for fraction in fractions_of(rows)
        for method in methods_of(rows)
    ]
    titles = [measure.title for measure in measures]
    columns = (*place("method", "F", rows), *titles, "runs")
    return Table(TABLE, f"A comparison on {result.name}", columns, tuple(body))


def place(method: str, fraction: float | str, rows: Sequence[Row]) -> tuple[str, ...]:
    """What names a row of a table: the method, and the fraction where there are several."""
    if len(fractions_of(rows)) == 1:
        return (method,)
    return (method, fraction if isinstance(fraction, str) else f"{fraction:g}")


def figure(rows: Sequence[Row], method: str, fraction: float, measure: Measure) -> Figure | None:
    """A method's mean and standard error in the unit of tables."""
    found = values(rows, method, fraction, measure.key).values()
    return mean_and_error(measure.factor * value for value in found)


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
    mean, low, high = (
        f"{measure.factor * value:+.1f}"
        for value in (difference.mean, difference.low, difference.high)
    )
    return mean if math.isnan(difference.low) else f"{mean} [{low}, {high}]"


SPECIAL = {
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "²": r"\textsuperscript{2}",
    "−": r"$-$",
    "±": r"$\pm$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "·": r"$\cdot$",
}


def escaped(text: str) -> str:
    """A text as LaTeX takes it.

    >>> escaped("R², 5 %")
    'R\\\\textsuperscript{2}, 5 \\\\%'
    """
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def latex(tables: Sequence[Table], notes: Sequence[str]) -> str:
    r"""Tables to ``\input``; they need the package booktabs."""
    parts = ["% needs \\usepackage{booktabs}; wide tables fit with \\resizebox{\\textwidth}{!}{…}"]
    for table in tables:
        if not table.rows:
            continue
        lines = [
            f"% {table.title}",
            rf"\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}",
            r"\toprule",
            _line(map(escaped, table.columns)),
            r"\midrule",
            *(_line(_tex(cell, table.digits) for cell in row) for row in table.rows),
            r"\bottomrule",
            r"\end{tabular}",
        ]
        parts.append("\n".join(lines))
    parts.append("\n".join(f"% {note}" for note in notes))
    return "\n\n".join(parts) + "\n"


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _tex(cell: Cell, digits: int) -> str:
    match cell:
        case None:
            return ""
        case Figure(mean=mean, error=None):
            return f"${mean:.{digits}f}$"
        case Figure(mean=mean, error=error):
            return rf"${mean:.{digits}f} \pm {error:.{digits}f}$"
        case float():
            return f"${cell:.{digits}f}$"
        case _:
            return escaped(str(cell)).replace("[-", "[$-$").replace(", -", ", $-$")
