"""Which distribution every variable has, given what: z_c^i | y^i ∼ Normal."""

from __future__ import annotations

from ..graphs.structure import Node, Structure
from .factorisation import Writer
from .notation import UNICODE, Notation, paragraph

SIDES = {"p": "model", "q": "guide"}


def statements(graph: Structure, side: str, notation: Notation = UNICODE) -> list[str]:
    """A line for every variable that a program draws, in its order.

    Args:
        graph: of both programs. side: ``"p"`` for the model, ``"q"`` for the guide.
        notation: which way to write it.

    >>> from ccvae.inspection.graphs.structure import Edge, Law
    >>> nodes = {
    ...     "z": Node("z", "latent", laws={"p": Law(("Normal",))}),
    ...     "x": Node("x", "observed", laws={"p": Law(("Laplace",), ("decoder",))}),
    ... }
    >>> for line in statements(Structure(nodes, frozenset({Edge("z", "x", "p")}), {}, ()), "p"):
    ...     print(line)
    z ∼ Normal
    x|z ∼ Laplace, parameters of decoder
    """
    writer = Writer(graph, notation, side)
    drawn = [graph.nodes[name] for name in graph.drawn_by(side)]
    return [_statement(writer, node) for node in drawn if node.law(side).families]


def _statement(writer: Writer, node: Node) -> str:
    families, parameters = node.law(writer.side)
    words = ", ".join(families)
    words += f", parameters of {', '.join(parameters)}" if parameters else ""
    notation = writer.notation
    return notation.equation(notation.inside(*writer.parts(node)), "∼", notation.words(words))


def statements_text(graph: Structure) -> str:
    """The statements of both programs for people."""
    parts = []
    for side, program in SIDES.items():
        for number, line in enumerate(statements(graph, side)):
            parts.append(paragraph("" if number else program, line))
    return "\n".join(parts)
