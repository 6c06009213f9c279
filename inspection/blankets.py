"""What can be read off a whole graph: Markov blankets, and the independence of every pair."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from .graph import OUTSIDE, Graph
from .independence import Independence, Names, independent
from .unroll import Cell, Selection, cells_to_show, plates_of, select, size_of, unroll


@dataclass(frozen=True, eq=False)
class Blanket(Set[str]):
    """A Markov blanket: given it, a variable is independent of all others. A set of names.

    Attributes:
        of: the variable.
        parents, children: names. partners: the other parents of its children, and of the factors
            that it is an argument of.
    """

    of: str
    parents: tuple[str, ...]
    children: tuple[str, ...]
    partners: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((*self.parents, *self.children, *self.partners)))

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def _repr_html_(self) -> str:
        from .show import text_html

        return text_html(self.sentence)

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> Any:
        return frozenset(it)

    @property
    def sentence(self) -> str:
        """The blanket in words."""
        if not self.names:
            return f"{self.of} is independent of all other variables."
        parts = [
            f"{', '.join(names)} ({word})"
            for word, names in (
                ("parents" if len(self.parents) > 1 else "parent", self.parents),
                ("children" if len(self.children) > 1 else "child", self.children),
                ("co-parents" if len(self.partners) > 1 else "co-parent", self.partners),
            )
            if names
        ]
        return f"Given {', '.join(parts)}, {self.of} is independent of all other variables."

    def to_json(self) -> dict[str, Any]:
        """The blanket as plain data."""
        return {
            "of": self.of,
            "blanket": list(self.names),
            "parents": list(self.parents),
            "children": list(self.children),
            "partners": list(self.partners),
            "sentence": self.sentence,
        }


def blanket(graph: Graph, name: str) -> Blanket:
    """The Markov blanket of a variable, or of one of its cells, in the model.

    Args:
        graph: of the model. name: as ``"z_c"`` for all cells, or ``"z_c[1]"`` for one.

    Raises:
        ValueError: for a name that the graph does not have, or that is no variable of the model.
    """
    selection = select(graph, name)
    if selection.name not in variables(graph):
        among = ", ".join(variables(graph))
        raise ValueError(f"{name} is no variable of the model; ask about one of {among}")
    positions = cells_to_show(graph, [selection])
    dag = unroll(graph, positions).dag
    own = set(selection.among(dag.parents))
    below = {child for cell in own for child in dag.children[cell]} - own
    above = {parent for cell in own for parent in dag.parents[cell]} - own
    beside = {parent for child in below for parent in dag.parents[child]} - own - above - below
    show = _Show(graph, positions, selection)
    return Blanket(name, *map(show, (above, below, beside)))


class _Show:
    """Names of sets of cells: ``z_c`` for all of them, ``z_c[1]``, ``z_c[≠1]`` for all others."""

    def __init__(
        self, graph: Graph, positions: Mapping[str, Sequence[int]], asked: Selection
    ) -> None:
        self.graph, self.positions, self.asked = graph, positions, asked

    def __call__(self, cells: Collection[Cell]) -> tuple[str, ...]:
        found = {cell.name for cell in cells}
        names = [name for name in variables(self.graph) if name in found]
        return tuple(self._name(name, [c for c in cells if c.name == name]) for name in names)

    def _name(self, name: str, cells: Sequence[Cell]) -> str:
        plates = plates_of(self.graph.nodes[name])
        marks = {
            plate: mark
            for place, plate in enumerate(plates)
            if (mark := self._mark(plate, {cell.at[place][1] for cell in cells}))
        }
        if not marks:
            return name
        plain = tuple(marks) == plates[-len(marks) :]
        parts = [
            mark.removeprefix("=") if plain else f"{plate}{mark}" for plate, mark in marks.items()
        ]
        return f"{name}[{','.join(parts)}]"

    def _mark(self, plate: str, found: set[int]) -> str:
        everywhere, own = set(self.positions[plate]), self.asked.at.get(plate)
        if found == everywhere or own is None:
            return ""
        return f"={own}" if found == {own} else f"≠{own}"


def variables(graph: Graph) -> list[str]:
    """What can be asked about: all but factors, arguments, and what only the guide draws."""
    return [n.name for n in graph.nodes.values() if n.role not in (*OUTSIDE, "factor")]


def independences(graph: Graph, given: Names | None = None) -> list[Independence]:
    """The answer for every pair of variables of a model, and for two cells of each.

    Args:
        graph: of the model.
        given: what all answers are given; without it each pair is given a set that makes it
            independent and of which nothing can be left out, or nothing where none does.
    """
    pairs = [*itertools.combinations(variables(graph), 2), *_cells(graph)]
    if given is None:
        return [_separated(graph, *pair) for pair in pairs]
    names = {given} if isinstance(given, str) else set(given)
    known = {select(graph, name).name for name in names}
    return [
        independent(graph, *pair, given=names)
        for pair in pairs
        if not known & {select(graph, name).name for name in pair}
    ]


def _cells(graph: Graph) -> Iterator[tuple[str, str]]:
    """Two cells of every variable, in each of its plates."""
    for name in variables(graph):
        plates = plates_of(graph.nodes[name])
        for plate in reversed(plates):
            if size_of(graph, plate) > 1:
                at = "" if plate == plates[-1] else f"{plate}="
                yield f"{name}[{at}1]", f"{name}[{at}2]"


def _separated(graph: Graph, first: str, second: str) -> Independence:
    """The pair given a set that separates it and of which nothing can be left out.

    If any set does, the ancestors of both do (Verma and Pearl 1990).
    """
    pair = [select(graph, name) for name in (first, second)]
    unrolled = unroll(graph, cells_to_show(graph, pair))
    own = {cell for selection in pair for cell in selection.among(unrolled.dag.parents)}
    above = {cell.name for cell in unrolled.dag.ancestors(own | unrolled.evidence)}
    known = [n for n in variables(graph) if n in above - {selection.name for selection in pair}]
    answer = independent(graph, first, second, known)
    if not answer:
        return independent(graph, first, second)
    for name in list(known):
        fewer = [other for other in known if other != name]
        if without := independent(graph, first, second, fewer):
            known, answer = fewer, without
    return answer
