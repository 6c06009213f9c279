"""Whether another device computes what the CPU computes, program by program.

Both devices get the same weights, the same rows and, through :class:`HostNoise`, the same noise, so
what differs is arithmetic alone: the loss and every term are compared relative to the loss, the
gradient relative to its own length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyro
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..config import Config
from ..data import Batch, Dataset
from ..inference.catalogue import PROGRAMS, build_objective, build_pair
from .step import LINKS, PATTERNS, patterns

TOLERANCES = {torch.float64: 1e-9, torch.float32: 1e-4}
"""Of values. A gradient may differ by a hundred times as much: that of a Laplace density jumps
where a pixel crosses its mean."""

DRAWS = ("normal_", "uniform_", "exponential_", "random_", "bernoulli_")
"""What fills a tensor with noise in place."""

MADE = ("randn_like", "rand_like", "randn", "rand", "bernoulli", "multinomial", "normal", "randint")
"""What makes a tensor of noise."""


class HostNoise(TorchFunctionMode):
    """Draw all noise on the host, with its global generator, whatever device it is for."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name, kwargs = getattr(func, "__name__", ""), dict(kwargs or {})
        if name not in DRAWS + MADE:
            return func(*args, **kwargs)
        tensors = [arg for arg in args if isinstance(arg, Tensor)]
        device = kwargs.pop("device", None) or (tensors[0].device if tensors else None)
        if name in DRAWS:
            host = torch.empty(args[0].shape, dtype=args[0].dtype)
            return args[0].copy_(func(host, *args[1:], **kwargs))
        there = [arg.cpu() if isinstance(arg, Tensor) else arg for arg in args]
        drawn = func(*there, **kwargs)
        return drawn if device is None else drawn.to(device)


@dataclass(frozen=True)
class Parity:
    """How far a device is from the CPU on one program, objective, link and pattern.

    Attributes:
        program, objective, link, pattern: which. dtype: of weights and images.
        values, gradient: largest relative differences; NaN where something is not finite.
    """

    program: str
    objective: str
    link: str
    pattern: str
    dtype: torch.dtype
    values: float
    gradient: float

    @property
    def holds(self) -> bool:
        """Whether both are within :data:`TOLERANCES`."""
        tolerance = TOLERANCES[self.dtype]
        return self.values <= tolerance and self.gradient <= 100 * tolerance


def cells() -> Iterator[tuple[str, str, str, str]]:
    """Every program, objective, link and pattern of missing labels."""
    for program, objectives in PROGRAMS.items():
        for objective in objectives:
            links = ("probit", "logit") if program in LINKS else ("probit",)
            for link in links:
                for pattern in PATTERNS:
                    yield program, objective, link, pattern


def compare(data: Dataset, rows: int, device: torch.device, dtype: torch.dtype) -> list[Parity]:
    """Every cell on the CPU and on a device.

    Args:
        data: with domains. rows: in a batch.
    """
    batches = dict(patterns(data, rows))
    found = []
    for program, objective, link, pattern in cells():
        config = Config(program=program, objective=objective, link=link, network="mlp", style=6)
        torch.manual_seed(0)
        pair = build_pair(config, data.space, data.shape, None, data.domain_count)
        both = [
            computed(config, pair, moved(batches[pattern], place, dtype), place, dtype)
            for place in (torch.device("cpu"), device)
        ]
        values, gradient = differences(*both)
        found.append(Parity(program, objective, link, pattern, dtype, values, gradient))
    return found


def moved(batch: Batch, device: torch.device, dtype: torch.dtype) -> Batch:
    """A batch on a device, its images and labels in a dtype."""
    d = None if batch.d is None else batch.d.to(device)
    x, y = batch.x.to(device, dtype), batch.y.to(device, dtype)
    return Batch(x, y, d, batch.index.to(device), batch.size)


def computed(
    config: Config,
    pair: tuple[nn.Module, nn.Module],
    batch: Batch,
    device: torch.device,
    dtype: torch.dtype,
) -> dict[str, Tensor]:
    """The loss, its terms and its gradient, on the host in double precision."""
    module = build_objective(config)(*(program.to(device, dtype) for program in pair))
    module.zero_grad()
    with (
        pyro.get_param_store().scope(),
        pyro.validation_enabled(False),
        HostNoise(),
    ):
        torch.manual_seed(1)
        loss = module(*batch.args, **batch.kwargs)
        loss.backward()
    gradients = [p.grad.flatten() for p in module.parameters() if p.grad is not None]
    found = {"loss": loss, **module.terms, "gradient": torch.cat(gradients)}
    return {name: value.detach().cpu().double() for name, value in found.items()}


def differences(one: dict[str, Tensor], other: dict[str, Tensor]) -> tuple[float, float]:
    """The largest relative difference of values, and that of the gradient.

    Raises:
        ValueError: where the two do not have the same terms.
    """
    if one.keys() != other.keys():
        raise ValueError(f"expected the terms {sorted(one)}, got {sorted(other)}")
    scale = one["loss"].abs()
    names = [name for name in one if name != "gradient"]
    values = [((one[name].sum() - other[name].sum()).abs() / scale).item() for name in names]
    length = one["gradient"].norm()
    gradient = ((one["gradient"] - other["gradient"]).norm() / length).item()
    finite = all(value == value for value in values)
    return max(values) if finite else float("nan"), gradient
