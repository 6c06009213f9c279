"""Accuracy label by label beside the majority class: which labels were learnt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..drawing.tables import Cell, Table, fixed, mean_and_error
from .plan import MAJORITY
from .rows import Row, fractions_of, methods_of, values

COLUMN = re.compile(r"accuracy\[(.*)\]", re.S)


def labels_of(rows: Sequence[Row]) -> list[str]:
    """The labels with classes that the rows have figures of."""
    found = (COLUMN.fullmatch(column) for row in rows for column in row)
    return list(dict.fromkeys(match[1] for match in found if match))


def tables(rows: Sequence[Row]) -> Iterator[Table]:
    """Mean accuracy by label and method, a table for each fraction; none of a single label."""
    names, fractions = labels_of(rows), fractions_of(rows)
    methods = [name for name in methods_of(rows) if any(_of(rows, name, f) for f in fractions)]
    for fraction in fractions if len(names) > 1 else []:
        body: list[tuple[Cell, ...]] = [
            (name, *(_mean(rows, method, fraction, name) for method in methods)) for name in names
        ]
        several = len(fractions) > 1
        at, stem = (f" at F = {fraction:g}", f"labels-{fraction:g}") if several else ("", "labels")
        columns = ("label", *methods)
        yield Table(stem, f"Mean accuracy by label, %{at}", columns, tuple(body))


def _of(rows: Sequence[Row], method: str, fraction: float) -> list[str]:
    """The labels that a method has a figure of."""
    return [name for name in labels_of(rows) if values(rows, method, fraction, _key(name))]


def _key(label: str) -> str:
    return f"accuracy[{label}]"


def _mean(rows: Sequence[Row], method: str, fraction: float, label: str) -> str | None:
    figure = mean_and_error(100 * v for v in values(rows, method, fraction, _key(label)).values())
    return None if figure is None else fixed(figure.mean)


def not_learnt(rows: Sequence[Row]) -> Iterator[str]:
    """Which labels no seed of a method names better than the majority class, a paragraph at most.

    A label of which all test rows have one class is left out: nothing can be told of it.
    """
    said = []
    for fraction in fractions_of(rows):
        at = f" at F = {fraction:g}" if len(fractions_of(rows)) > 1 else ""
        methods: dict[tuple[str, ...], list[str]] = {}
        for method in methods_of(rows):
            missed = tuple(
                name for name in labels_of(rows) if _is_missed(rows, method, fraction, name)
            )
            if missed and method != MAJORITY:
                methods.setdefault(missed, []).append(method)
        said += [f"{', '.join(m)} by {', '.join(by)}{at}" for m, by in methods.items()]
    if said:
        yield (
            "*Not learnt*, named no better than by the majority class on every seed: "
            f"{'; '.join(said)}."
        )


def _is_missed(rows: Sequence[Row], method: str, fraction: float, label: str) -> bool:
    own, plain = (values(rows, name, fraction, _key(label)) for name in (method, MAJORITY))
    seeds = own.keys() & plain.keys()
    return bool(seeds) and all(own[seed] <= plain[seed] < 1 for seed in seeds)
