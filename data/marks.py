"""What in a table means that an entry is missing.

Words such as ``NA``, ``?`` and ``unknown`` do, in any case, and beside words or numbers that are
not negative −1, −9, −99, −999 and −9999. In a column of 0, 1 and −1 the last is thereby
missing, as CheXpert writes "uncertain"; a column of −1 and 1 alone is a pair. The user may name
other marks, for one label or for all; classes that he states are none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from shlex import quote

MARKS = (
    *("", "na", "n/a", "n.a.", "#n/a", "#na", "#nv", "<na>", "nan", "nat", "null", "(null)"),
    *("none", "nil", "?", "??", "-", "--", "–", "—", ".", "unknown", "unk", "missing"),
    *("undefined", "not available", "not annotated", "unlabeled", "unlabelled"),
)
"""Words that are taken for a missing entry, in small letters."""

NUMBERS = ("-1", "-9", "-99", "-999", "-9999")
"""Numbers that are, where all others are 0 or more."""

_WHOLE = re.compile(r"([+-]?\d+)(\.0*)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def parse_marks(text: str) -> dict[str, tuple[str, ...]]:
    """The marks that a user names: ``?|NA,Sex=unknown``, for all labels and for Sex.

    Returns:
        the marks by label, those for all others under ``""``.
    """
    marks = {}
    for part in text.split(","):
        name, equals, words = part.rpartition("=")
        marks[name.strip() if equals else ""] = tuple(word.strip() for word in words.split("|"))
    return marks


def plain(word: str) -> str:
    """A word, but whole numbers in one spelling.

    >>> [plain(word) for word in ("1.0", "-1", "+01", "Yes", "1.5")]
    ['1', '-1', '1', 'Yes', '1.5']
    """
    whole = _WHOLE.fullmatch(word)
    return str(int(whole[1])) if whole else word


def number(word: str) -> float | None:
    """The number that a word is, with a decimal point or a decimal comma; None for other words.

    >>> [number(word) for word in ("1", "-0.5", "0,5", "1e3", "1,234.5", "one", "1e999")]
    [1.0, -0.5, 0.5, 1000.0, None, None, None]
    """
    if not _NUMBER.fullmatch(word) and not _DECIMAL_COMMA.fullmatch(word):
        return None
    found = float(word.replace(",", "."))
    return found if math.isfinite(found) else None


def missing(word: str, marks: Sequence[str] = MARKS) -> bool:
    """Whether an entry says nothing."""
    return not word or word.casefold() in marks


def marked(
    words: Iterable[str],
    *,
    given: Sequence[str] | None = None,
    classes: Sequence[str] = (),
    uncertain: bool = False,
) -> set[str]:
    """Which of a column's different words mean that an entry is missing.

    Args:
        words: the different words.
        given: the marks that the user names, in place of those that are usual.
        classes: the classes that the user states.
        uncertain: whether −1 is missing beside 1 alone, as other columns of the table have it.
    """
    stated = {plain(word) for word in classes}
    some = {word for word in words if plain(word) not in stated or not word}
    if given is not None:
        known = {plain(word).casefold() for word in given}
        return {word for word in some if not word or plain(word).casefold() in known}
    found = {word for word in some if missing(word)}
    return found | _marked_numbers(some - found, uncertain=uncertain)


def _marked_numbers(words: set[str], *, uncertain: bool) -> set[str]:
    numbers = {word: number(word) for word in words}
    below = {word for word, value in numbers.items() if value is not None and value < 0}
    rest = {value for word, value in numbers.items() if word not in below}
    if not rest or not all(plain(word) in NUMBERS for word in below):
        return set()
    pair = rest == {1} and {plain(word) for word in below} == {"-1"} and not uncertain
    return set() if pair else below


def far_nines(numbers: Mapping[str, float]) -> str:
    """A largest number of nines alone, far beyond all others, as coded tables mark what is missing.

    >>> far_nines({"0": 0, "1": 1, "9": 9}), far_nines({"7": 7, "8": 8, "9": 9})
    ('9', '')
    """
    *others, largest = sorted(numbers, key=numbers.__getitem__) or [""]
    if len(others) < 2 or set(largest) != {"9"}:
        return ""
    low, high = numbers[others[0]], numbers[others[-1]]
    return largest if numbers[largest] - high > max(1.0, 0.3 * (high - low)) else ""


def explain_marks(found: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What was taken as missing, in words.

    Args:
        found: for each label the marks in its column, with the rows that have them.
    """
    by_mark: dict[str, dict[str, int]] = {}
    for name, marks in found.items():
        for word, count in marks.items():
            by_mark.setdefault(word, {})[name] = count
    return [_explained(word, rows) for word, rows in by_mark.items()]


def _explained(word: str, rows: Mapping[str, int]) -> str:
    where = ", ".join(f"{name} ({count} rows)" for name, count in rows.items())
    name = quote(next(iter(rows)))
    keeps = "a class" if number(word) is None else "a value"
    advice = f"--missing-marks {name}= makes it {keeps}"
    if plain(word) == "-1":
        advice = f"--missing-marks {name}=0 if 0 is what is missing; {advice}"
    return f"{word!r} is taken as missing in {where}; {advice}"
