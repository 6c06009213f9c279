"""Exact inference in an order: elimination and pruning, cell by cell, and rolled up into plates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .dag import Dag, join
from .graph import INTERVENED, Graph
from .unroll import Cell, Show, Unrolled, cells_to_show, drawn, size_of, unroll, with_known

KNOWN = ("observed", "input", "factor", INTERVENED)
"""Roles of what inference is given."""


@dataclass(frozen=True, order=True)
class Dependence:
    """An arrow of a guide, or one that it would need.

    Attributes:
        parent, child: names.
        given: of a partly observed parent, whether the ``"observed"`` entries or those that are
            ``"missing"``; ``""`` for all.
        between: plates in whose cells the two differ, as where one label's latent depends on
            another's.
        path: the path of the model, open given all other parents, that makes it needed.
    """

    parent: str
    child: str
    given: str = ""
    between: tuple[str, ...] = ()
    path: str = ""

    @property
    def key(self) -> tuple[str, str, str, tuple[str, ...]]:
        """What it is compared by: all but its path."""
        return self.parent, self.child, self.given, self.between

    def __str__(self) -> str:
        part = {"observed": " where known", "missing": " where missing"}.get(self.given, "")
        cells = f" (between cells of {', '.join(self.between)})" if self.between else ""
        return f"{self.parent}{part} → {self.child}{cells}"

    def to_json(self) -> dict[str, Any]:
        """The arrow as plain data."""
        return {
            "parent": self.parent,
            "child": self.child,
            "given": self.given,
            "between": list(self.between),
            "path": self.path,
        }


def posterior(graph: Graph, order: Sequence[str]) -> list[Dependence]:
    """The arrows of a model's minimal faithful inverse, whatever its guide.

    Args:
        graph: of the model. order: names of latents, the first drawn first.
    """
    both = Both(graph)
    return both.needed(both.cells(order))


class Both:
    """The cells of a model and of its guide, some of which have what is partly observed known."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        positions, known = with_known(graph, cells_to_show(graph, ()))
        self.model = unroll(graph, positions, side="p", known=known)
        self.guide = unroll(graph, positions, side="q", known=known)
        own = self.model.dag.parents
        roles = {cell: graph.nodes[cell.name].role for cell in own}
        known_cells = {c for c in own if roles[c] == "partly observed" and self._is_known(c, known)}
        self.evidence = {cell for cell in own if roles[cell] in KNOWN} | known_cells

    def _is_known(self, cell: Cell, known: Mapping[str, Collection[int]]) -> bool:
        return bool(cell.at) and cell.at[-1][1] in known.get(cell.at[-1][0], ())

    def cells(self, names: Sequence[str]) -> list[Cell]:
        """The cells of some latents, in order."""
        latent = [cell for cell in self.model.dag.parents if cell not in self.evidence]
        return [cell for name in names for cell in latent if cell.name == name]

    def needed(self, order: Sequence[Cell]) -> list[Dependence]:
        """What the posterior needs."""
        roll = _Roll(self.graph, self.model, self.evidence)
        return roll(invert(self.model.dag, order, self.evidence))

    def stated(self, order: Sequence[Cell]) -> list[Dependence]:
        """What the guide states."""
        roll = _Roll(self.graph, self.guide, self.guide.evidence)
        return roll(invert(self.guide.dag, order, self.guide.evidence))

    def fitted(self, order: Sequence[Cell]) -> tuple[str, ...]:
        """What the guide draws without reading data, directly or through what it drew before."""
        dag, evidence = self.guide.dag, self.guide.evidence
        reading = {cell.name for cell in order if dag.ancestors([cell]) & evidence}
        return tuple(n for n in dict.fromkeys(cell.name for cell in order) if n not in reading)


def invert(
    dag: Dag[Cell], order: Sequence[Cell], evidence: Collection[Cell]
) -> dict[Cell, list[Cell]]:
    """The parents that each of some nodes needs when they are drawn in an order, given evidence.

    Args:
        dag: of the distribution that is to be expressed. order: nodes, the first drawn first.
        evidence: nodes that are known.

    Returns:
        For each node the fewest of the evidence and of those before it, given which it is
        independent of all others of these.
    """
    neighbours = dag.moral(dag.ancestors([*order, *evidence]))
    others = set(neighbours) - set(order) - set(evidence)
    for node in sorted(others, key=list(dag.parents).index):
        join(neighbours, _taken(neighbours, node))
    parents: dict[Cell, list[Cell]] = {}
    for node in reversed(order):
        around = _taken(neighbours, node)
        join(neighbours, around)
        parents[node] = _fewest(dag, node, [c for c in dag.parents if c in around])
    return parents


def _taken(neighbours: dict[Cell, set[Cell]], node: Cell) -> set[Cell]:
    """Take a node out of a graph; returns its neighbours."""
    around = neighbours.pop(node)
    for other in around:
        neighbours[other].discard(node)
    return around


def _fewest(dag: Dag[Cell], node: Cell, parents: list[Cell]) -> list[Cell]:
    for parent in list(parents):
        others = [other for other in parents if other != parent]
        if dag.separated(parent, node, others):
            parents = others
    return parents


class _Roll:
    """Arrows between cells as arrows between variables."""

    def __init__(self, graph: Graph, unrolled: Unrolled, evidence: Collection[Cell]) -> None:
        self.graph, self.unrolled, self.evidence = graph, unrolled, evidence

    def __call__(self, parents: dict[Cell, list[Cell]]) -> list[Dependence]:
        found: dict[Dependence, tuple[Cell, Cell, list[Cell]]] = {}
        for child, own in reversed(parents.items()):
            for parent in own:
                arrow = self._arrow(parent, child)
                if not any(size_of(self.graph, plate) == 1 for plate in arrow.between):
                    found.setdefault(arrow, (parent, child, own))
        return [replace(arrow, path=self._path(*cells)) for arrow, cells in found.items()]

    def _arrow(self, parent: Cell, child: Cell) -> Dependence:
        at = dict(child.at)
        between = tuple(plate for plate, n in parent.at if at.get(plate, n) != n)
        part = ""
        if self.graph.nodes[parent.name].role == "partly observed":
            part = "observed" if parent in self.evidence else "missing"
        return Dependence(parent.name, child.name, part, between)

    def _path(self, parent: Cell, child: Cell, parents: Sequence[Cell]) -> str:
        given = [other for other in parents if other != parent]
        trail = self.unrolled.dag.trail({parent}, {child}, given) or ()
        return drawn(self.unrolled, trail, Show(trail, renumber=True))
