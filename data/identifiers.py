"""Columns that are no labels: numbers of rows, of patients and the like, dates, documents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from shlex import quote

from .table import simplified

FEW = 10
"""Up to so many different whole numbers are classes."""

_WHOLE = re.compile(r"[+-]?\d+")
_IDENTIFIERS = re.compile(
    r"(.*_)?(id|ids|uid|uuid|guid|patient|subject|person|participant|identity|study|accession|case"
    r"|lesion|mrn|serial|index|number|nr|no|row|imagenum)"
)
CLASSES = re.compile(
    r"(.*_)?(class|classes|label|labels|category|species|breed|type|target|y|digit|character"
    r"|letter|code|group|cluster|race|ethnicity)(_id|_no|_index|_number)?"
)
"""Names of columns whose numbers are classes."""

_COUNTED = re.compile(r"(\D*)\d+(\D*)")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*")


def refuse_identifiers(name: str, counts: Mapping[str, int], words: set[str]) -> None:
    """Raise where a column numbers rows, patients or the like, or holds dates or documents."""
    shown = ", ".join(sorted(words)[:3])
    if any(word.startswith(("{", "[{")) for word in words):
        raise ValueError(f"label {name!r} holds JSON; write a column for each label that is in it")
    dates = bool(words) and all(map(_DATE.fullmatch, words))
    if len(words) <= FEW and not dates:
        return
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)  # PatientID
    title, total = simplified(name), sum(counts.values())
    numbers = sorted(int(word) for word in words if _WHOLE.fullmatch(word))
    run = len(numbers) == len(words) == total and numbers in (
        list(range(total)),
        list(range(1, total + 1)),
    )
    if dates:
        looks = "dates"
    elif run:
        looks = "numbers of the rows"
    elif CLASSES.fullmatch(title):
        return
    elif _IDENTIFIERS.fullmatch(simplified(apart)) or (len(words) < total and _counted(words)):
        looks = "identifiers"
    else:
        return
    raise ValueError(
        f"label {name!r} has {len(words)} different values that look like {looks} ({shown}, …); "
        f"leave it out, or give --kinds {quote(name)}=categorical or {quote(name)}=real"
    )


def _counted(words: set[str]) -> bool:
    """Whether words are one word with different numbers."""
    found = {match.groups() if (match := _COUNTED.fullmatch(word)) else None for word in words}
    return len(found) == 1 and None not in found and found != {("", "")}
