"""Which row of a figure a node stands in: arrows of the model point down, what is seen lies low.

A node's row is the length of the longest path of the model from it to a leaf. Steps of time stand
side by side and not below each other: of a chain only the arrows within a step count.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from .graph import Graph, Series

Names = dict[str, str]

FEW = 2
"""How many different distances in time the arrows of a chain may have."""


def loops(graph: Graph) -> list[Series]:
    """The loops whose steps stand side by side: those with arrows of few lengths, or of all.

    A step that the program draws before its loop, as ``x_0`` before ``x_1``, stands with the rest.
    """
    found = [_with_first(graph, s) for s in graph.series if set(s.nodes) <= graph.nodes.keys()]
    found = [series for series in found if len(series.nodes) > 1]
    of = {
        name: (i, t) for i, s in enumerate(found) for name, t in zip(s.nodes, s.times, strict=True)
    }
    spans: dict[tuple[int, int], list[int]] = {}
    for edge in graph.edges:
        if edge.parent in of and edge.child in of and edge.side == "p":
            (first, start), (second, end) = of[edge.parent], of[edge.child]
            spans.setdefault((first, second), []).append(end - start)
    odd = {
        number
        for pair, lags in spans.items()
        for number in pair
        if len(set(lags)) > FEW and 2 * len(lags) < len(found[pair[1]].nodes) ** 2 / 2
    }
    return [series for number, series in enumerate(found) if number not in odd]


def _with_first(graph: Graph, series: Series) -> Series:
    pattern = re.sub(r"\d+", "#", series.nodes[0])
    for name, node in graph.nodes.items():
        numbers = [int(n) for n in re.findall(r"\d+", name)]
        alike = graph.nodes[series.nodes[0]]
        if (
            name not in series.nodes
            and re.sub(r"\d+", "#", name) == pattern
            and numbers[-1:] == [series.times[0] - 1]
            and (node.role, node.plates) == (alike.role, alike.plates)
        ):
            nodes, times = (name, *series.nodes), (series.times[0] - 1, *series.times)
            return replace(series, nodes=nodes, times=times)
    return series


def times(graph: Graph) -> dict[str, int]:
    """The step of every node that a loop drew."""
    return {
        name: time
        for series in loops(graph)
        for name, time in zip(series.nodes, series.times, strict=True)
    }


def rows(graph: Graph) -> dict[str, int]:
    """The row of every node, from 0 at the bottom."""
    one = _together(graph)
    below = _below(graph, one)
    height = _heights(below)
    for above_, under in _side_by_side(graph, one):
        # Two chains in one row would run through each other.
        if height[above_] == height[under] and not _reaches(below, under, above_):
            below[above_].add(under)
            height = _heights(below)
    model = {one[n] for e in graph.edges if e.side == "p" for n in (e.parent, e.child)}
    above: dict[str, set[str]] = {name: set() for name in below}
    for name, children in below.items():
        for child in children:
            above[child].add(name)
    for name in sorted(height, key=lambda name: -height[name]):
        # A leaf far below its parents rises: two lines of a family do not drift apart.
        if not below[name] and above[name]:
            height[name] = min(height[parent] for parent in above[name]) - 1
    _place_the_guides_own(graph, one, model, height)
    return {name: height[one[name]] for name in graph.nodes}


def _together(graph: Graph) -> Names:
    """A name for all steps of a series, which share a row."""
    one = {name: name for name in graph.nodes}
    for series in loops(graph):
        one |= {name: f"*{series.name}" for name in series.nodes}
    return one


def _below(graph: Graph, one: Names) -> dict[str, set[str]]:
    """The children of every node in its step, and in later ones where no circle comes of it."""
    time = times(graph)
    below: dict[str, set[str]] = {name: set() for name in one.values()}
    later = []
    for edge in sorted(graph.edges):
        parent, child = one[edge.parent], one[edge.child]
        if edge.side != "p" or parent == child:
            continue
        a, b = time.get(edge.parent), time.get(edge.child)
        if edge.lag == 0 and (a is None or b is None or a == b):
            below[parent].add(child)
        else:
            later.append((parent, child))
    for parent, child in later:
        if not _reaches(below, child, parent):
            below[parent].add(child)
    return below


def _side_by_side(graph: Graph, one: Names) -> Iterable[tuple[str, str]]:
    """Pairs of loops that are chains in themselves, in the order of the program."""
    inner = {one[e.parent] for e in graph.edges if one[e.parent] == one[e.child]}
    chains = [name for name in dict.fromkeys(one.values()) if name in inner]
    return itertools.combinations(chains, 2)


def _reaches(below: Mapping[str, set[str]], start: str, end: str) -> bool:
    seen, todo = {start}, [start]
    while todo:
        name = todo.pop()
        if name == end:
            return True
        todo += below[name] - seen
        seen |= below[name]
    return False


def _heights(below: Mapping[str, set[str]]) -> dict[str, int]:
    """Longest paths down; an arrow that would close a circle does not count."""
    height: dict[str, int] = {}
    for root in below:
        path, todo = {root}, [(root, iter(sorted(below[root])))]
        while todo:
            name, children = todo[-1]
            child = next((c for c in children if c not in height and c not in path), None)
            if child is None:
                inside = [height[c] + 1 for c in below[name] if c in height]
                height[name] = max(inside, default=0)
                path.discard(name)
                todo.pop()
            else:
                path.add(child)
                todo.append((child, iter(sorted(below[child]))))
    return height


def _place_the_guides_own(
    graph: Graph, one: Names, model: set[str], height: dict[str, int]
) -> None:
    """What only the guide has: its draws above what they lead to, its inputs at the bottom."""
    for name, node in graph.nodes.items():
        if one[name] in model:
            continue
        children = [height[one[e.child]] for e in graph.edges if e.parent == name]
        if node.role in ("auxiliary", "block") and children:
            height[one[name]] = max(children) + 1
