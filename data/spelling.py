"""Classes written in several spellings, and classes that seem to have an order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

SCALES = (
    ("very low", "low", "mid", "middle", "medium", "moderate", "normal", "high", "very high"),
    ("none", "no", "minimal", "mild", "moderate", "severe", "proliferative"),
    ("tiny", "small", "medium", "large", "huge"),
    ("xs", "s", "m", "l", "xl", "xxl"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("very bad", "bad", "poor", "fair", "average", "good", "very good", "excellent"),
    (
        "baby",
        "infant",
        "toddler",
        "child",
        "teen",
        "teenager",
        "young",
        "adult",
        "middle",
        "middle-aged",
        "senior",
        "old",
        "elderly",
    ),
    ("i", "ii", "iii", "iv", "v", "vi"),
    ("primary", "secondary", "tertiary"),
    ("disagree", "neutral", "agree"),
)
"""Words that are commonly used in an order, lowest first."""


def one_spelling(rows: Mapping[str, int]) -> dict[str, str]:
    """For each class the spelling that it is kept in: the commonest of those that differ little.

    Args:
        rows: of each class, how many there are.

    >>> one_spelling({"blond": 3, "Blond": 1, "light-red": 1, "light red": 2})["Blond"]
    'blond'
    """
    groups: dict[str, list[str]] = {}
    for word in rows:
        groups.setdefault(re.sub(r"[\s_\-]+", " ", word).strip().casefold(), []).append(word)
    return {
        word: min(same, key=lambda each: (-rows[each], each))
        for same in groups.values()
        for word in same
    }


def likely_order(classes: Sequence[str]) -> tuple[str, ...]:
    """The order that classes of well-known words or with numbers may have, lowest first.

    >>> likely_order(("10-19", "3-9", "more than 70"))
    ('3-9', '10-19', 'more than 70')
    >>> likely_order(("severe", "mild", "moderate"))
    ('mild', 'moderate', 'severe')
    >>> likely_order(("red", "green", "blue"))
    ()
    """
    numbers = {word: re.search(r"\d+(\.\d+)?", word) for word in classes}
    values = {word: float(match[0]) for word, match in numbers.items() if match}
    if len(values) == len(classes) == len(set(values.values())) > 2:
        return tuple(sorted(classes, key=values.__getitem__))
    bare = {re.sub(r"^(stage|grade|level|type|class)[\s_]*", "", w.casefold()): w for w in classes}
    for scale in SCALES:
        if len(bare) > 2 and set(bare) <= set(scale):
            return tuple(bare[word] for word in scale if word in bare)
    return ()
