r"""The joint density of a model and the density of its guide, read off their graph.

For CC-VAE, at rows of which some labels are known:

.. math::

    p(x, y, z_c, z_{\setminus c}) = \prod_{i=1}^{L} [p(y^i)\, p(z_c^i \mid y^i)]\,
        p(z_{\setminus c})\, p(x \mid z_c, z_{\setminus c})

.. math::

    q(z_{\setminus c}, z_c, y_U \mid x) = q(z_{\setminus c} \mid x)
        \prod_{i=1}^{L} q(z_c^i \mid x) \prod_{i \in U} q(y^i \mid z_c^i)

The factors stand in the order of the program, those of a plate where its last one stands, and by
themselves where plates cross. O are the labels that a row has, U those that it lacks. A plate that
all variables share is left out: the density is that of one of its rows.

Factors make a density unnormalised: p(a) ∝ p(a) ψ(a). What a guide draws together stands together,
q(a,b). In a folded graph time is an index below: ∏_{t=1}^{T} p(x_t|x_{t-1}); what would lie before
the first step is left out of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from ..graphs.structure import INTERVENED, PAST, Chain, Edge, Node, Structure
from .notation import LABELS, LATEX, UNICODE, Notation, Symbol
from .parts import TIME, Part, apart, is_time, letters


def joint(graph: Structure, notation: Notation = UNICODE) -> str:
    """The model's density of all its variables, as a product."""
    return Writer(graph, notation, "p").equation()


def guide_density(graph: Structure, notation: Notation = UNICODE) -> str:
    """The guide's density of what it samples, as a product."""
    return Writer(graph, notation, "q").equation()


def factorisation(graph: Structure) -> dict[str, dict[str, str]]:
    """Both densities in both notations: ``{"model": {"latex": …, "unicode": …}, "guide": …}``."""
    return {
        program: {"latex": write(graph, LATEX), "unicode": write(graph, UNICODE)}
        for program, write in (("model", joint), ("guide", guide_density))
    }


