"""Which objectives apply to a comparison's programs, and which options mean something to them."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from typing import Any

from ...config import Config
from ...data import LabelSpace
from ...inference.catalogue import ENTRIES, build_objective, objective_class
from ...inference.objectives.draw import LIMIT
from ...inference.objectives.pyros import OBJECTIVES as PYROS
from ...loading import load_attribute
from ...words import PYRO, is_own, modules_of_programs, read_programs, read_sum

WEIGHTS = ("alpha", "alpha_d", "warm_up")
"""Options that only some objectives have; others do without."""

PLAIN = re.compile(r"[\w-]+")
"""A name of the suite's; what is written otherwise may apply to any program."""


def objectives_of(program: str, words: Sequence[str]) -> list[str]:
    """The objectives of a program among some words; its own too, where none of the suite's is."""
    known = ENTRIES[program].objectives if program in ENTRIES else {}
    mine = []
    for word in words:
        bound, _, name = word.rpartition("/")
        if bound == program or (not bound and _may(name, known)):
            mine.append(name)
    if known and not set(mine) & set(known):
        mine.insert(0, program)
    return mine or [""]  # of a user's program, what it is trained by without a word


def known_to(programs: Iterable[str]) -> list[str]:
    """The suite's objectives of some programs, and Pyro's."""
    entries = [ENTRIES[program] for program in programs if program in ENTRIES]
    names = [name for entry in entries for name in entry.objectives]
    return list(dict.fromkeys([*names, *(f"{PYRO}:{name}" for name in PYROS)]))


def check_named(methods: Iterable[tuple[str, str, str]]) -> None:
    """Raise where a program or an objective is none, or cannot be loaded, before others train.

    Args:
        methods: program, objective and minibatches of each.

    Raises:
        ValueError: naming it.
    """
    for program, objective, _ in methods:
        objective_class(Config(program=program, objective=objective))
        if is_own(program) and modules_of_programs(program):
            module, model, guide = read_programs(program)
            for name in filter(None, (model, guide)):
                load_attribute(f"{module}:{name}")


def _may(word: str, known: Container[str]) -> bool:
    """Whether an objective may apply to a program, each part of a sum."""
    return all(part in known or not PLAIN.fullmatch(part) for _, part in read_sum(word))


def summable(program: str, objective: str, space: LabelSpace) -> str:
    """An objective whose sum over missing labels can be taken, or else another of its program's."""
    entry = ENTRIES.get(program)
    settings = math.prod(count for count in space.classes if count)
    if entry is None or not entry.sums_jointly or settings <= LIMIT:
        return objective
    if objective not in ("", program):
        return objective
    return next(name for name in entry.objectives if name != program)


def without_strangers(config: Config) -> Config:
    """A configuration without weights, and schedules of weights, that its objective lacks."""
    for name in WEIGHTS:
        value = vars(config)[name]
        if value and not has(config, name, value):
            config = replace(config, **{name: vars(Config())[name]})
    rate = config.rate_schedule
    pieces = [piece for piece in config.schedule.split(",") if "=" in piece]
    own = [piece for piece in pieces if _builds(replace(config, schedule=f"{rate},{piece}"))]
    return replace(config, schedule=",".join([rate, *own])) if len(own) < len(pieces) else config


def has(config: Config, name: str, value: Any) -> bool:
    """Whether an option means something to the objective of a configuration."""
    if name in config.unread:
        return False
    if name not in WEIGHTS:
        return True
    bare = replace(config, **{weight: vars(Config())[weight] for weight in WEIGHTS})
    if not _builds(bare):  # no cell of it will do; each says so
        return False
    try:
        return _builds(replace(bare, **{name: value}))
    except ValueError:  # its weight is scheduled
        return False


def _builds(config: Config) -> bool:
    try:
        build_objective(config)
    except ValueError:
        return False
    return True
