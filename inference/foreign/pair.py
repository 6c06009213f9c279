"""Both programs of a user's by their word, made anew for every training."""

from __future__ import annotations

from collections.abc import Callable
from reprlib import repr
from types import MethodType
from typing import Protocol, runtime_checkable

from pyro.util import set_rng_seed
from torch import nn

from ...data import LabelSpace
from ...loading import fresh_attribute
from ...words import read_programs
from ..objectives.sites import Program
from .program import Foreign, ForeignClassifier, Loose

SEEDS = 2**32
"""Below it lie the seeds that NumPy takes."""


@runtime_checkable
class Predicting(Protocol):
    """Whatever predicts, as a user writes it."""

    predict: Callable[..., object]


def own_pair(word: str, space: LabelSpace, seed: int) -> tuple[nn.Module, nn.Module]:
    """The pair that ``module:model,guide`` names.

    The module is run anew under the seed, so that its initial weights follow from it and no other
    training has touched them.

    Args:
        space: of the labels that its guide predicts, if it does. seed: of its weights.

    Raises:
        ValueError: where there are no such programs.
    """
    names = read_programs(word)
    set_rng_seed(seed % SEEDS)
    fresh: dict[str, object] = {}
    model = _program(names.module, names.model, fresh)
    guide = _program(names.module, names.guide, fresh) if names.guide else nothing
    return wrapped(model, guide, space)


def wrapped(model: Program, guide: Program, space: LabelSpace) -> tuple[nn.Module, nn.Module]:
    """Two programs as modules that share what stands in Pyro's store alone."""
    loose = Loose()
    owner = guide.__self__ if isinstance(guide, MethodType) else guide
    if isinstance(owner, Predicting):
        return Foreign(model, loose), ForeignClassifier(guide, loose, owner.predict, space)
    return Foreign(model, loose), Foreign(guide, loose)


def nothing(*_: object, **__: object) -> None:
    """The guide of a model whose latent sites are all summed over, or that has none."""


def _program(module: str, name: str, fresh: dict[str, object]) -> Program:
    program: Program = fresh_attribute(f"{module}:{name}", fresh)
    if isinstance(program, type) or not callable(program):
        raise ValueError(
            f"expected {name!r} of {module} to be a function or a module, got {repr(program)}; "
            "give an instance that can be called"
        )
    return program
