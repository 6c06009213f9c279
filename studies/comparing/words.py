"""What words ask of a comparison: lists of programs and objectives, seeds, settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from reprlib import repr
from typing import Any

import msgspec

from ...config import Config

Grid = dict[str, tuple[Any, ...]]
"""For options of a training the values that are tried."""

OWN = ("program", "objective", "labelled", "seed")
"""Options of a training that a comparison has lists of."""

SHARED = ("data", "only", "inputs", "labelled_schedule", "balanced", "validation")
"""Options that no setting of the grid has: they decide which rows, and which of their labels, a
training sees or is tried on, so that settings could not be held against each other."""


MOST_SEEDS = 1000
"""Repetitions that a number may ask for."""


def listed(text: str) -> list[str]:
    """The words of a list, separated by commas that stand in no bracket.

    >>> listed("ccvae, pyro:RenyiELBO(alpha=0.5,num_particles=10)")
    ['ccvae', 'pyro:RenyiELBO(alpha=0.5,num_particles=10)']
    """
    words, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            words.append("")
        else:
            words[-1] += letter
    return [word.strip() for word in words if word.strip()]


def programs_of(text: str) -> list[str]:
    """The programs of a list, in which ``module:model,guide`` is one.

    >>> programs_of("m2,mine:model,guide@mine:batches,vae")
    ['m2', 'mine:model,guide@mine:batches', 'vae']
    """
    found: list[str] = []
    for word in listed(text):
        is_guide = ":" not in word.partition("@")[0]
        if found and is_guide and ":" in found[-1] and "," not in found[-1]:
            found[-1] += f",{word}"
        else:
            found.append(word)
    return found


def word_of(given: object) -> str:
    """A word as it is, and of a class the word for it.

    A run's directory names what it trains, so that it can be read and trained elsewhere.

    Raises:
        ValueError: for another object.
    """
    if isinstance(given, type):
        return f"{given.__module__}:{given.__qualname__}"
    if not isinstance(given, str):
        raise ValueError(
            f"a comparison names what it trains by words, got {repr(given)}; write it into a file "
            "and give 'module:model,guide' of programs and 'module:Class(…)' of an objective"
        )
    return given


def fractions_of(text: str) -> list[float]:
    """The labelled fractions of a list.

    Raises:
        ValueError: for what is no number.
    """
    try:
        return [float(word) for word in listed(text)]
    except ValueError as error:
        raise ValueError(
            f"expected labelled fractions as 0.02,0.2, got {text!r}; {error}"
        ) from error


def seeds_of(text: str) -> list[int]:
    """The seeds of a list, or as many as one number says, from 0.

    >>> seeds_of("3"), seeds_of("4,9")
    ([0, 1, 2], [4, 9])

    Raises:
        ValueError: for what is no whole number, or no seed.
    """
    try:
        numbers = [int(word) for word in listed(text)]
    except ValueError as error:
        raise ValueError(
            f"expected how many seeds, as 5, or which, as 4,9, got {text!r}"
        ) from error
    if len(numbers) != 1:
        return numbers
    if not 1 <= numbers[0] <= MOST_SEEDS:
        raise ValueError(
            f"expected how many seeds, from 1 to {MOST_SEEDS}, or which, as 4,9, got {text!r}"
        )
    return list(range(numbers[0]))


def grid_of(words: Iterable[str]) -> Grid:
    """The settings that are tried, from words as ``alpha=30,300,3000``.

    Raises:
        ValueError: for a word that is not so, or an option that a training does not have.
    """
    grid: Grid = {}
    for word in words:
        name, equals, values = word.partition("=")
        if not equals or not listed(values):
            raise ValueError(f"expected settings as alpha=30,300,3000, got {word!r}")
        grid[name.strip()] = tuple(listed(values))
    return checked(grid)


def checked(grid: Grid) -> Grid:
    """A grid with its values as a training takes them.

    Raises:
        ValueError: as :func:`grid_of`.
    """
    return {name: _values(name, values) for name, values in grid.items()}


def _values(name: str, values: Sequence[Any]) -> tuple[Any, ...]:
    known = [option.name for option in fields(Config) if option.name not in OWN + SHARED]
    option = name.replace("-", "_")
    if option not in known:
        raise ValueError(
            f"a training has no option {name!r} that could be tried in several settings; choose "
            f"among {', '.join(known)}"
        )
    try:
        # Not strict, so that words become numbers.
        found = [msgspec.convert({option: value}, Config, strict=False) for value in values]
    except msgspec.ValidationError as error:
        raise ValueError(f"the settings of {name} in the grid: {error}") from error
    return tuple(dict.fromkeys(vars(config)[option] for config in found))
