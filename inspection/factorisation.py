r"""The joint density of a model and the density of its guide, read off their graph.

For CC-VAE, at rows of which some labels are known:

.. math::

    p(x, y, z_c, z_{\setminus c}) = p(x \mid z_c, z_{\setminus c})\, p(z_{\setminus c})
        \prod_{i=1}^{L} p(z_c^i \mid y^i)\, p(y^i)

.. math::

    q(z_{\setminus c}, z_c, y_U \mid x) = q(z_{\setminus c} \mid x)
        \prod_{i=1}^{L} q(z_c^i \mid x) \prod_{i \in U} q(y^i \mid z_c^i)

O are the labels that a row has, U those that it lacks. A plate that all variables share is left
out: the density is that of one of its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .graph import OUTSIDE, Edge, Graph, Node
from .notation import LABELS, LATEX, UNICODE, Notation

INDICES = "ijklmnrst"


def joint(graph: Graph, notation: Notation = UNICODE) -> str:
    """The model's density of all its variables, as a product."""
    return Writer(graph, notation, "p").equation()


def guide_density(graph: Graph, notation: Notation = UNICODE) -> str:
    """The guide's density of what it samples, as a product."""
    return Writer(graph, notation, "q").equation()


def factorisation(graph: Graph) -> dict[str, dict[str, str]]:
    """Both densities in both notations: ``{"model": {"latex": …, "unicode": …}, "guide": …}``."""
    return {
        program: {"latex": write(graph, LATEX), "unicode": write(graph, UNICODE)}
        for program, write in (("model", joint), ("guide", guide_density))
    }


class Writer:
    """Writes one side of a graph in one notation."""

    def __init__(self, graph: Graph, notation: Notation, side: str) -> None:
        self.graph, self.notation, self.side = graph, notation, side
        own = graph.nodes if side == "p" else graph.guided
        self.own = [node for name in own if (node := graph.nodes[name]).role not in OUTSIDE]
        self.shared = graph.shared_plates
        inner = dict.fromkeys(plate for node in graph.nodes.values() for plate in self.plates(node))
        self.index = dict(zip(inner, INDICES, strict=False))

    def plates(self, node: Node) -> tuple[str, ...]:
        """A node's plates below the shared ones; sites of one family count as one of labels."""
        own = node.plates[len(self.shared) :]
        return (*own, LABELS) if node.copies > 1 else own

    def equation(self) -> str:
        """Left side and right side."""
        left, right = self.left(), self.group((), self._ordered())
        return left if left == right else f"{left} = {right}"

    def left(self) -> str:
        """The density of all variables at once."""
        of = [self.whole(node) for node in self._left()]
        given = [self.reference(edge, ()) for edge in self._in_order(self._outside())]
        return self.notation.density(self.side, of, list(dict.fromkeys(given)))

    def whole(self, node: Node) -> str:
        """A variable on the left side: all of it, or in a guide the part that is missing."""
        return self.notation.symbol(node.name, self._missing(node))

    def factor(self, node: Node) -> str:
        """The density of one variable given its parents."""
        plates = self.plates(node)
        below = "" if plates else self._missing(node)
        own = self.notation.symbol(node.name, below, self._superscript(plates))
        edges = self._in_order(self.graph.parents(node.name, self.side))
        given = [self.reference(edge, plates) for edge in edges]
        if node.role == "factor":
            return self.notation.density(self.notation.symbol("psi"), given, ())
        return self.notation.density(self.side, [own], given)

    def reference(self, edge: Edge, plates: Sequence[str]) -> str:
        """A parent as its child sees it from inside ``plates``."""
        parent = self.graph.nodes[edge.parent]
        common = [plate for plate in self.plates(parent) if plate in plates]
        part = {"observed": "O", "missing": "U", "": ""}[edge.given]
        inside = part == "U" and common  # the product runs over U already
        return self.notation.symbol(parent.name, "" if inside else part, self._superscript(common))

    def group(self, prefix: tuple[str, ...], nodes: Sequence[Node]) -> str:
        """The factors that lie in the plates ``prefix``, and a product for each plate within."""
        depth = len(prefix)
        parts = [self.factor(node) for node in nodes if self.plates(node) == prefix]
        for plate in dict.fromkeys(p[depth] for n in nodes if len(p := self.plates(n)) > depth):
            within = [n for n in nodes if self.plates(n)[: depth + 1] == (*prefix, plate)]
            missing = [n for n in within if self._missing(n)]
            always = [n for n in within if not self._missing(n)]
            index = self.index[plate]
            if always:
                end = self.notation.plate(plate)
                factors = self.group((*prefix, plate), always)
                parts.append(self.notation.product(f"{index}=1..{end}", _bracket(factors)))
            if missing:
                over = self.notation.member(index, "U")
                parts.append(self.notation.product(over, self.group((*prefix, plate), missing)))
        return (r" \, " if self.notation.latex else " ").join(parts)

    def _missing(self, node: Node) -> str:
        return "U" if self.side == "q" and node.role == "partly observed" else ""

    def _superscript(self, plates: Iterable[str]) -> str:
        return ",".join(self.index[plate] for plate in plates)

    def _left(self) -> list[Node]:
        """The model: observed leaves first, then labels, then latents. The guide: in its order."""
        if self.side == "q":
            return self.own
        inner = {edge.parent for edge in self.graph.edges if edge.side == "p"}

        def rank(node: Node) -> int:
            if node.role == "observed" and node.name not in inner:
                return 0
            return 1 if node.finite or node.role != "latent" else 2

        return sorted((node for node in self.own if node.role != "factor"), key=rank)

    def _in_order(self, edges: list[Edge]) -> list[Edge]:
        """A guide is given the data first, then the labels."""
        if self.side == "p":
            return edges
        return sorted(edges, key=lambda edge: self.graph.nodes[edge.parent].finite)

    def _outside(self) -> list[Edge]:
        """What the density is conditioned on: parents that it has no distribution for."""
        own = {node.name for node in self.own}
        edges = [e for node in self.own for e in self.graph.parents(node.name, self.side)]
        return [e for e in edges if e.parent not in own or e.given == "observed"]

    def _ordered(self) -> list[Node]:
        """Children before parents in the model, parents before children in the guide."""
        return self.own[::-1] if self.side == "p" else self.own


def _bracket(factors: str) -> str:
    return f"[{factors}]" if "∏" in factors or r"\prod" in factors else factors
