"""The names that the command line knows, and how a configuration becomes a pair of programs."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from copy import deepcopy

from pyro.infer import ELBO
from torch import Tensor

from ..config import Config
from ..data import LabelSpace
from ..faults import place_of
from ..guides import LINKS
from ..loading import choose, load_attribute, load_class
from ..models import LIKELIHOODS, Laplace
from ..models.likelihoods import Likelihood
from ..networks import Shape, build
from ..words import PYRO, Call, Part, is_own, read_call, read_sum
from .foreign import own_pair
from .objectives.base import Objective
from .objectives.composed import Sum
from .objectives.literals import pyros
from .objectives.pyros import OBJECTIVES as PYROS
from .objectives.weights import check_schedules
from .programs import ENTRIES as ENTRIES
from .programs import PROGRAMS as PROGRAMS
from .programs import Pair as Pair
from .programs import Parts as Parts
from .programs import ProgramEntry as ProgramEntry
from .programs import Signature as Signature


def objective_class(config: Config) -> type[ELBO]:
    """What the configured objective is made by: a class of the suite's, of Pyro's or of the user's.

    Raises:
        ValueError: for a name that is none of them.
    """
    if not is_own(config.program):
        choose("program", config.program, PROGRAMS)
    calls = [read_call(part.word) for part in read_sum(config.objective_name)]
    kinds = [_class_of(call, config.program) for call in calls]
    # Of a sum the part with a rule for α is asked for it.
    ruled = (kind for kind in kinds if issubclass(kind, Objective) and kind.label_weight)
    return next(ruled, kinds[0])


def _class_of(call: Call, program: str) -> type[ELBO]:
    if call.module == PYRO:
        choose(f"objective of {PYRO}", call.name, PYROS)
        return PYROS[call.name]
    if call.module:
        made = _there(call)
        if made is None:
            return load_class(call.path, ELBO)
        return Objective if isinstance(made, Objective) else type(made)  # no rule for its α
    known = PROGRAMS.get(program, {})
    choose(f"objective of {program}", call.path, [*known, *(f"{PYRO}:{name}" for name in PYROS)])
    return known[call.path]


def _there(call: Call) -> ELBO | None:
    """The objective that a word names, where it names no class but what somebody made of one."""
    found = load_attribute(call.path) if call.module not in ("", PYRO) else None
    return found if isinstance(found, ELBO) else None


def build_objective(config: Config) -> ELBO:
    """The configured objective, see :mod:`ccvae.words` for the words that name one.

    Raises:
        ValueError: for a name that is none, or arguments that it does not have.
    """
    given = {"alpha": config.alpha, "alpha_d": config.alpha_d, "warm_up": config.warm_up or None}
    options = {name: value for name, value in given.items() if value is not None}
    objective = _sum_of(read_sum(config.objective_name), config, options)
    check_schedules(objective, config.objective_name, config.weight_schedules)
    return objective


def _sum_of(parts: list[Part], config: Config, options: dict[str, float]) -> ELBO:
    """One objective, or a sum of several, each of which has the options that it takes."""
    if len(parts) == 1 and parts[0].weight == 1:
        return _made(parts[0].word, config.program, options)
    made = []
    for part in parts:
        kind = _class_of(read_call(part.word), config.program)
        takes = inspect.signature(kind.__init__).parameters
        given = {name: value for name, value in options.items() if name in takes}
        made.append(_made(part.word, config.program, given))
    own = [each for each in made if isinstance(each, Objective)]
    if len(own) < len(made):
        raise ValueError(
            f"expected a sum of objectives with named terms, got {config.objective_name!r}; "
            f"{PYRO}'s stand alone"
        )
    flat = [
        (part.weight * weight, each)
        for part, objective in zip(parts, own, strict=True)
        for weight, each in objective.weighted_parts()  # of a sum that has a name of its own
    ]
    return Sum([weight for weight, _ in flat], [each for _, each in flat])


def _made(word: str, program: str, options: dict[str, float]) -> ELBO:
    """An objective by its word, with what the command line gives it beside its own arguments."""
    call = read_call(word)
    kind = _class_of(call, program)
    if call.module == PYRO:
        if options:
            raise ValueError(
                f"{word} has no {' and no '.join(options)}; leave the option out, or choose an "
                "objective of the suite"
            )
        return pyros(call)
    made = _there(call)
    if made is not None:
        if call.args or call.kwargs or options:
            given = ", ".join(map(str, [*call.args, *call.kwargs, *options]))
            raise ValueError(
                f"{call.path} is an objective that is made already and takes no {given}; change it "
                "in its file, or name a class"
            )
        return deepcopy(made)  # a training may change its weights
    options = {**options, **call.kwargs}
    try:
        objective: ELBO = kind(*call.args, **options)
    except TypeError as error:
        raise ValueError(
            f"the objective {word!r} could not be made with {options or 'no options'} ({error}); "
            "give --alpha, --alpha-d and --warm-up only to objectives that have them"
        ) from error
    except Exception as error:
        if not call.module:
            raise
        raise ValueError(
            f"the objective {word!r} failed at {place_of(error) or 'its start'} with "
            f"{type(error).__name__}: {error}; correct what it does there"
        ) from error
    return objective


def build_pair(
    config: Config,
    space: LabelSpace,
    shape: Shape,
    frequencies: Sequence[Tensor] | None = None,
    domains: int = 0,
) -> Pair:
    """Model and guide for images of ``shape`` (C, H, W) with the labels of ``space``.

    Args:
        config: which program, with which networks and likelihood.
        space, shape: of the data set.
        frequencies: p(y), as ``space.frequencies(labels)`` returns it; uniform by default.
        domains: number of domains of the data set, for programs that have them.

    Raises:
        ValueError: where the network does not fit the images, or the data the program.
    """
    if is_own(config.program):
        return own_pair(config.program, space, config.seed)
    choose("program", config.program, PROGRAMS)
    choose("link", config.link, LINKS)
    choose("heads", config.heads, build.HEADS)
    build.check(config.network, shape)
    likelihood = build_likelihood(config)
    numbers = shape[0] * likelihood.parameters_per_channel
    signature = Signature(space, shape, domains)
    parts = Parts(config, signature, likelihood, numbers, frequencies)
    return ENTRIES[config.program].build(parts)


def build_likelihood(config: Config) -> Likelihood:
    """The configured likelihood.

    Raises:
        ValueError: for an unknown name, or a scale for a likelihood that has none.
    """
    choose("likelihood", config.likelihood, LIKELIHOODS)
    kind = LIKELIHOODS[config.likelihood]
    if issubclass(kind, Laplace):
        return kind(config.scale, learn=config.learn_scale)
    if config.learn_scale or config.scale != 1:
        raise ValueError(
            f"the likelihood {config.likelihood!r} has no scale; drop --scale and --learn-scale, "
            "or choose laplace or normal"
        )
    return kind()
