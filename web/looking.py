"""Looking at what somebody named, in a process of its own, which is thrown away afterwards.

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
from collections.abc import Collection, Iterable
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from typing import NamedTuple

from ..config import Config
from ..faults import LIBRARIES, OURS, words_of
from ..inspection.example import PATTERNS, inspect_own, inspect_program
from ..inspection.objectives import Entry, applying
from ..words import modules_in
from .programs import Shown, shown
from .weights import weights

LIMIT = 20.0
"""Seconds after which a look is ended."""

OWN = "own"
"""What somebody's pair is called in an address."""

Asked = tuple[str, str, str]
"""What is to be drawn: a program, an objective, and a pattern of labels."""


class Theirs(NamedTuple):
    """What somebody named on the command line, and nothing else is imported.

    Attributes:
        path: a pair, ``module:model,guide`` or ``module:model``; ``""`` for none.
        inputs: ``module:function``, which returns their arguments; ``""`` for the suite's.
        objective: ``module:Class`` or another word of :mod:`ccvae.words`; ``""`` for none.
    """

    path: str = ""
    inputs: str = ""
    objective: str = ""

    def modules(self) -> list[str]:
        """The modules that are named, and so may be imported.

        Raises:
            ValueError: for an objective's word that cannot be read.
        """
        paths = [path.partition(":")[0] for path in (self.path, self.inputs) if path]
        return [*paths, *sorted(modules_in(self.objective))]

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns of labels that it is shown with; arguments of their own have but one."""
        return ("all",) if self.inputs else PATTERNS

    @property
    def first(self) -> tuple[Asked, ...]:
        """What is drawn before anybody asks."""
        return tuple((OWN, "", pattern) for pattern in self.patterns) if self.path else ()


class Look(NamedTuple):
    """What a look found.

    Attributes:
        shown: by what was asked for; empty where it came to nothing.
        entries: the objective's formulas by the programs of the suite that it applies to.
        fits: whether it applies to the pair as well.
        weights: those that it takes.
        trouble: what went wrong, in one line.
        files: those of the user's that were read.
    """

    shown: dict[Asked, Shown]
    entries: dict[str, Entry]
    fits: bool
    weights: dict[str, float]
    trouble: str
    files: tuple[str, ...]

    @classmethod
    def at_nothing(cls, trouble: str) -> Look:
        """A look that came to nothing."""
        return cls({}, {}, False, {}, trouble, ())


def look(theirs: Theirs, wanted: Collection[Asked] = (), limit: float = LIMIT) -> Look:
    """Read somebody's files anew, run what they name, and say what was found.

    Args:
        wanted: what is to be drawn, beside what is drawn at first.
        limit: seconds after which it is given up.

    Raises:
        ValueError: for an objective's word that cannot be read.
    """
    theirs.modules()
    context = fresh_processes()
    receiver, sender = context.Pipe(duplex=False)
    asked = tuple(dict.fromkeys((*theirs.first, *wanted)))
    process = context.Process(target=_look, args=(sender, theirs, asked), daemon=True)
    process.start()
    sender.close()
    named = " and ".join(filter(None, (theirs.path, theirs.objective)))
    try:
        if not receiver.poll(limit):
            return Look.at_nothing(f"{named} did not end within {limit:g} seconds")
        found: Look = receiver.recv()
        return found
    except EOFError:
        process.join(5)
        ended = f"{named} ended its process with status {process.exitcode}"
        return Look.at_nothing(f"{ended}; take out what exits")
    finally:
        process.kill()
        process.join()
        receiver.close()


def fresh_processes() -> ForkServerContext | SpawnContext:
    """What makes processes in which nothing of anybody's has been imported yet."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, f"{__package__}.apart"])
    return context


def _look(sender: Connection, theirs: Theirs, asked: tuple[Asked, ...]) -> None:
    """Look at what is theirs, in the process that is made for it."""
    quiet()
    try:
        found = _seen(theirs, asked)
    except (Exception, SystemExit) as error:
        found = Look.at_nothing(words_of(error))
    with contextlib.suppress(BrokenPipeError):
        sender.send(found._replace(files=tuple(_files(theirs))))


def quiet() -> None:
    """What somebody's files print is not for our standard output, nor are they compiled."""
    os.dup2(2, 1)
    sys.dont_write_bytecode = True


def _seen(theirs: Theirs, asked: tuple[Asked, ...]) -> Look:
    word = theirs.objective
    entries = {entry.program: entry for entry in applying(word)} if word else {}
    fits = bool(word and theirs.path and _fits(theirs))
    drawn = {
        each: _drawn(theirs, each)
        for each in asked
        if each[1] != word or not word or (fits if each[0] == OWN else each[0] in entries)
    }
    taken = weights(Config(program=next(iter(entries)), objective=word)) if word else {}
    return Look(drawn, entries, fits, taken, "", ())


def _drawn(theirs: Theirs, asked: Asked) -> Shown:
    program, objective, labels = asked
    if program == OWN:
        config = Config(program=theirs.path, objective=objective)
        found = inspect_own(theirs.path, theirs.inputs, config, labels)
    else:
        config = Config(program=program, objective=objective, style=8)
        found = inspect_program(config, labels)
    return shown(found, program, objective, labels)


def _fits(theirs: Theirs) -> bool:
    """Whether their objective applies to their pair."""
    try:
        _drawn(theirs, (OWN, theirs.objective, theirs.patterns[0]))
    except ValueError:
        return False
    return True


def _files(theirs: Theirs) -> Iterable[str]:
    """The files that a change of which may change what is seen."""
    for module in list(sys.modules.values()):
        file = vars(module).get("__file__") if hasattr(module, "__dict__") else None
        if file and not file.startswith((*LIBRARIES, f"{OURS}/")) and _is_apart(file):
            yield file
    for module_name in theirs.modules():
        name = module_name.replace(".", "/")  # one that could not be imported is awaited as well
        for folder in sys.path:
            if name and (Path(folder) / f"{name}.py").is_file():
                yield str((Path(folder) / f"{name}.py").resolve())


def _is_apart(file: str) -> bool:
    """Whether a file is no part of the suite, whose folders may be links."""
    return not any(Path(file).is_relative_to(folder) for folder in OURS_REAL)


OURS_REAL = tuple({OURS.resolve(), *(path.resolve() for path in OURS.iterdir() if path.is_dir())})
