"""Columns that belong together: one column with several labels in it, one label in several columns.

NIH's table of chest X-rays writes ``Effusion|Infiltration`` in one column: a binary label for each
word is made of it. CelebA has a column for each colour of hair: these can be joined into one
categorical label, which is missing where none of them holds, or several do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import torch

from .columns import Column
from .forms import Binary, Categorical
from .kinds import MOST_CLASSES
from .marks import marked, missing

SEPARATORS = ("|", ";", ",", "&", "+")
"""What may stand between the words of an entry with several."""

_LIST = re.compile(r"\[[^\[\]{}]*\]")
_PART = re.compile(r"""'([^']*)'|"([^"]*)"|([^\s,'"]+)""")
_NUMBERS = re.compile(r"\d+( \d+)*")


def parse_join(text: str) -> dict[str, tuple[str, ...]]:
    """The labels to join of others: ``Hair=Black_Hair|Blond_Hair,Diagnosis=MEL|NV|BCC``.

    Raises:
        ValueError: where it is not written so.
    """
    joins = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, words = (word.strip() for word in part.partition("="))
        columns = tuple(word.strip() for word in words.split("|"))
        if not name or len(set(columns)) < 2 or len(set(columns)) < len(columns):
            raise ValueError(
                "expected labels to join as NAME=COLUMN|COLUMN, separated by commas, got "
                f"{part!r}; name two columns or more, each once"
            )
        joins[name] = columns
    return joins


def without_lists(words: Sequence[str]) -> list[str]:
    """Entries that are lists, as ``['Mass', 'Effusion']``, with bars between their parts.

    That is how pandas writes a column of lists, and how PadChest is published. An empty list has
    none of the words and is not missing.

    >>> without_lists(["['Mass', 'Effusion']", "[]", "", "['Mass']"])
    ['Mass|Effusion', '|', '', 'Mass']
    """
    if not any(map(_LIST.fullmatch, words)) or not all(
        not word or missing(word) or _LIST.fullmatch(word) for word in words
    ):
        return list(words)
    return [
        "|".join("".join(part) for part in _PART.findall(word[1:-1])) or "|"
        if _LIST.fullmatch(word)
        else word
        for word in words
    ]


def may_be_several(counts: Mapping[str, int]) -> bool:
    """Whether blanks seem to stand between the words of entries with several of them.

    >>> may_be_several({"haze primary": 2, "clear primary": 1, "clear": 3})
    True
    >>> may_be_several({"dark brown": 2, "light brown": 1})
    False
    """
    joined = any(" " in word for word in counts)
    parts = Counter(part for word in counts for part in word.split())
    return joined and 2 * sum(count > 1 for count in parts.values()) >= len(parts)


def separator_of(counts: Mapping[str, int]) -> str:
    """What separates the words of entries with several of them, ``""`` where there are none.

    Entries are taken for such if at least half of their words occur in several different entries
    and one of them stands alone somewhere; with ``|`` between them, if one word occurs in several.

    >>> separator_of({"Effusion": 3, "Effusion|Mass": 1, "Mass|Nodule": 1})
    '|'
    >>> separator_of({"red, or so": 1, "blond": 2})
    ''
    """
    if any(" " in word for word in counts) and all(
        missing(word) or _NUMBERS.fullmatch(word) for word in counts
    ):
        return " "
    for separator in SEPARATORS:
        joined = [word for word in counts if separator in word]
        parts = Counter(part for word in counts for part in _parts(word, separator))
        several = {part for word in joined for part in _parts(word, separator)}
        if not joined or not 1 < len(parts) <= min(MOST_CLASSES, len(counts) + 2):
            continue
        shared = sum(parts[part] > 1 for part in several)
        alone = any(part in counts for part in several)
        if shared and (separator == "|" or (2 * shared >= len(several) and alone)):
            return separator
    return ""


def _parts(word: str, separator: str) -> set[str]:
    return {part.strip() for part in word.split(separator)} - {""}


def split_column(
    name: str, words: Sequence[str], separator: str, marks: Sequence[str] | None = None
) -> list[Column]:
    """A binary label for each word that occurs in the entries of a column.

    Args:
        name: of the column. words: its entries. separator: between the words of one.
        marks: entries that mean missing, in place of the usual ones; all labels are missing there.

    Raises:
        ValueError: where there is none or only one such word, or there are too many.
    """
    counts = Counter(words)
    gone = marked(counts, given=marks)
    held = {word: _parts(word, separator) for word in counts if word not in gone}
    names = sorted(set().union(*held.values())) if held else []
    if not 1 < len(names) <= MOST_CLASSES:
        raise ValueError(
            f"label {name!r}: expected 2 to {MOST_CLASSES} different words separated by "
            f"{separator!r}, got {len(names)}; leave it out, or state another kind with --kinds"
        )
    codes = {
        word: [float(part in parts) for part in names] for word, parts in held.items()
    } | dict.fromkeys(gone, [torch.nan] * len(names))
    table = torch.tensor([codes[word] for word in words])
    shown = {word: counts[word] for word in sorted(gone) if word}
    return [
        Column(Binary(part), table[:, place], [], marks=shown) for place, part in enumerate(names)
    ]


def join(name: str, columns: Sequence[Column]) -> Column:
    """One categorical label of binary ones, missing where not exactly one of them holds.

    Args:
        name: of the new label. columns: what its classes are made of, in their order.

    Raises:
        ValueError: for a column that is not binary.
    """
    others = [column.label.name for column in columns if not isinstance(column.label, Binary)]
    if others:
        raise ValueError(
            f"label {name!r}: expected binary labels to join, got {', '.join(others)}; state "
            "--kinds NAME=binary for them"
        )
    held = torch.stack([column.codes for column in columns], -1) == 1
    count = held.sum(-1)
    codes = torch.where(count == 1, held.float().argmax(-1).float(), torch.nan)
    label = Categorical(name, tuple(column.label.name for column in columns))
    note = (
        f"{name} is joined of {', '.join(label.classes)} and missing where they do not say: "
        f"{int((count == 0).sum())} rows have none and {int((count > 1).sum())} have several"
    )
    problems = [entry for column in columns for entry in column.problems]
    return Column(label, codes, problems, (note,))


def one_hot_groups(columns: Sequence[Column]) -> list[tuple[str, ...]]:
    """Runs of three or more binary labels of which exactly one holds in every row."""
    groups: list[tuple[str, ...]] = []
    start = 0
    while start < len(columns):
        run = _run(columns[start:])
        if run:
            groups.append(tuple(column.label.name for column in columns[start : start + run]))
        start += max(run, 1)
    return groups


def _run(columns: Sequence[Column]) -> int:
    """How many columns from the first on are one-hot together, 0 for fewer than three."""
    total = torch.zeros_like(columns[0].codes)
    for count, column in enumerate(columns, 1):
        if not isinstance(column.label, Binary):
            return 0
        total = total + column.codes
        if (total > 1).any() or total.isnan().any():
            return 0
        if (total == 1).all():
            return count if count > 2 else 0
    return 0
