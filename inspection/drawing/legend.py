"""What the lines and the nodes of a plate diagram mean, for those that a diagram has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..graphs.structure import Structure
from ..writing.notation import LATEX, Notation, size_of
from .shapes import Drawing

Formula = tuple[str, ...]
"""``("q",)``, or ``("q", "y", "z")`` for q(y|z)."""

LINES: dict[str, tuple[str, Formula]] = {
    "generative": ("model", ("p",)),
    "conditional prior": ("conditional prior", ("p", "z", "y")),
    "inference": ("guide", ("q",)),
    "label classifier": ("label classifier", ("q", "y", "·")),
    "missing": ("missing from", ("q",)),
}
"""The arrows of each kind: words, and the formula behind them."""

NODES: dict[str, tuple[str, Formula]] = {
    "partly observed": ("observed in some rows", ()),
    "deterministic": ("determined by its parents", ()),
    "intervened": ("set from outside", ()),
    "block": ("drawn together by", ("q",)),
    "auxiliary": ("drawn by the guide alone", ()),
}
"""Nodes that do not explain themselves, by their roles."""


SIDES = ("generative", "inference")
"""What the two are called where they stand side by side."""


def words_of(entry: tuple[str, Formula], notation: Notation = LATEX) -> str:
    """Words and the formula behind them, which LaTeX has between dollars."""
    words, formula = entry
    if not formula:
        return words
    side = notation.symbol(formula[0])
    given = notation.plain(formula[2]) if len(formula) > 1 else ""
    density = notation.density(side, [notation.symbol(formula[1])], [given]) if given else side
    return f"{words} {notation.math(density)}"


def headings(notation: Notation = LATEX) -> list[str]:
    """Of model and guide side by side."""
    return [words_of(LINES[kind], notation) for kind in SIDES]


class Entry(NamedTuple):
    """A line of a legend: ``what`` kind of arrow, or role of a node, and the words for it."""

    what: str
    is_line: bool
    words: str


def entries(drawings: Sequence[Drawing], notation: Notation = LATEX) -> list[Entry]:
    """The legend of some drawings together."""
    kinds = {arrow.kind for drawing in drawings for arrow in drawing.arrows}
    roles = {disc.node.role for drawing in drawings for disc in drawing.discs}
    return [
        *(Entry(kind, True, words_of(e, notation)) for kind, e in LINES.items() if kind in kinds),
        *(Entry(role, False, words_of(e, notation)) for role, e in NODES.items() if role in roles),
    ]


EMPTY = "No sites: nothing is drawn."
"""Below a figure of programs without any."""


def sentences(graph: Structure, notation: Notation = LATEX) -> list[str]:
    """What a reader of a figure must be told beside its legend."""
    return circles(graph, notation) if graph.nodes else [EMPTY]


SHADES = {
    "observed": "shaded nodes are observed",
    "partly observed": "half-shaded ones in some rows",
    "input": "those without a border are arguments",
}
"""What a caption says of the nodes of each role."""


def caption(graph: Structure, name: str = "", notation: Notation = LATEX) -> str:
    """What stands below a figure in a paper: its name, its shades, and its plates with their sizes.

    Args:
        graph: that is drawn. name: of the programs. notation: of the sizes.
    """
    shades = [words for role, words in SHADES.items() if role in _roles(graph)]
    plates = [
        f"{plate.name} ({_sized(plate.name, '+'.join(map(str, plate.sizes)), notation)})"
        for plate in graph.plates.values()
    ]
    steps = [
        notation.math(notation.plain(f"{chain.index}=1,…,{chain.length}")) for chain in graph.chains
    ]
    parts = [", ".join(shades), _listed("plates", plates), _listed("steps", steps)]
    said = [f"{part[0].upper()}{part[1:]}." for part in parts if part]
    return " ".join([f"{name}.", *said] if name else said)


def _roles(graph: Structure) -> set[str]:
    return {node.role for node in graph.nodes.values()}


def _sized(plate: str, number: str, notation: Notation) -> str:
    return notation.math(f"{size_of(plate).write(notation)}={number}")


def _listed(words: str, parts: list[str]) -> str:
    return f"{words}: {', '.join(parts)}" if parts else ""


def circles(graph: Structure, notation: Notation = LATEX) -> list[str]:
    """Sentences about two nodes that a guide seems to draw from each other.

    A label and the latents that characterise it, for one: the latents are drawn from the label in
    the rows that have it, and it from them in the others.
    """
    given = {(e.parent, e.child): e.given for e in graph.edges if e.side == "q"}
    said = []
    for (parent, child), part in sorted(given.items()):
        if part == "observed" and given.get((child, parent)) is not None:
            a, b = (notation.math(notation.symbol(name)) for name in (parent, child))
            said.append(f"No circle: {a} gives {b} where {a} is observed, {b} gives {a} elsewhere.")
    return said
