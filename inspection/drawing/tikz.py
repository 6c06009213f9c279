"""Plate diagrams as TikZ, for papers and slides that are written in LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from ..graphs.structure import Structure
from ..writing.notation import LATEX
from .layout import lay_out
from .legend import Entry, entries, headings, sentences
from .shapes import Arrow, Box, Disc, Drawing, Point, hull

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
  missing/.style={->, thick, dotted, lacking}]
"""

END = "\\end{tikzpicture}\n\\end{document}\n"


NODES = {
    "auxiliary": ["dashed"],
    "deterministic": ["double"],
    "intervened": ["line width=2pt", "fill=yellow!30"],
}
"""How the outlines of nodes differ, by their roles."""


def tikz(
    graph: Structure,
    *,
    beside: bool = False,
    numbers: bool = False,
    distributions: bool = False,
    caption: str = "",
) -> str:
    """The plate diagram of a model and its guide as a document for LaTeX's class ``standalone``.

    Args:
        graph: of both programs.
        beside: the guide to the right of the model; one over the other by default.
        numbers: the sizes of plates as numbers too, beside their symbols.
        distributions: in every node its distribution too, and whose parameters that has.
        caption: what stands below, and in a comment for a paper that has captions of its own.

    >>> from ccvae.inspection import Edge, Node
    >>> nodes = {"z": Node("z", "latent"), "x": Node("x", "observed")}
    >>> graph = Structure(nodes, frozenset({Edge("z", "x", "p")}), {}, ())
    >>> print(tikz(graph).splitlines()[-5])
      \\draw[generative] (0,0.92) -- (0,0.33);
    """
    said, start = sentences(graph), PREAMBLE
    if caption:
        parts = caption.split("$")  # every second one is a formula
        caption = "$".join([p if n % 2 else _text(p) for n, p in enumerate(parts)])
        said, start = [*said, caption], rf"% \caption{{{caption}}}" + f"\n{PREAMBLE}"
    drawings = [
        lay_out(graph, sides, numbers=numbers, distributions=distributions)
        for sides in (("p", "q") if beside else ("pq",))
    ]
    if not beside:
        return start + _picture(drawings[0]) + _legend(drawings, said) + END
    (left, _), (right, high) = hull([drawing.corners for drawing in drawings])
    middle = _at(((left + right) / 2, high + 0.25))
    model, guide = (
        f"  \\node[name] at {middle} {{{words}}};\n" + _picture(drawing)
        for words, drawing in zip(headings(), drawings, strict=True)
    )
    shifted = f"  \\begin{{scope}}[xshift={14 * (right - left + 0.6):.3g}mm]\n"
    second = shifted + guide + "  \\end{scope}\n"
    return start + model + second + _legend(drawings, said) + END


def _picture(drawing: Drawing) -> str:
    (left, _), (right, _) = drawing.corners
    lines = [line for box in drawing.boxes for line in _box(box, (left + right) / 2)]
    lines += [line for disc in drawing.discs for line in _disc(disc)]
    lines += [line for arrow in drawing.arrows for line in _arrow(arrow)]
    return "".join(f"  {line}\n" for line in lines)


def _box(box: Box, middle: float) -> list[str]:
    x, y, anchor = box.name_place(middle)
    vertical = "north" if box.above else "south"
    style = "plate, densely dashed" if box.dashed else "plate"
    return [
        rf"\draw[{style}] {_at(box.lower)} rectangle {_at(box.upper)};",
        rf"\node[name, anchor={vertical} {anchor}] at {_at((x, y))} {{{_text(box.label)}}};",
    ]


def _disc(disc: Disc) -> list[str]:
    pale = ["black!45"] if disc.lag else []
    if disc.is_square:
        return _square(disc, pale)
    ellipse = rf"{_at(disc.centre)} ellipse ({disc.width:.3g} and {disc.height:.3g})"
    lines = []
    if disc.node.role == "partly observed":
        (x, y), w, h = disc.centre, disc.width, disc.height
        left = f"{_at((x - w, y - h))} rectangle {_at((x, y + h))}"
        lines.append(rf"\begin{{scope}}\clip {ellipse}; \fill[black!20] {left};\end{{scope}}")
    styles = ["shaded"] if disc.node.role in ("observed", "input") else []
    styles += [] if disc.node.role == "input" else ["outline"]
    styles += NODES.get(disc.node.role, [])
    styles += [f"draw={colour}" for colour in pale]
    lines.append(rf"\path[{', '.join(styles)}] {ellipse};")
    ink = f"[{pale[0]}]" if pale else ""
    lines.append(rf"\node{ink} at {_at(disc.label_place)} {{${disc.label}$}};")
    small = ", ".join(["font=\\tiny\\sffamily", *pale])
    lines += [
        rf"\node[{small}] at {_at(disc.line_place(number))} {{{_text(line)}}};"
        for number, line in enumerate(disc.lines)
    ]
    return lines


