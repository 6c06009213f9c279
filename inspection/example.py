"""A small batch to run a program on, with a chosen pattern of missing labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from ..config import Config
from ..data import Batch, Dataset
from ..data.spec import load
from ..inference.catalogue import build_objective, build_pair
from ..loading import load_attribute
from .inspection import Inspection, inspect_pair

PATTERNS = ("none", "all", "some")
"""Which labels the rows of an example have."""

ROWS = 6

FACES, LABELS = "faces:16", "Smiling,Eyeglasses,Hair"
"""What programs are shown on by default: few faces, with labels of two kinds."""


def inspect_program(config: Config, labels: str = "some") -> Inspection:
    """Inspect a program of the suite, with new weights, on a few rows of its data set.

    Args:
        config: which program, objective, data set and networks.
        labels: ``"none"``, ``"all"`` or ``"some"``: which labels the rows have.

    Raises:
        ValueError: for a name that is not known, or parts that do not fit.
    """
    dataset = load(*_few(config))
    model, guide = build_pair(config, dataset.space, dataset.shape, None, dataset.domain_count)
    objective = build_objective(config)
    batch = example_batch(dataset, labels)
    name = f"{config.program} with the objective {config.objective_name}"
    return inspect_pair(
        model,
        guide,
        *batch.args,
        objective=objective,
        name=f"{name}, {labels} of the labels known",
        **batch.kwargs,
    )


def inspect_own(path: str, inputs: str, config: Config, labels: str = "some") -> Inspection:
    """Inspect programs of the user's.

    Args:
        path: ``module:model,guide``.
        inputs: ``module:function``, which returns what both are called with: a sequence of
            positional arguments, a dictionary of keywords, or a pair of both. ``""`` calls them as
            the suite's programs are, on a few rows of a data set.
        config: the data set, and an objective as ``module:attribute`` or none.
        labels: see :func:`inspect_program`.

    Raises:
        ValueError: where one of them cannot be loaded, or is not what it should be.
    """
    module, _, names = path.partition(":")
    model, comma, guide = names.partition(",")
    if not (model and comma and guide):
        raise ValueError(f"expected module:model,guide, got {path!r}; name both programs")
    programs = [load_attribute(f"{module}:{name.strip()}") for name in (model, guide)]
    for name, program in zip((model, guide), programs, strict=True):
        if isinstance(program, type) or not callable(program):
            raise ValueError(
                f"expected {name!r} of {module} to be a function or a module, got "
                f"{program!r}; give an instance that can be called"
            )
    if inputs:
        args, kwargs = _arguments(load_attribute(inputs)(), inputs)
    else:
        batch = example_batch(load(*_few(config)), labels)
        args, kwargs = batch.args, batch.kwargs
    objective = load_attribute(config.objective)() if config.objective else None
    return inspect_pair(*programs, *args, objective=objective, name=path, **kwargs)


def _arguments(given: Any, path: str) -> tuple[Sequence[Any], Mapping[str, Any]]:
    match given:
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
