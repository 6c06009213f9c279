"""What a comparison is asked for, and the cells that it consists of.

A *method* is a program with the objective that trains it. A *cell* is one training: a method in one
setting of the grid, at one labelled fraction, with one seed. Methods of one seed share their
labelled rows and the order of their rows; those of one program share their initial weights too.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ...config import Config
from ...data import LabelSpace
from ...inference.catalogue import ENTRIES, build_objective
from ...inference.objectives.draw import LIMIT
from ...inference.runs.facts import modules_of
from ...loading import choose
from .words import OWN, Grid, checked

CLASSIFIER, MAJORITY = "plain classifier", "majority class"
"""Names of the baselines among the methods."""

FOR_CLASSIFIERS = frozenset(
    {"network", "epochs", "batch_size", "lr", "schedule", "still", "keep", "average"}
)
"""Options that the plain classifier has as well, and is tried in all settings of."""

WEIGHTS = ("alpha", "alpha_d", "warm_up")
"""Options that only some objectives have; others do without."""


class Method(NamedTuple):
    """A program with the objective that trains it; the baselines have no program."""

    program: str
    objective: str

    @property
    def name(self) -> str:
        """What it is called in tables.

        >>> Method("ccvae", "ccvae").name, Method("ccvae", "marginal").name
        ('ccvae', 'ccvae/marginal')
        """
        if not self.program or self.objective in ("", self.program):
            return self.program or CLASSIFIER
        return f"{self.program}/{self.objective}"


BASELINE = Method("", "")


@dataclass(frozen=True)
class Cell:
    """One training of a comparison.

    Attributes:
        method: what is trained. config: what the training is asked for.
        setting: where in the grid it stands, by option.
    """

    method: Method
    config: Config
    setting: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """The name of its directory, which tells it from every other cell."""
        words = [self.method.name.replace("/", "-").replace(" ", "-"), *map(_said, self.setting)]
        whole = "-".join([*words, f"F{self.config.labelled:g}", f"seed{self.config.seed}"])
        safe = re.sub(r"[^\w.=+-]", "_", whole)
        if safe != whole or len(safe) > 120:  # two names could become one
            safe = f"{safe[:100]}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"
        return safe

    @property
    def setting_text(self) -> str:
        """Its setting in words, empty where nothing was tried."""
        return ", ".join(map(_said, self.setting))


def _said(setting: tuple[str, Any]) -> str:
    name, value = setting
    return f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"


@dataclass(frozen=True)
class Comparison:
    """What a comparison is asked for.

    Attributes:
        base: what all trainings share.
        programs, objectives: see :meth:`methods`. labelled, seeds: one training for each.
        grid: options of a training with the values that are tried of each.
        reference: the method that others are held against; the first by default.
        criterion: what chooses among settings on validation rows: accuracy, r2, bound or
            reconstruction_l1; the first of these that there is, by default.

    Raises:
        ValueError: for an empty list, or a value that no training can have.
    """

    base: Config = Config()  # noqa: RUF009, frozen
    programs: tuple[str, ...] = (Config.program,)
    objectives: tuple[str, ...] = ()
    labelled: tuple[float, ...] = (Config.labelled,)
    seeds: tuple[int, ...] = (0, 1, 2)
    grid: Grid = field(default_factory=dict)
    reference: str = ""
    criterion: str = ""

    def __post_init__(self) -> None:
        for name in ("programs", "labelled", "seeds"):
            values = vars(self)[name]
            if not values or len(set(values)) < len(values):
                raise ValueError(f"expected different {name}, at least one, got {values}")
        for fraction, seed in itertools.product(self.labelled, self.seeds):
            replace(self.base, labelled=fraction, seed=seed)
        if self.criterion:
            choose("criterion", self.criterion, CRITERIA)
        object.__setattr__(self, "grid", checked(self.grid))

    def methods(self, space: LabelSpace | None = None) -> tuple[Method, ...]:
        """Each program with those of the objectives that apply to it.

        An objective of the suite applies to the programs that ``ccvae models`` lists it for,
        ``PROGRAM/OBJECTIVE`` to that program alone, and any other word to all programs. A program
        that none of the suite's is asked for is also trained by its own.

        Args:
            space: the labels; where they have too many settings for an exact sum over them
                together, an objective that samples them takes its place.

        Raises:
            ValueError: for an objective that applies to no program.
        """
        found = [Method(p, o) for p in self.programs for o in _objectives(p, self.objectives)]
        for word in self.objectives:
            bound, _, name = word.rpartition("/")
            if not any(m.objective == name and bound in ("", m.program) for m in found):
                raise ValueError(
                    f"the objective {word!r} applies to none of {', '.join(self.programs)}; "
                    "'ccvae models' lists what does"
                )
        if space is not None:
            found = [_summable(method, space) for method in found]
        return tuple(dict.fromkeys(found))

    def cells(self, space: LabelSpace) -> list[Cell]:
        """All cells, those of the first seed first, so that an early look shows every method."""
        methods = (*self.methods(space), BASELINE)
        return [
            cell
            for seed in self.seeds
            for fraction in self.labelled
            for method in methods
            for cell in self._settings(method, replace(self.base, labelled=fraction, seed=seed))
        ]

    def referred(self, methods: Sequence[Method]) -> str:
        """The name of the method that others are held against.

        Raises:
            ValueError: for one that is not there.
        """
        if not self.reference:
            return methods[0].name
        names = [method.name for method in methods]
        short = [m.name for m in methods if self.reference in (m.objective or m.program,)]
        if self.reference in names or self.reference in (CLASSIFIER, MAJORITY):
            return self.reference
        if len(short) == 1:
            return short[0]
        choose("reference", self.reference, [*names, CLASSIFIER, MAJORITY])
        return self.reference

    def modules(self) -> set[str]:
        """The modules of a user's that its words name."""
        words = [*self.programs, *(word.rpartition("/")[2] for word in self.objectives)]
        configs = [self.base, *(Config(objective=word) for word in words)]
        networks = self.grid.get("network", ())
        configs += [Config(network=network) for network in networks]
        return set().union(*map(modules_of, configs))

    def _settings(self, method: Method, config: Config) -> list[Cell]:
        """The cells of a method at one fraction with one seed."""
        if method == BASELINE:
            grid = {k: v for k, v in self.grid.items() if k in FOR_CLASSIFIERS}
        else:
            config = replace(config, program=method.program, objective=method.objective)
            config = _without_strangers(config)
            grid = {k: v for k, v in self.grid.items() if _has(config, k, v[0])}
        options = [[(name, value) for value in values] for name, values in grid.items()]
        return [
            Cell(method, replace(config, **dict(setting)), setting)
            for setting in itertools.product(*options)
        ]


