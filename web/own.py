"""What somebody named, on the page: watched, looked at anew when a file is saved, and kept as it
was where that came to nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from typing import Any

from ..inspection.objectives import Entry
from .looking import OWN, Asked, Look, Theirs, look
from .programs import Shown

EVERY = 0.3
"""Seconds between two glances at the files."""

Stamp = tuple[tuple[int, int] | None, ...]
"""When each file was changed last, and its size; None for one that is not there."""


class Own:
    """A pair and an objective that are looked at again whenever one of their files is saved.

    Args:
        theirs: what was named.

    Raises:
        ValueError: where the first look comes to nothing, with the reason.

    Attributes:
        version: counts the looks at what was saved.
        trouble: what went wrong at the last one; what is shown is then that of the one before.
    """

    def __init__(self, theirs: Theirs) -> None:
        self.theirs, self.version, self.trouble = theirs, 1, ""
        first = look(theirs)
        if first.trouble:
            raise ValueError(first.trouble)
        self.found, self.files = first, first.files
        self.stamp = stamp(self.files)
        self.looking = asyncio.Lock()

    @property
    def entries(self) -> dict[str, Entry]:
        """The objective's formulas by the programs of the suite that it applies to."""
        return self.found.entries

    def opening(self) -> tuple[str, str]:
        """A program and an objective with which what was named is seen."""
        if self.theirs.path:
            return OWN, ""
        return next(iter(self.entries)), self.theirs.objective

    def draws(self, program: str, objective: str) -> bool:
        """Whether this is for a process of its own to draw."""
        word = self.theirs.objective
        return bool((self.theirs.path and program == OWN) or (word and objective == word))

    def asked(self, program: str, objective: str, labels: str) -> Asked:
        """What is drawn for a choice on the page.

        Raises:
            ValueError: where the objective does not apply.
        """
        word = self.theirs.objective
        if program != OWN:
            if program not in self.entries:
                raise ValueError(f"{word} does not apply to this program; choose another")
            return program, word, labels
        if objective and not (objective == word and self.found.fits):
            raise ValueError("unknown objective of your programs; choose one that is offered")
        patterns = self.theirs.patterns
        return OWN, objective, labels if labels in patterns else patterns[0]

    async def view(self, program: str, objective: str, labels: str) -> Shown:
        """The last good look.

        Raises:
            ValueError: for what cannot be drawn.
        """
        asked = self.asked(program, objective, labels)
        async with self.looking:
            if asked not in self.found.shown:
                await asyncio.to_thread(self.draw, [asked])
        return self.found.shown[asked]

    def draw(self, wanted: Collection[Asked]) -> None:
        """Draw more, from the files as they are.

        Raises:
            ValueError: where that comes to nothing.
        """
        found = look(self.theirs, wanted)
        if found.trouble:
            raise ValueError(found.trouble)
        self.found = found._replace(shown={**self.found.shown, **found.shown})

    def state(self) -> dict[str, Any]:
        """What a page asks for again and again."""
        return {
            "version": self.version,
            "trouble": self.trouble,
            "objective": self.theirs.objective,
        }

    async def watch(self) -> None:
        """Look again whenever a file is saved; ends when it is cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            now = stamp(self.files)
            if now != self.stamp:
                self.stamp = now
                async with self.looking:
                    wanted = tuple(self.found.shown)
                    self.take(await asyncio.to_thread(look, self.theirs, wanted))

    def take(self, found: Look) -> None:
        """Show what a look found, or what went wrong at it."""
        self.trouble = found.trouble
        if not found.trouble:
            self.found = found
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
