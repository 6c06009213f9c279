"""The bar of a training: in a notebook, on a terminal, and nowhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Protocol

from rich.console import Console

from .data.progress import progress
from .inspection.notebook.page import shown


class Bar(Protocol):
    """What a training tells how far it is."""

    def show(self, done: int, words: str) -> None:
        """So much of it is done, and what is to be said of it."""


class Silent:
    """Shows nothing."""

    def show(self, done: int, words: str) -> None:
        """Say nothing."""


EVERY = 0.2
"""Seconds between two changes of a bar in a notebook."""


class NotebookBar:
    """A bar of HTML's own in a notebook's output, which stays there as it ends.

    Args:
        total: what is to be done. display: IPython's function of that name.
    """

    def __init__(self, total: int, display: Any) -> None:
        self.total, self.done, self.words, self.last = total, 0, "", 0.0
        self.handle = display(self, display_id=True)

    def show(self, done: int, words: str) -> None:
        """Change the bar, not more often than one can see."""
        self.done, self.words = done, words
        if done >= self.total or time.monotonic() - self.last > EVERY:
            self.last = time.monotonic()
            self.handle.update(self)

    def __repr__(self) -> str:
        return f"{100 * self.done // max(self.total, 1)} %  {self.words}"

    def _repr_html_(self) -> str:
        bar = f'<progress value="{self.done}" max="{self.total}" style="width:16rem"></progress>'
        return shown(f'<div class="note">{bar} {escape(self.words)}</div>')


class TerminalBar:
    """A bar at the bottom of a terminal."""

    def __init__(self, total: int, bars: Any) -> None:
        self.bars, self.task = bars, bars.add_task("", total=total)

    def show(self, done: int, words: str) -> None:
        """Change the bar."""
        self.bars.update(self.task, completed=done, description=words)


def kernel_display() -> Any:
    """IPython's ``display`` where this process is a notebook's kernel, else None."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not shell.has_trait("kernel"):
        return None
    from IPython.display import display

    return display


@contextmanager
def bar_of(total: int, *, shows: bool = True) -> Iterator[Bar]:
    """The bar that fits where this runs.

    Args:
        total: what is to be done. shows: False for none.
    """
    display = kernel_display() if shows else None
    if display is not None:
        yield NotebookBar(total, display)
        return
    with progress(Console(stderr=True, quiet=not shows)) as bars:
        yield TerminalBar(total, bars) if shows else Silent()
