"""What a comparison is asked for, and the cells that it consists of.

A *method* is a program with the objective that trains it. A *cell* is one training: a method in one
setting of the grid, at one labelled fraction, with one seed. Methods of one seed share their
labelled rows and the order of their rows; those of one program share their initial weights too.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ...config import Config
from ...data import LabelSpace
from ...inference.runs.facts import modules_of
from ...loading import choose, near
from ...words import is_own
from .applying import has, known_to, objectives_of, summable, without_strangers
from .words import OWN, Grid, checked

CLASSIFIER, MAJORITY = "plain classifier", "majority class"
"""Names of the baselines among the methods."""

FOR_CLASSIFIERS = frozenset(
    {"network", "epochs", "batch_size", "lr", "schedule", "still", "keep", "average"}
)
"""Options that the plain classifier has as well, and is tried in all settings of."""


class Method(NamedTuple):
    """A program with the objective that trains it; the baselines have no program.

    ``inputs`` gives minibatches of its own in the place of the data set's.
    """

    program: str
    objective: str
    inputs: str = ""

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
        labelled: the fraction at which it stands. setting: where in the grid, by option.
    """

    method: Method
    config: Config
    labelled: float
    setting: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """The name of its directory, which tells it from every other cell."""
        words = [self.method.name.replace("/", "-").replace(" ", "-"), *map(_said, self.setting)]
        whole = "-".join([*words, f"F{self.labelled:g}", f"seed{self.config.seed}"])
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

        Programs of the user's may have minibatches of their own, as
        ``module:model,guide@module:inputs``.

        An objective of the suite applies to the programs that ``ccvae models`` lists it for,
        ``PROGRAM/OBJECTIVE`` to that program alone, and any other word to all programs. A program
        that none of the suite's is asked for is also trained by its own.

        Args:
            space: the labels; where they have too many settings for an exact sum over them
                together, an objective that samples them takes its place.

        Raises:
            ValueError: for an objective that applies to no program.
        """
        found = [method for word in self.programs for method in self._of(word)]
        for word in self.objectives:
            bound, _, name = word.rpartition("/")
            if not any(m.objective == name and bound in ("", m.program) for m in found):
                known = known_to(self.programs)
                meant = near(name, known) if name not in known else ""
                raise ValueError(
                    f"the objective {word!r}{meant} applies to none of "
                    f"{', '.join(self.programs)}; "
                    "'ccvae models' lists what does"
                )
        if space is not None:
            found = [m._replace(objective=summable(m.program, m.objective, space)) for m in found]
        return tuple(dict.fromkeys(found))

    def cells(self, space: LabelSpace | None) -> list[Cell]:
        """All cells, those of the first seed first, so that an early look shows every method.

        Args:
            space: the labels; None where no program takes the data set's.
        """
        methods = (*self.methods(space), *((BASELINE,) if space else ()))
        return [
            cell
            for seed in self.seeds
            for fraction in self.labelled
            for method in methods
            if not method.inputs or fraction == self.labelled[0]
            for cell in self._settings(method, replace(self.base, labelled=fraction, seed=seed))
        ]

    @property
    def takes_data(self) -> bool:
        """Whether any program takes the data set's images."""
        return not all(method.inputs for method in self.methods())

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
        words = [word.rpartition("/")[2] for word in self.objectives]
        configs = [self.base, *(Config(objective=word) for word in words)]
        configs += [Config(program=m.program, inputs=m.inputs) for m in self.methods()]
        networks = self.grid.get("network", ())
        configs += [Config(network=network) for network in networks]
        return set().union(*map(modules_of, configs))

    def _of(self, word: str) -> list[Method]:
        """The methods of a program's word."""
        program, _, inputs = word.partition("@")
        inputs = inputs or (self.base.inputs if is_own(program) else "")
        return [Method(program, name, inputs) for name in objectives_of(program, self.objectives)]

    def _settings(self, method: Method, config: Config) -> list[Cell]:
        """The cells of a method at one fraction with one seed."""
        fraction = config.labelled
        if method == BASELINE:
            grid = {k: v for k, v in self.grid.items() if k in FOR_CLASSIFIERS}
        else:
            config = replace(
                config, program=method.program, objective=method.objective, inputs=method.inputs
            )
            config = without_strangers(config.without_unread())
            grid = {k: v for k, v in self.grid.items() if has(config, k, v[0])}
        options = [[(name, value) for value in values] for name, values in grid.items()]
        return [
            Cell(method, replace(config, **dict(setting)), fraction, setting)
            for setting in itertools.product(*options)
        ]


CRITERIA = ("accuracy", "r2", "bound", "reconstruction_l1")
"""What may choose among settings; the last is the smaller the better."""


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
