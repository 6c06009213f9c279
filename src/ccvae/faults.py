"""What went wrong, in one line: with the file and line where it is a user's own code."""

from __future__ import annotations

import errno
import re
import sysconfig
from pathlib import Path

OURS = Path(__file__).parent
"""The package, whose other folders are links in it or lie beside it."""

LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib")})


REASONS = {
    errno.ENOENT: "expected this file or folder, there is none; correct the path, or make it",
    errno.ENOTDIR: "expected a folder, got a file on the way; give another place",
    errno.EISDIR: "expected a file, got a folder; move it away, or give another place",
    errno.EEXIST: "expected a folder or nothing, got a file; move it away, or give another place",
    errno.EACCES: "it may not be used; give yourself permission, or give another place",
    errno.EPERM: "it may not be used; give yourself permission, or give another place",
    errno.EROFS: "nothing can be written there; give another place",
    errno.ENOSPC: "no room is left there; make some, or give another place",
    errno.ENAMETOOLONG: "its name is too long; give another place",
}
"""What the system has against a file, and what to do."""


def place_of(error: BaseException) -> str:
    """The last line of a user's code on the way to an error, as ``mine.py:3``; empty if none is.

    What an error was made from counts as well.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    last, trace = "", error.__traceback__
    if error.__cause__ is not None:
        last = place_of(error.__cause__)
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if _is_theirs(file, trace.tb_frame.f_globals.get("__name__", "")):
            last = f"{Path(file).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return last


def _is_theirs(file: str, module: str) -> bool:
    own = OURS.name
    if module == own or module.startswith(f"{own}.") or file.startswith(f"{OURS}/"):
        return False
    return not file.startswith("<") and not file.startswith(LIBRARIES)


def words_of(error: BaseException) -> str:
    """An error in one line: its place where that is a user's, its kind, and its message."""
    message, place = " ".join(str(error).split()), place_of(error)
    message = re.sub(r" Trace Shapes:[^;]*", "", message)  # a table of Pyro's, no line
    if isinstance(error, OSError) and error.errno in REASONS and error.filename is not None:
        message = f"{error.filename!s}: {REASONS[error.errno]}"
    if isinstance(error, ValueError | OSError) and not isinstance(error, UnicodeError):
        return f"{message} ({place})" if place and place not in message else message
    kind = type(error).__name__
    return f"{place + ': ' if place else ''}{kind}{': ' + message if message else ''}"


def is_want_of_memory(error: BaseException) -> bool:
    """Whether there was no room for something; torch has no type for it on a CPU."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError)
        and any(words in str(error) for words in ("allocate memory", "out of memory"))
    )
