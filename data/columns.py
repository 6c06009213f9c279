"""What kind of label a column of words is, and the words as codes.

Two classes are told by one of the pairs 0 and 1, −1 and 1, false and true, no and yes, in any case;
whatever else a column consists of are names of classes. An empty entry (or ``nan``, as pandas may
write it) is missing. Where a column is made of one pair but for very few entries, these are taken
for mistakes and are missing too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .cache import TOLERATED, tolerable
from .labels import Binary, Categorical, Label

PAIRS = (("0", "1"), ("-1", "1"), ("false", "true"), ("no", "yes"))
"""How absence and presence are written."""

MOST_CLASSES = 50
"""A column with more different words is not taken for a label unless its classes are stated."""

_MISSING = ("", "nan")
_WHOLE = re.compile(r"([+-]?\d+)(\.0*)?")


@dataclass(frozen=True)
class Column:
    """A label and the codes of all rows, NaN where missing ``(N,)``.

    Attributes:
        label: what the column means. codes: its entries.
        problems: entries that could not be used.
    """

    label: Label
    codes: Tensor
    problems: list[str]


def parse_kinds(text: str) -> dict[str, str]:
    """The kinds that a user states: ``Smiling=binary,Hair=black|blond,Digit=categorical``.

    Raises:
        ValueError: where it is not written so.
    """
    kinds = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, kind = (word.strip() for word in part.partition("="))
        if not (name and equals and kind):
            raise ValueError(
                f"expected label kinds as NAME=binary, NAME=categorical or NAME=class|class, "
                f"separated by commas, got {part!r}"
            )
        kinds[name] = kind
    return kinds


def read_column(name: str, words: Sequence[str], lines: Sequence[int], kind: str = "") -> Column:
    """Turn words into a label and its codes.

    Args:
        name: the label's name.
        words: one for each row. lines: where they stand, for messages.
        kind: ``"binary"``, ``"categorical"``, the classes separated by ``|``, or ``""`` to infer.

    Raises:
        ValueError: where the words are no label: none at all, a single class, too many different
            ones, or too many that are not among the classes.
    """
    counts = Counter(word for word in words if not missing(word))
    if not counts and kind in ("", "categorical"):
        raise ValueError(f"label {name!r} has no entry; fill the column, or leave it out")
    pair = None if "|" in kind or kind == "categorical" else _pair(counts, stated=bool(kind))
    if kind not in ("", "binary", "categorical") and "|" not in kind:
        raise ValueError(
            f"label {name!r}: expected the kind binary, categorical or classes separated by |, got "
            f"{kind!r}"
        )
    if pair:
        codes = {word: code for code, word in enumerate(pair)}
        return _coded(Binary(name), codes, words, lines, lambda word: plain(word).casefold())
    if "|" in kind:
        classes = tuple(part.strip() for part in kind.split("|"))
    else:
        classes = _classes(name, counts, stated=bool(kind))
    codes = {plain(word): code for code, word in enumerate(classes)}
    return _coded(Categorical(name, classes), codes, words, lines, plain)


def missing(word: str) -> bool:
    """Whether an entry says nothing."""
    return word.casefold() in _MISSING


def plain(word: str) -> str:
    """A word, but whole numbers in one spelling.

    >>> [plain(word) for word in ("1.0", "-1", "+01", "Yes", "1.5")]
    ['1', '-1', '1', 'Yes', '1.5']
    """
    whole = _WHOLE.fullmatch(word)
    return str(int(whole[1])) if whole else word


def _pair(counts: Mapping[str, int], *, stated: bool) -> tuple[str, str] | None:
    """The pair that a column is written in, or None for a column of classes."""
    found: Counter[str] = Counter()
    for word, count in counts.items():
        found[plain(word).casefold()] += count
    best = max(PAIRS, key=lambda pair: sum(found[word] for word in pair))
    outside = [word for word in found if word not in best]
    if stated or not outside:
        return best
    # A third number may well be a third class, a word beside numbers hardly.
    count, total = sum(found[word] for word in outside), found.total()
    number = any(_WHOLE.fullmatch(word) for word in outside)
    few = count <= TOLERATED * total if number else tolerable(count, total)
    return best if few and all(found[word] for word in best) else None


def _classes(name: str, counts: Mapping[str, int], *, stated: bool) -> tuple[str, ...]:
    """The different words, numbers by size and others by the alphabet."""
    words = {plain(word) for word in counts}
    whole = all(_WHOLE.fullmatch(word) for word in words)
    classes = sorted(words, key=int) if whole else sorted(words)
    if len(classes) == 1:
        raise ValueError(
            f"label {name!r} has a single class, {classes[0]!r}, and nothing to tell apart; leave "
            "it out, or state its classes with --kinds"
        )
    distinct = len(classes) == sum(counts.values()) > 10
    if not stated and (distinct or len(classes) > MOST_CLASSES):
        raise ValueError(
            f"label {name!r} has {len(classes)} different values, too many for classes; leave it "
            f"out, or give --kinds {name}=categorical"
        )
    return tuple(classes)


def _coded(
    label: Label,
    codes: Mapping[str, int],
    words: Sequence[str],
    lines: Sequence[int],
    spell: Callable[[str], str],
) -> Column:
    """The words as codes, unknown ones missing and reported."""
    column = torch.full((len(words),), torch.nan)
    unknown = []
    for row, word in enumerate(words):
        if missing(word):
            continue
        code = codes.get(spell(word))
        if code is None:
            unknown.append(row)
        else:
            column[row] = code
    known = int((~column.isnan()).sum())
    expected = ", ".join(codes)
    if unknown and not tolerable(len(unknown), known + len(unknown)):
        first = unknown[0]
        raise ValueError(
            f"label {label.name!r}: expected one of {expected}, got {len(unknown)} other entries, "
            f"the first in line {lines[first]}, {words[first]!r}; correct them, or state the "
            "classes with --kinds"
        )
    return Column(
        label,
        column,
        [
            f"line {lines[row]}: {label.name} is {words[row]!r}, expected one of {expected}; "
            "taken as missing"
            for row in unknown
        ],
    )
