"""The room of objectives: Table 1, a row an objective."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from ..inspection.objectives import Entry, entry
from ..inspection.writing.mathml import term, terms


class Row(NamedTuple):
    """A row of Table 1, as the page shows it; ``others`` are programs that it applies to too."""

    name: str
    program: str
    title: str
    sides: dict[str, list[tuple[str, str]]]
    evidence: str
    notes: tuple[str, ...]
    others: tuple[str, ...] = ()


@cache
def table_entry(name: str) -> Entry:
    """See :func:`ccvae.inspection.objectives.entry`; worked out once."""
    return entry(name)


@cache
def table_row(name: str) -> Row:
    """An objective of Table 1; see :func:`ccvae.inspection.objectives.entry`."""
    return _row(table_entry(name))


def own_row(entries: dict[str, Entry]) -> Row:
    """An objective of somebody's, on the first of the programs that it applies to."""
    first, *others = entries
    return _row(entries[first])._replace(others=tuple(others))


def _row(found: Entry) -> Row:
    return Row(
        found.name,
        found.program,
        found.title,
        {side: terms(formula) for side, formula in found.sides.items()},
        term(found.evidence) if found.evidence else "",
        found.notes,
    )
