"""Whether all that a pair computes with is on one device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from torch import Tensor

from ..objectives.sites import Program
from ..objectives.store import modules


def named_tensors(
    model: Program, guide: Program, args: tuple[object, ...], kwargs: dict[str, object]
) -> dict[str, Tensor]:
    """Parameters and buffers of both programs, then the tensors among the arguments."""
    found: dict[str, Tensor] = {}
    for side, program in (("model", model), ("guide", guide)):
        for module in modules(program):
            found |= {f"{side} parameter {name!r}": p for name, p in module.named_parameters()}
            found |= {f"{side} buffer {name!r}": b for name, b in module.named_buffers()}
    return found | {n: value for n, value in nested(args, kwargs) if isinstance(value, Tensor)}


def nested(args: tuple[object, ...], kwargs: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """What arguments hold, in their dictionaries, lists and tuples too, each with its name."""
    pending = [(f"args[{i}]", value) for i, value in enumerate(args)]
    pending += [(f"kwargs[{key!r}]", value) for key, value in kwargs.items()]
    while pending:
        name, value = pending.pop(0)
        if isinstance(value, dict):
            pending += [(f"{name}[{key!r}]", item) for key, item in value.items()]
        elif isinstance(value, list | tuple):
            pending += [(f"{name}[{i}]", item) for i, item in enumerate(value)]
        else:
            yield name, value


def check_devices(tensors: dict[str, Tensor]) -> None:
    """Raise unless all tensors are on one device.

    Raises:
        ValueError: naming the first that is not where most are.
    """
    for device, _ in Counter(tensor.device for tensor in tensors.values()).most_common(1):
        first = next(name for name, tensor in tensors.items() if tensor.device == device)
        for name, tensor in tensors.items():
            if tensor.device != device:
                raise ValueError(
                    f"expected every tensor on {device}, as {first}, got {name} on "
                    f"{tensor.device}; move programs and batch there with .to({str(device)!r})"
                )
