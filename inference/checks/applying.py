"""Whether an objective applies to a pair, and which would."""

from __future__ import annotations

from pyro.infer import ELBO

from ...words import PYRO
from ..objectives.pyros import OBJECTIVES, Pyros
from ..objectives.sites import Program
from .pair import check_pair


def check_applies(
    model: Program, guide: Program, *args: object, objective: ELBO, **kwargs: object
) -> None:
    """As :func:`check_pair`; where one of Pyro's by name does not apply, say which of them do.

    Raises:
        ValueError: as there.
    """
    try:
        check_pair(model, guide, *args, objective=objective, **kwargs)
    except ValueError as error:
        if not isinstance(objective, Pyros):
            raise
        name = type(objective).__name__
        fitting = [
            f"{PYRO}:{other}"
            for other, kind in OBJECTIVES.items()
            if other != name and _applies(model, guide, args, kind(), kwargs)
        ]
        if not fitting:
            raise  # the pair itself is at fault
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{PYRO}:{name} does not apply to this pair ({reason}); give --objective "
            f"{' or '.join(fitting)}"
        ) from error


def _applies(
    model: Program,
    guide: Program,
    args: tuple[object, ...],
    objective: ELBO,
    kwargs: dict[str, object],
) -> bool:
    try:
        check_pair(model, guide, *args, objective=objective, **kwargs)
    except ValueError:
        return False
    return True
