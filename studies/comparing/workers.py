"""Who trains the cells: this process, several on this machine, or the workers of a Dask cluster.

All of them yield every cell with what came of it, in the order in which they end. A cell whose
process was lost is taken up from its checkpoint by another one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import BaseContext
from multiprocessing.synchronize import Event
from typing import Any

import torch

from ...files import say
from ...stopping import Request, Stopped
from .training import Outcome, Task, run_cell

Ended = tuple[Task, Outcome]

LOSSES = 3
"""Lost processes after which a cell counts as failed."""

WAIT_SECONDS, PAUSE_SECONDS = 0.5, 0.05
"""Between two looks at whether somebody asked for an end, and at what a cluster has ended."""


SCHEDULER_SECONDS = 10.0
"""After which no scheduler is taken to be there."""


def in_turn(tasks: Sequence[Task], stop: Request) -> Iterator[Ended]:
    """Train the cells in this process, one after the other.

    Raises:
        Stopped: where ``stop`` was asked for.
    """
    threads = torch.get_num_threads()
    try:
        for task in tasks:
            yield task, run_cell(task, stop)
            _check(stop)
    except Stopped as stopped:
        raise Left(stopped.signal) from stopped
    finally:
        torch.set_num_threads(threads)


class Left(Stopped):
    """A comparison stopped where it was asked to; cells that were begun have checkpoints."""

    def __init__(self, number: int) -> None:
        super().__init__(0, 0, number)
        self.args = ("stopped; what is trained is kept",)


def _check(stop: Request) -> None:
    if stop.asked:
        raise Left(stop.signal)


class _Flag(Request):
    """A request to stop that another process makes."""

    def __init__(self, event: Event) -> None:
        self.event = event

    @property
    def asked(self) -> bool:
        return self.event.is_set()


_stop: Request = Request()
"""Whether a worker's process is asked to stop."""


def _begin(event: Event) -> None:
    """Called in each new process: it ends with its parent, and leaves signals to it."""
    global _stop
    _stop = _Flag(event)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _context() -> BaseContext:
    """How processes begin: copied from one that has imported all and computed nothing, or anew."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([run_cell.__module__, "lightning_fabric"])
    return context


def _train(task: Task) -> Outcome | None:
    try:
        return run_cell(task, _stop)
    except Stopped:
        return None


def in_processes(tasks: Sequence[Task], count: int, stop: Request) -> Iterator[Ended]:
    """Train the cells in processes of this machine.

    A cell that was in a lost process is tried again, and one that was in two is tried alone, so
    that no other is blamed for it.

    Raises:
        Stopped: where ``stop`` was asked for.
    """
    context = _context()
    left, losses = {task.cell.name: task for task in tasks}, Counter[str]()
    while left:
        suspects = [name for name in left if losses[name] > 1]
        names, size = (suspects[:1], 1) if suspects else (list(left), min(count, len(left)))
        event = context.Event()
        pool = ProcessPoolExecutor(size, mp_context=context, initializer=_begin, initargs=(event,))
        running: dict[Future[Outcome | None], Task] = {}
        with pool, contextlib.suppress(BrokenProcessPool):
            for task, outcome in _fed(
                pool, [left[name] for name in names], size, running, event, stop
            ):
                del left[task.cell.name]
                yield task, outcome
        _check(stop)
        for task in running.values():
            losses[task.cell.name] += 1
            say(f"{task.cell.name}: its process was lost; it goes on from its checkpoint")
            if losses[task.cell.name] >= LOSSES:
                del left[task.cell.name]
                yield (
                    task,
                    {"failed": f"its process was lost {LOSSES} times, as for want of memory"},
                )


def _fed(
    pool: ProcessPoolExecutor,
    tasks: Sequence[Task],
    size: int,
    running: dict[Future[Outcome | None], Task],
    event: Event,
    stop: Request,
) -> Iterator[Ended]:
    """Give a pool as many cells as it has processes; ``running`` holds what it has."""
    waiting = iter(tasks)
    while True:
        while len(running) < size and not stop.asked:
            task = next(waiting, None)
            if task is None:
                break
            running[pool.submit(_train, task)] = task
        if not running:
            return
        ended, _ = wait(running, WAIT_SECONDS, FIRST_COMPLETED)
        if stop.asked:
            event.set()
        for future in ended:
            outcome = future.result()
            task = running.pop(future)
            if outcome is not None:
                yield task, outcome


def on_cluster(tasks: Sequence[Task], address: str, stop: Request) -> Iterator[Ended]:
    """Train the cells on the workers of a Dask cluster, which share this machine's folders.

    Dask gives a lost worker's cell to another one, as often as it allows a task to fail.

    Args:
        address: of its scheduler, as ``tcp://10.0.0.1:8786``.

    Raises:
        Stopped: where ``stop`` was asked for; cells that are running go on to their end.
        ValueError: where Dask is not installed, or no scheduler answers.
    """
    client = _client(address)
    try:
        futures = {
            client.submit(_train, task, key=f"{task.cell.name}-{task.asked}", pure=False): task
            for task in tasks
        }
        yield from _ended(client, futures, stop)
    finally:
        client.close()


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise ValueError(
            f"--scheduler needs {error.name}, which is not installed: pip install 'ccvae[cluster]'"
        ) from error
    try:
        return Client(address, timeout=SCHEDULER_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"no Dask scheduler answers at {address!r} ({' '.join(str(error).split())}); give the "
            "address that dask scheduler printed"
        ) from error


def _ended(client: Any, futures: dict[Any, Task], stop: Request) -> Iterator[Ended]:
    from distributed import as_completed

    # Without its loop it looks for a default client, which is the user's business.
    ended = as_completed(futures, loop=client.loop)
    while not ended.is_empty():
        if stop.asked:
            for future in futures:
                future.cancel()
            _check(stop)
        for future in ended.next_batch(block=False):
            task = futures[future]
            error = future.exception()
            if error is not None:
                yield task, {"failed": f"its workers were lost: {' '.join(str(error).split())}"}
                continue
            outcome = future.result()
            if outcome is not None:
                yield task, outcome
        time.sleep(PAUSE_SECONDS)
