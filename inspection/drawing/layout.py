"""Where the parts of a graph go, so that plates nest or cross, arrows point down, and all is seen.

Rows come from the model's paths (:mod:`.rows`), places in them from a search (:mod:`.columns`),
then plates are boxes around their nodes (:mod:`.boxes`) and arrows run around what is in their way
(:mod:`.arrows`). :mod:`.legibility` says of any drawing what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..graphs.folding import FEW, folded
from ..graphs.structure import MISSING, Law, Node, Structure
from ..writing.notation import UNICODE, Symbol
from .arrows import route
from .boxes import Plates
from .columns import Field, heights, search
from .rows import rows
from .shapes import LETTER, RADIUS, SQUARE, TALL, Disc, Drawing, Point
from .slices import Scene, scene, symbol

Lines = Mapping[str, tuple[str, ...]]
"""What stands in a node below its label, by the node's name."""


def lay_out(
    graph: Structure,
    sides: str = "pq",
    *,
    steps: int = FEW,
    numbers: bool = False,
    distributions: bool = False,
) -> Drawing:
    """A drawing of a graph.

    Args:
        graph: what to draw.
        sides: ``"p"`` the model alone, ``"q"`` the guide alone, ``"pq"`` one over the other. The
            nodes have the same places in all three.
        steps: of a loop up to which each is drawn; one step and what it needs of those before
            where there are more.
        numbers: the sizes of plates as numbers too, beside their symbols.
        distributions: in every node its distribution too, and whose parameters that has.
    """
    shown = scene(graph if graph.chains else folded(graph, steps))
    lines = {n: lines_in(node, sides) for n, node in shown.graph.nodes.items() if distributions}
    wide = {n: lines_in(node, "p") + lines_in(node, "q") for n, node in shown.graph.nodes.items()}
    discs, plates = place(shown, lines, wide if distributions else {}, numbers=numbers)
    shows = {*sides, MISSING} if "q" in sides else set(sides)
    edges = [e for e in shown.graph.edges if e.side in shows and e.parent != e.child]
    arrows = route(shown, sorted(edges), discs)
    seen = [d for d in discs.values() if d.node.role != "block" or "q" in sides]
    return Drawing(tuple(seen), tuple(arrows), tuple(plates.boxes(discs, arrows)[::-1]))


def label(shown: Scene, node: Node) -> Symbol | None:
    """A node's name, with the indices of the plates that not all variables share."""
    if node.role == "factor":
        return Symbol("psi")
    if node.role == "block":
        return None
    if node.copies > 1:
        return Symbol(node.name, above="1:L")
    inner = [shown.letters[plate] for plate in node.plates if plate in shown.letters]
    return symbol(shown, node, ",".join(inner))


def half_width(shown: Scene, node: Node, lines: tuple[str, ...] = ()) -> float:
    """Half the width of the ellipse that holds a node's name, and lines below it."""
    if node.role in ("factor", "block"):
        return SQUARE
    name = node.name[: node.name.rindex(" at ")] if node.name in shown.lags else node.name
    letters = len(UNICODE.symbol(name).replace("_", "").replace("\\", ""))
    inner = sum(plate in shown.letters for plate in node.plates)  # each an index above the name
    letters += 2 * max(inner, len(node.plates) - 1, 0) + 3 * (node.copies > 1 and letters > 1)
    letters += len(shown.indices.get(node.name, ""))
    wide = [LETTER * len(line) / (0.8 if i % 2 else 0.97) + 0.06 for i, line in enumerate(lines)]
    return max(RADIUS, 0.07 * letters + 0.04, *wide)


def lines_in(node: Node, sides: str) -> tuple[str, ...]:
    """What a node's distribution is, in the model, or in the guide where that draws it alone."""
    law = next((law for side in sides if (law := node.law(side)).families), Law())
    parameters = f"of {', '.join(law.parameters)}" if law.parameters else ""
    return tuple(filter(None, (", ".join(law.families), parameters)))


def place(
    shown: Scene, lines: Lines, wide: Lines, *, numbers: bool
) -> tuple[dict[str, Disc], Plates]:
    """Every node as an ellipse at its place, and the plates as they are to be drawn.

    Args:
        shown: the scene. lines: below the nodes' labels. wide: those of all programs, for which
            there must be room, so that a node has one place in the figures of each.
        numbers: see :func:`lay_out`.
    """
    graph = shown.graph
    row = rows(graph)
    plates = Plates(graph, row, shown.spans, numbers=numbers)
    if not graph.nodes:
        return {}, plates
    half = {name: _room(shown, node, wide) for name, node in graph.nodes.items()}
    tallest = TALL if any(wide.values()) else RADIUS
    more: dict[str, float] = {}
    for _ in range(2):
        field = Field(graph, half, plates.levels, more, row)
        across, found = search(field, np.array([row[name] for name in graph.nodes]))
        raised = dict(zip(graph.nodes, found.tolist(), strict=True))
        height = heights(found, plates.row_gaps(raised, tallest))
        discs = {
            name: _disc(shown, node, (float(x), height[raised[name]]), lines)
            for (name, node), x in zip(graph.nodes.items(), across, strict=True)
        }
        wanted = plates.room(discs)
        if all(wanted[name] <= more.get(name, 0.0) + 1e-6 for name in wanted):
            break
        more = {name: max(wanted[name], more.get(name, 0.0)) for name in wanted}
    return discs, plates


def _room(shown: Scene, node: Node, lines: Lines) -> float:
    """Half the width that a node takes up; after an earlier step the arrow's mark has its place."""
    half = half_width(shown, node, lines.get(node.name, ()))
    return max(half, 0.2) + (0.2 if node.name in shown.lags else 0.0)


def _disc(shown: Scene, node: Node, centre: Point, lines: Lines) -> Disc:
    own = lines.get(node.name, ())
    height = SQUARE if node.role in ("factor", "block") else TALL if own else RADIUS
    width, lag = half_width(shown, node, own), shown.lags.get(node.name, 0)
    return Disc(node, label(shown, node), centre, width, height, lag, own)
