"""Measured cells as rows of a tidy table, one a run, and which setting of each method is reported.

The setting is chosen on validation rows, which have labels of the fraction that is shown and are
not trained on: that with the best mean over the seeds, one for each method and labelled fraction.
Only then are its test figures looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from .plan import BASELINE, CLASSIFIER, CRITERIA, MAJORITY, Cell, Comparison
from .training import Outcome

Row = dict[str, Any]
"""One run: what it is, and what was measured of it; plain data."""


class Measure(NamedTuple):
    """A figure as tables show it.

    Attributes:
        key: its name in a row. title: with its unit. factor: to that unit. better: 1 where more is
            better, −1 where less is.
    """

    key: str
    title: str
    factor: float
    better: int

    @property
    def short(self) -> str:
        """The title without the unit."""
        return self.title.partition(",")[0]


MEASURES = (
    Measure("accuracy", "accuracy, %", 100.0, 1),
    Measure("r2", "R², %", 100.0, 1),
    Measure("bound", "bound, nats", 1.0, 1),
    Measure("reconstruction_l1", "error, thousandths", 1000.0, -1),
)
"""What is reported of every method, as far as it has it."""

DONE, FAILED, MISSING = "done", "failed", "not done"


def rows_of(
    comparison: Comparison, cells: Sequence[Cell], outcomes: Mapping[str, Outcome]
) -> list[Row]:
    """A row for every cell, and for the majority class beside every plain classifier.

    Args:
        outcomes: by the cells' names, of those that have one.
    """
    rows: list[Row] = []
    for cell in cells:
        outcome = outcomes.get(cell.name, {})
        rows.append(_row(comparison, cell, cell.method.name, outcome, outcome.get("test", {})))
        if cell.method == BASELINE and not any(_is_majority_of(row, cell) for row in rows):
            found = {**outcome, "validation": {}}
            majority = outcome.get("majority", {})
            rows.append(_row(comparison, cell, MAJORITY, found, majority) | {"setting": ""})
    for group in _groups(rows):
        best = _best(group, comparison.criterion)
        for row in group:
            row["chosen"] = row["setting"] == best
    return [row for name in _order(rows) for row in rows if row["method"] == name]


def measures_of(rows: Iterable[Row]) -> list[Measure]:
    """The measures that any row has."""
    rows = list(rows)
    return [measure for measure in MEASURES if any(measure.key in row for row in rows)]


def methods_of(rows: Iterable[Row]) -> list[str]:
    """The methods' names in their order, baselines last."""
    return list(dict.fromkeys(row["method"] for row in rows))


def rivals_of(rows: Sequence[Row]) -> list[str]:
    """The methods, baselines apart, that have the data of the first and so can be held against it.

    >>> rivals_of([{"method": "m2"}, {"method": "a:b,c", "inputs": "a:d"}, {"method": "vae"}])
    ['m2', 'vae']
    """
    inputs = {row["method"]: row.get("inputs", "") for row in rows}
    names = [name for name in inputs if name not in (CLASSIFIER, MAJORITY)]
    return [name for name in names if inputs[name] == inputs[names[0]]]


def fractions_of(rows: Iterable[Row]) -> list[float]:
    """The labelled fractions, the smallest first."""
    return sorted({row["labelled"] for row in rows})


def values(rows: Iterable[Row], method: str, fraction: float, key: str) -> dict[int, float]:
    """A figure of a method's chosen setting by seed."""
    return {
        row["seed"]: row[key]
        for row in rows
        if row["chosen"]
        and (row["method"], row["labelled"]) == (method, fraction)
        and math.isfinite(row.get(key, math.nan))
    }


def _row(
    comparison: Comparison, cell: Cell, name: str, outcome: Outcome, found: Mapping[str, Any]
) -> Row:
    state = FAILED if "failed" in outcome else DONE if found else MISSING
    row: Row = {
        "method": name,
        "program": cell.method.program,
        "objective": cell.method.objective or cell.method.program,
        "inputs": cell.method.inputs,
        "labelled": cell.labelled,
        "seed": cell.config.seed,
        "setting": cell.setting_text,
        **{option: dict(cell.setting).get(option) for option in comparison.grid},
        "alpha": outcome.get("alpha"),
        "alpha_from": outcome.get("alpha_from", ""),
        "state": state,
        "failure": outcome.get("failed", ""),
        "chosen": False,
        "epochs": outcome.get("epochs"),
        "run": cell.name,
    }
    tried = outcome.get("validation", {})
    row |= {f"validation_{key}": tried[key] for key in CRITERIA if key in tried}
    row |= {measure.key: found[measure.key] for measure in MEASURES if measure.key in found}
    for table in ("accuracy", "error", "r2"):
        by_label = found.get(f"{table}_by_label", {})
        row |= {f"{table}[{label}]": value for label, value in by_label.items()}
    return row


def _is_majority_of(row: Row, cell: Cell) -> bool:
    """Whether a row is the majority class's at a cell's fraction and seed."""
    place = (cell.labelled, cell.config.seed)
    return row["method"] == MAJORITY and (row["labelled"], row["seed"]) == place


def _groups(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """The rows of each method at each fraction."""
    key: Callable[[Row], tuple[str, float]] = lambda row: (row["method"], row["labelled"])  # noqa: E731
    for place in dict.fromkeys(map(key, rows)):
        yield [row for row in rows if key(row) == place]


def _best(group: Sequence[Row], criterion: str) -> str:
    """The setting that is best on validation rows; the first where there is but one, or no figure.

    Settings of which more seeds are done come first: a mean over the easy seeds is no match.
    """
    settings = list(dict.fromkeys(row["setting"] for row in group))
    if len(settings) == 1:
        return settings[0]
    names = [criterion] if criterion else []
    names += [key for key in CRITERIA if key not in names]
    key = next((k for k in names if any(f"validation_{k}" in row for row in group)), "accuracy")
    sign = next(measure.better for measure in MEASURES if measure.key == key)

    def worth(setting: str) -> tuple[int, float]:
        found = [r.get(f"validation_{key}", math.nan) for r in group if r["setting"] == setting]
        known = [value for value in found if math.isfinite(value)]
        return len(known), sign * fmean(known) if known else -math.inf

    return max(settings, key=worth)


def _order(rows: Sequence[Row]) -> list[str]:
    names = methods_of(rows)
    last = (CLASSIFIER, MAJORITY)
    return [name for name in names if name not in last] + [n for n in last if n in names]
