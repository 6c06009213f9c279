"""What a graph says of independence: any question of the kind "a and b, given c", answered.

Every answer holds for all distributions that factorise as the graph does. "Not independent" means
that the graph does not state it: almost all distributions with this graph have the dependence.

An observed variable is not given unless the question says so. Factors and arguments always are: a
factor is a common child of its arguments that is observed, and so joins them. What
``pyro.deterministic`` states is a function of its parents, and is known where these are.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Any

from .dag import Block
from .graph import INTERVENED, Graph
from .unroll import (
    Cell,
    Selection,
    Show,
    cells_to_show,
    cut,
    drawn,
    select,
    unroll,
    with_known,
)

Names = str | Iterable[str]
"""A variable, or several."""


@dataclass(frozen=True)
class Independence:
    """The answer to a question; true where the graph states that the two are independent.

    Attributes:
        first, second, given, do: what was asked.
        holds: the answer.
        path: the variables of an open path, where it is no.
        arrows: the same as it is drawn: ``z_c → x ← z_style``.
        blocked: where the paths end, where it is yes: variables, and why each lets nothing pass:
            ``"given"``, ``"determined"`` by what is given, or ``"collider"``, a common child that
            is not given, nor anything that depends on it.
        sentence: all of it in words.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    given: tuple[str, ...]
    do: tuple[str, ...]
    holds: bool
    path: tuple[str, ...]
    arrows: str
    blocked: tuple[tuple[str, str], ...]
    sentence: str

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        from .show import text_html

        return text_html(self.sentence)

    @property
    def statement(self) -> str:
        """The answer in signs: ``y ⊥ x | z_c``, or with ``⊥̸`` where it is no."""
        sides = [",".join(part) for part in (self.first, self.second)]
        known = [*self.given, *(f"do({name})" for name in self.do)]
        sign = " ⊥ " if self.holds else " ⊥̸ "
        return sign.join(sides) + (f" | {','.join(known)}" if known else "")

    def to_json(self) -> dict[str, Any]:
        """The answer as plain data."""
        return {
            "first": list(self.first),
            "second": list(self.second),
            "given": list(self.given),
            "do": list(self.do),
            "independent": self.holds,
            "statement": self.statement,
            "path": list(self.path),
            "arrows": self.arrows,
            "blocked": [{"node": node, "why": why} for node, why in self.blocked],
            "sentence": self.sentence,
        }


def independent(
    graph: Graph,
    first: Names,
    second: Names,
    given: Names = (),
    *,
    do: Names = (),
    side: str = "p",
) -> Independence:
    """Whether a graph states that variables are independent of others, given further ones.

    Args:
        graph: of a model, and a guide.
        first, second, given: names. A name means the variable in all its cells; ``z_c[2]`` one
            cell of its innermost plate, ``x[data=2]`` one of a plate by name.
        do: what is set from outside: its arrows are cut, and it is known.
        side: ``"p"`` asks the model, ``"q"`` the guide, to which all that it does not draw is
            given.

    Raises:
        ValueError: for a name that the graph does not have, one that the guide does not draw, or a
            question that has no answer: a variable in two of its parts.
    """
    return _Question(graph, first, second, given, do, side).answer()


