"""Where in a user's files something happens: the statement of a site, the line of a mistake."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType, TracebackType

PYRO = ("pyro.poutine", "pyro.primitives", "pyro.nn", "pyro.infer", "pyro.ops", "pyro.util")
"""Modules of Pyro between a statement and what records it; its contributions are programs."""

LIBRARIES = ("torch", "numpy", "contextlib", "functools", "inspect", "importlib", "pyro")

OURS = __name__.rpartition(".")[0]


def current_statement() -> str:
    """The line of the program that is being run, as ``file:line``."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_within(frame, (*PYRO, "contextlib", "functools", OURS)):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""


def place_of(error: BaseException) -> str:
    """Where an error was raised: the last line that is no library's, as `` at file.py:3``."""
    last, trace = "", error.__traceback__
    while trace is not None:
        if not _is_within(trace.tb_frame, (*LIBRARIES, OURS.partition(".")[0])):
            last = _line(trace)
        trace = trace.tb_next
    return f" at {last}" if last else ""


def _line(trace: TracebackType) -> str:
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


def _is_within(frame: FrameType, modules: tuple[str, ...]) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return any(name == module or name.startswith(f"{module}.") for module in modules)
