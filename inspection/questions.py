"""Questions to an inspected pair, as the command line asks them, and their answers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .asking.blankets import Blanket, independences
from .asking.independence import Independence
from .asking.inverse import Inverse
from .asking.unroll import select
from .dependences import BesidePyro, beside_pyro
from .graph import Graph
from .inspection import Inspection
from .writing.factorisation import factorisation
from .writing.notation import paragraph
from .writing.table import graph_to_json

COMMA = re.compile(r",(?![^\[\]]*\])")
"""A comma that is not within brackets, as that of ``z_c[1,2]`` is."""

ALL = "all"
"""Asks about every pair."""


@dataclass(frozen=True)
class Questions:
    """What is asked, in words of the command line; nothing where a field is empty.

    Attributes:
        independent: two variables by a comma, each of which may be several by ``+``; or ``"all"``.
        given, do: variables by commas.
        blanket: a variable.
        inverse: whether the guide is set beside the inverse of its model.

    Raises:
        ValueError: for words that are no question.
    """

    independent: str = ""
    given: str = ""
    do: str = ""
    blanket: str = ""
    inverse: bool = False

    def __post_init__(self) -> None:
        if self.given and not self.independent:
            raise ValueError("expected --independent A,B with --given; name two variables or all")
        if self.independent not in ("", ALL) and len(_split(self.independent)) != 2:
            raise ValueError(
                f"expected --independent A,B or all, got {self.independent!r}; name two variables, "
                "each of which may be several as in a+b,c"
            )

    def ask(self, found: Inspection) -> Answers:
        """The answers for a pair.

        Raises:
            ValueError: for a variable that is not there.
        """
        graph = found.graph
        set_ = self._mutilated(graph)
        asked: list[Independence] = []
        if self.independent == ALL:
            asked = independences(set_ or graph, _split(self.given) or None)
        elif self.independent:
            asked = [self._independent(graph, "p")]
        return Answers(
            asked=tuple(asked),
            guided=self._guided(graph),
            blanket=(set_ or graph).blanket(self.blanket) if self.blanket else None,
            mutilated=set_,
            inverse=graph.inverse() if self.inverse and graph.nodes else None,
            pyros=beside_pyro(found) if self.inverse and graph.nodes else None,
        )

    def _mutilated(self, graph: Graph) -> Graph | None:
        """The graph after the intervention, where whole variables are set."""
        names = _split(self.do)
        cells = [name for name in names if select(graph, name).at]
        if cells and (not self.independent or self.independent == ALL):
            raise ValueError(
                f"one cell, {cells[0]}, can be set where --independent A,B asks for two variables; "
                "set a whole variable, or ask so"
            )
        return graph.do(*names) if names and not cells else None

    def _independent(self, graph: Graph, side: str) -> Independence:
        first, second = (part.split("+") for part in _split(self.independent))
        do = _split(self.do) if side == "p" else ()
        return graph.independent(first, second, _split(self.given), do=do, side=side)

    def _guided(self, graph: Graph) -> Independence | None:
        """The guide's own answer, where it draws both."""
        if self.independent in ("", ALL) or self.do:
            return None
        names = [name for part in _split(self.independent) for name in part.split("+")]
        drawn = all(select(graph, name).name in graph.guided for name in names)
        return self._independent(graph, "q") if drawn else None


@dataclass(frozen=True)
class Answers:
    """The answers to :class:`Questions`.

    Attributes:
        asked: of the model, one for each pair. guided: the guide's own answer.
        blanket: of a variable. mutilated: the graph after the intervention.
        inverse: what the guide leaves out. pyros: the same beside Pyro's tool.
    """

    asked: tuple[Independence, ...]
    guided: Independence | None
    blanket: Blanket | None
    mutilated: Graph | None
    inverse: Inverse | None
    pyros: BesidePyro | None

    def drawn(self, graph: Graph) -> Graph:
        """The graph as the answers change its figure, with loops folded."""
        if self.mutilated is not None:
            return self.mutilated.folded()
        return (self.inverse.added_to(graph) if self.inverse else graph).folded()

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data; only what was asked."""
        document: dict[str, Any] = {}
        if self.asked:
            answers = [answer.to_json() for answer in self.asked]
            document["independence"] = answers if len(answers) > 1 else answers[0]
        if self.guided is not None:
            document["independence"]["guide"] = self.guided.to_json()
        if self.blanket is not None:
            document["blanket"] = self.blanket.to_json()
        if self.mutilated is not None:
            density = factorisation(self.mutilated.folded())["model"]
            document["do"] = {"graph": graph_to_json(self.mutilated), "factorisation": density}
        if self.inverse is not None and self.pyros is not None:
            document["inverse"] = {**self.inverse.to_json(), "pyro": self.pyros.to_json()}
        return document

    def to_text(self) -> str:
        """All of it for people; ``""`` where nothing was asked."""
        parts = []
        if self.mutilated is not None:
            density = factorisation(self.mutilated.folded())["model"]["unicode"]
            parts.append(paragraph("do", density))
        if len(self.asked) > 1:
            parts.append("\n".join(_table(self.asked)))
        elif self.asked:
            parts.append(paragraph("model", self.asked[0].sentence))
        if self.guided is not None:
            parts[-1] += "\n" + paragraph("guide", f"{self.guided.sentence} (The data are given.)")
        if self.blanket is not None:
            parts.append(paragraph("blanket", self.blanket.sentence))
        if self.inverse is not None and self.pyros is not None:
            parts += [self.inverse.to_text(), self.pyros.to_text()]
        return "\n\n".join(parts)


def _table(answers: Iterable[Independence]) -> Iterable[str]:
    rows = [(answer.statement, answer.sentence.partition(": ")[2]) for answer in answers]
    width = max(_width(statement) for statement, _ in rows)
    return (f"{text}{' ' * (width - _width(text))}  {why}" for text, why in rows)


def _width(text: str) -> int:
    """Columns that a text takes: the stroke through ⊥̸ takes none."""
    return sum(not unicodedata.combining(letter) for letter in text)


def _split(names: str) -> list[str]:
    return [name.strip() for name in COMMA.split(names) if name.strip()]
