"""Which weights an objective takes that a slider can move."""

from __future__ import annotations

import inspect

from ..config import Config
from ..inference.catalogue import objective_class
from ..inference.objectives.pyros import Pyros
from ..words import read_call, read_sum


def weights(config: Config) -> dict[str, float]:
    """The weights that a configured objective takes, α and β, with what they are if left alone.

    A sum has none that could be told apart; of Pyro's objectives one has an α that is no weight.

    Raises:
        ValueError: for an objective that is not known.
    """
    kind, parts = objective_class(config), read_sum(config.objective_name)
    if len(parts) > 1 or issubclass(kind, Pyros):
        return {}
    call = read_call(parts[0].word)
    bound = inspect.signature(kind).bind_partial(*call.args, **call.kwargs)
    bound.apply_defaults()
    given = {name: bound.arguments.get(name) for name in ("alpha", "beta")}
    return {name: float(value) for name, value in given.items() if isinstance(value, int | float)}
