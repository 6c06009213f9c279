"""Tables of measured figures, written as Markdown and JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Measurement = dict[str, Any]
"""One thing that was measured, with all that tells it from the others; plain data."""


@dataclass(frozen=True)
class Figure:
    """A measured number.

    Attributes:
        mean: over the values.
        error: standard error of the mean; None for a single value.
        count: number of values.
    """

    mean: float
    error: float | None = None
    count: int = 1


Cell = str | float | Figure | None


@dataclass(frozen=True)
class Table:
    """A comparison, ready to be written.

    Attributes:
        name: stem of its files. title: its heading.
        columns: headings of the columns; the first one names the rows.
        rows: as many cells as there are columns; None is an empty cell.
        notes: paragraphs below the table: what was done, what it shows and what it does not.
        digits: decimal places in Markdown; JSON keeps them all.
        measurements: what the table was made from.
        settings: what they were measured with.

    Raises:
        ValueError: for a row with more or fewer cells than there are columns.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    digits: int = 1
    measurements: tuple[Measurement, ...] = field(default=(), repr=False)
    settings: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.name!r}: expected {len(self.columns)} cells a row "
                    f"({', '.join(self.columns)}), got {len(row)} in the row {row[0]!r}; give None "
                    "for an empty cell"
                )

    def to_markdown(self) -> str:
        """The table as a document: heading, table, notes."""
        lines = [
            _line(self.columns),
            _line("---" if i == 0 else "---:" for i in range(len(self.columns))),
            *(_line(self._text(cell) for cell in row) for row in self.rows),
        ]
        return "\n\n".join([f"# {self.title}", "\n".join(lines), *self.notes]) + "\n"

    def to_json(self) -> dict[str, Any]:
        """The table as plain data."""
        cells = [
            [asdict(cell) if isinstance(cell, Figure) else cell for cell in row]
            for row in self.rows
        ]
        return {
            "name": self.name,
            "title": self.title,
            "columns": list(self.columns),
            "rows": cells,
            "notes": list(self.notes),
            "settings": self.settings,
            "measurements": list(self.measurements),
        }

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write ``NAME.md`` and ``NAME.json`` into a folder; returns their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        markdown, document = folder / f"{self.name}.md", folder / f"{self.name}.json"
        markdown.write_text(self.to_markdown(), encoding="utf-8")
        document.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")
        return markdown, document

    def _text(self, cell: Cell) -> str:
        match cell:
            case None:
                return ""
            case str():
                return cell
            case Figure(mean=mean, error=None):
                return fixed(mean, self.digits)
            case Figure(mean=mean, error=error):
                return f"{fixed(mean, self.digits)} ± {error:.{self.digits}f}"
            case _:
                return fixed(cell, self.digits)


def fixed(value: float, digits: int = 1, *, signed: bool = False) -> str:
    """A number with so many decimal places; what is rounded to 0 has no sign.

    >>> fixed(-0.04), fixed(0.6, signed=True), fixed(0.04, signed=True), fixed(-0.04, 2)
    ('0.0', '+0.6', '0.0', '-0.04')
    """
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return text.lstrip("+-") if float(text) == 0 else text


def mean_and_error(values: Iterable[float]) -> Figure | None:
    """Mean and standard error of the values; None where there are none.

    >>> mean_and_error([1.0, 2.0, 3.0])
    Figure(mean=2.0, error=0.5773502691896258, count=3)
    """
    values = list(values)
    if not values:
        return None
    mean = statistics.fmean(values)
    if len(values) == 1:
        return Figure(mean)
    return Figure(mean, statistics.stdev(values) / len(values) ** 0.5, len(values))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
