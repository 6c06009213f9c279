"""How commands ask: their parser, and what ``ccvae compare`` is told beside a training's options.

Imports nothing heavy.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from .config import SOURCE
from .loading import near
from .ranges import whole

LISTED = ("program", "objective", "labelled", "seed")
"""Options of a training in whose place a comparison has lists."""

ALWAYS = ("help", "json", "traceback")
"""Options that are there whether they were given or not."""


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what was wrong."""

    chosen = ""
    """The command, once it is known."""

    def error(self, message: str) -> NoReturn:
        """End with status 2 and one line, without the usage."""
        line = self._plainly(" ".join(message.split()))  # the command's words may have line breaks
        name = f"{self.prog} {self.chosen}".strip()
        self.exit(2, f"{name}: {line}; see {name} --help\n")

    def _plainly(self, message: str) -> str:
        """What argparse says of a word that it does not know, as the suite says it."""
        wrong = r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)"
        if found := re.match(wrong, message):
            known = found[3].replace("'", "").split(", ")
            meant, words = near(found[2], known), ", ".join(known)
            return f"unknown {found[1].lower()} {found[2]!r}{meant}; choose one of {words}"
        if found := re.match(r"unrecognized arguments: (--?[\w-]+)", message):
            return f"{message}{near(found[1], self._flags())}"
        return message

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse; remembers the command, which is asked for what was meant."""
        found, rest = super().parse_known_args(args, namespace)
        self.chosen = str(vars(found).get("command", ""))
        return found, rest

    def _flags(self) -> list[str]:
        """The options of the command."""
        parsers: list[argparse.ArgumentParser] = [self]
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                parsers += [each for name, each in action.choices.items() if name == self.chosen]
        return [flag for parser in parsers for a in parser._actions for flag in a.option_strings]


def add_comparison(parser: argparse.ArgumentParser) -> None:
    """Add what a comparison is told, and leave out of what is parsed whatever was not given."""
    group = parser.add_argument_group("the comparison")
    group.add_argument("--spec", metavar="FILE", help=_SPEC)
    group.add_argument("--programs", metavar="NAME,…", help=_PROGRAMS)
    group.add_argument("--objectives", metavar="NAME,…", help=_OBJECTIVES)
    group.add_argument("--labelled", metavar="FLOAT,…", help=_LABELLED)
    group.add_argument("--seeds", metavar="INT", help="how many, from 0; or which, as 4,9 (3)")
    group.add_argument("--grid", action="append", nargs="+", metavar="OPTION=VALUE,…", help=_GRID)
    group.add_argument("--criterion", metavar="STR", help=_CRITERION)
    group.add_argument("--reference", metavar="METHOD", help=_REFERENCE)
    group.add_argument("--out", type=Path, metavar="DIR", help=_OUT)
    group.add_argument("--workers", type=whole(1, 1024), metavar="INT", help=_WORKERS)
    group.add_argument("--threads", type=whole(1, 1024), metavar="INT", help=_THREADS)
    group.add_argument("--scheduler", metavar="ADDRESS", help=_SCHEDULER)
    group.add_argument("--dry-run", action="store_true", help=_DRY)
    for action in parser._actions:
        if action.dest not in ALWAYS:
            action.default = argparse.SUPPRESS


_SPEC = (
    "a TOML or JSON file that says all of it, or objectives or m2, which are saved; what is given "
    "beside it goes first (none)"
)
_PROGRAMS = "see ccvae models; or module:model,guide of your own (ccvae)"
_OBJECTIVES = (
    "each trains the programs that it applies to; module:attribute of your own trains all, "
    "PROGRAM/OBJECTIVE one (the programs' own)"
)
_LABELLED = "fractions of the training rows that keep their labels (0.2)"
_GRID = (
    "settings to try, as alpha=30,300,3000, of any option of a training; each method takes what is "
    "best on validation rows (none)"
)
_CRITERION = (
    "what is best: accuracy, r2, bound or reconstruction_l1 (the first of these that there is)"
)
_REFERENCE = "the method that others are held against, PROGRAM or PROGRAM/OBJECTIVE (the first)"
_OUT = "where it is kept; repeated, the command goes on there (comparison)"
_WORKERS = "processes on this machine that train at a time (1)"
_THREADS = "of each process (torch's own, shared by the workers)"
_SCHEDULER = "train on the Dask cluster of this address instead, extra [cluster] (none)"
_DRY = "say what there is to train, and about how much time and disk that takes; train nothing"


class Unasked(argparse.ArgumentParser):
    """Takes the options of a command that nobody asked for, and does nothing with them."""

    def __init__(self) -> None:
        self._actions = []

    def add_argument(self, *_: Any, **__: Any) -> Any:
        """Nothing."""

    def add_argument_group(self, *_: Any, **__: Any) -> Any:
        """The same for its options."""
        return self


def new_command(commands: Any, asked: str, name: str, text: str) -> argparse.ArgumentParser:
    """A command with the options that every one has.

    Args:
        asked: the command whose options are wanted; those of all where it is empty.
    """
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    if asked and name != asked:
        return Unasked()
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--traceback", action="store_true", help="show where an error comes from")
    return parser


def add_source(parser: argparse.ArgumentParser) -> None:
    """What can be said about data sets that are read from files."""
    group = parser.add_argument_group("data sets")
    for name, option in SOURCE.items():
        kind: Any = whole(*option.range) if option.range else str
        metavar = "FILE" if option.is_path else "INT" if option.range else "STR"
        flag = f"--{name.replace('_', '-')}"
        group.add_argument(flag, type=kind, default=None, metavar=metavar, help=option.text)
    group.add_argument("--download", action="store_true", help="fetch celeba:ROOT if it is missing")


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Add what a run may name."""
    parser.add_argument("--trust", action="append", default=[], metavar="MODULE", help=_TRUST)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add where it computes."""
    parser.add_argument(
        "--device", default="auto", metavar="auto|cpu|cuda", help="where it computes (auto)"
    )


_TRUST = (
    "a module whose classes the run may name as its objective or network, once for each; reading a "
    "run imports nothing else (none)"
)
