"""The graph that two records state together.

The sites of a run become nodes and edges, and what Pyro needs several sites for becomes one again:
the sites that ``obs_mask`` makes of a label, the sites and plates of the kinds of a label space,
and in a guide the auxiliary draws that its latents are computed from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..recording.sites import Record, Site
from .drawn import drawn
from .folding import series_of
from .laws import stated, united
from .structure import Edge, Node, Plate, Structure
from .variables import Variables


def structure_of(model: Record, guide: Record) -> Structure:
    """The graph of a model and a guide that were run on the same arguments.

    Args:
        model, guide: as :func:`ccvae.inspection.record` returns them.
    """
    variables = Variables(model)
    nodes: dict[str, Node] = {}
    for site in model.sites.values():
        name = variables.of(site.name)
        node = _node(name, site, model.sites)
        # A number among the labels is summed over at three nodes, where classes are listed.
        label = node.finite or model.kinds.get(name) == "y"
        nodes.setdefault(name, replace(node, finite=label))
    edges = {
        Edge(parent, variables.of(site.name), "p", given)
        for site in model.sites.values()
        for parent, given in variables.parents(site)
    }
    found = drawn(guide, variables, set(nodes))
    nodes |= {name: _auxiliary(guide.sites[name]) for name in found.auxiliary}
    edges |= found.edges
    for edge in sorted(edges):
        nodes.setdefault(edge.parent, Node(edge.parent, "input"))
    nodes = stated(nodes, model, guide, variables)
    plates = _plates([*model.sites.values(), *(guide.sites[name] for name in found.auxiliary)])
    nodes = _in_order(nodes, plates)
    graph = Structure(
        nodes,
        frozenset(_joined(edges, nodes)),
        plates,
        tuple(n for n in found.guided if n in nodes),
        found.blocks,
        series_of(model, variables),
    )
    return _merge_kinds(graph, {**guide.kinds, **model.kinds})


def _node(name: str, site: Site, sites: Mapping[str, Site]) -> Node:
    plates = tuple(plate.name for plate in site.plates if plate.dim is not None)
    if name == site.name:
        role = "observed" if site.observed else "latent"
        role = "factor" if site.distribution == "Unit" else role
        role = "deterministic" if site.deterministic else role
    else:
        counts = sites[f"{name}_observed"].counts
        role = {"always": "observed", "somewhere": "partly observed", "nowhere": "latent"}[counts]
    return Node(name, role, plates, site.finite)


def _auxiliary(site: Site) -> Node:
    plates = tuple(plate.name for plate in site.plates if plate.dim is not None)
    role = "factor" if site.distribution == "Unit" else "auxiliary"
    return Node(site.name, role, plates, site.finite)


def _plates(sites: Iterable[Site]) -> dict[str, Plate]:
    return {
        plate.name: Plate(plate.name, (plate.full_size,))
        for site in sites
        for plate in site.plates
        if plate.dim is not None
    }


def _in_order(nodes: Mapping[str, Node], plates: Mapping[str, Plate]) -> dict[str, Node]:
    """Nodes whose plates stand in one order: a plate around another before it, crossed as met."""
    within = {name: {n.name for n in nodes.values() if name in n.plates} for name in plates}
    order = sorted(plates, key=lambda name: sum(within[name] < held for held in within.values()))
    return {
        name: replace(node, plates=tuple(sorted(node.plates, key=order.index)))
        for name, node in nodes.items()
    }


def _joined(edges: Iterable[Edge], nodes: Mapping[str, Node]) -> Iterable[Edge]:
    """The edges with ``given`` only where it tells a difference."""
    every = set(edges)
    for edge in every:
        partly = nodes[edge.parent].role == "partly observed" and edge.side == "q"
        other = {"observed": "missing", "missing": "observed"}[edge.given]
        both = replace(edge, given=other) in every
        yield edge if partly and not both else replace(edge, given="")


def _merge_kinds(graph: Structure, kinds: Mapping[str, str]) -> Structure:
    """One node for the sites that differ in nothing but a label's kind or name."""
    plates = {name: kinds.get(name, name) for name in graph.plates}
    names = {name: name for name in graph.nodes}
    for base in dict.fromkeys(kinds.values()):
        family = [name for name in graph.nodes if kinds.get(name) == base]
        chained = any({edge.parent, edge.child} <= set(family) for edge in graph.edges)
        if len({_place(graph.nodes[name], plates) for name in family}) == 1 and not chained:
            names |= dict.fromkeys(family, base)
    nodes: dict[str, Node] = {}
    for node in graph.nodes.values():
        name, own = names[node.name], tuple(dict.fromkeys(plates[plate] for plate in node.plates))
        before = nodes.get(name)
        in_plate = any(plate in kinds.values() for plate in own)
        copies = 1 if before is None or in_plate else before.copies + 1
        laws = node.laws if before is None else united(before.laws, node.laws)
        nodes[name] = replace(node, name=name, plates=own, copies=copies, laws=laws)
    sizes: dict[str, tuple[int, ...]] = {}
    for plate in graph.plates.values():
        sizes[plates[plate.name]] = sizes.get(plates[plate.name], ()) + plate.sizes
    return replace(
        graph,
        nodes=nodes,
        edges=frozenset(
            replace(e, parent=names[e.parent], child=names[e.child]) for e in graph.edges
        ),
        plates={name: Plate(name, size) for name, size in sizes.items()},
        guided=tuple(dict.fromkeys(names[name] for name in graph.guided)),
        series=() if kinds else graph.series,
    )


def _place(node: Node, plates: Mapping[str, str]) -> tuple[object, ...]:
    return node.role, node.finite, tuple(plates[plate] for plate in node.plates)