class Writer:
    """Writes one side of a graph in one notation."""

    def __init__(self, graph: Structure, notation: Notation, side: str) -> None:
        self.graph, self.notation, self.side = graph, notation, side
        self.letter = notation.symbol(side)
        every = [graph.nodes[name] for name in graph.drawn_by(side)]
        self.computed = [node for node in every if node.role == "deterministic"]
        self.multiplied = [node for node in every if node.role != "deterministic"]
        self.own = [node for node in self.multiplied if node.role != "factor"]
        self.shared = graph.shared_plates
        self.chain = {name: chain for chain in graph.chains for name in chain.nodes}
        inner = [p for n in graph.nodes.values() for p in self.plates(n) if not is_time(p)]
        taken = {*graph.nodes, *(chain.index for chain in graph.chains)}
        self.index = dict(zip(dict.fromkeys(inner), letters(taken), strict=False))
        self.index |= {f"{TIME}{chain.index}": chain.index for chain in graph.chains}
        self.block = (
            {name: block for block in graph.blocks for name in block} if side == "q" else {}
        )

    def plates(self, node: Node) -> tuple[str, ...]:
        """A node's plates below the shared ones; sites of one family count as one of labels."""
        own = node.plates[len(self.shared) :]
        if (chain := self.chain.get(node.name)) is not None:
            depth = self._common(chain)
            own = (*own[:depth], f"{TIME}{chain.index}", *own[depth:])
        return (*own, LABELS) if node.copies > 1 else own

    def equation(self) -> str:
        """Left side and right side; ``""`` where nothing is drawn."""
        parts = [self._density()] if self.multiplied else []
        parts += map(self._definition, self.computed)
        return self.notation.formula(parts) if parts else ""

    def _density(self) -> str:
        left, right = self.left(), self.group((), self.multiplied)
        sign = "=" if self.own == self.multiplied else "∝"
        return left if left == right else self.notation.equation(left, sign, right)

    def left(self) -> str:
        """The density of all variables at once."""
        of = [self.whole(node) for node in self._left()]
        given = [self._outer(edge) for edge in self._in_order(self._outside())]
        return self.notation.density(self.letter, of, list(dict.fromkeys(given)))

    def _outer(self, edge: Edge) -> str:
        """What the density is conditioned on, or what is set from outside: ``do(y)``."""
        text = self.reference(edge, ())
        set_ = self.graph.nodes[edge.parent].role == INTERVENED
        return self.notation.do(text) if set_ else text

    def whole(self, node: Node) -> str:
        """A variable on the left side: all of it, or in a guide the part that is missing."""
        chain = self.chain.get(node.name)
        steps = self._below(node.name, self._until(chain)) if chain else ""
        return self.notation.symbol(node.name, self._missing(node) + steps)

    def factor(self, node: Node, *, first: bool = False) -> str:
        """The density of one variable given its parents, or of several that are drawn together.

        Args:
            node: the variable. first: in the first step of its chain, and not in step t.
        """
        of, given = self.parts(node, first=first)
        if node.role == "factor":
            psi = self.notation.symbol("psi")
            return self.notation.density(psi, given, ()) if given else psi
        return self.notation.density(self.letter, of, given)

    def parts(self, node: Node, *, first: bool = False) -> tuple[list[str], list[str]]:
        """What a factor is of, and given what; see :meth:`factor`."""
        names = self.block.get(node.name, (node.name,))
        members = self._members(node)
        plates = self._shared_by(members)
        of = [self._symbol(member, plates, first=first) for member in members]
        edges = [e for name in names for e in self.graph.parents(name, self.side)]
        edges = [e for e in edges if e.parent not in names or e.lag]
        edges = [e for e in edges if self._holds(e, first=first)]
        given = [self.reference(edge, plates, first=first) for edge in self._in_order(edges)]
        return of, list(dict.fromkeys(given))

    def reference(self, edge: Edge, plates: Sequence[str], *, first: bool = False) -> str:
        """A parent as its child sees it from inside ``plates``."""
        parent = self.graph.nodes[edge.parent]
        common = [plate for plate in self.plates(parent) if plate in plates]
        part = {"observed": "O", "missing": "U", "": ""}[edge.given]
        inside = part == "U" and common  # the product runs over U already
        below = self.notation.plain("" if inside else part) + self._time(edge, first=first)
        return self.notation.symbol(parent.name, below, self._superscript(common))

    def group(self, prefix: tuple[str, ...], nodes: Sequence[Node]) -> str:
        """The factors that lie in the plates ``prefix``, and a product for each plate within."""
        depth = len(prefix)
        found: list[tuple[int, list[Part]]] = []
        for node in self._leading(nodes):
            if self._plates_of(node) == prefix:
                found.append((nodes.index(node), [Part(self.factor(node))]))
        late = [node for node in nodes if len(self._plates_of(node)) > depth]
        for plate in dict.fromkeys(self._plates_of(node)[depth] for node in late):
            inside = (*prefix, plate)
            within = [n for n in late if self._plates_of(n)[: depth + 1] == inside]
            for own in apart(within, nodes, self._plates_of, depth):
                found.append((max(map(nodes.index, own)), list(self._product(inside, own))))
        ordered = [part for _, parts in sorted(found, key=lambda one: one[0]) for part in parts]
        return self.notation.space.join(self._joined(ordered))

    def _joined(self, parts: list[Part]) -> Iterator[str]:
        """Factors and products; in brackets what a factor follows that a product is not of."""
        for place, part in enumerate(parts):
            followed = any(not other.lower for other in parts[place + 1 :])
            bracketed = part.lower and (followed or part.nested)
            inside = self.notation.brackets(part.factors) if bracketed else part.factors
            yield self.notation.product(*part[1:3], inside) if part.lower else inside

    def _product(self, inside: tuple[str, ...], within: list[Node]) -> Iterator[Part]:
        """The factors of a plate, in which labels are missing, or of a chain, with its start."""
        index = self.index[inside[-1]]
        if is_time(inside[-1]):
            yield from self._steps(inside, within)
            return
        missing = [n for n in within if self._missing(n)]
        always = [n for n in within if not self._missing(n)]
        if always:
            lower, upper = self.notation.plain(f"{index}=1"), self.notation.plate(inside[-1])
            yield self._part(inside, always, lower, upper)
        if missing:
            yield self._part(inside, missing, self.notation.member(index, "U"), "")

    def _part(self, inside: tuple[str, ...], nodes: list[Node], lower: str, upper: str) -> Part:
        nested = any(len(self._plates_of(node)) > len(inside) for node in nodes)
        return Part(self.group(inside, nodes), lower, upper, nested and len(nodes) > 1)

    def _steps(self, inside: tuple[str, ...], within: list[Node]) -> Iterator[Part]:
        chain = next(c for c in self.graph.chains if f"{TIME}{c.index}" == inside[-1])
        started = [n for n in within if self._has_start(n) and self._plates_of(n) == inside]
        yield from (Part(self.factor(node, first=True)) for node in started)
        steady = [n for n in within if n not in started]
        for start, nodes in ((2, started), (1, steady)):
            if nodes:
                lower = self.notation.plain(f"{chain.index}={start}")
                yield self._part(inside, nodes, lower, self.length(chain))

    def step(self, name: str) -> str:
        """A variable of a chain in step t, without its plates' indices."""
        below = self._below(name, self.notation.plain(self.chain[name].index))
        return self.notation.symbol(name, below)

    def length(self, chain: Chain) -> str:
        """The symbol of a chain's length."""
        below = chain.index if len(self.graph.chains) > 1 else ""
        return Symbol("T", below).write(self.notation)

    def _until(self, chain: Chain) -> str:
        return self.notation.plain("1:") + self.length(chain)

    def _has_start(self, node: Node) -> bool:
        return any(edge.at == "first" for edge in self.graph.parents(node.name, self.side))

    def _holds(self, edge: Edge, *, first: bool) -> bool:
        """Whether an edge is there: in the first step none from a step before."""
        return not edge.lag if first else edge.at != "first"

    def _time(self, edge: Edge, *, first: bool) -> str:
        chain = self.chain.get(edge.parent)
        if chain is None:
            return ""
        if edge.child not in self.chain or self.chain[edge.child] != chain:
            last = edge.at == "last"
            return self._below(edge.parent, self.length(chain) if last else self._until(chain))
        before = f"{chain.index}-{edge.lag}"
        step = {0: chain.index, PAST: f"1:{chain.index}-1"}.get(edge.lag, before)
        step = "1" if first else step
        return self._below(edge.parent, self.notation.plain(step))

    def _below(self, name: str, step: str) -> str:
        return self.notation.plain(",") + step if "_" in name.strip("_") else step

    def _symbol(self, node: Node, plates: Sequence[str], *, first: bool) -> str:
        chain = self.chain.get(node.name)
        time = self.notation.plain("1" if first else chain.index) if chain else ""
        step = self._below(node.name, time) if chain else ""
        below = ("" if self.plates(node) else self._missing(node)) + step
        return self.notation.symbol(node.name, below, self._superscript(plates))

    def _definition(self, node: Node) -> str:
        """``z = f(a,b)``, for what its parents determine."""
        plates = self.plates(node)
        edges = self._in_order(self.graph.parents(node.name, self.side))
        given = [self.reference(edge, plates) for edge in edges]
        own = self._symbol(node, plates, first=False)
        value = self.notation.density(self.notation.symbol("f"), given, ())
        return self.notation.equation(own, "=", value)

    def _members(self, node: Node) -> list[Node]:
        return [self.graph.nodes[name] for name in self.block.get(node.name, (node.name,))]

    def _leading(self, nodes: Sequence[Node]) -> list[Node]:
        """One node for each block."""
        heads: dict[tuple[str, ...], Node] = {}
        for node in nodes:
            heads.setdefault(self.block.get(node.name, (node.name,)), node)
        return list(heads.values())

    def _shared_by(self, nodes: Sequence[Node]) -> tuple[str, ...]:
        levels = zip(*(self.plates(node) for node in nodes), strict=False)
        same = itertools.takewhile(lambda level: len(set(level)) == 1, levels)
        return tuple(level[0] for level in same)

    def _plates_of(self, node: Node) -> tuple[str, ...]:
        return self._shared_by(self._members(node))

    def _common(self, chain: Chain) -> int:
        """How many plates below the shared ones a chain's nodes have in common."""
        plates = [self.graph.nodes[name].plates[len(self.shared) :] for name in chain.nodes]
        levels = zip(*plates, strict=False)
        return sum(1 for _ in itertools.takewhile(lambda level: len(set(level)) == 1, levels))

    def _missing(self, node: Node) -> str:
        missing = self.side == "q" and node.role == "partly observed"
        return self.notation.plain("U" if missing else "")

    def _superscript(self, plates: Iterable[str]) -> str:
        return self.notation.plain(",".join(self.index[p] for p in plates if not is_time(p)))

    def _left(self) -> list[Node]:
        """The model: observed leaves first, then labels, then latents. The guide: in its order."""
        if self.side == "q":
            return self.own
        inner = {edge.parent for edge in self.graph.edges if edge.side == "p"}

        def rank(node: Node) -> int:
            if node.role == "observed" and node.name not in inner:
                return 0
            return 1 if node.finite or node.role != "latent" else 2

        return sorted(self.own, key=rank)

    def _in_order(self, edges: list[Edge]) -> list[Edge]:
        """A guide is given the data first, then the labels."""
        if self.side == "p":
            return edges
        return sorted(edges, key=lambda edge: self.graph.nodes[edge.parent].finite)

    def _outside(self) -> list[Edge]:
        """What the density is conditioned on: parents that it has no distribution for."""
        every = [*self.multiplied, *self.computed]
        own = {node.name for node in every}
        edges = [e for node in every for e in self.graph.parents(node.name, self.side)]
        return [e for e in edges if e.parent not in own or e.given == "observed"]
