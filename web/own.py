"""Somebody's pair on the page: watched, looked at anew when a file is saved, and kept as it was
where that came to nothing."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from .looking import Look, Pair, look
from .programs import Shown

EVERY = 0.3
"""Seconds between two glances at the files."""

Stamp = tuple[tuple[int, int] | None, ...]
"""When each file was changed last, and its size; None for one that is not there."""


class Own:
    """A pair that is looked at again whenever one of its files is saved.

    Args:
        pair: by name.

    Raises:
        ValueError: where the first look comes to nothing, with the reason.

    Attributes:
        version: counts the looks.
        trouble: what went wrong at the last look; the drawings are then those of the one before.
    """

    def __init__(self, pair: Pair) -> None:
        self.pair, self.version, self.trouble = pair, 1, ""
        first = look(pair)
        if first.trouble:
            raise ValueError(first.trouble)
        self.shown, self.files = first.shown, first.files
        self.stamp = stamp(self.files)

    def at(self, labels: str) -> Shown:
        """The last good look, on rows with a pattern of known labels."""
        return self.shown.get(labels) or next(iter(self.shown.values()))

    def state(self) -> dict[str, Any]:
        """What a page asks for again and again."""
        return {"version": self.version, "trouble": self.trouble}

    async def watch(self) -> None:
        """Look again whenever a file is saved; ends when it is cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            now = stamp(self.files)
            if now != self.stamp:
                self.stamp = now
                self.take(await asyncio.to_thread(look, self.pair))

    def take(self, found: Look) -> None:
        """Show what a look found, or what went wrong at it."""
        self.trouble = found.trouble
        if found.shown:
            self.shown = found.shown
        more = [file for file in found.files if file not in self.files]
        if more:
            self.files = (*self.files, *more)
            self.stamp = (*self.stamp, *stamp(tuple(more)))
        self.version += 1


def stamp(files: tuple[str, ...]) -> Stamp:
    """The state of files."""
    return tuple(_stamp(file) for file in files)


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
