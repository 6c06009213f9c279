"""Training steps in turns: how the benchmarks compare what steps cost."""

from __future__ import annotations

import argparse
import itertools
import random
import time
from collections.abc import Callable, Hashable, Sequence
from statistics import median
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from ..inference.training.engine import keep_freed_memory
from ..inference.training.optimisation import descend

Step = Callable[[], Tensor]
Key = TypeVar("Key", bound=Hashable)
"""What steps are named by."""

LEAST = 8
"""Turns that are measured by default, whatever they take."""


def options_of(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> Any:
    """A benchmark's options; the processor and the memory are then as the benchmarks have them.

    Adds ``--threads``, and asks the C library to keep freed memory, as a training does.

    Args:
        parser: with the options of its own. arguments: those of the command line by default.
    """
    parser.add_argument("--threads", type=int, help="threads of torch (its own choice)")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    keep_freed_memory()
    return options


def trained(module: nn.Module, loss: Callable[[], Tensor]) -> Step:
    """A step of training: the loss, its gradient, and fused Adam."""
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-4, fused=True)

    return lambda: descend(optimiser, loss)


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
