"""One run of an objective, before a training relies on it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy

import pyro
import torch
from pyro.infer import ELBO, TraceTailAdaptive_ELBO
from torch import Tensor

from ..objectives.base import Objective
from ..objectives.pyros import Pyros
from ..objectives.sites import Program
from .dry_run import in_words
from .finite import rows_in_words


def check_loss(
    objective: ELBO,
    model: Program,
    guide: Program,
    args: tuple[object, ...],
    kwargs: dict[str, object],
    numbers: bool,
) -> None:
    """Run the objective once, with Pyro's validation on where there are numbers to validate.

    Raises:
        ValueError: as Pyro words it, or naming a term that is not finite.
    """
    objective = copy(objective)  # Pyro's note the depth of the plates that they see first
    name = type(objective).__name__
    try:
        with pyro.validation_enabled(numbers), _strict(objective):
            if isinstance(objective, Objective):
                _, terms = objective.loss_and_terms(model, guide, args, kwargs)
            else:
                terms = {"loss": loss_of(objective, model, guide, *args, **kwargs)}
    except ValueError:
        raise
    except Exception as error:
        if "mean field" not in str(error):
            raise ValueError(
                f"the objective {name} failed on this pair with {in_words(error)}; choose one that "
                "applies to the programs, or correct them"
            ) from error
        raise ValueError(
            f"{name} needs a guide whose sites do not depend on each other, which it can tell only "
            "where they are drawn in the model's order; write them in that order, or use Trace_ELBO"
        ) from error
    # The tail-adaptive loss has a gradient and no value.
    valued = numbers and not isinstance(objective, TraceTailAdaptive_ELBO)
    for term, value in terms.items():
        if valued and not value.isfinite().all():
            where = f" {rows_in_words(~value.isfinite())}" if value.dim() else ""
            raise ValueError(
                f"expected finite terms of {name}, got NaN or infinity in {term!r}{where}; look at "
                "the sites in the term and at those rows of the batch"
            )


@contextmanager
def _strict(objective: ELBO) -> Iterator[None]:
    """Of what Pyro warns under one of its objectives by name, raise what makes its value wrong."""
    with warnings.catch_warnings():
        if isinstance(objective, Pyros):
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", "Failed to verify mean field", UserWarning)
        yield


def loss_of(objective: ELBO, *args: object, **kwargs: object) -> Tensor:
    """The loss of an objective that is not the suite's; some have it in one of two ways alone."""
    try:
        return torch.as_tensor(objective.loss(*args, **kwargs))
    except (AttributeError, NotImplementedError):
        with torch.enable_grad():
            return objective.differentiable_loss(*args, **kwargs)
