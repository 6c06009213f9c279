"""The labels of a table: which of its columns are labels, of what kind, and what was understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from shlex import quote

from torch import Tensor

from .columns import Column, OpenQuoteError, parse_kinds, plain, read_column
from .groups import (
    join,
    may_be_several,
    one_hot_groups,
    parse_join,
    separator_of,
    split_column,
    without_lists,
)
from .kinds import SEVERAL, stated
from .marks import explain_marks, parse_marks
from .table import Table


@dataclass(frozen=True)
class Reading:
    """What a user says about the labels of a table, as the options of the same names have it.

    Attributes:
        only: names of the labels to keep; all by default.
        kinds: see :func:`~ccvae.data.kinds.parse_kinds`.
        missing_marks: see :func:`~ccvae.data.marks.parse_marks`; None for the usual ones.
        join: see :func:`~ccvae.data.groups.parse_join`.
    """

    only: Sequence[str] = ()
    kinds: str = ""
    missing_marks: str | None = None
    join: str = ""


@dataclass(frozen=True)
class Labels:
    """The labels of a table.

    Attributes:
        columns: a label each. problems: entries and columns that could not be used.
        notes: what was decided where another reading is as possible.
        asked: names that the user gave, of labels that must not be left out.
    """

    columns: list[Column]
    problems: list[str]
    notes: list[str]
    asked: frozenset[str] = frozenset()

    def standardised(self, rows: Tensor) -> Labels:
        """The labels with the codes of real ones in deviations from the mean of some rows.

        Raises:
            ValueError: where these rows have no two different numbers of a label that was asked
                for, or no label is left.
        """
        columns, problems = [], []
        for column in self.columns:
            try:
                columns.append(column.standardised(rows))
            except ValueError as error:
                if column.label.name in self.asked or len(self.columns) == 1:
                    raise
                problems.append(f"left out: {error}")
        if not columns:
            raise ValueError(problems[0].removeprefix("left out: "))
        return replace(self, columns=columns, problems=self.problems + problems)


def read_labels(table: Table, names: Sequence[str], reading: Reading) -> Labels:
    """The labels that were asked for, or all that are labels, and why others are not.

    Args:
        table: what to read. names: its columns that may be labels.
        reading: what the user says about them.

    Raises:
        ValueError: for a label that the table does not have, a column that was asked for and is no
            label, or where no label is left.
        OpenQuoteError: where a quote has swallowed rows.
    """
    return _Reader(table, list(names), reading).labels()


@dataclass
class _Reader:
    """The columns of a table as labels; each is read when it is needed."""

    table: Table
    names: list[str]
    reading: Reading
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kinds = parse_kinds(self.reading.kinds)
        self.joins = parse_join(self.reading.join)
        marks = self.reading.missing_marks
        self.marks = {} if marks is None else parse_marks(marks)
        plainly = {name: without_lists(self.table.columns[name]) for name in self.names}
        self.lists = {name for name in self.names if plainly[name] != self.table.columns[name]}
        self.table = replace(self.table, columns=self.table.columns | plainly)
        self.counts = {name: Counter(self.table.columns[name]) for name in self.names}
        self.uncertain = any(
            {"-1", "0", "1"} == {plain(word) for word in counts if word}
            for counts in self.counts.values()
        )

    def labels(self) -> Labels:
        self._check(self.kinds)
        columns: list[Column] = []
        problems: list[str] = []
        for name in self.reading.only or self._all():
            try:
                columns += self._named(name)
            except OpenQuoteError:
                raise
            except ValueError as error:
                if name in (*self.reading.only, *self.kinds, *self.joins):
                    raise
                problems.append(f"left out: {error}")
        if not columns:
            raise ValueError(
                problems[0].removeprefix("left out: ")
                if problems
                else "expected a column for each label beside 'file', got none; add one"
            )
        self._hint_at_joins(columns)
        problems += [entry for column in columns for entry in column.problems]
        notes = [note for column in columns for note in column.notes]
        marks = explain_marks({column.label.name: column.marks for column in columns})
        asked = frozenset((*self.reading.only, *self.kinds, *self.joins))
        return Labels(columns, problems, [*self.notes, *notes, *marks], asked)

    def _all(self) -> Iterator[str]:
        """Every column, a joined label in the place of the first that it is made of."""
        place = {part: name for name, parts in self.joins.items() for part in parts}
        seen: set[str] = set()
        for name in self.names:
            chosen = place.get(name, name)
            if chosen not in seen:
                seen.add(chosen)
                yield chosen
        yield from (name for name in self.joins if name not in seen)

    def _named(self, name: str) -> list[Column]:
        """The labels that a name stands for: several if its column holds several."""
        if name in self.joins:
            return [join(name, [self._part(part) for part in self.joins[name]])]
        if name in self.names:
            return self._column(name)
        return [self._part(name)]

    def _part(self, name: str) -> Column:
        """A column that is one label, or one of the labels of a column that holds several."""
        if name in self.names:
            (column,) = self._column(name)[:1]
            return column
        for other in self.names:
            if self._separator(other):
                for column in self._column(other):
                    if column.label.name == name:
                        return column
        raise self._unknown(name)

    def _column(self, name: str) -> list[Column]:
        words, marks = self.table.columns[name], self.marks.get(name, self.marks.get(""))
        separator = self._separator(name)
        if separator:
            return self._several(name, separator, split_column(name, words, separator, marks))
        kind = self.kinds.get(name, "")
        column = read_column(
            name,
            words,
            self.table.lines,
            kind,
            marks=marks,
            uncertain=self.uncertain,
            counts=self.counts[name],
        )
        if not kind and may_be_several(self.counts[name]):
            note = (
                f"{name}: entries of several words are classes of their own; if they are several "
                f"labels, give --kinds {quote(name)}=several:blank"
            )
            column = replace(column, notes=(*column.notes, note))
        return [column]

    def _several(self, name: str, separator: str, columns: list[Column]) -> list[Column]:
        taken = set(self.names)
        labels = [column.label.name for column in columns]
        if taken & set(labels):
            raise ValueError(
                f"label {name!r}: its word {next(iter(taken & set(labels)))!r} is a column too; "
                "rename one of them"
            )
        note = (
            f"{name}: entries with several words, separated by {separator!r}, are read as "
            f"{len(labels)} labels ({', '.join(labels[:4])}{', …' * (len(labels) > 4)}), absent "
            f"where they are not named; --kinds {quote(name)}=categorical keeps them as classes"
        )
        if note not in self.notes:
            self.notes.append(note)
        return columns

    def _separator(self, name: str) -> str:
        """What separates the labels in a column, ``""`` for a column that is one label."""
        kind = self.kinds.get(name, "")
        how = stated(name, kind)
        if how.kind != "several":
            if not kind and name in self.lists and any("|" in word for word in self.counts[name]):
                return "|"
            return "" if kind else separator_of(self.counts[name])
        found = how.separator or separator_of(self.counts[name])
        if not found:
            raise ValueError(
                f"label {name!r}: expected entries with several words, but saw nothing between "
                f"them; give --kinds {quote(name)}=several:X with X one of {', '.join(SEVERAL)}"
            )
        return found

    def _hint_at_joins(self, columns: Sequence[Column]) -> None:
        for group in one_hot_groups(columns):
            option = f"NAME={'|'.join(group)}"
            self.notes.append(
                f"of {', '.join(group)} exactly one holds in every row; --join {quote(option)} "
                "makes them one label"
            )

    def _check(self, names: Sequence[str] | dict[str, str]) -> None:
        for name in names:
            if name not in self.names:
                raise self._unknown(name)

    def _unknown(self, name: str) -> ValueError:
        return ValueError(
            f"unknown label {name!r}; this table has {', '.join(self.names) or 'no labels'}"
        )
