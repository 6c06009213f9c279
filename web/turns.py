"""Whose turn it is: whatever runs Pyro runs on one thread, a piece after another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")

PYRO = ThreadPoolExecutor(1, "pyro")
"""The one thread on which Pyro runs: its handlers and random numbers belong to the process."""


async def beside(work: Callable[..., Result], *arguments: Any) -> Result:
    """What a function returns that waits for another process, and need not wait for a turn."""
    return await asyncio.to_thread(work, *arguments)


async def do(work: Callable[..., Result], *arguments: Any) -> Result:
    """What a function returns that runs Pyro, once its turn has come.

    Who asks waits in a queue, a training for every step anew: so it delays a slider by one step.
    """
    return await asyncio.get_running_loop().run_in_executor(PYRO, work, *arguments)
