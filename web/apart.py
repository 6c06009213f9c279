"""A training of what somebody named, in a process of its own.

Whatever their files do in a step, or leave behind, stays in that process, and a training that is
begun after a file was saved reads it anew. The steps are the same as those of
:class:`~ccvae.web.training.Training`, asked for through a pipe.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from ..faults import words_of
from .looking import Theirs, fresh_processes, quiet
from .steering import Change, Start
from .training import Training

LIMIT = 60.0
"""Seconds after which an answer is no longer waited for."""


class Apart:
    """A training in a process of its own; see :class:`~ccvae.web.training.Training`.

    Args:
        start: what was asked for. theirs: what was named. limit: seconds of a step at most.

    Raises:
        ValueError: where it cannot be begun, with the reason.
    """

    def __init__(self, start: Start, theirs: Theirs, limit: float = LIMIT) -> None:
        self.limit = limit
        context = fresh_processes()
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_train, args=(other, start, theirs), daemon=True)
        self.process.start()
        other.close()
        try:
            self._opening: dict[str, Any] = self._answer()
        except ValueError:
            self.close()
            raise

    def opening(self) -> dict[str, Any]:
        """What is known before the first step."""
        return self._opening

    def step(self, always: bool = False) -> dict[str, Any]:
        """Train both sides on the next batch.

        Raises:
            ValueError: where that came to nothing, with the reason.
        """
        found: dict[str, Any] = self._ask("step", always)
        return found

    def frame(self) -> list[dict[str, Any]]:
        """What is seen of both sides now."""
        found: list[dict[str, Any]] = self._ask("frame")
        return found

    def change(self, change: Change) -> None:
        """Set weights, the labelled share or the likelihood's scale from the next step on."""
        self._ask("change", change)

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def _ask(self, deed: str, *arguments: Any) -> Any:
        try:
            self.pipe.send((deed, arguments))
        except OSError as error:
            raise ValueError(self._ended()) from error
        return self._answer()

    def _answer(self) -> Any:
        try:
            if not self.pipe.poll(self.limit):
                raise ValueError(f"the programs did not end within {self.limit:g} seconds")
            good, found = self.pipe.recv()
        except (EOFError, OSError) as error:
            raise ValueError(self._ended()) from error
        if not good:
            raise ValueError(found)
        return found

    def _ended(self) -> str:
        self.process.join(5)
        return f"the programs ended their process with status {self.process.exitcode}"


def _train(pipe: Connection, start: Start, theirs: Theirs) -> None:
    """Answer what is asked of a training, in the process that is made for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server's, which ends this one
    quiet()
    good, training = _tried(Training, start, theirs)
    with contextlib.suppress(EOFError, OSError):  # nobody asks any more
        pipe.send((good, training.opening() if good else training))
        while good:
            deed, arguments = pipe.recv()
            good, found = _tried(DEEDS[deed], training, *arguments)
            pipe.send((good, found))


def _tried(work: Callable[..., Any], *arguments: Any) -> tuple[bool, Any]:
    """Whether something came to anything, and to what, or why not."""
    try:
        return True, work(*arguments)
    except (Exception, SystemExit) as error:
        return False, words_of(error)


DEEDS: dict[str, Callable[..., Any]] = {
    "step": Training.step,
    "frame": Training.frame,
    "change": Training.change,
}
"""What is asked for by its name."""
