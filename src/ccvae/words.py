"""Words that a user writes for a thing of their own or of Pyro's, read without importing anything.

========================================  ======================================================
``module:Class``                          an objective of the user's
``module:Class(beta=2.0)``                the same, made with these arguments
``pyro:RenyiELBO(num_particles=10)``      an objective of Pyro's
``0.5*ccvae + 0.5*mine:Class``            a weighted sum of objectives
``module:model,guide``                    a pair of programs, of which either may be ``object.name``
========================================  ======================================================

Arguments are literals: numbers, words in quotation marks, True, False, None. Nothing is evaluated.
"""

from __future__ import annotations

import ast
import re
from typing import Any, NamedTuple

PYRO = "pyro"
"""What stands before the colon of one of Pyro's own objectives; never the name of a module."""

GIVEN = "given"
"""What stands there for programs that were objects in Python, which no file names."""

LONGEST = 1000
"""Letters of a word."""

OWN_OBJECTIVE = "pyro:TraceEnum_ELBO"
"""What trains programs of the user's, if nothing else is said."""

OF_PROGRAMS = (
    "network",
    "trunks",
    "heads",
    "taught_apart",
    "likelihood",
    "scale",
    "learn_scale",
    "link",
    "style",
    "average",
)
"""Options that programs of the user's do not read."""

OF_DATA = (
    "data",
    "only",
    "labelled",
    "labelled_schedule",
    "balanced",
    "labelled_share",
    "by_class",
    "unweighted",
    "batch_size",
    "still",
    "validation",
)
"""Options that minibatches of the user's do not read."""

_PATH = r"(?:[\w.-]+:)?[\w.-]+"
_CALL = re.compile(rf"(?P<path>{_PATH})(?:\((?P<inside>.*)\))?", re.S)


class Call(NamedTuple):
    """What a word asks to be called.

    Attributes:
        path: a name of the suite's, ``module:attribute`` or ``pyro:NAME``.
        args, kwargs: with what, literals all.
    """

    path: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}  # noqa: RUF012, a NamedTuple's default, which nobody changes

    @property
    def module(self) -> str:
        """The module that it names; ``""`` for the suite's own things."""
        return self.path.rpartition(":")[0]

    @property
    def name(self) -> str:
        """What it names there."""
        return self.path.rpartition(":")[2]


def read_call(word: str) -> Call:
    """What a word such as ``pyro:RenyiELBO(alpha=0.5)`` asks for.

    Raises:
        ValueError: where it is none, or an argument is no literal.

    >>> read_call("pyro:RenyiELBO(alpha=0.5, num_particles=10)")
    Call(path='pyro:RenyiELBO', args=(), kwargs={'alpha': 0.5, 'num_particles': 10})
    """
    match = _CALL.fullmatch(word.strip()) if len(word) <= LONGEST else None
    if match is None:
        raise ValueError(
            f"expected a name, module:attribute or module:attribute(number, name=number), got "
            f"{word[:80]!r}"
        )
    if match["inside"] is None:
        return Call(match["path"])
    try:
        call = ast.parse(f"f({match['inside']})", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError("it is more than one call")
        args = tuple(ast.literal_eval(argument) for argument in call.args)
        kwargs = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords if each.arg}
        if len(kwargs) != len(call.keywords):
            raise ValueError("two arguments have one name, or none")
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(
            f"the arguments of {word[:80]!r} are no literals ({str(error).splitlines()[0]}); write "
            "numbers, True, False or words in quotation marks, as in "
            "pyro:RenyiELBO(alpha=0.5,num_particles=10)"
        ) from None
    return Call(match["path"], args, kwargs)


class Part(NamedTuple):
    """An objective of a weighted sum: its weight, and the word for it."""

    weight: float
    word: str


def read_sum(word: str) -> list[Part]:
    """The parts of an objective's word, one with the weight 1 where it is no sum.

    Raises:
        ValueError: for a weight that is no positive number, or a part without a name.

    >>> read_sum("ccvae")
    [Part(weight=1.0, word='ccvae')]
    >>> read_sum("0.5*ccvae + 2*mine:Class(beta=1e+2)")
    [Part(weight=0.5, word='ccvae'), Part(weight=2.0, word='mine:Class(beta=1e+2)')]
    """
    parts = []
    for piece in _split(word):
        weight, star, rest = piece.partition("*")
        if not star or "(" in weight:
            weight, rest = "1", piece
        try:
            number = float(weight)
        except ValueError:
            number = -1.0
        if not 0 < number < float("inf") or not rest.strip():
            raise ValueError(
                f"expected a sum of objectives as 0.5*ccvae+0.5*marginal, with positive weights, "
                f"got {word[:80]!r}"
            )
        parts.append(Part(number, rest.strip()))
    return parts


def _split(word: str) -> list[str]:
    """A word's pieces between the plus signs that stand in no bracket."""
    pieces, depth = [""], 0
    for letter in word:
        depth += (letter == "(") - (letter == ")")
        if letter == "+" and depth == 0 and not re.search(r"\de$", pieces[-1]):
            pieces.append("")
        else:
            pieces[-1] += letter
    return [piece.strip() for piece in pieces]


class Programs(NamedTuple):
    """What a word for a pair of programs names: module, model, guide (``""`` for none)."""

    module: str
    model: str
    guide: str


def is_own(program: str) -> bool:
    """Whether a program is none of the suite's.

    >>> is_own("mine:model,guide"), is_own("ccvae")
    (True, False)
    """
    return ":" in program


def read_programs(word: str) -> Programs:
    """What ``module:model,guide`` names.

    Raises:
        ValueError: where it names none or more than two.

    >>> read_programs("mine:vae.model, vae.guide")
    Programs(module='mine', model='vae.model', guide='vae.guide')
    """
    module, _, names = word.partition(":")
    model, comma, guide = (part.strip() for part in names.partition(","))
    if not module or not model or (comma and not guide) or "," in guide:
        raise ValueError(
            f"expected module:model,guide or module:model, got {word!r}; name one program or two"
        )
    return Programs(module, model, guide)


def modules_of_programs(program: str) -> set[str]:
    """The modules of the user's that a program's word names."""
    return {read_programs(program).module} - {GIVEN} if is_own(program) else set()


def modules_in(objective: str) -> set[str]:
    """The modules of the user's that an objective's word names."""
    if ":" not in objective:
        return set()
    calls = [read_call(part.word) for part in read_sum(objective)]
    return {call.module for call in calls} - {"", PYRO}
