"""What can be chosen on the page: the suite's programs and objectives, and what somebody named."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from ..config import Config
from ..inference.catalogue import PROGRAMS
from ..inference.objectives.pyros import OBJECTIVES
from ..words import PYRO
from .looking import OWN, Theirs
from .own import Own
from .programs import TITLES
from .weights import weights

Weights = dict[str, float]


class Offer(NamedTuple):
    """Programs with their objectives, their own first.

    Attributes:
        titles: of the programs. drawn: for the room of programs.
        trained: for the room of trainings, with the weights that each takes.
        theirs: what was named, which trains in a process of its own.
    """

    titles: dict[str, str]
    drawn: dict[str, tuple[str, ...]]
    trained: dict[str, dict[str, Weights]]
    theirs: Theirs = Theirs()

    def is_theirs(self, program: str, objective: str) -> bool:
        """Whether a pair of this choice runs anything of somebody's."""
        return program == OWN or (bool(objective) and objective == self.theirs.objective)


@cache
def suites() -> Offer:
    """What the suite has."""
    drawn = {program: tuple(known) for program, known in PROGRAMS.items()}
    trained = {
        program: {name: weights(Config(program=program, objective=name)) for name in known}
        for program, known in drawn.items()
    }
    return Offer(TITLES, drawn, trained)


def offer(own: Own | None) -> Offer:
    """What a page has to choose from, with what was named first."""
    if own is None:
        return suites()
    titles, drawn, trained, _ = suites()
    word, taken = own.theirs.objective, own.found.weights
    drawn = {p: (*known, word) if p in own.entries else known for p, known in drawn.items()}
    trained = {
        program: {**known, word: taken} if program in own.entries else known
        for program, known in trained.items()
    }
    if own.theirs.path:
        titles = {OWN: own.theirs.path, **titles}
        named: dict[str, Weights] = {word: taken} if own.found.fits else {}
        drawn = {OWN: ("", *named), **drawn}
        pyros: dict[str, Weights] = {f"{PYRO}:{name}": {} for name in OBJECTIVES}
        trained = {OWN: {**named, **pyros}, **trained}
    return Offer(titles, drawn, trained, own.theirs)
