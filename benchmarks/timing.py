"""Training steps in turns: how the benchmarks compare what steps cost."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Hashable
from statistics import median
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

Step = Callable[[], Tensor]
Key = TypeVar("Key", bound=Hashable)
"""What steps are named by."""

LEAST = 8
"""Turns that are measured by default, whatever they take."""


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


def measure(steps: dict[Key, Step], seconds: float, least: int = LEAST) -> dict[Key, list[float]]:
    """Seconds of every step in every turn; one more turn warms up and does not count.

    The steps run in turns in one process, so that whatever else the machine does falls on all, and
    in a new order each turn, so that what one leaves behind (in caches, in the allocator) does too.
    With one thread the seconds are those of the processor, in which others' turns do not count.

    Args:
        steps: by name.
        seconds: no turn begins after so many, once there have been ``least`` of them.
        least: turns that are measured, whatever they take.
    """
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    taken: dict[Key, list[float]] = {name: [] for name in steps}
    end = time.perf_counter() + seconds
    for turn in itertools.count():
        if turn > least and time.perf_counter() > end:
            return taken
        for name in random.Random(turn).sample(list(steps), len(steps)):
            start = clock()
            steps[name]()
            if turn:
                taken[name].append(clock() - start)
    raise AssertionError("turns without end")


def peak(step: Step) -> int:
    """The most bytes that torch's allocator held during a step beyond those it held before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step()
    assert profiler.profiler is not None
    events = profiler.profiler.kineto_results.events()
    sizes = [event.nbytes() for event in events if event.name() == "[memory]"]
    return max(itertools.accumulate(sizes, initial=0))


def ratio(seconds: list[float], bare: list[float]) -> float:
    """The median of a step's ratios to another step of the same turn."""
    return median(s / b for s, b in zip(seconds, bare, strict=True))
