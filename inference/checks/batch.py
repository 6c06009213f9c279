"""Whether a batch is one that the suite's programs are called with."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import torch
from pyro import poutine
from torch import Tensor

from ...data import LabelSpace
from ...models.program import NetworkProgram
from ..objectives.sites import Program
from .dry_run import Run


def check_labels(model: Program, args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
    """Raise where one of the suite's programs is given labels that are none of its space's.

    Raises:
        ValueError: saying what they are: one-hot codes, whole numbers, codes for missing ones.
    """
    if not isinstance(model, NetworkProgram):
        return
    if not isinstance(space := space_of(model), LabelSpace):
        return
    given = arguments(model, args, kwargs)
    y = given.get("y")
    if not given:
        return  # that it cannot be called so is said where it is called
    if not isinstance(y, Tensor):
        raise ValueError(
            f"expected labels as floats of shape (rows, {len(space)}), got {type(y).__name__}; "
            "give torch.full((rows, labels), torch.nan) where none is known"
        )
    if y.device.type == "cpu":  # elsewhere a number would have to be read back
        space.check(y)


def check_images(
    model: Program, q: Run, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> None:
    """Raise where one of the suite's guides failed as its images have another shape.

    Raises:
        ValueError: with the shape of the model's images.
    """
    given = arguments(model, args, kwargs) if isinstance(model, NetworkProgram) else {}
    x = given.get("x")
    if q.error is None or not isinstance(x, Tensor) or not isinstance(model, NetworkProgram):
        return
    try:
        trace = poutine.trace(model).get_trace(**{**given, "x": None})
        shape = tuple(trace.nodes["x"]["fn"].event_shape)
    except Exception:  # the model's own mistakes are said of the model
        return
    if tuple(x.shape[1:]) != shape:
        raise ValueError(
            f"expected images of shape (rows, {', '.join(map(str, shape))}), got "
            f"{tuple(x.shape)}; build the networks for the images, or give them as they were built"
        )


def arguments(
    model: torch.nn.Module, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> dict[str, object]:
    """What a program is called with by name; nothing where it cannot be called so."""
    try:
        return dict(inspect.signature(model.forward).bind(*args, **kwargs).arguments)
    except TypeError:
        return {}


def space_of(model: NetworkProgram) -> object:
    """The label space that a program states, if it does."""
    return vars(model).get("space")
