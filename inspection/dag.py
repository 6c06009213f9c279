"""Directed acyclic graphs and what they say of independence, whatever their nodes stand for.

D-separation (Geiger, Verma and Pearl 1990, "Identifying independence in Bayesian networks") is
d-separation with one thing more: a node that is a function of what is given is known as well, and
lets nothing pass. Without such nodes both are the same.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

Node = TypeVar("Node", bound=Hashable)

UP, DOWN = "up", "down"
"""How a trail enters a node: from one of its children, or from one of its parents."""


@dataclass(frozen=True)
class Block(Generic[Node]):
    """Where a trail ends.

    Attributes:
        node: the node that lets it not pass.
        why: ``"given"``, ``"determined"`` for a function of what is given, or ``"collider"`` for a
            common child that is not given, nor anything that depends on it.
    """

    node: Node
    why: str


@dataclass(frozen=True)
class Dag(Generic[Node]):
    """A directed acyclic graph.

    Attributes:
        parents: of every node.
        functional: nodes that are a function of their parents.

    >>> dag = Dag({"a": (), "b": (), "s": ("a", "b")})
    >>> dag.trail({"a"}, {"b"}, set()), dag.trail({"a"}, {"b"}, {"s"})
    (None, ('a', 's', 'b'))
    >>> dag.blocks({"a"}, {"b"}, set())
    (Block(node='s', why='collider'),)
    """

    parents: Mapping[Node, Collection[Node]]
    functional: frozenset[Node] = frozenset()

    @cached_property
    def children(self) -> dict[Node, list[Node]]:
        """Of every node."""
        found: dict[Node, list[Node]] = {node: [] for node in self.parents}
        for child, parents in self.parents.items():
            for parent in parents:
                found[parent].append(child)
        return found

    def ancestors(self, nodes: Iterable[Node]) -> set[Node]:
        """All nodes from which one of these can be reached, these included."""
        found: set[Node] = set()
        pending = list(nodes)
        while pending:
            node = pending.pop()
            if node not in found:
                found.add(node)
                pending += self.parents[node]
        return found

    def determined(self, given: Collection[Node]) -> set[Node]:
        """What is known where ``given`` is: itself, and functions of what is known."""
        known = set(given)
        pending = set(self.functional) - known
        while new := {node for node in pending if set(self.parents[node]) <= known}:
            known |= new
            pending -= new
        return known

    def separated(self, first: Node, second: Node, given: Collection[Node]) -> bool:
        """Whether two nodes are independent of each other, given others."""
        return self.trail({first}, {second}, given) is None

    def trail(
        self, first: Collection[Node], second: Collection[Node], given: Collection[Node]
    ) -> tuple[Node, ...] | None:
        """A shortest open trail between two sets of nodes, or None where there is none."""
        search = _Search(self, first, given)
        ends = set(second) - search.known
        for state in search:
            if state[0] in ends:
                return search.back(state)
        return None

    def blocks(
        self, first: Collection[Node], second: Collection[Node], given: Collection[Node]
    ) -> tuple[Block[Node], ...]:
        """Where the trails from one set to another end, for two sets that are separated."""
        search = _Search(self, first, given)
        found: dict[Block[Node], None] = {}
        for state in list(search):
            node = state[0]
            if node not in first and (ahead := search.closed(state)):
                reach = self._reachable(ahead, without={node, *first})
                if reach & set(second):
                    found[Block(node, search.why(node))] = None
        ends = search.known - set(given)
        found |= {Block(node, "determined"): None for node in ends & {*first, *second}}
        return tuple(found)

    def _reachable(self, start: Iterable[Node], without: Collection[Node]) -> set[Node]:
        """What hangs together with some nodes, whatever the directions."""
        found: set[Node] = set()
        pending = [node for node in start if node not in without]
        while pending:
            node = pending.pop()
            if node not in found:
                found.add(node)
                around = (*self.parents[node], *self.children[node])
                pending += [other for other in around if other not in without]
        return found

    def moral(self, nodes: Collection[Node]) -> dict[Node, set[Node]]:
        """Neighbours of the nodes, of which every parent is one, with parents joined."""
        found: dict[Node, set[Node]] = {node: set() for node in nodes}
        for node in nodes:
            join(found, {node, *self.parents[node]})
        return found


def join(neighbours: Mapping[Node, set[Node]], nodes: Collection[Node]) -> None:
    """Make nodes neighbours of each other."""
    for node in nodes:
        neighbours[node].update(nodes)
        neighbours[node].discard(node)


State = tuple[Node, str]


class _Search(Generic[Node]):
    """Goes through all open trails from some nodes, the shortest first.

    A shortest open trail meets no node twice, so what is found is a path.
    """

    def __init__(self, dag: Dag[Node], first: Collection[Node], given: Collection[Node]) -> None:
        self.dag = dag
        self.given = set(given)
        self.known = dag.determined(given)
        self.above = dag.ancestors(given)
        self.start = [node for node in dag.parents if node in set(first) - self.known]
        self._before: dict[State[Node], State[Node] | None] = {}
        self._from: dict[State[Node], set[Node]] = {}

    def __iter__(self) -> Iterator[State[Node]]:
        # A trail leaves its first node in all directions, as if it came from a child.
        self._before = {(node, UP): None for node in self.start}
        self._from = {}
        level = list(self._before)
        while level:
            following: list[State[Node]] = []
            for state in level:
                yield state
                for after in self._ahead(state, closed=False):
                    self._from.setdefault(after, set()).add(state[0])
                    if after not in self._before:
                        self._before[after] = state
                        following.append(after)
            level = following

    def back(self, state: State[Node]) -> tuple[Node, ...]:
        """The nodes of the trail to a state that was reached."""
        nodes: list[Node] = []
        step: State[Node] | None = state
        while step is not None:
            nodes.append(step[0])
            step = self._before[step]
        return tuple(reversed(nodes))

    def closed(self, state: State[Node]) -> list[Node]:
        """Where a trail would go on if its node let it pass: not back to where it came from."""
        came = self._from.get(state, set())
        return [node for node, _ in self._ahead(state, closed=True) if came != {node}]

    def why(self, node: Node) -> str:
        """What closes a node."""
        if node in self.known:
            return "given" if node in self.given else "determined"
        return "collider"

    def _ahead(self, state: State[Node], *, closed: bool) -> list[State[Node]]:
        node, entered = state
        up = node in self.above if entered == DOWN else node not in self.known
        down = node not in self.known
        return [(other, UP) for other in self.dag.parents[node] if up is not closed] + [
            (other, DOWN) for other in self.dag.children[node] if down is not closed
        ]
