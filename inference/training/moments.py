"""What a checkpoint keeps of an optimiser, held against the parameters that it is of."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim import Optimizer

PREFIX = "optimizer."

SQUARES, COUNT = "exp_avg_sq", "step"
MOMENTS = ("exp_avg", SQUARES, COUNT)
"""What Adam keeps of a parameter."""


def moments_of(optimizer: Optimizer) -> dict[str, Tensor]:
    """An optimiser's state as tensors by name, ``optimizer.INDEX.MOMENT``."""
    return {
        f"{PREFIX}{index}.{name}": torch.as_tensor(value)
        for index, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
    }


def load_moments(optimizer: Optimizer, tensors: Mapping[str, Tensor], count: int | None) -> None:
    """Take on what :func:`moments_of` gave; other tensors are left alone.

    Args:
        optimizer: Adam, over the parameters. count: of the parameters that have a state, if known.

    Raises:
        ValueError: where something is missing, or is no such state of these parameters.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(PREFIX):
            index, name = _place(key, len(parameters))
            _check(key, name, value, parameters[index])
            states.setdefault(index, {})[name] = value
    for index, state in states.items():
        if missing := [name for name in MOMENTS if name not in state]:
            raise ValueError(f"no {', '.join(missing)} of parameter {index} in it")
    if count is not None and count != len(states):
        raise ValueError(f"moments of {len(states)} parameters are in it, of {count} were written")
    optimizer.load_state_dict(optimizer.state_dict() | {"state": states})
    # Fused steps walk through a parameter and its moments in the order of memory, which a file
    # does not keep: channels-last weights need channels-last moments.
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter).copy_(value)


def _place(key: str, count: int) -> tuple[int, str]:
    """The parameter's index and the moment that a tensor's name says."""
    index, _, name = key.removeprefix(PREFIX).partition(".")
    if not (index.isdecimal() and name in MOMENTS):
        raise ValueError(f"{key} is none of an optimiser's")
    if int(index) >= count:
        raise ValueError(f"{key} is of parameter {int(index)}, of which there are {count}")
    return int(index), name


def _check(key: str, name: str, value: Tensor, parameter: Tensor) -> None:
    """Raise for what Adam cannot have come to."""
    expected = torch.Size() if name == COUNT else parameter.shape
    if value.shape != expected:
        raise ValueError(f"{key} is of shape {tuple(value.shape)}, not {tuple(expected)}")
    if name != COUNT and value.dtype != parameter.dtype:
        raise ValueError(f"{key} is of {value.dtype}, not {parameter.dtype}")
    if value.is_complex() or not value.double().isfinite().all():
        raise ValueError(f"{key} is not finite")
    if name in (SQUARES, COUNT) and (value < 0).any():
        raise ValueError(f"{key} is negative")