class _Question:
    def __init__(
        self, graph: Graph, first: Names, second: Names, given: Names, do: Names, side: str
    ) -> None:
        self.graph = graph
        parts = [_selections(graph, names) for names in (first, second, given, do)]
        self.first, self.second, self.given, self.do = parts
        if not (self.first and self.second):
            raise ValueError("expected two variables or more to ask about; name both sides")
        self.asked = [selection for part in parts for selection in part]
        _check_drawn(graph, self.asked, side)
        for selection in (*self.first, *self.second):
            if graph.nodes[selection.name].role in ("input", INTERVENED):
                raise ValueError(f"{selection.name} is given to the program; ask about others")
        positions = cells_to_show(graph, self.asked)
        known: dict[str, set[int]] = {}
        if side == "q":
            positions, known = with_known(graph, positions)
        self.unrolled = cut(graph, unroll(graph, positions, side=side, known=known), self.do)
        self.cells = [self._cells(part) for part in parts]
        self._check_disjoint()

    def _cells(self, selections: Iterable[Selection]) -> set[Cell]:
        return {cell for s in selections for cell in s.among(self.unrolled.dag.parents)}

    def _check_disjoint(self) -> None:
        for one, other in itertools.combinations(self.cells, 2):
            if both := one & other:
                names = sorted({cell.name for cell in both})
                raise ValueError(
                    f"expected different variables, got {', '.join(names)} twice; name cells as "
                    f"{names[0]}[1] and {names[0]}[2] to ask about one variable"
                )

    def answer(self) -> Independence:
        first, second, given, do = self.cells
        dag, known = self.unrolled.dag, given | do | self.unrolled.evidence
        trail = dag.trail(first, second, known)
        if trail is None:
            blocked = self._blocked(dag.blocks(first, second, known))
            return self._answered(True, (), "", blocked, self._yes(blocked))
        show = Show(trail, self.asked)
        arrows = drawn(self.unrolled, trail, show)
        path = tuple(show(cell) for cell in trail)
        return self._answered(False, path, arrows, (), self._no(trail, arrows, show))

    def _answered(
        self,
        holds: bool,
        path: tuple[str, ...],
        arrows: str,
        blocked: tuple[tuple[str, str], ...],
        sentence: str,
    ) -> Independence:
        parts = (self.first, self.second, self.given, self.do)
        asked = [tuple(s.text for s in part) for part in parts]
        first, second, given, do = asked
        return Independence(first, second, given, do, holds, path, arrows, blocked, sentence)

    def _blocked(self, blocks: Collection[Block[Cell]]) -> tuple[tuple[str, str], ...]:
        show = Show((), self.asked)
        return tuple(dict.fromkeys((show(block.node), block.why) for block in blocks))

    def _about(self) -> str:
        return " and ".join(_listed(s.text for s in part) for part in (self.first, self.second))

    def _given(self) -> str:
        given = f" given {_listed(s.text for s in self.given)}" if self.given else ""
        return given + (f" under do({', '.join(s.text for s in self.do)})" if self.do else "")

    def _yes(self, blocked: Collection[tuple[str, str]]) -> str:
        start = f"{self._about()} are independent{self._given()}"
        if not blocked:
            return f"{start}: no path joins them."
        words = {
            "given": "is given",
            "determined": "is a function of what is given",
            "collider": "is a common child that is not given, nor is anything that depends on it",
        }
        reasons = [
            f"{_listed(names)}, which {_plural(words[why], len(names))}"
            for why in words
            if (names := [name for name, reason in blocked if reason == why])
        ]
        return f"{start}: every path between them is blocked by {'; and by '.join(reasons)}."

    def _no(self, trail: tuple[Cell, ...], arrows: str, show: Show) -> str:
        start = f"{self._about()} are not independent{self._given()}"
        if len(trail) == 2:
            return f"{start}: {arrows} joins them."
        reasons = list(dict.fromkeys(self._opened(node, show) for node in self._colliders(trail)))
        why = f", for {' and '.join(reasons)}" if reasons else ", for nothing on it is given"
        return f"{start}: the path {arrows} is open{why}."

    def _colliders(self, trail: tuple[Cell, ...]) -> Iterator[Cell]:
        parents = self.unrolled.dag.parents
        for before, node, after in zip(trail, trail[1:], trail[2:], strict=False):
            if {before, after} <= set(parents[node]):
                yield node

    def _opened(self, node: Cell, show: Show) -> str:
        """Why a trail passes a common child."""
        if self.graph.nodes[node.name].role == "factor":
            return f"the factor {show(node)} ties its arguments"
        known = self.cells[2] | self.cells[3] | self.unrolled.evidence
        if node in known:
            return f"{show(node)} is given"
        below = next(c for c in self.unrolled.dag.parents if c in known and node in self._above(c))
        return f"{show(below)}, which depends on {show(node)}, is given"

    def _above(self, cell: Cell) -> set[Cell]:
        return self.unrolled.dag.ancestors([cell])


def _selections(graph: Graph, names: Names) -> tuple[Selection, ...]:
    several = (names,) if isinstance(names, str) else tuple(names)
    if isinstance(names, Set):
        several = tuple(sorted(several))
    return tuple(select(graph, name) for name in several)


def _check_drawn(graph: Graph, asked: Iterable[Selection], side: str) -> None:
    if side not in ("p", "q"):
        raise ValueError(
            f"expected side to be 'p' for the model or 'q' for the guide, got {side!r}"
        )
    for selection in asked:
        role = graph.nodes[selection.name].role
        if role == "factor" or (role == "auxiliary" and side == "p"):
            program = "model" if side == "p" else "guide"
            raise ValueError(f"{selection.name} is no variable of the {program}; ask about others")


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _plural(words: str, count: int) -> str:
    if count == 1:
        return words
    words = words.replace("is a function", "are functions").replace("is a common", "are common")
    return words.replace("child that is", "children that are").replace("is given", "are given")
