"""What kind of label a column is: as the user states it, or by rules that are said aloud.

* One of the pairs 0 and 1, −1 and 1, false and true, no and yes is **binary**.
* Up to :data:`FEW` different whole numbers are classes without order (**categorical**), or with one
  (**ordinal**) where the column's name says so: grade, stage, score, level and the like.
* More whole numbers, and numbers with decimals, are **real**, unless the name says that they are
  classes (label, class, species and the like).
* Words are classes without order. Whether they have one is not guessed but asked for.
* Numbers of rows, of patients and the like are no labels.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from shlex import quote
from typing import Literal, NamedTuple

from .cache import TOLERATED, tolerable
from .forms import Binary, Categorical, Label, Ordinal, Real
from .identifiers import CLASSES, FEW, refuse_identifiers
from .marks import far_nines, number, plain
from .spelling import likely_order, one_spelling
from .table import simplified

PAIRS = (("0", "1"), ("-1", "1"), ("false", "true"), ("no", "yes"))
"""How absence and presence are written."""

MOST_CLASSES = 50
"""A column with more different words is not taken for a label unless its classes are stated."""

_WHOLE = re.compile(r"[+-]?\d+")
_ORDERED = re.compile(
    r"(.*_)?(grade|stage|score|level|rating|severity|degree|rank|count|num|children|stars|quality"
    r"|density|birads)"
)


class Stated(NamedTuple):
    """A kind as the user states it, and its classes where he names them.

    Attributes:
        kind: ``""`` to infer it. classes: in order, if they are named. separator: between the
            words of an entry that holds several.
    """

    kind: Literal["", "binary", "categorical", "ordinal", "real", "several"] = ""
    classes: tuple[str, ...] = ()
    separator: str = ""


SEVERAL = {"comma": ",", "semicolon": ";", "blank": " ", "space": " ", "bar": "|"}
"""Separators that have a name since ``--kinds`` or the shell would take them for its own."""


def parse_kinds(text: str) -> dict[str, str]:
    """The kinds that a user states: ``Smiling=binary,Hair=black|blond,Age=real``.

    Raises:
        ValueError: where it is not written so, or one label has two kinds.
    """
    kinds: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, kind = (word.strip() for word in part.partition("="))
        if not (name and equals and kind):
            raise ValueError(
                f"expected label kinds as NAME=binary, NAME=categorical, NAME=class|class, "
                f"NAME=real or NAME=ordinal:low<high, separated by commas, got {part!r}"
            )
        if kinds.get(name, kind) != kind:
            raise ValueError(
                f"expected one kind of {name!r}, got {kinds[name]} and {kind}; state one of them"
            )
        kinds[name] = kind
    return kinds


def stated(name: str, kind: str) -> Stated:
    """A label's kind as :func:`parse_kinds` has it.

    Raises:
        ValueError: for an unknown kind.
    """
    word, _, rest = (part.strip() for part in kind.partition(":"))
    if word == "ordinal":
        parts = rest.split("|" if "|" in rest else "<") if rest else []
        return Stated("ordinal", tuple(part.strip() for part in parts))
    if word == "several":
        return Stated("several", separator=SEVERAL.get(rest, rest))
    if "|" in kind:
        return Stated("categorical", tuple(part.strip() for part in kind.split("|")))
    match kind:
        case "" | "binary" | "categorical" | "real":
            return Stated(kind)
    raise ValueError(
        f"label {name!r}: expected the kind binary, categorical or classes separated by |, real, "
        f"ordinal:low<high or several, got {kind!r}"
    )


@dataclass(frozen=True)
class Meaning:
    """A label, and the code of each word that has one.

    Attributes:
        label: what the column means.
        codes: by word in its plain spelling; numbers of a real label in its own units.
        expected: which words have codes, for messages.
        notes: rules that decided, where another reading is as possible.
        folded: whether the case of a word does not matter.
    """

    label: Label
    codes: Mapping[str, float]
    expected: str
    notes: tuple[str, ...] = ()
    folded: bool = False

    def code(self, word: str) -> float | None:
        """The code of a word as it stands in a column."""
        spelled = plain(word)
        return self.codes.get(spelled.casefold() if self.folded else spelled)


def meaning(name: str, counts: Mapping[str, int], how: Stated) -> Meaning:
    """What a column of words means.

    Args:
        name: of the label. counts: the rows of each word, without those that mean missing.
        how: as the user states it.

    Raises:
        ValueError: where the words are no label: none at all, a single class, too many different
            ones.
    """
    if not counts and how.kind in ("", "categorical", "real", "ordinal") and not how.classes:
        raise ValueError(f"label {name!r} has no entry; fill the column, or leave it out")
    if how.classes:
        label = (Ordinal if how.kind == "ordinal" else Categorical)(name, how.classes)
        return _classes(label)
    pair = _pair(counts, stated=bool(how.kind)) if how.kind in ("", "binary") else None
    if pair:
        codes = {word: float(code) for code, word in enumerate(pair)}
        return Meaning(Binary(name), codes, f"one of {', '.join(pair)}", folded=True)
    numbers = {plain(word): value for word in counts if (value := number(word)) is not None}
    if how.kind == "real":
        return _real(name, numbers)
    if how.kind == "ordinal":
        return _ordered(name, counts, numbers)
    found = _inferred(name, counts, numbers, how)
    odd = "" if how.kind else far_nines(numbers)
    advice = f"{odd} may mean missing; if so, give --missing-marks {quote(f'{name}={odd}')}"
    return _noting(found, advice) if odd else found


def _inferred(
    name: str, counts: Mapping[str, int], numbers: Mapping[str, float], how: Stated
) -> Meaning:
    """Classes or a number, whichever the column looks like."""
    words = {plain(word) for word in counts}
    whole = all(value == round(value) for value in numbers.values())
    strange = sum(count for word, count in counts.items() if plain(word) not in numbers)
    numeric = len(words) == len(numbers) or (
        len(numbers) > FEW and tolerable(strange, sum(counts.values()))
    )
    title = simplified(name)
    if not how.kind:
        refuse_identifiers(name, counts, words if not numeric else set(numbers))
    if numeric and not how.kind and not (CLASSES.fullmatch(title) and whole):
        if len(numbers) > (FEW if whole else 2):
            return _real(name, numbers, whole=whole)
        if whole and len(numbers) > 2 and _ORDERED.fullmatch(title):
            return _noting(
                _ordered(name, counts, numbers),
                "its name says that its numbers have an order; --kinds "
                f"{quote(name)}=categorical says otherwise",
            )
    found = _classes(Categorical(name, _sorted(name, counts, stated=bool(how.kind))))
    if how.kind:
        return found
    if numeric and len(numbers) > 2:
        kind = f"{name}=ordinal:{'<'.join(found.label.classes)}"
        return _noting(
            found,
            f"its {len(numbers)} different numbers are taken as classes without order; --kinds "
            f"{quote(kind)} or {quote(name)}=real says otherwise",
        )
    return _asking_for_order(_one_spelling(found, counts))


def _classes(label: Label) -> Meaning:
    codes = {plain(word): float(code) for code, word in enumerate(label.classes)}
    return Meaning(label, codes, f"one of {', '.join(codes)}")


def _real(name: str, numbers: Mapping[str, float], *, whole: bool = False) -> Meaning:
    found = Meaning(Real(name), numbers, "a number")
    if not numbers:
        raise ValueError(f"label {name!r} has no number; correct --kinds, or leave it out")
    if not whole:
        return found
    low, high = min(numbers.values()), max(numbers.values())
    return _noting(
        found,
        f"its {len(numbers)} different whole numbers from {low:g} to {high:g} are taken as a "
        f"number; --kinds {quote(name)}=categorical makes them classes",
    )


def _ordered(name: str, counts: Mapping[str, int], numbers: Mapping[str, float]) -> Meaning:
    words = {plain(word) for word in counts}
    if words != set(numbers):
        shown = "<".join(sorted(words - set(numbers))[:6])
        raise ValueError(
            f"label {name!r}: expected its classes in their order, which words do not say; give "
            f"--kinds {quote(f'{name}=ordinal:{shown}')}, lowest first"
        )
    return _classes(Ordinal(name, tuple(sorted(words, key=numbers.__getitem__))))


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
    numeric = any(number(word) is not None for word in outside)
    few = count <= TOLERATED * total if numeric else tolerable(count, total)
    return best if few and all(found[word] for word in best) else None


def _sorted(name: str, counts: Mapping[str, int], *, stated: bool) -> tuple[str, ...]:
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
            f"out, or give --kinds {quote(name)}=categorical"
        )
    return tuple(classes)


def _one_spelling(found: Meaning, counts: Mapping[str, int]) -> Meaning:
    """The classes, those that differ in case, blanks or dashes alone made one."""
    rows: Counter[str] = Counter()
    for word, count in counts.items():
        rows[plain(word)] += count
    name, kept = found.label.name, one_spelling(rows)
    classes = sorted(set(kept.values()))
    others = [word for word in found.label.classes if kept[word] != word]
    if not others:
        return found
    if len(classes) == 1:
        raise ValueError(
            f"label {name!r} has a single class, {classes[0]!r}, in several spellings; leave it "
            "out, or state its classes with --kinds"
        )
    pairs = ", ".join(f"{word!r} as {kept[word]!r}" for word in others)
    apart = f"{name}={'|'.join(found.label.classes)}"
    note = f"{name}: {pairs} is another spelling; --kinds {quote(apart)} keeps them apart"
    codes = {word: float(classes.index(best)) for word, best in kept.items()}
    return replace(_classes(Categorical(name, tuple(classes))), codes=codes, notes=(note,))


def _asking_for_order(found: Meaning) -> Meaning:
    """The meaning, with the question whether its classes have an order if they look like it."""
    order = likely_order(found.label.classes)
    if not order:
        return found
    name = found.label.name
    kind = f"{name}=ordinal:{'<'.join(order)}"
    return _noting(
        found,
        f"words do not say whether its classes have an order; if so, give --kinds {quote(kind)}",
    )


def _noting(found: Meaning, note: str) -> Meaning:
    return replace(found, notes=(*found.notes, f"{found.label.name}: {note}"))