def _square(disc: Disc, pale: list[str]) -> list[str]:
    """A factor is filled; what a guide draws together hangs on an open one."""
    colour = pale[0] if pale else "black"
    fill = colour if disc.node.role == "factor" else "white"
    lower, upper = disc.corners
    lines = [rf"\path[fill={fill}, draw={colour}] {_at(lower)} rectangle {_at(upper)};"]
    if disc.label:
        place = _at((upper[0] + 0.02, disc.centre[1]))
        lines.append(rf"\node[anchor=west, {colour}] at {place} {{${disc.label}$}};")
    return lines


def _arrow(arrow: Arrow) -> list[str]:
    style = arrow.kind if arrow.head else f"{arrow.kind}, -"
    way = "".join(_curve(*piece) for piece in arrow.pieces)
    if not arrow.bent:
        way = f" -- {_at(arrow.end)}"
    lines = [rf"\draw[{style}] {_at(arrow.start)}{way};"]
    if arrow.mark:
        place = _at(arrow.mark_place())
        lines.append(rf"\node[font=\scriptsize] at {place} {{${LATEX.plain(arrow.mark)}$}};")
    return lines


def _curve(start: Point, control: Point, end: Point) -> str:
    """A quadratic curve as the cubic one that TikZ draws."""
    first, second = (
        tuple(point[i] + 2 / 3 * (control[i] - point[i]) for i in (0, 1)) for point in (start, end)
    )
    return f" .. controls {_at(first)} and {_at(second)} .. {_at(end)}"


def _legend(drawings: Sequence[Drawing], said: Sequence[str]) -> str:
    """Below the drawings, what their lines and nodes mean, in two columns, and sentences."""
    (left, low), _ = hull([drawing.corners for drawing in drawings])
    lines, shown = [], entries(drawings)
    for number, entry in enumerate(shown):
        x, y = left + 3.4 * (number % 2), low - 0.4 - 0.35 * (number // 2)
        lines.append(_sample(entry, x, y))
        words = rf"\node[name, anchor=west] at {_at((x + 0.75, y))} {{{entry.words}}};"
        lines.append(words)
    for number, sentence in enumerate(said, start=(len(shown) + 1) // 2):
        place = _at((left, low - 0.4 - 0.35 * number))
        lines.append(rf"\node[name, anchor=west] at {place} {{{sentence}}};")
    return "".join(f"  {line}\n" for line in lines)


def _sample(entry: Entry, x: float, y: float) -> str:
    if entry.is_line:
        return rf"\path[draw, {entry.what}] {_at((x, y))} -- {_at((x + 0.7, y))};"
    middle = x + 0.35
    if entry.what == "block":
        lower, upper = (middle - 0.08, y - 0.08), (middle + 0.08, y + 0.08)
        return rf"\path[draw] {_at(lower)} rectangle {_at(upper)};"
    circle = rf"{_at((middle, y))} circle (0.12)"
    if entry.what == "partly observed":
        half = rf"{_at((middle, y + 0.12))} arc (90:270:0.12) -- cycle"
        return rf"\path[fill=black!20] {half}; \path[draw] {circle};"
    style = "".join(f", {word}" for word in NODES.get(entry.what, []))
    return rf"\path[draw{style}] {circle};"


def _at(point: Point | tuple[float, ...]) -> str:
    return f"({point[0]:.3g},{point[1]:.3g})"


def _text(label: str) -> str:
    """A plate's label, with the signs of its name that LaTeX reads otherwise made safe."""
    name, dollar, size = label.partition("$")
    name = name.replace("…", r"\ldots{}")
    return name.replace("_", r"\_").replace("  ", r"\quad ") + dollar + size
