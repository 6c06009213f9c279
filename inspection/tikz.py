"""Plate diagrams as TikZ, for papers and slides that are written in LaTeX."""

from __future__ import annotations

from .graph import Graph
from .layout import Arrow, Box, Disc, Drawing, Point, lay_out

PREAMBLE = r"""\documentclass[tikz,border=2pt]{standalone}
\usetikzlibrary{arrows.meta}
\definecolor{prior}{HTML}{C04A00}
\definecolor{classifier}{HTML}{0063A8}
\definecolor{lacking}{HTML}{D0021B}
\begin{document}
\begin{tikzpicture}[x=14mm, y=14mm, >={Triangle[length=2mm]},
  outline/.style={draw, thick}, shaded/.style={fill=black!20},
  plate/.style={draw=black!65, rounded corners=1.4mm}, name/.style={font=\small\sffamily},
  generative/.style={->, thick}, inference/.style={->, thick, dashed, black!75},
  conditional prior/.style={->, line width=1.6pt, prior},
  label classifier/.style={->, line width=1.4pt, densely dotted, classifier},
  missing/.style={->, thick, dotted, missing}]
"""

END = "\\end{tikzpicture}\n\\end{document}\n"


def tikz(graph: Graph, *, beside: bool = False) -> str:
    """The plate diagram of a model and its guide as a document for LaTeX's class ``standalone``.

    Args:
        graph: of both programs.
        beside: the guide to the right of the model; one over the other by default.

    >>> from ccvae.inspection import Edge, Node
    >>> nodes = {"z": Node("z", "latent"), "x": Node("x", "observed")}
    >>> graph = Graph(nodes, frozenset({Edge("z", "x", "p")}), {}, ())
    >>> print(tikz(graph).splitlines()[-3])
      \\draw[generative] (0.65,0.92) -- (0.65,0.33);
    """
    if not beside:
        return PREAMBLE + _picture(lay_out(graph)) + END
    model, guide = (lay_out(graph, side) for side in "pq")
    (left, _), (right, _) = model.corners
    shifted = f"  \\begin{{scope}}[xshift={14 * (right - left + 0.6):.3g}mm]\n"
    return PREAMBLE + _picture(model) + shifted + _picture(guide) + "  \\end{scope}\n" + END


def _picture(drawing: Drawing) -> str:
    (left, _), (right, _) = drawing.corners
    lines = [line for box in drawing.boxes for line in _box(box, (left + right) / 2)]
    lines += [line for disc in drawing.discs for line in _disc(disc)]
    lines += [_arrow(arrow) for arrow in drawing.arrows]
    return "".join(f"  {line}\n" for line in lines)


def _box(box: Box, middle: float) -> list[str]:
    x, y, anchor = box.name_place(middle)
    vertical = "north" if box.above else "south"
    return [
        rf"\draw[plate] {_at(box.lower)} rectangle {_at(box.upper)};",
        rf"\node[name, anchor={vertical} {anchor}] at {_at((x, y))} {{{_text(box.label)}}};",
    ]


def _disc(disc: Disc) -> list[str]:
    ellipse = rf"{_at(disc.centre)} ellipse ({disc.width:.3g} and {disc.height:.3g})"
    lines = []
    if disc.node.role == "partly observed":
        (x, y), w, h = disc.centre, disc.width, disc.height
        left = f"{_at((x - w, y - h))} rectangle {_at((x, y + h))}"
        lines.append(rf"\begin{{scope}}\clip {ellipse}; \fill[black!20] {left};\end{{scope}}")
    styles = ["shaded"] if disc.node.role in ("observed", "input") else []
    styles += [] if disc.node.role == "input" else ["outline"]
    styles += ["dashed"] if disc.node.role == "auxiliary" else []
    lines.append(rf"\path[{', '.join(styles)}] {ellipse};")
    lines.append(rf"\node at {_at(disc.centre)} {{${disc.label}$}};")
    return lines


def _arrow(arrow: Arrow) -> str:
    if not arrow.bent:
        return rf"\draw[{arrow.kind}] {_at(arrow.start)} -- {_at(arrow.end)};"
    # A quadratic curve as the cubic one that TikZ draws.
    first, second = (
        tuple(end[i] + 2 / 3 * (arrow.control[i] - end[i]) for i in (0, 1))
        for end in (arrow.start, arrow.end)
    )
    curve = rf".. controls {_at(first)} and {_at(second)} .."
    return rf"\draw[{arrow.kind}] {_at(arrow.start)} {curve} {_at(arrow.end)};"


def _at(point: Point | tuple[float, ...]) -> str:
    return f"({point[0]:.3g},{point[1]:.3g})"


def _text(label: str) -> str:
    """A plate's label, with the signs of its name that LaTeX reads otherwise made safe."""
    name, dollar, size = label.partition("$")
    return name.replace("_", r"\_").replace("  ", r"\quad ") + dollar + size
