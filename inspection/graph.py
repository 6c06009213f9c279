"""The graphical model that two programs state together, as a reader would draw it.

The sites of a run become nodes and edges, and what Pyro needs several sites for becomes one again:
the three sites that ``obs_mask`` makes of a label, and the sites and plates of the kinds of labels,
which differ in nothing but their number of classes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .provenance import Origin
from .sites import Record, Site

if TYPE_CHECKING:
    from .blankets import Blanket
    from .independence import Independence, Names
    from .inverse import Inverse

LABELLED = ("z_c", "z_y", "y")
"""Sites that the contract has one of for each kind of labels, or for each label: ``y_SUFFIX``."""


PAST = -1
"""The lag of an edge from all steps before."""

MISSING = "missing"
"""The side of edges that the posterior has and a guide lacks."""

OUTSIDE = ("input", "auxiliary")
"""Roles of nodes that are no variables of the model."""


@dataclass(frozen=True)
class Plate:
    """A plate of the graph.

    Attributes:
        name: the plate's. sizes: its size, for each of the programs' plates that it stands for.
    """

    name: str
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """A variable.

    Attributes:
        name: of the variable.
        role: ``"observed"``, ``"partly observed"``, ``"latent"``, ``"factor"``,
            ``"deterministic"`` for what its parents determine, ``"input"`` for an argument that
            is no variable of the model, or ``"auxiliary"`` for a site of the guide that is none.
        plates: from the outermost to the innermost.
        finite: whether it has finitely many values: a label.
        copies: how many sites outside a common plate it stands for.
        steps: in a folded graph, the nodes that it stands for in the order of time.
    """

    name: str
    role: str
    plates: tuple[str, ...] = ()
    finite: bool = False
    copies: int = 1
    steps: tuple[str, ...] = ()


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
class Graph:
    """Nodes in the order of the model's run, edges, plates by name.

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
        plates = [node.plates for node in self.nodes.values() if node.role not in OUTSIDE]
        levels = zip(*plates, strict=False)
        return tuple(
            level[0] for level in itertools.takewhile(lambda level: len(set(level)) == 1, levels)
        )

    def independent(
        self, first: Names, second: Names, given: Names = (), *, do: Names = (), side: str = "p"
    ) -> Independence:
        """Whether variables are independent of others, given further ones.

        See :func:`ccvae.inspection.independence.independent`.
        """
        from .independence import independent

        return independent(self, first, second, given, do=do, side=side)

    def blanket(self, name: str) -> Blanket:
        """A variable's Markov blanket; see :func:`ccvae.inspection.blankets.blanket`."""
        from .blankets import blanket

        return blanket(self, name)

    def independences(self, given: Names | None = None) -> list[Independence]:
        """All pairs; see :func:`ccvae.inspection.blankets.independences`."""
        from .blankets import independences

        return independences(self, given)

    def inverse(self) -> Inverse:
        """What exact inference needs beside the guide; see :mod:`ccvae.inspection.inverse`."""
        from .inverse import inverse

        return inverse(self)

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
        return sorted(found, key=lambda edge: list(self.nodes).index(edge.parent))


class Variables:
    """Which variable of a model a site or an argument belongs to.

    Args:
        model: its sites.
    """

    def __init__(self, model: Record) -> None:
        self._sites = set(model.sites)
        self._data: dict[Origin, set[str]] = {}
        for site in model.sites.values():
            for origin in site.data:
                self._data.setdefault(origin, set()).add(self.of(site.name))

    def of(self, site: str) -> str:
        """The variable that a site is a half of, or the site itself."""
        for half in ("_observed", "_unobserved"):
            whole = site.removesuffix(half)
            if whole != site and {f"{whole}_observed", f"{whole}_unobserved"} <= self._sites:
                return whole
        return site

    def parents(self, site: Site) -> set[tuple[str, str]]:
        """What a site depends on: variables, or arguments that are none, and which part of them."""
        found = {(self.of(name), "missing") for name in site.parents}
        for origin in site.inputs:
            argument = (origin if isinstance(origin, str) else origin[0])[1:]
            found |= {(name, "observed") for name in self._data.get(origin, {argument})}
        return {(name, given) for name, given in found if name != self.of(site.name)}


