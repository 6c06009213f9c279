"""The room of objectives: Table 1, a row an objective."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from ..inspection.objectives import Entry, entry, names, table_latex
from ..inspection.writing.mathml import term, terms


class Row(NamedTuple):
    """A row of Table 1, as the page shows it."""

    name: str
    program: str
    title: str
    sides: dict[str, list[tuple[str, str]]]
    evidence: str
    notes: tuple[str, ...]


@cache
def table_entry(name: str) -> Entry:
    """See :func:`ccvae.inspection.objectives.entry`; worked out once."""
    return entry(name)


@cache
def latex() -> str:
    """Table 1 as LaTeX."""
    return table_latex([table_entry(name) for name in names()])


@cache
def table_row(name: str) -> Row:
    """An objective of Table 1; see :func:`ccvae.inspection.objectives.entry`."""
    found = table_entry(name)
    return Row(
        name,
        found.program,
        found.title,
        {side: terms(formula) for side, formula in found.sides.items()},
        term(found.evidence) if found.evidence else "",
        found.notes,
    )
