"""The graph after an intervention: what is set from outside depends on nothing any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .graph import INTERVENED, OUTSIDE, Graph, Node


def mutilated(graph: Graph, names: Iterable[str]) -> Graph:
    """A model's graph with variables set from outside (Pearl 2009, "Causality", section 1.3).

    The arrows into them are gone, as is the guide, which is one of the model as it was. What the
    graph states of independence it states of p(… | do(…)).

    Args:
        graph: of the model. names: of the variables that are set.

    Raises:
        ValueError: for a name that is no variable of the model.
    """
    names = tuple(names)
    known = [name for name in graph.drawn_by("p") if graph.nodes[name].role != "factor"]
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is no variable of the model; set one of {', '.join(known)}")
    edges = {edge for edge in graph.edges if edge.side == "p" and edge.child not in names}
    touched = {end for edge in edges for end in (edge.parent, edge.child)}
    own = {*graph.drawn_by("p"), *names}
    nodes = {
        name: replace(node, role=INTERVENED) if name in names else node
        for name, node in graph.nodes.items()
        if name in own or _stays(node, touched)
    }
    plates = {plate for node in nodes.values() for plate in node.plates}
    return replace(
        graph,
        nodes=nodes,
        edges=frozenset(edges),
        plates={name: plate for name, plate in graph.plates.items() if name in plates},
        guided=(),
        blocks=(),
    )


def _stays(node: Node, touched: Iterable[str]) -> bool:
    """Whether an argument is still read."""
    return node.role in OUTSIDE and node.role != "auxiliary" and node.name in touched
