"""What exact inference needs, in the order in which a guide draws, beside what the guide has.

The posterior of a model's latents, written as a product in a guide's order, needs certain arrows:
the minimal faithful inverse of the model (Webb et al. 2018, "Faithful inversion of generative
models for effective amortized inference"). It is found by elimination: from the last variable that
the guide draws to the first, a variable's neighbours in the moral graph become its parents and are
joined to each other. That may leave arrows too many, where nothing observed depends on a variable
for one, so each is kept only if d-separation needs it.

An arrow that the inverse has and the guide lacks is a dependence of the posterior that no setting
of the guide's parameters can express. One that the guide has and the inverse lacks is needless.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .dag import Dag, join
from .graph import MISSING, Edge, Graph
from .unroll import Cell, Show, Unrolled, cells_to_show, drawn, size_of, unroll, with_known

KNOWN = ("observed", "input", "factor", "intervened")
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


@dataclass(frozen=True)
class Inverse:
    """A guide beside the minimal faithful inverse of its model in the guide's order.

    Attributes:
        order: what the guide draws, in its order.
        needed: the inverse's arrows. stated: the guide's.
        missing: those of the inverse that the guide lacks, within a cell of every plate.
        between: the same between cells of a plate.
        needless: those of the guide that the inverse lacks.
        fitted: variables that the guide draws without reading data: their parameters are fitted to
            the data at hand, so that arrows from data are not missed.
    """

    order: tuple[str, ...]
    needed: tuple[Dependence, ...]
    stated: tuple[Dependence, ...]
    missing: tuple[Dependence, ...]
    between: tuple[Dependence, ...]
    needless: tuple[Dependence, ...]
    fitted: tuple[str, ...]

    @property
    def faithful(self) -> bool:
        """Whether the guide's arrows can express the posterior."""
        return not self.missing and not self.between

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        arrows = ("needed", "stated", "missing", "between", "needless")
        return {
            "order": list(self.order),
            "faithful": self.faithful,
            **{name: [arrow.to_json() for arrow in getattr(self, name)] for name in arrows},
            "fitted": list(self.fitted),
        }

    def to_text(self) -> str:
        """All of it for people."""
        if not self.order:
            return "The guide draws nothing."
        lines = [f"The guide draws {', '.join(self.order)} in this order. In this order"]
        if self.faithful:
            lines[0] += " its arrows can express the posterior."
        else:
            lines[0] += " the posterior depends on what the guide lacks:"
        lines += [f"  {arrow}: {arrow.path}" for arrow in (*self.missing, *self.between)]
        if self.needless:
            lines.append("The posterior does not need what the guide states:")
            lines += [f"  {arrow}" for arrow in self.needless]
        if self.fitted:
            lines.append(
                f"Drawn without reading data: {', '.join(self.fitted)}. The parameters are fitted "
                "to the data at hand; arrows from data are not counted."
            )
        return "\n".join(lines)

    def added_to(self, graph: Graph) -> Graph:
        """The graph with the missing arrows within a cell as edges of the side ``"missing"``."""
        more = {Edge(a.parent, a.child, MISSING, a.given) for a in self.missing}
        return replace(graph, edges=graph.edges | more)


def inverse(graph: Graph) -> Inverse:
    """Set a guide beside the minimal faithful inverse of its model.

    Args:
        graph: of both programs.

    Raises:
        ValueError: for a graph that is folded over time.
    """
    positions, known = with_known(graph, cells_to_show(graph, ()))
    model = unroll(graph, positions, side="p", known=known)
    guide = unroll(graph, positions, side="q", known=known)
    evidence = {c for c in model.dag.parents if graph.nodes[c.name].role in KNOWN}
    evidence |= guide.evidence & set(model.dag.parents) - set(_unread(graph, guide))
    drawn_cells = [c for name in graph.guided for c in guide.dag.parents if c.name == name]
    order = [c for c in drawn_cells if c not in guide.evidence and c in model.dag.parents]
    needed = _Roll(graph, model, evidence)(invert(model.dag, order, evidence))
    stated = _Roll(graph, guide, guide.evidence)(invert(guide.dag, order, guide.evidence))
    fitted = _fitted(guide, order)
    lacking = [
        arrow
        for arrow in _without(needed, stated)
        if not (arrow.child in fitted and _is_data(graph, arrow))
    ]
    return Inverse(
        order=tuple(dict.fromkeys(cell.name for cell in order)),
        needed=_joined(needed),
        stated=_joined(stated),
        missing=_joined(arrow for arrow in lacking if not arrow.between),
        between=_joined(arrow for arrow in lacking if arrow.between),
        needless=_joined(_without(stated, needed)),
        fitted=fitted,
    )


def _without(arrows: Iterable[Dependence], others: Iterable[Dependence]) -> list[Dependence]:
    keys = {other.key for other in others}
    return [arrow for arrow in arrows if arrow.key not in keys]


def _joined(arrows: Iterable[Dependence]) -> tuple[Dependence, ...]:
    """The arrows with one for the known and the missing entries of a parent where both are there."""
    arrows = list(arrows)
    keys = {arrow.key for arrow in arrows}
    found: dict[Any, Dependence] = {}
    for arrow in arrows:
        other = {"observed": "missing", "missing": "observed"}.get(arrow.given, "")
        whole = replace(arrow, given="") if replace(arrow, given=other).key in keys else arrow
        found.setdefault(whole.key, whole)
    return tuple(found.values())


def _is_data(graph: Graph, arrow: Dependence) -> bool:
    return graph.nodes[arrow.parent].role in KNOWN or arrow.given == "observed"


def _unread(graph: Graph, guide: Unrolled) -> Iterable[Cell]:
    """Latents that the guide does not draw: nobody knows them."""
    latent = ("latent", "deterministic")
    return (c for c in guide.evidence if graph.nodes[c.name].role in latent)


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


def _fitted(guide: Unrolled, order: Sequence[Cell]) -> tuple[str, ...]:
    """What is drawn without reading data, directly or through what was drawn before."""
    reading = {c.name for c in order if guide.dag.ancestors([c]) & guide.evidence}
    return tuple(name for name in dict.fromkeys(c.name for c in order) if name not in reading)
