"""Plates written out: a graph with plates as a graph of single cells.

Two cells of a plate say everything: cells are alike, so a trail through a third can be led through
one of them. Where a question names cells, these and one more are taken.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .dag import Dag
from .graph import INTERVENED, Edge, Graph, Node
from .notation import LABELS

INDEXED = re.compile(r"(?P<name>.+)\[(?P<index>[^\[\]]+)\]")


class Cell(NamedTuple):
    """One cell of a variable: its name, and the position from 1 in each of its plates."""

    name: str
    at: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Selection:
    """A variable, or those of its cells that lie at given positions: ``y``, ``y[2]``.

    Attributes:
        text: as it was written. name: of the variable.
        at: positions in some of its plates; in the others all cells are meant.
    """

    text: str
    name: str
    at: Mapping[str, int] = field(default_factory=dict)

    def among(self, cells: Iterable[Cell]) -> list[Cell]:
        """The cells that are meant."""
        at = self.at.items()
        return [cell for cell in cells if cell.name == self.name and at <= dict(cell.at).items()]


def plates_of(node: Node) -> tuple[str, ...]:
    """A node's plates; sites of one family outside a plate count as cells of one of labels."""
    return (*node.plates, LABELS) if node.copies > 1 else node.plates


def size_of(graph: Graph, plate: str) -> int:
    """How many cells a plate has, all kinds together."""
    if plate in graph.plates:
        return sum(graph.plates[plate].sizes)
    return max(node.copies for node in graph.nodes.values())


def select(graph: Graph, text: str) -> Selection:
    """The variable or the cells that a text means.

    Args:
        graph: of which it is a variable.
        text: a name; or a name with positions from 1: ``z_c[2]`` in its innermost plate,
            ``z_c[1,2]`` in its last two, ``z_c[labels=2]`` in a plate by name.

    Raises:
        ValueError: for a name that the graph does not have, or a cell that is not there.
    """
    if text in graph.nodes:
        return Selection(text, text)
    match = INDEXED.fullmatch(text)
    if match is None or match["name"] not in graph.nodes:
        raise ValueError(f"unknown variable {text!r}; choose among {', '.join(graph.nodes)}")
    name, plates = match["name"], plates_of(graph.nodes[match["name"]])
    parts = [part.strip() for part in match["index"].split(",")]
    named = dict(_position(part, text) for part in parts if "=" in part)
    plain = [_position(f"={part}", text)[1] for part in parts if "=" not in part]
    if len(plain) > len(plates) or set(named) - set(plates):
        raise ValueError(
            f"{name} lies in the plates {', '.join(plates) or '(none)'}, got {text!r}; give a "
            "position in each of them at most"
        )
    at = {**dict(zip(plates[len(plates) - len(plain) :], plain, strict=True)), **named}
    for plate, position in at.items():
        if not 1 <= position <= size_of(graph, plate):
            raise ValueError(
                f"the plate {plate} has the cells 1 to {size_of(graph, plate)}, got {text!r}"
            )
    return Selection(text, name, at)


def _position(part: str, text: str) -> tuple[str, int]:
    plate, _, number = part.partition("=")
    if not number.strip().isdecimal():
        raise ValueError(f"expected positions from 1, as in x[2] or x[data=2], got {text!r}")
    return plate.strip(), int(number)


def cells_to_show(graph: Graph, selections: Collection[Selection]) -> dict[str, tuple[int, ...]]:
    """The positions to write out of each plate: those named and one more, two at least."""
    named: dict[str, set[int]] = {}
    for selection in selections:
        for plate, position in selection.at.items():
            named.setdefault(plate, set()).add(position)
    found: dict[str, tuple[int, ...]] = {}
    for plate in {p for node in graph.nodes.values() for p in plates_of(node)}:
        positions = named.get(plate, set())
        if plate in graph.shared_plates and not positions:
            found[plate] = (1,)  # rows have nothing in common
            continue
        others = (n for n in range(1, size_of(graph, plate) + 1) if n not in positions)
        more = itertools.islice(others, max(1, 2 - len(positions)))
        found[plate] = tuple(sorted({*positions, *more}))
    return found


@dataclass(frozen=True)
class Unrolled:
    """The cells of one side of a graph.

    Attributes:
        dag: of the cells, in the order of the nodes.
        evidence: cells that are known before anything is asked: factors, arguments, and for a
            guide all that it does not draw.
    """

    dag: Dag[Cell]
    evidence: frozenset[Cell]


def unroll(
    graph: Graph,
    positions: Mapping[str, Sequence[int]],
    *,
    side: str = "p",
    known: Mapping[str, Collection[int]] | None = None,
) -> Unrolled:
    """Write out the plates of a model or of a guide.

    Args:
        graph: of both programs. positions: which cells of each plate.
        side: ``"p"`` for the model, ``"q"`` for the guide.
        known: positions of a plate at which what is partly observed and has it as its innermost is
            known; elsewhere it is missing.

    Raises:
        ValueError: for a graph that is folded over time: ask the one that it was made of.
    """
    if graph.chains:
        raise ValueError("expected a graph with every step of its loops, got one folded over time")
    writer = _Unroller(graph, positions, side, known or {})
    parents = {cell: writer.parents(cell) for cell in writer.cells}
    functional = {c for c in parents if graph.nodes[c.name].role == "deterministic"}
    evidence = {cell for cell in parents if writer.is_evidence(cell)}
    return Unrolled(Dag(parents, frozenset(functional)), frozenset(evidence))


