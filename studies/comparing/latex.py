"""Tables for papers in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import NamedTuple

from ..drawing.tables import Cell, Figure, Table, fixed

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


MINUS = re.compile(r"(?<![\w.)-])-(?=\d)")
"""A hyphen that stands for a minus sign, not within a name."""


class Captioned(NamedTuple):
    """A table with its caption, and for each row the columns that are printed bold."""

    table: Table
    caption: str
    best: Sequence[Sequence[int]] = ()


def escaped(text: str) -> str:
    """A text as LaTeX takes it.

    >>> escaped("R², 5 %")
    'R\\\\textsuperscript{2}, 5 \\\\%'
    """
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def latex(tables: Sequence[Captioned], notes: Sequence[str]) -> str:
    r"""Tables to ``\input``, with captions and labels; they need the package booktabs."""
    parts = ["% needs \\usepackage{booktabs}; wide tables fit with \\resizebox{\\textwidth}{!}{…}"]
    for table, caption, best in tables:
        if not table.rows:
            continue
        lines = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(caption)}}}",
            rf"\label{{tab:comparison-{table.name}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}",
            r"\toprule",
            _line(map(escaped, table.columns)),
            r"\midrule",
            *(_row(row, table.digits, bold) for row, bold in zip_longest(table.rows, best)),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
        parts.append("\n".join(lines))
    parts.append("\n".join(f"% {note}" for note in notes))
    return "\n\n".join(parts) + "\n"


def _row(row: Sequence[Cell], digits: int, bold: Sequence[int] | None) -> str:
    cells = [_tex(cell, digits) for cell in row]
    for column in bold or ():
        cells[column] = rf"{{\boldmath{cells[column]}}}"
    return _line(cells)


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _tex(cell: Cell, digits: int) -> str:
    match cell:
        case None:
            return ""
        case Figure(mean=mean, error=None):
            return f"${fixed(mean, digits)}$"
        case Figure(mean=mean, error=error):
            return rf"${fixed(mean, digits)} \pm {error:.{digits}f}$"
        case float():
            return f"${fixed(cell, digits)}$"
        case _:
            return MINUS.sub("$-$", escaped(str(cell)))
