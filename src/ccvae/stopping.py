"""SIGINT and SIGTERM: the first asks a training to stop after its step, the second stops it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):  # noqa: N818, nothing went wrong
    """A training stopped where it was asked to, with a checkpoint written.

    Attributes:
        epoch, done: where it stands: steps done of which epoch, counted from 0.
        signal: number of the signal that asked.
    """

    def __init__(self, epoch: int, done: int, number: int) -> None:
        self.epoch, self.done, self.signal = epoch, done, number
        super().__init__(f"stopped after step {done} of epoch {epoch + 1}")


class Request:
    """Whether somebody asked to stop.

    Attributes:
        signal: number of the signal that asked; 0 while nobody has.
    """

    signal = 0

    @property
    def asked(self) -> bool:
        """Whether somebody did."""
        return self.signal != 0


@contextmanager
def stop_requests() -> Iterator[Request]:
    """Turn the first SIGINT or SIGTERM inside into a request; the next one acts as ever.

    Signals reach the main thread alone; elsewhere nothing is changed.
    """
    request = Request()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, _: FrameType | None) -> None:
        request.signal = number
        restore()
        print("finishing the step; once more to stop at once", file=sys.stderr, flush=True)

    for number in SIGNALS:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        restore()