class _Unroller:
    def __init__(
        self,
        graph: Graph,
        positions: Mapping[str, Sequence[int]],
        side: str,
        known: Mapping[str, Collection[int]],
    ) -> None:
        self.graph, self.positions, self.side, self.known = graph, positions, side, known
        ends = {edge.child for edge in graph.edges if edge.side == side}
        nodes = [node for node in graph.nodes.values() if self._takes_part(node, ends)]
        self.of = {node.name: self._cells(node) for node in nodes}
        self.cells = [cell for cells in self.of.values() for cell in cells]
        self.edges: dict[str, list[Edge]] = {node.name: [] for node in nodes}
        for edge in sorted(graph.edges):
            if edge.side == side and {edge.parent, edge.child} <= set(self.of):
                self.edges[edge.child].append(edge)

    def _takes_part(self, node: Node, children: Collection[str]) -> bool:
        if node.role == "factor":
            return node.name in children
        return node.role != "auxiliary" or self.side == "q"

    def _cells(self, node: Node) -> list[Cell]:
        plates = plates_of(node)
        positions = itertools.product(*(self.positions[plate] for plate in plates))
        return [Cell(node.name, tuple(zip(plates, at, strict=True))) for at in positions]

    def parents(self, child: Cell) -> tuple[Cell, ...]:
        factor = self.graph.nodes[child.name].role == "factor"
        if self.side == "q" and self.is_evidence(child) and not factor:
            return ()
        at = dict(child.at)
        found = [
            cell
            for edge in self.edges[child.name]
            for cell in self.of[edge.parent]
            if all(at.get(plate, position) == position for plate, position in cell.at)
            and edge.given in ("", "observed" if self.is_known(cell) else "missing")
        ]
        return tuple(dict.fromkeys([*found, *self._drawn_before(child)]))

    def _drawn_before(self, child: Cell) -> list[Cell]:
        """In a guide, the cells that are drawn together with one and come before it."""
        if self.side == "p":
            return []
        block = next((block for block in self.graph.blocks if child.name in block), ())
        cells = [c for name in block for c in self.of[name] if not self.is_evidence(c)]
        return cells[: cells.index(child)] if child in cells else []

    def is_known(self, cell: Cell) -> bool:
        """Whether it is a known cell of what is partly observed."""
        if self.graph.nodes[cell.name].role != "partly observed" or not cell.at:
            return False
        plate, position = cell.at[-1]
        return position in self.known.get(plate, ())

    def is_evidence(self, cell: Cell) -> bool:
        role = self.graph.nodes[cell.name].role
        if self.side == "p" or role == "factor":
            return role in ("factor", "input", INTERVENED)
        drawn = cell.name in self.graph.guided or role == "auxiliary"
        return not drawn or self.is_known(cell)


def with_known(
    graph: Graph, positions: dict[str, tuple[int, ...]]
) -> tuple[dict[str, tuple[int, ...]], dict[str, set[int]]]:
    """More cells of the plates of what is partly observed: those in which it is known."""
    known: dict[str, set[int]] = {}
    for node in graph.nodes.values():
        if node.role == "partly observed" and (plates := plates_of(node)):
            last = size_of(graph, plates[-1])
            known[plates[-1]] = {last + 1, last + 2}
    more = {plate: (*positions[plate], *sorted(known[plate])) for plate in known}
    return positions | more, known


def cut(graph: Graph, unrolled: Unrolled, do: Iterable[Selection]) -> Unrolled:
    """The same cells after an intervention: what is set depends on nothing any more."""
    dag = unrolled.dag
    cells = {cell for selection in do for cell in selection.among(dag.parents)}
    if not cells:
        return unrolled
    parents = {cell: () if cell in cells else found for cell, found in dag.parents.items()}
    return Unrolled(type(dag)(parents, dag.functional - cells), unrolled.evidence)


class Show:
    """Writes cells with as many positions as are needed to tell them apart.

    Args:
        cells: those that are written. asked: whose positions are written anyway.
        renumber: count positions from 1 in the order of the cells.
    """

    def __init__(
        self,
        cells: Iterable[Cell],
        asked: Iterable[Selection] = (),
        *,
        renumber: bool = False,
    ) -> None:
        self.numbers: dict[str, dict[int, int]] = {}
        for cell in cells:
            for plate, position in cell.at:
                found = self.numbers.setdefault(plate, {})
                found.setdefault(position, len(found) + 1 if renumber else position)
        self.plates = {plate for plate, found in self.numbers.items() if len(found) > 1}
        self.plates |= {plate for selection in asked for plate in selection.at}

    def __call__(self, cell: Cell) -> str:
        """The cell as it is named in a question."""
        at = [(p, self.numbers.get(p, {}).get(n, n)) for p, n in cell.at if p in self.plates]
        if not at:
            return cell.name
        plain = tuple(plate for plate, _ in cell.at[-len(at) :]) == tuple(p for p, _ in at)
        parts = [str(n) if plain else f"{plate}={n}" for plate, n in at]
        return f"{cell.name}[{','.join(parts)}]"


def drawn(unrolled: Unrolled, trail: Sequence[Cell], show: Show) -> str:
    """A trail with its arrows: ``z_c → x ← z_style``."""
    text = show(trail[0])
    for before, after in itertools.pairwise(trail):
        text += f" {'→' if before in unrolled.dag.parents[after] else '←'} {show(after)}"
    return text