def build_graph(model: Record, guide: Record) -> Graph:
    """The graph of a model and a guide that were run on the same arguments.

    Args:
        model, guide: as :func:`ccvae.inspection.record` returns them.
    """
    variables = Variables(model)
    nodes: dict[str, Node] = {}
    for site in model.sites.values():
        name = variables.of(site.name)
        nodes.setdefault(name, _node(name, site, model.sites))
    edges: set[Edge] = set()
    guided = dict.fromkeys(
        variables.of(site.name) for site in guide.sites.values() if site.counts != "nowhere"
    )
    for side, record in (("p", model), ("q", guide)):
        for site in record.sites.values():
            child = variables.of(site.name)
            if site.counts != "nowhere" and child in nodes:
                parents = variables.parents(site)
                edges |= {Edge(parent, child, side, given) for parent, given in parents}
    for edge in edges:
        if edge.parent not in nodes:
            role = "auxiliary" if edge.parent in guide.sites else "input"
            nodes[edge.parent] = Node(edge.parent, role)
    plates = {
        plate.name: Plate(plate.name, (plate.full_size,))
        for site in model.sites.values()
        for plate in site.plates
    }
    joined = frozenset(_joined(edges, nodes))
    return _merge_kinds(Graph(nodes, joined, plates, tuple(n for n in guided if n in nodes)))


def _node(name: str, site: Site, sites: Mapping[str, Site]) -> Node:
    plates = tuple(plate.name for plate in site.plates)
    if name == site.name:
        role = "observed" if site.observed else "latent"
        role = "factor" if site.distribution == "Unit" else role
    else:
        counts = sites[f"{name}_observed"].counts
        role = {"always": "observed", "somewhere": "partly observed", "nowhere": "latent"}[counts]
    return Node(name, role, plates, site.finite)


def _joined(edges: set[Edge], nodes: Mapping[str, Node]) -> Iterable[Edge]:
    """The edges with ``given`` only where it tells a difference."""
    for edge in edges:
        partly = nodes[edge.parent].role == "partly observed" and edge.side == "q"
        other = {"observed": "missing", "missing": "observed"}[edge.given]
        both = replace(edge, given=other) in edges
        yield edge if partly and not both else replace(edge, given="")


def _merge_kinds(graph: Graph) -> Graph:
    """One node for the sites that differ in nothing but a label's kind or name."""
    plates = {name: "labels" if _of_family(name, "labels") else name for name in graph.plates}
    names = {name: name for name in graph.nodes}
    for base in LABELLED:
        family = [name for name in graph.nodes if _of_family(name, base)]
        chained = any({edge.parent, edge.child} <= set(family) for edge in graph.edges)
        if len({_place(graph.nodes[name], plates) for name in family}) == 1 and not chained:
            names |= dict.fromkeys(family, base)
    nodes: dict[str, Node] = {}
    for node in graph.nodes.values():
        name, own = names[node.name], tuple(plates[plate] for plate in node.plates)
        before = nodes.get(name)
        in_plate = "labels" in own
        copies = 1 if before is None or in_plate else before.copies + 1
        nodes[name] = replace(node, name=name, plates=own, copies=copies)
    sizes: dict[str, tuple[int, ...]] = {}
    for plate in graph.plates.values():
        sizes[plates[plate.name]] = sizes.get(plates[plate.name], ()) + plate.sizes
    edges = {replace(e, parent=names[e.parent], child=names[e.child]) for e in graph.edges}
    return Graph(
        nodes,
        frozenset(edges),
        {name: Plate(name, size) for name, size in sizes.items()},
        tuple(dict.fromkeys(names[name] for name in graph.guided)),
    )


def _place(node: Node, plates: Mapping[str, str]) -> tuple[object, ...]:
    return node.role, node.finite, tuple(plates[plate] for plate in node.plates)


def _of_family(name: str, base: str) -> bool:
    return name == base or name.startswith(f"{base}_")
