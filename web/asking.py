"""Questions that a click asks of a graph: independence, with the path to light, and a blanket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..inspection import Graph
from ..inspection.asking.independence import Independence
from .called import site_of, written
from .programs import Shown

COMMA = re.compile(r",(?![^\[\]]*\])")
"""A comma that is not within brackets."""

CELL = re.compile(r"(?P<name>.+?)(?:\[[\w=, ]{1,40}\])?")
"""A variable, or one of its cells."""

FIELDS = ("first", "second", "given", "do", "blanket")
"""What a question consists of: names by commas each."""


def ask(shown: Shown, asked: Mapping[str, str]) -> dict[str, Any]:
    """The answer to a question, as the page shows it.

    Args:
        shown: what the page shows.
        asked: names by commas in any of :data:`FIELDS`. With ``first`` and ``second`` it asks
            whether they are independent, with ``blanket`` for a variable's Markov blanket.

    Returns:
        ``sentences``, of the model and, where it draws what is asked, of the guide; ``holds``;
        ``path``, names of nodes of the figure; ``blanket``, the same; ``statement``.

    Raises:
        ValueError: for names that the graph does not have, or a question without an answer.
    """
    parts = {field: _names(shown, asked.get(field, "")) for field in FIELDS}
    called = shown.view.symbols
    try:
        found = _blanket(shown, parts["blanket"]) if parts["blanket"] else _answer(shown, parts)
    except ValueError as error:
        raise ValueError(written(str(error), called)) from error
    found["sentences"] = [written(sentence, called) for sentence in found["sentences"]]
    return {**found, "statement": written(found["statement"], called)}


def _answer(shown: Shown, parts: Mapping[str, list[str]]) -> dict[str, Any]:
    first, second, given, do = (parts[field] for field in FIELDS[:4])
    if not (first and second):
        raise ValueError("expected two variables to ask about; click two nodes")
    answer = shown.graph.independent(first, second, given, do=do)
    sentences = [f"Model: {answer.sentence}"]
    if (guides := _guides(shown.graph, first, second, given, do)) is not None:
        sentences.append(f"Guide: {guides.sentence} (The data are given.)")
    return {
        "sentences": sentences,
        "holds": answer.holds,
        "statement": answer.statement,
        "path": _drawn(shown, answer.path),
        "blocked": _drawn(shown, [node for node, _ in answer.blocked]),
        "blanket": [],
    }


def _guides(
    graph: Graph, first: list[str], second: list[str], given: list[str], do: list[str]
) -> Independence | None:
    """The guide's own answer, where it draws both."""
    if do or not {_base(name) for name in (*first, *second)} <= set(graph.guided):
        return None
    try:
        return graph.independent(first, second, given, side="q")
    except ValueError:  # it is asked about what the guide has no part in
        return None


def _blanket(shown: Shown, names: list[str]) -> dict[str, Any]:
    if len(names) != 1:
        raise ValueError("expected one variable to have a Markov blanket; click one node")
    found = shown.graph.blanket(names[0])
    return {
        "sentences": [found.sentence],
        "holds": True,
        "statement": "",
        "path": [],
        "blocked": [],
        "blanket": _drawn(shown, found.names),
    }


def _names(shown: Shown, text: str) -> list[str]:
    """The variables that a text names; one that stands for the steps of a loop names them all."""
    if len(text) > 1000:
        raise ValueError("expected names of variables by commas, got more than 1000 letters")
    names = [name.strip() for name in COMMA.split(text) if name.strip()]
    found: list[str] = []
    for name in (site_of(name, shown.view.symbols) for name in names):
        node = shown.drawn.nodes.get(name)
        if node is not None and node.steps:
            found += node.steps
        elif _base(name) in shown.graph.nodes:
            found.append(name)
        else:
            known = ", ".join(shown.view.names)
            raise ValueError(f"unknown variable; choose among {known}")
    return found


def _base(name: str) -> str:
    match = CELL.fullmatch(name)
    return match["name"] if match else name


def _drawn(shown: Shown, names: tuple[str, ...] | list[str]) -> list[str]:
    """The nodes of the figure that stand for variables, cells or steps."""
    steps = {step: name for name, node in shown.drawn.nodes.items() for step in node.steps}
    bases = [name if name in shown.graph.nodes else name.partition("[")[0] for name in names]
    return [steps.get(base, base) for base in bases]
