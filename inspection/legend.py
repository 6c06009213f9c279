"""What the lines and the nodes of a plate diagram mean, for those that a diagram has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .drawing import Drawing

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
