"""Training steps in turns: how the benchmarks compare what steps cost."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from statistics import median

import torch
from torch import Tensor, nn

Step = Callable[[], Tensor]


def parse(
    name: str, description: str, arguments: Sequence[str] | None, *, repetitions: int
) -> argparse.Namespace:
    """The options of a benchmark of steps; sets the threads of torch where they are given."""
    parser = argparse.ArgumentParser(
        prog=f"python -m ccvae.benchmarks.{name}", description=description
    )
    turns = f"turns, {repetitions} by default"
    parser.add_argument("--repetitions", type=int, default=repetitions, help=turns)
    parser.add_argument("--batch", type=int, default=200, help="images in a batch, 200 by default")
    parser.add_argument("--threads", type=int, help="threads of torch, its own choice by default")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    return options


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