PLAIN = re.compile(r"[\w-]+")
"""A name of the suite's; what is written otherwise may apply to any program."""

CRITERIA = ("accuracy", "r2", "bound", "reconstruction_l1")
"""What may choose among settings; the last is the smaller the better."""


def _objectives(program: str, words: Sequence[str]) -> list[str]:
    """The objectives of a program among some words; its own too, where none of the suite's is."""
    known = ENTRIES[program].objectives if program in ENTRIES else {}
    mine = []
    for word in words:
        bound, _, name = word.rpartition("/")
        if bound == program or (not bound and (name in known or not PLAIN.fullmatch(name))):
            mine.append(name)
    if known and not set(mine) & set(known):
        mine.insert(0, program)
    return mine


def _summable(method: Method, space: LabelSpace) -> Method:
    """A method whose sum over missing labels can be taken, or another of its program's."""
    entry = ENTRIES.get(method.program)
    settings = math.prod(count for count in space.classes if count)
    if entry is None or not entry.sums_jointly or settings <= LIMIT:
        return method
    if method.objective in ("", method.program):
        sampling = next(name for name in entry.objectives if name != method.program)
        return method._replace(objective=sampling)
    return method


def _without_strangers(config: Config) -> Config:
    """A configuration without the weights that its objective does not have."""
    for name in WEIGHTS:
        value = vars(config)[name]
        if value and not _has(config, name, value):
            config = replace(config, **{name: vars(Config())[name]})
    return config


def _has(config: Config, name: str, value: Any) -> bool:
    """Whether an option means something to the objective of a configuration."""
    if name not in WEIGHTS:
        return True
    bare = replace(config, **{weight: vars(Config())[weight] for weight in WEIGHTS})
    try:
        build_objective(bare)
    except ValueError:  # no cell of it will do; each says so
        return False
    try:
        build_objective(replace(bare, **{name: value}))
    except ValueError:
        return False
    return True


def to_json(comparison: Comparison) -> dict[str, Any]:
    """A comparison as plain data, as a specification's file has it."""
    base = {
        name: value
        for name, value in vars(comparison.base).items()
        if name not in OWN and value != vars(Config())[name]
    }
    return {
        "programs": list(comparison.programs),
        "objectives": list(comparison.objectives),
        "labelled": list(comparison.labelled),
        "seeds": list(comparison.seeds),
        "grid": {name: list(values) for name, values in comparison.grid.items()},
        "reference": comparison.reference,
        "criterion": comparison.criterion,
        "options": base,
    }
