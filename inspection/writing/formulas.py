r"""Objectives as formulas, made of the names of the terms that they compute.

The name of a term says what it is: ``-beta log q(z_c|x)``. Here it is read and written as a
formula, so that what is printed is what is summed. Which terms there are in a row with all labels,
and in one with none, is found by computing them: a term that is 0 in every row is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from ...inference.objectives.terms import LOG, parse
from ..graphs.structure import Structure
from .factorisation import Writer
from .notation import UNICODE, Notation

DENSITY = re.compile(r"(?P<side>[pq])\((?P<of>[^|)]+)(?:\|(?P<given>[^)]+))?\)")

MEAN = re.compile(r"mean (p\(.*?\))/(q\(.*?\))")

MISSING = "y_missing"
"""What a sum within a logarithm runs over."""

PARTS = {"_observed": "O", "_missing": "U"}
"""The parts of a variable, and how they are marked."""


@dataclass(frozen=True)
class Formula:
    """An objective's value on rows with some labels known.

    Attributes:
        terms: their names, in the objective's order.
        graph: with the guide that the draws come from.
    """

    terms: tuple[str, ...]
    graph: Structure

    def write(self, notation: Notation = UNICODE) -> str:
        """The expectation over the guide of the sum of the terms."""
        return notation.expectation(self.below(notation), write_sum(self.terms, notation))

    def below(self, notation: Notation) -> str:
        """What the expectation is over: the guide's density."""
        return Writer(self.graph, notation, "q").left()


def write_term(name: str, notation: Notation = UNICODE) -> str:
    r"""A term's name as a formula, its sign included.

    >>> from ccvae.inspection import LATEX
    >>> write_term("-beta log q(z_c|x)", LATEX)
    '-\\beta \\log q(z_{c} \\mid x)'
    >>> write_term("alpha log q(y_observed|x)")
    'α log q(y_O|x)'
    """
    sign = notation.minus if parse(name).negative else ""
    return sign + write_unsigned(name, notation)


def write_unsigned(name: str, notation: Notation) -> str:
    """A term without its sign."""
    term = parse(name)
    if not term.body.startswith(LOG):
        return notation.words(name)
    body = term.body.removeprefix(LOG)
    if fraction := MEAN.fullmatch(body):
        body = notation.mean(*(write_densities(part, notation) for part in fraction.groups()))
    else:
        over = "" if body == (summed := body.removeprefix("sum ")) else MISSING
        total = notation.total(write_variable(over, notation)) if over else ""
        body = total + write_densities(summed, notation)
    one = notation.symbol("w", notation.plain(str(term.part))) if term.part else ""
    weight = (one + notation.plain(" ") if one else "") + write_weight(term.weight, notation)
    return weight + notation.log + body


def write_sum(names: Iterable[str], notation: Notation = UNICODE) -> str:
    """Terms one after the other, each with its sign."""
    text = ""
    for name in names:
        sign = notation.minus if parse(name).negative else notation.plain("+") if text else ""
        term = notation.group(write_unsigned(name, notation))
        text += f" {sign} {term}" if text else f"{sign}{term}"
    return text


def write_densities(text: str, notation: Notation) -> str:
    """Every ``p(a|b)`` in a text as the notation has it, and what is between them as it stands."""
    written, end = [], 0
    for match in DENSITY.finditer(text):
        of, given = (
            [write_variable(name, notation) for name in part.split(",")] if part else []
            for part in (match["of"], match["given"])
        )
        between = notation.plain(text[end : match.start()])
        written += [between, notation.density(notation.symbol(match["side"]), of, given)]
        end = match.end()
    return "".join([*written, notation.plain(text[end:])])


def write_variable(name: str, notation: Notation) -> str:
    """A variable, or the part of it that is observed (O) or missing (U)."""
    for part, mark in PARTS.items():
        if name.endswith(part):
            return notation.symbol(name.removesuffix(part), notation.plain(mark))
    return notation.symbol(name)


def write_weight(weight: str, notation: Notation) -> str:
    """What a term is multiplied by, with a space behind; nothing for 1."""
    if not weight:
        return ""
    inside = weight.strip("()")
    name, minus, rest = inside.partition("-")
    text = notation.symbol(name) + (notation.minus if minus else "") + notation.plain(rest)
    if inside != weight:
        text = notation.plain("(") + text + notation.plain(")")
    return text + notation.plain(" ")


def present(terms: Mapping[str, Tensor], graph: Structure) -> tuple[str, ...]:
    """Names of the terms that are there: not 0 in every row, as what only carries a gradient is.

    Args:
        terms: of a batch.
        graph: of the same batch. What is observed in all of its rows, or in none, is written
            without the mark that tells its parts apart.
    """
    names = [name for name, term in terms.items() if bool(term.any())]
    for node in graph.nodes.values():
        if node.role == "observed":  # nothing is missing, and nothing is summed over
            names = [re.sub(rf"sum (.*) p\({node.name}_missing\)", r"\1", name) for name in names]
            names = [name.replace(f"{node.name}_observed", node.name) for name in names]
        if node.role == "latent":
            names = [name.replace(f",{node.name}_observed", "") for name in names]
            names = [name.replace(f"{node.name}_missing", node.name) for name in names]
            if node.name == "y":  # no label weighs anything
                names = [
                    name.replace("w ", "", 1) if parse(name).weight == "w" else name
                    for name in names
                ]
    return tuple(names)
