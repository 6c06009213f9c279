"""A small batch to run a program on, with a chosen pattern of missing labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..config import Config
from ..data import Batch, Dataset
from ..data.spec import load
from ..inference.catalogue import build_objective, build_pair
from ..loading import load_attribute
from ..words import PYRO
from .inspection import Inspection, inspected
from .recording.arguments import Program, bound
from .recording.statements import place_of

PATTERNS = ("none", "all", "some")
"""Which labels the rows of an example have."""

ROWS = 6

FACES, LABELS = "faces:16", "Smiling,Eyeglasses,Hair"
"""What programs are shown on by default: few faces, with labels of two kinds."""


def inspect_program(
    config: Config, labels: str = "some", *, deterministic: bool = False
) -> Inspection:
    """Inspect a program of the suite, with new weights, on a few rows of its data set.

    Args:
        config: which program, objective, data set and networks.
        labels: ``"none"``, ``"all"`` or ``"some"``: which labels the rows have.
        deterministic: draw ``pyro.deterministic`` as nodes.

    Raises:
        ValueError: for a name that is not known, or parts that do not fit.
    """
    dataset = load(*_few(config))
    model, guide = build_pair(config, dataset.space, dataset.shape, None, dataset.domain_count)
    objective = build_objective(config)
    batch = example_batch(dataset, labels)
    name = f"{config.program} with the objective {config.objective_name}"
    name = f"{name}, {labels} of the labels known"
    return inspected(
        model,
        guide,
        batch.args,
        batch.kwargs,
        objective=objective,
        name=name,
        deterministic=deterministic,
    )


def inspect_own(
    path: str, inputs: str, config: Config, labels: str = "some", *, deterministic: bool = False
) -> Inspection:
    """Inspect programs of the user's.

    Args:
        path: ``module:model,guide``, where both may be methods, ``module:vae.model,vae.guide``; or
            ``module:model`` for a model without a guide.
        inputs: ``module:function``, which returns what both are called with: a sequence of
            positional arguments, a dictionary of keywords, or a pair of both. ``""`` calls them as
            the suite's programs are, on a few rows of a data set.
        config: the data set, and an objective as ``module:attribute`` or none.
        labels, deterministic: see :func:`inspect_program`.

    Raises:
        ValueError: where one of them cannot be loaded, or is not what it should be.
    """
    module, _, names = path.partition(":")
    model, comma, guide = (part.strip() for part in names.partition(","))
    if not model or (comma and not guide) or "," in guide:
        raise ValueError(
            f"expected module:model,guide or module:model, got {path!r}; name one program or two"
        )
    programs = [_program(module, name) for name in (model, guide) if name]
    if inputs:
        args, kwargs = _arguments(_called(inputs), inputs)
    else:
        batch = example_batch(load(*_few(config)), labels)
        args, kwargs = batch.args, batch.kwargs
        _check_default_inputs(programs[0], args, kwargs)
    objective = _objective(config) if config.objective and guide else None
    try:
        return inspected(
            programs[0],
            programs[1] if guide else None,
            args,
            kwargs,
            objective=objective,
            name=path,
            deterministic=deterministic,
        )
    except ValueError:
        raise
    except Exception as error:
        words = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ValueError(
            f"{path} could not be run as Pyro programs{place_of(error)} ({words}); name a "
            "model and a guide"
        ) from error


def _program(module: str, name: str) -> Program:
    """A function, a method or a module of the user's.

    Raises:
        ValueError: where it is none.
    """
    program = load_attribute(f"{module}:{name}")
    if isinstance(program, type) or not callable(program):
        raise ValueError(
            f"expected {name!r} of {module} to be a function or a module, got {program!r}; give an "
            "instance that can be called"
        )
    return program


def _called(path: str) -> Any:
    """What a function of the user's returns, or an instance of a class.

    Raises:
        ValueError: where it fails, with its file and line.
    """
    function = load_attribute(path)
    try:
        return function()
    except Exception as error:
        words = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ValueError(
            f"{path} failed{place_of(error)} with {words}; correct it, or name another function"
        ) from error


def _check_default_inputs(program: Program, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise where a program does not take what the suite's are called with.

    Raises:
        ValueError: with the option that gives it others.
    """
    try:
        bound(program, tuple(args), kwargs)
    except ValueError as error:
        raise ValueError(
            f"{error}: without --inputs programs are called with the suite's x, y, d, index and "
            "size; add --inputs module:function, which returns what yours are called with"
        ) from error


def _objective(config: Config) -> Any:
    """The objective of a word: of Pyro's, with arguments, a sum, or whatever a function returns."""
    if any(mark in config.objective for mark in (f"{PYRO}:", "(", "+", "*")):
        return build_objective(config)
    return _called(config.objective)


def _arguments(given: Any, path: str) -> tuple[Sequence[Any], Mapping[str, Any]]:
    if isinstance(given, Iterator):  # minibatches, of which the first is looked at
        given = next(given, None)
    match given:
        case Tensor():
            return (given,), {}
        case (list() | tuple() as args, dict() as kwargs):
            return args, kwargs
        case list() | tuple():
            return given, {}
        case dict():
            return (), given
    raise ValueError(
        f"expected {path} to return a sequence of arguments, a dictionary of keywords or a pair of "
        f"both, got {type(given).__name__}"
    )


def _few(config: Config) -> tuple[str, str]:
    """The data set to show programs on, and its labels."""
    if config.data == "faces":
        return FACES, config.only or LABELS
    return config.data, config.only


def example_batch(dataset: Dataset, labels: str) -> Batch:
    """The first rows of a data set with a pattern of missing labels.

    Args:
        dataset: whose training rows are taken.
        labels: ``"none"`` or ``"all"``, or ``"some"``: all in every third row, none in the next,
            and every second label in the one after that. Domains are known, but with ``"some"``
            not in the rows without labels.

    Raises:
        ValueError: for another pattern.
    """
    if labels not in PATTERNS:
        raise ValueError(f"expected labels to be {', '.join(PATTERNS)}, got {labels!r}")
    rows = dataset.subset(dataset.train)
    batch = rows.batch(torch.arange(min(ROWS, len(rows))))
    row = torch.arange(len(batch.x))[:, None]
    column = torch.arange(batch.y.shape[1])[None]
    missing = {
        "none": row >= 0,
        "all": row < 0,
        "some": (row % 3 == 1) | ((row % 3 == 2) & ((row + column) % 2 == 1)),
    }[labels]
    domains = batch.d
    if domains is not None and labels == "some":
        domains = domains.masked_fill(row[:, 0] % 3 == 1, -1)
    return replace(batch, y=batch.y.masked_fill(missing, torch.nan), d=domains)
