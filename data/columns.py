"""A column of words as a label and its codes.

What the words mean is decided in :mod:`.kinds`, which of them mean nothing in :mod:`.marks`. Where
a column is made of one pair but for very few entries, these are taken for mistakes and are missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from .cache import tolerable
from .forms import Label, Real
from .kinds import MOST_CLASSES, PAIRS, Meaning, meaning, parse_kinds, stated
from .marks import explain_marks, marked, missing, plain

__all__ = [
    "MOST_CLASSES",
    "PAIRS",
    "Column",
    "OpenQuoteError",
    "missing",
    "parse_kinds",
    "plain",
    "read_column",
]


class OpenQuoteError(ValueError):
    """Rows that a quote swallowed, which was opened in one line and closed in a later one."""


@dataclass(frozen=True)
class Column:
    """A label and the codes of all rows, NaN where missing ``(N,)``.

    Attributes:
        label: what the column means. codes: its entries; a real label's in its own units until
            :meth:`standardised`.
        problems: entries that could not be used.
        notes: rules that decided what the column means.
        marks: the words that were taken as missing, with the rows of each.
    """

    label: Label
    codes: Tensor
    problems: list[str]
    notes: tuple[str, ...] = ()
    marks: Mapping[str, int] = field(default_factory=dict)

    def standardised(self, rows: Tensor) -> Column:
        """The column with a real label's codes in deviations from the mean of some rows.

        Raises:
            ValueError: where these rows have no two different numbers.
        """
        if not isinstance(self.label, Real):
            return replace(self, codes=self.codes.float())
        known = self.codes[rows]
        known = known[~known.isnan()].double()
        name = self.label.name
        if len(known) < 2 or known.min() == known.max():
            raise ValueError(
                f"label {name!r} has no two different numbers among the {len(rows)} training rows; "
                "leave it out"
            )
        label = Real(name, known.mean().item(), known.std(correction=0).item())
        return replace(self, label=label, codes=label.from_units(self.codes.double()).float())


def read_column(
    name: str,
    words: Sequence[str],
    lines: Sequence[int],
    kind: str = "",
    *,
    marks: Sequence[str] | None = None,
    uncertain: bool = False,
    counts: Mapping[str, int] | None = None,
) -> Column:
    """Turn words into a label and its codes.

    Args:
        name: the label's name.
        words: one for each row. lines: where they stand, for messages.
        kind: ``"binary"``, ``"categorical"``, the classes separated by ``|``, ``"real"``,
            ``"ordinal:"`` with the classes separated by ``<``, or ``""`` to infer.
        marks: words that mean missing, in place of the usual ones.
        uncertain: whether −1 means missing beside 1 alone.
        counts: of the words, where they are known already.

    Raises:
        ValueError: where the words are no label: none at all, a single class, too many different
            ones, or too many that are not among the classes.
        OpenQuoteError: where words with line breaks have swallowed too many lines.
    """
    how = stated(name, kind)
    counts = counts or Counter(words)
    gone = marked(counts, given=marks, classes=how.classes, uncertain=uncertain)
    broken = {word for word in counts if _breaks(word)}
    shown = {word: counts[word] for word in sorted(gone) if word}
    try:
        found = meaning(name, {w: n for w, n in counts.items() if w not in gone | broken}, how)
    except ValueError as error:
        remark = "".join(f"; {note}" for note in explain_marks({name: shown}))
        raise ValueError(f"{error}{remark}") from error
    _check_breaks(name, words, lines, broken)
    column = _coded(found, words, lines, counts.keys() - gone)
    return replace(column, notes=found.notes, marks=shown)


def _breaks(word: str) -> bool:
    return "\n" in word or "\r" in word


def _check_breaks(
    name: str, words: Sequence[str], lines: Sequence[int], broken: Iterable[str]
) -> None:
    lost = {word: len(word.splitlines()) - 1 for word in broken}
    total = sum(lost.get(word, 0) for word in words) if lost else 0
    if lost and not tolerable(total, len(words) + total):
        row = next(row for row, word in enumerate(words) if word in lost)
        raise OpenQuoteError(
            f"line {lines[row]}: {name} is a word of {lost[words[row]] + 1} lines, "
            f"{words[row][:30]!r}; a quote seems to be opened there and closed too late, so that "
            f"{total} lines are lost; correct it"
        )


def _coded(
    found: Meaning, words: Sequence[str], lines: Sequence[int], known: Iterable[str]
) -> Column:
    """The words as codes, unknown ones missing and reported."""
    codes = {word: code for word in known if (code := found.code(word)) is not None}
    unknown = set(known) - codes.keys()
    real = isinstance(found.label, Real)
    numbers = dict.fromkeys(words, torch.nan) | codes
    column = torch.from_numpy(
        np.fromiter(map(numbers.__getitem__, words), np.float64 if real else np.float32, len(words))
    )
    if not unknown:
        return Column(found.label, column, [])
    rows = [row for row, word in enumerate(words) if word in unknown]
    name, usable = found.label.name, int((~column.isnan()).sum())
    if not tolerable(len(rows), usable + len(rows)):
        first = rows[0]
        raise ValueError(
            f"label {name!r}: expected {found.expected}, got {len(rows)} other entries, "
            f"the first in line {lines[first]}, {words[first]!r}; correct them, or state the "
            "classes with --kinds"
        )
    return Column(
        found.label,
        column,
        [
            f"line {lines[row]}: {name} is {words[row]!r}, expected {found.expected}; "
            "taken as missing"
            for row in rows
        ],
    )
