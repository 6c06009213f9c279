"""Training steps in turns: how the benchmarks compare what steps cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn

Step = Callable[[], Tensor]


def trained(module: nn.Module, loss: Callable[[], Tensor]) -> Step:
    """A step of training: the loss, its gradient, and fused Adam."""
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-4, fused=True)

    def step() -> Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        optimiser.step()
        return value

    return step


def measure(steps: dict[str, Step], repetitions: int) -> dict[str, list[float]]:
    """Seconds of every step in every turn; one more turn warms up and does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(repetitions + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def table(seconds: dict[str, list[float]]) -> str:
    """Median milliseconds of each step, and the median of its ratios to the first of each turn."""
    bare = next(iter(seconds.values()))
    lines = [f"{'step':28}{'ms':>8}{'ratio':>8}"]
    for name, values in seconds.items():
        ratio = median(v / b for v, b in zip(values, bare, strict=True))
        lines.append(f"{name:28}{1e3 * median(values):8.1f}{ratio:8.2f}")
    return "\n".join(lines)
