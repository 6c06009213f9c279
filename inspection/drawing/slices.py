"""What a figure shows beside the nodes of a graph: two steps of a loop, and what is drawn together.

A folded loop becomes a box for the step t, and beside it those nodes of the steps before that its
arrows come from. What a guide draws together becomes a small square with lines to all of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..graphs.structure import PAST, Chain, Edge, Node, Plate, Series, Structure
from ..writing.factorisation import Writer
from ..writing.notation import LATEX, Symbol
from .shapes import Title


@dataclass(frozen=True)
class Scene:
    """A graph as a figure shows it.

    Attributes:
        graph: with the nodes that the figure adds.
        indices: what is written below a node for its step. lags: how many steps before it is.
        marks: what is written beside an arrow. spans: the labels of the boxes of loops.
        letters: the index of every plate, as the formulas have it.
    """

    graph: Structure
    indices: dict[str, str] = field(default_factory=dict)
    lags: dict[str, int] = field(default_factory=dict)
    marks: dict[Edge, str] = field(default_factory=dict)
    spans: dict[str, Title] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)


def scene(graph: Structure) -> Scene:
    """The graph with the steps of its loops, and with what its guide draws together."""
    shown = Scene(graph)
    for chain in graph.chains:
        shown = _with_steps(shown, chain)
    letters = Writer(graph, LATEX, "p").index
    return replace(shown, graph=_with_blocks(shown.graph), letters=letters)


def _with_steps(shown: Scene, chain: Chain) -> Scene:
    graph, inside = shown.graph, set(chain.nodes) & set(shown.graph.nodes)
    edges, marks, before = set(), dict(shown.marks), {}
    for edge in sorted(graph.edges):
        drawn, lag = edge, 1 if edge.lag == PAST else edge.lag
        if lag and {edge.parent, edge.child} <= inside:
            name = earlier(edge.parent, chain.index, lag)
            before[name] = edge.parent, lag
            drawn = replace(edge, parent=name, lag=0)
        edges.add(drawn)
        if mark := _mark(edge, chain, inside):
            marks[drawn] = mark
    span = f"{chain.index} = 1 … {_length(chain)}"
    nodes = dict(_nodes(graph, before, inside, span))
    series = tuple(_series(before, inside))
    return Scene(
        replace(
            graph,
            nodes=nodes,
            edges=frozenset(edges),
            plates={**graph.plates, span: Plate(span, (chain.length,))},
            series=graph.series + series,
        ),
        shown.indices
        | {name: chain.index for name in inside}
        | {name: f"{chain.index}-{lag}" for name, (_, lag) in before.items()},
        shown.lags | {name: lag for name, (_, lag) in before.items()},
        marks,
        shown.spans | {span: Title(f"{chain.index} = 1 …", Symbol(_length(chain)))},
    )


def earlier(name: str, index: str, lag: int) -> str:
    """What a node of an earlier step is called."""
    return f"{name} at {index}−{lag}"


def _length(chain: Chain) -> str:
    return chain.index.upper()


def _mark(edge: Edge, chain: Chain, inside: set[str]) -> str:
    """From which step to which an arrow leads, where that is not the same step."""
    t, both = chain.index, {edge.parent, edge.child} <= inside
    if both and edge.lag == PAST:
        return f"1 … {t}-1 → {t}"
    if both and edge.lag:
        return f"{t}-{edge.lag} → {t}"
    if edge.at and {edge.parent, edge.child} & inside:
        return f"{t} = 1" if edge.at == "first" else f"{t} = {_length(chain)}"
    return ""


def _nodes(
    graph: Structure, before: dict[str, tuple[str, int]], inside: set[str], span: str
) -> Iterable[tuple[str, Node]]:
    for name, node in graph.nodes.items():
        for other, (whole, _) in before.items():
            if whole == name:
                yield other, replace(node, name=other)
        yield name, replace(node, plates=(*node.plates, span)) if name in inside else node


def _series(before: dict[str, tuple[str, int]], inside: set[str]) -> Iterable[Series]:
    for name in sorted(inside):
        steps = sorted(((-lag, o) for o, (whole, lag) in before.items() if whole == name))
        times = [*(time for time, _ in steps), 0]
        yield Series(name, (*(o for _, o in steps), name), tuple(times))


def _with_blocks(graph: Structure) -> Structure:
    nodes, edges = dict(graph.nodes), set(graph.edges)
    for block in graph.blocks:
        own = [name for name in block if name in graph.nodes]
        if len(own) > 1:
            name = f"q({', '.join(own)})"
            shared = [set(graph.nodes[n].plates) for n in own]
            common = tuple(p for p in graph.nodes[own[0]].plates if all(p in s for s in shared))
            nodes[name] = Node(name, "block", common)
            edges |= {Edge(name, member, "q") for member in own}
    return replace(graph, nodes=nodes, edges=frozenset(edges))


def symbol(shown: Scene, node: Node, indices: str) -> Symbol:
    """A node's name with its step and its plates' indices."""
    name, step = node.name, shown.indices.get(node.name, "")
    if name in shown.lags:
        name = name[: name.rindex(" at ")]
    comma = "," if step and "_" in name.strip("_") else ""
    return Symbol(name, f"{comma}{step}", indices)
