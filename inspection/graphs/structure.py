"""What the graphical model of two programs consists of, as a reader would draw it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

PAST = -1
"""The lag of an edge from all steps before."""

MISSING = "missing"
"""The side of edges that the posterior has and a guide lacks."""

INTERVENED = "intervened"
"""The role of a node that is set from outside."""

OUTSIDE = ("input", "auxiliary", INTERVENED)
"""Roles of nodes that the model has no distribution for."""


@dataclass(frozen=True)
class Plate:
    """A plate of the graph.

    Attributes:
        name: the plate's. sizes: its size, for each of the programs' plates that it stands for.
    """

    name: str
    sizes: tuple[int, ...]


class Law(NamedTuple):
    """What a program says of a variable's distribution.

    Attributes:
        families: names of it, as ``Normal``; several where the sites of a variable differ.
        parameters: parts of the program whose parameters it is computed from.
    """

    families: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()

    def __or__(self, other: Law) -> Law:
        return Law(*(tuple(dict.fromkeys(a + b)) for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Node:
    """A variable.

    Attributes:
        name: of the variable.
        role: ``"observed"``, ``"partly observed"``, ``"latent"``, ``"factor"``,
            ``"deterministic"`` for what its parents determine, ``"input"`` for an argument that
            is no variable of the model, ``"auxiliary"`` for a site of the guide that is none, or
            ``"intervened"`` for what is set from outside.
        plates: from the outermost to the innermost.
        finite: whether it is a label, which can be summed over.
        copies: how many sites outside a common plate it stands for.
        steps: in a folded graph, the nodes that it stands for in the order of time.
        laws: what the model and the guide, ``"p"`` and ``"q"``, say of its distribution.
    """

    name: str
    role: str
    plates: tuple[str, ...] = ()
    finite: bool = False
    copies: int = 1
    steps: tuple[str, ...] = ()
    laws: Mapping[str, Law] = field(default_factory=dict, compare=False, repr=False)

    def law(self, side: str) -> Law:
        """What a side says of its distribution; nothing where it says nothing."""
        return self.laws.get(side, Law())


@dataclass(frozen=True, order=True)
class Edge:
    """A dependence of the child's distribution on the parent.

    Attributes:
        parent, child: names of nodes.
        side: ``"p"`` for the model, ``"q"`` for the guide, ``MISSING`` for what a guide lacks.
        given: in a guide, which rows of a partly observed parent it is: ``"observed"``,
            ``"missing"``, or ``""`` for all.
        lag: in a folded graph, from how many steps before: 1 is t−1 → t, ``PAST`` all before.
        at: in a folded graph, ``"first"`` where it leads into the first step alone, ``"last"``
            where it leads out of the last alone, ``""`` for every step.
    """

    parent: str
    child: str
    side: str
    given: str = ""
    lag: int = 0
    at: str = ""


@dataclass(frozen=True)
class Series:
    """Nodes of one statement in a loop.

    Attributes:
        name: what stands for all of them. nodes: in the order of time.
        times: the step of each, counted as the program does.
        plate: the sequential plate whose cells they are, ``""`` for steps of time.
    """

    name: str
    nodes: tuple[str, ...]
    times: tuple[int, ...]
    plate: str = ""


@dataclass(frozen=True)
class Chain:
    """A loop of a folded graph: nodes that have a time, t = 1 … T.

    Attributes:
        index: the letter of time. length: T. nodes: names of what the loop draws in each step.
    """

    index: str
    length: int
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Structure:
    """Nodes in the order of the model's run, edges, plates by name.

    What can be asked of them is a function each, in the rooms around; a
    :class:`~ccvae.inspection.Graph` has these as its methods.

    Attributes:
        nodes, plates: by name. edges: of both programs.
        guided: nodes that the guide has a distribution for, in the order of its run.
        blocks: nodes that the guide draws together, with one density, as q(a, b).
        series: for each statement that a loop runs again and again its nodes in the order of time.
        chains: in a folded graph, what each loop has become.
    """

    nodes: dict[str, Node]
    edges: frozenset[Edge]
    plates: dict[str, Plate]
    guided: tuple[str, ...]
    blocks: tuple[tuple[str, ...], ...] = ()
    series: tuple[Series, ...] = ()
    chains: tuple[Chain, ...] = ()

    @property
    def shared_plates(self) -> tuple[str, ...]:
        """The outermost plates that all variables lie in."""
        plates = [self.nodes[name].plates for name in self.drawn_by("p")]
        levels = zip(*plates, strict=False)
        return tuple(
            level[0] for level in itertools.takewhile(lambda level: len(set(level)) == 1, levels)
        )

    def drawn_by(self, side: str) -> list[str]:
        """The nodes that a program states: variables, what they determine, factors.

        Args:
            side: ``"p"`` for the model, ``"q"`` for the guide, in the order of its run.
        """
        if side == "q":
            return list(self.guided)
        theirs = {name for name in self.guided if self.nodes[name].role == "factor"}
        return [n for n, node in self.nodes.items() if node.role not in OUTSIDE and n not in theirs]

    def kind(self, edge: Edge) -> str:
        """What an edge states.

        Returns:
            ``"generative"`` or ``"inference"``, and of these apart ``"conditional prior"``, p of a
            latent given a label, and ``"label classifier"``, q of a label; ``"missing"`` for what
            a guide lacks.
        """
        if edge.side == MISSING:
            return MISSING
        parent, child = self.nodes[edge.parent], self.nodes[edge.child]
        if edge.side == "p":
            prior = parent.finite and child.role == "latent" and not child.finite
            return "conditional prior" if prior else "generative"
        return "label classifier" if child.finite else "inference"

    def parents(self, child: str, side: str) -> list[Edge]:
        """The edges into a node, in the order of the nodes."""
        found = [edge for edge in self.edges if (edge.child, edge.side) == (child, side)]
        return sorted(found, key=lambda edge: (list(self.nodes).index(edge.parent), edge.lag))
