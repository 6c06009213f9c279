"""The weights of an objective, which a schedule may change."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from pyro.infer import ELBO

from ...schedules import Schedule
from .base import Objective
from .composed import WEIGHT, Sum


def weights_of(objective: ELBO) -> dict[str, float]:
    """The numbers that an objective weighs its terms with: what it is made with and keeps.

    Pyro's objectives have none.
    """
    if not isinstance(objective, Objective):
        return {}
    if isinstance(objective, Sum):
        found = dict(objective.weights)
        for part in objective.parts:
            found |= weights_of(part)
        return found
    names = inspect.signature(type(objective).__init__).parameters
    held = {name: vars(objective).get(name) for name in names}
    named = ("alpha", "beta", "weight")
    return {
        name: float(value)
        for name, value in held.items()
        if isinstance(value, float) or (isinstance(value, int) and name.startswith(named))
    }


def weigh(objective: ELBO, name: str, value: float) -> None:
    """Give a weight another value; one of the parts of a sum in all parts that have it."""
    if not isinstance(objective, Sum):
        vars(objective)[name] = value
    elif name in objective.weights:
        objective.weights[name] = value
    else:
        for part in objective.parts:
            if name in weights_of(part):
                weigh(part, name, value)


def scheduled(objective: ELBO, schedules: Sequence[Schedule]) -> dict[str, float]:
    """The weights that change, as they are now."""
    now = weights_of(objective)
    return {each.name: now[each.name] for each in schedules}


def check_schedules(objective: ELBO, word: str, schedules: Sequence[Schedule]) -> None:
    """Raise for a schedule of something that an objective has not, or that ends at no bound.

    Raises:
        ValueError: naming it.
    """
    known = weights_of(objective)
    for each in schedules:
        if each.name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise ValueError(f"the objective {word!r} has no weight {each.name!r} to change; {has}")
        if each.name == "beta" or each.name.startswith(WEIGHT):
            Objective.checked_beta(each.end)
