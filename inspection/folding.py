"""Time: the steps of a loop as one template, with arrows from one step to the next.

Which nodes are steps of one template is what the program states: one statement that a loop ran
again and again, whose sites differ in a number of their name alone. They are folded where every
step depends on the steps before it in the same way; the first may lack what it has no step for.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from .graph import PAST, Chain, Edge, Graph, Node, Plate, Series
from .sites import Record, Site
from .variables import Variables

FEW = 4
"""Steps up to which every step is shown as a node of its own."""

INDICES = "tsuv"
"""Letters of time, from the first loop to the last."""


def series_of(model: Record, variables: Variables) -> tuple[Series, ...]:
    """The statements of a program that a loop ran again and again."""
    statements: dict[tuple[object, ...], dict[str, Site]] = defaultdict(dict)
    for site in model.sites.values():
        name = variables.of(site.name)
        pattern = _numbers_out(name)
        plates = tuple(plate.name for plate in site.plates)
        if site.statement and pattern != name:
            key = (site.statement, pattern, plates, site.distribution, site.event_shape)
            statements[key].setdefault(name, site)
    taken = {variables.of(name) for name in model.sites}
    found = []
    for (_, shared, *_), sites in statements.items():
        if (times := _times(list(sites))) is not None:
            name = _template(str(shared), taken)
            taken.add(name)
            found.append(Series(name, tuple(sites), times, _cell(list(sites.values()))))
    return tuple(found)


def folded(graph: Graph, few: int = FEW) -> Graph:
    """The graph with a template for every loop of more than a few steps.

    Args:
        graph: with its series. few: steps up to which a loop stays as it is; 1 folds all.
    """
    series = [s for s in graph.series if len(s.nodes) > few and len(set(_places(graph, s))) == 1]
    while series:
        fold = Fold(graph, series)
        if not fold.irregular:
            return fold.graph()
        series = [s for s in series if s.name not in fold.irregular]
    return graph


class Fold:
    """Some series of a graph as templates.

    Args:
        graph: whose nodes they hold. series: to be folded together.

    Attributes:
        irregular: series that cannot be, as their steps depend on different things.
    """

    def __init__(self, graph: Graph, series: Iterable[Series]) -> None:
        self._graph, self.series = graph, {s.name: s for s in series}
        self._of = {
            node: (s.name, time)
            for s in self.series.values()
            for node, time in zip(s.nodes, s.times, strict=True)
        }
        self.irregular: set[str] = set()
        self.edges = self._edges()

    def graph(self) -> Graph:
        """The folded graph."""
        nodes: dict[str, Node] = {}
        plates = dict(self._graph.plates)
        for name, node in self._graph.nodes.items():
            if name not in self._of:
                nodes[name] = node
                continue
            series = self.series[self._of[name][0]]
            inside = (*node.plates, series.plate) if series.plate else node.plates
            steps = () if series.plate else series.nodes
            nodes.setdefault(
                series.name, replace(node, name=series.name, plates=inside, steps=steps)
            )
            if series.plate:
                plates[series.plate] = Plate(series.plate, (len(series.nodes),))
        return replace(
            self._graph,
            nodes=nodes,
            edges=frozenset(self.edges),
            plates=plates,
            guided=tuple(dict.fromkeys(self._name(name) for name in self._graph.guided)),
            blocks=tuple(
                dict.fromkeys(
                    tuple(dict.fromkeys(map(self._name, block))) for block in self._graph.blocks
                )
            ),
            series=tuple(s for s in self._graph.series if s.name not in self.series),
            chains=tuple(self._chains()),
        )

    def _name(self, node: str) -> str:
        return self._of[node][0] if node in self._of else node

    def _chains(self) -> Iterable[Chain]:
        """Series with the same times and plates, or an edge between them, are one loop."""
        groups: list[set[str]] = []
        timed = [s for s in self.series.values() if not s.plate]
        for s in timed:
            near = {e.parent for e in self.edges if e.child == s.name}
            near |= {e.child for e in self.edges if e.parent == s.name}
            near |= {o.name for o in timed if o.times == s.times}
            joined = [g for g in groups if g & near]
            groups = [g for g in groups if g not in joined] + [{s.name}.union(*joined)]
        letters = [c for c in INDICES if c not in self._graph.nodes] or ["t"]
        groups.sort(key=lambda g: list(self.series).index(min(g, key=list(self.series).index)))
        for place, group in enumerate(groups):
            names = tuple(name for name in self.series if name in group)
            length = max(len(self.series[name].nodes) for name in names)
            index = letters[place] if place < len(letters) else f"{letters[0]}{place}"
            yield Chain(index, length, names)

    def _edges(self) -> set[Edge]:
        groups: dict[tuple[str, str, str, str], set[tuple[int | None, int | None]]]
        groups = defaultdict(set)
        for edge in self._graph.edges:
            (parent, start), (child, end) = (
                self._of.get(name, (name, None)) for name in (edge.parent, edge.child)
            )
            groups[parent, child, edge.side, edge.given].add((start, end))
        found: set[Edge] = set()
        for (parent, child, side, given), pairs in groups.items():
            made = self._template_edges(parent, child, pairs)
            if made is None:
                self.irregular |= {parent, child} & self.series.keys()
            else:
                found |= {Edge(parent, child, side, given, lag, at) for lag, at in made}
        return found

    def _template_edges(
        self, parent: str, child: str, pairs: set[tuple[int | None, int | None]]
    ) -> list[tuple[int, str]] | None:
        """Lags between two templates, or how one node is tied to the steps of a template."""
        starts, ends = (self._times_of(name) for name in (parent, child))
        if starts is None and ends is None:
            return [(0, "")]
        if starts is None or ends is None:
            one = {end if starts is None else start for start, end in pairs}
            times = ends if starts is None else starts
            assert times is not None
            for at, which in (("", set(times)), ("first", {times[0]}), ("last", {times[-1]})):
                if one == which:
                    return [(0, at)]
            # The first step of a loop may lack what the others have, or the last.
            late = one in (set(times[1:]), set(times[:-1])) and len(times) > 2
            return [(0, "")] if late else None
        return _lags(starts, ends, {(s, e) for s, e in pairs if s is not None and e is not None})

    def _times_of(self, name: str) -> tuple[int, ...] | None:
        return self.series[name].times if name in self.series else None


def _lags(
    starts: tuple[int, ...], ends: tuple[int, ...], pairs: set[tuple[int, int]]
) -> list[tuple[int, str]] | None:
    """The lags at which every step depends on another template, None where steps differ."""
    every = {(s, e) for s in starts for e in ends if s < e}
    if pairs == every and len(every) > max(len(starts), len(ends)):
        return [(PAST, "")]
    lags = sorted({end - start for start, end in pairs})
    for lag in lags:
        whole = {(s, s + lag) for s in starts if s + lag in ends}
        missing = whole - pairs
        # At most one step, the first or the last, may do without.
        edges = {min(whole), max(whole)} if whole else set()
        if lag < 0 or len(missing) > 1 or not missing <= edges:
            return None
    return [(lag, "") for lag in lags]


def _numbers_out(name: str) -> str:
    return re.sub(r"\d+", "#", name)


def _times(names: list[str]) -> tuple[int, ...] | None:
    """The one number in which names differ, where it grows; None where there is none."""
    if len(names) < 2:
        return None
    rows = [tuple(int(n) for n in re.findall(r"\d+", name)) for name in names]
    columns = [column for column in zip(*rows, strict=True) if len(set(column)) > 1]
    if len(columns) != 1:
        return None
    (times,) = columns
    growing = all(a < b for a, b in itertools.pairwise(times))
    return times if growing and times[-1] - times[0] == len(times) - 1 else None


def _template(pattern: str, taken: set[str]) -> str:
    """A name for all steps: ``x`` for ``x_#``; with a prime where another node is called so."""
    name = re.sub(r"[_\-\[({/. ]*#[\])}]*", "", pattern, count=1).strip("_") or "step"
    name = name.replace("#", "")
    while name in taken:
        name += "_t"
    return name


def _cell(sites: list[Site]) -> str:
    """The sequential plate whose cells sites are, ``""`` where they are steps of time."""
    first = sites[0]
    for place, plate in enumerate(first.plates):
        cells = [site.plates[place].cell for site in sites]
        if plate.dim is None and len(set(cells)) == len(cells):
            return plate.name
    return ""


def _places(graph: Graph, series: Series) -> list[tuple[object, ...]]:
    nodes = [graph.nodes[name] for name in series.nodes if name in graph.nodes]
    if len(nodes) < len(series.nodes):
        return []
    return [(node.role, node.plates, node.finite) for node in nodes]
