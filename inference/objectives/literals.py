"""Pyro's objectives by a word such as ``pyro:RenyiELBO(alpha=0.5)``, with checked arguments."""

from __future__ import annotations

import inspect
from typing import Any

from pyro.infer import ELBO

from ...words import PYRO, Call
from .pyros import OBJECTIVES

ARGUMENTS: dict[str, tuple[float, float]] = {
    "num_particles": (1, 10**4),
    "num_sleep_particles": (1, 10**4),
    "max_plate_nesting": (0, 20),
    "alpha": (-100.0, 100.0),
    "insomnia": (0.0, 1.0),
}
"""The numbers that they are made with, and their ranges; the rest is True or False."""

SWITCHES = ("vectorize_particles", "strict_enumeration_warning", "model_has_params")
"""What is True or False."""


def pyros(call: Call) -> ELBO:
    """The objective that a word such as ``pyro:RenyiELBO(alpha=0.5)`` asks for.

    Raises:
        ValueError: for a name that is none of :data:`OBJECTIVES`, or arguments that it cannot have.
    """
    if call.name not in OBJECTIVES:
        raise ValueError(
            f"unknown objective {call.path!r}; choose {PYRO}: and one of {', '.join(OBJECTIVES)}"
        )
    kind = OBJECTIVES[call.name]
    known = [*ARGUMENTS, *SWITCHES]
    takes = [name for name in inspect.signature(kind.__init__).parameters if name in known]
    if "kwargs" in inspect.signature(kind.__init__).parameters:
        takes += [n for n in inspect.signature(ELBO.__init__).parameters if n in known]
    options = dict(zip(takes, call.args, strict=False)) | call.kwargs
    _check(call, takes, options)
    try:
        objective = kind(**options)
    except (AssertionError, TypeError, ValueError) as error:
        raise ValueError(f"{call.path} cannot be made with {options} ({error})") from error
    return objective


def _check(call: Call, takes: list[str], options: dict[str, Any]) -> None:
    wrong = next((name for name in options if name not in takes), "")
    if wrong or len(call.args) > len(takes):
        what = repr(wrong) if wrong else f"{len(call.args)} arguments"
        raise ValueError(f"{call.path} does not take {what}; it takes {', '.join(takes)}")
    for name, value in options.items():
        if name in SWITCHES:
            fine, words = isinstance(value, bool), "True or False"
        else:
            least, most = ARGUMENTS[name]
            kinds = (int,) if isinstance(most, int) else (int, float)
            fine = isinstance(value, kinds) and not isinstance(value, bool)
            fine = fine and least <= value <= most
            number = "a whole number" if isinstance(most, int) else "a number"
            words = f"{number} from {least} to {most}"
        if not fine:
            raise ValueError(f"expected {name} of {call.path} to be {words}, got {value!r}")
