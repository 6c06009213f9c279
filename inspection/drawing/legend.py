"""What the lines and the nodes of a plate diagram mean, for those that a diagram has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..graphs.structure import Structure
from ..writing.notation import LATEX, Notation
from .shapes import Drawing

LINES = {
    "generative": "model $p$",
    "conditional prior": r"conditional prior $p(z\mid y)$",
    "inference": "guide $q$",
    "label classifier": r"label classifier $q(y\mid\cdot)$",
    "missing": "missing from $q$",
}
"""The arrows of each kind."""

NODES = {
    "partly observed": "observed in some rows",
    "deterministic": "determined by its parents",
    "intervened": "set from outside",
    "block": "drawn together by $q$",
    "auxiliary": "drawn by $q$ alone",
}
"""Nodes that do not explain themselves, by their roles."""


HEADINGS = ("model $p$", "guide $q$")
"""Of the two where they stand side by side."""


class Entry(NamedTuple):
    """A line of a legend: ``what`` kind of arrow, or role of a node, and the words for it."""

    what: str
    is_line: bool
    words: str


def entries(drawings: Sequence[Drawing]) -> list[Entry]:
    """The legend of some drawings together, in LaTeX."""
    kinds = {arrow.kind for drawing in drawings for arrow in drawing.arrows}
    roles = {disc.node.role for drawing in drawings for disc in drawing.discs}
    return [
        *(Entry(kind, True, words) for kind, words in LINES.items() if kind in kinds),
        *(Entry(role, False, words) for role, words in NODES.items() if role in roles),
    ]


EMPTY = "No sites: nothing is drawn."
"""Below a figure of programs without any."""


def sentences(graph: Structure, notation: Notation = LATEX) -> list[str]:
    """What a reader of a figure must be told beside its legend."""
    return circles(graph, notation) if graph.nodes else [EMPTY]


def circles(graph: Structure, notation: Notation = LATEX) -> list[str]:
    """Sentences about two nodes that a guide seems to draw from each other.

    A label and the latents that characterise it, for one: the latents are drawn from the label in
    the rows that have it, and it from them in the others.
    """
    given = {(e.parent, e.child): e.given for e in graph.edges if e.side == "q"}
    said = []
    for (parent, child), part in sorted(given.items()):
        if part == "observed" and given.get((child, parent)) is not None:
            a, b = (notation.symbol(name) for name in (parent, child))
            a, b = (f"${a}$", f"${b}$") if notation.latex else (a, b)
            said.append(f"No circle: {a} gives {b} where {a} is observed, {b} gives {a} elsewhere.")
    return said
