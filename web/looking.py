"""Looking at somebody's pair in a process of its own, which is thrown away afterwards.

A file that was saved half-written may raise, hang, exit, or leave anything behind in the modules,
in Pyro's parameter store or in torch's defaults. So each look is a fresh process: a server of forks
that has imported the suite already makes one within some hundredths of a second, and whatever the
file does there ends with it. Where the system has no forks a process starts anew, which takes the
seconds that importing torch takes.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from typing import NamedTuple

from ..config import Config
from ..faults import LIBRARIES, OURS, words_of
from ..inspection.example import PATTERNS, inspect_own
from .programs import Shown, shown

LIMIT = 20.0
"""Seconds after which a look is ended."""

OWN = "own"
"""What somebody's pair is called in an address."""


class Pair(NamedTuple):
    """Somebody's pair by name.

    Attributes:
        path: ``module:model,guide``, or ``module:model``.
        inputs: ``module:function``, which returns their arguments; ``""`` for the suite's.
    """

    path: str
    inputs: str = ""

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns of labels that it is shown with; arguments of their own have but one."""
        return ("all",) if self.inputs else PATTERNS


class Look(NamedTuple):
    """What a look at a pair found.

    Attributes:
        shown: by the pattern of labels; empty where it came to nothing.
        trouble: what went wrong, in one line.
        files: those of the user's that were read.
    """

    shown: dict[str, Shown]
    trouble: str
    files: tuple[str, ...]


def look(pair: Pair, limit: float = LIMIT) -> Look:
    """Read a pair's files anew, run it, and say what was found.

    Args:
        limit: seconds after which it is given up.
    """
    context = _context()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_look, args=(sender, pair), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(limit):
            return Look({}, f"{pair.path} did not end within {limit:g} seconds", ())
        found: Look = receiver.recv()
        return found
    except EOFError:
        process.join(5)
        ended = f"{pair.path} ended its process with status {process.exitcode}"
        return Look({}, f"{ended}; take out what exits", ())
    finally:
        process.kill()
        process.join()
        receiver.close()


def _context() -> ForkServerContext | SpawnContext:
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _look(sender: Connection, pair: Pair) -> None:
    """Look at a pair, in the process that is made for it."""
    os.dup2(2, 1)  # what the programs print is not for our standard output
    sys.dont_write_bytecode = True
    found: dict[str, Shown] = {}
    trouble = ""
    try:
        for labels in pair.patterns:
            config = Config(program=pair.path)
            inspected = inspect_own(pair.path, pair.inputs, config, labels)
            found[labels] = shown(inspected, OWN, "", labels)
    except (Exception, SystemExit) as error:
        found, trouble = {}, words_of(error)
    with contextlib.suppress(BrokenPipeError):
        sender.send(Look(found, trouble, tuple(_theirs(pair))))


def _theirs(pair: Pair) -> Iterable[str]:
    """The files that a change of which may change the picture."""
    for module in list(sys.modules.values()):
        file = vars(module).get("__file__") if hasattr(module, "__dict__") else None
        if file and not file.startswith((*LIBRARIES, f"{OURS}/")) and _is_apart(file):
            yield file
    for path in (pair.path, pair.inputs):  # one that could not be imported is awaited as well
        name = path.partition(":")[0].replace(".", "/")
        for folder in sys.path:
            if name and (Path(folder) / f"{name}.py").is_file():
                yield str((Path(folder) / f"{name}.py").resolve())


def _is_apart(file: str) -> bool:
    """Whether a file is no part of the suite, whose folders may be links."""
    return not any(Path(file).is_relative_to(folder) for folder in OURS_REAL)


OURS_REAL = tuple({OURS.resolve(), *(path.resolve() for path in OURS.iterdir() if path.is_dir())})
