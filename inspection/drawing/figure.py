"""Plate diagrams as pictures: PNG, SVG and PDF by matplotlib, without any other program."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import (
    Ellipse,
    FancyArrowPatch,
    FancyBboxPatch,
    Patch,
    PathPatch,
    Rectangle,
    Wedge,
)
from matplotlib.path import Path as Curve
from matplotlib.transforms import Affine2D

from ..graphs.structure import INTERVENED, Structure
from ..writing.notation import LATEX
from .layout import lay_out
from .legend import Entry, entries, headings, sentences
from .shapes import Arrow, Box, Disc, Drawing, hull

INCHES = 0.56
"""Per unit of the drawing."""

GAP, LEAST = 0.35, 3.4
"""Inches between model and guide side by side, and of the narrowest figure: its legend's width."""

SMALL = 5.8
"""Points of a distribution in a node."""

LINE, CHARACTER = 0.17, 0.055
"""Inches of a line of text, and of a letter of a caption."""

SHADE, PALE, SET = "0.80", "0.55", "#ffe39a"
"""Of what is observed, of the outline of what belongs to an earlier step, of what is set."""

PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.8}
"""Behind a plate's name, where an arrow may run."""

DOUBLE = 0.05
"""Between the two outlines of what its parents determine."""

STROKES: dict[str, dict[str, Any]] = {
    "generative": {"color": "black", "linewidth": 1.0, "linestyle": "-"},
    "conditional prior": {"color": "#c04a00", "linewidth": 2.0, "linestyle": "-"},
    "inference": {"color": "0.25", "linewidth": 1.0, "linestyle": (0, (4, 2.4))},
    "label classifier": {"color": "#0063a8", "linewidth": 1.7, "linestyle": (0, (1, 1.2))},
    "missing": {"color": "#d0021b", "linewidth": 1.2, "linestyle": (0, (1, 2.2))},
}
"""The arrows of each kind, told apart by colour, and without colour by width and dashes."""

STYLE: Any = {
    "mathtext.fontset": "cm",
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "svg.hashsalt": "ccvae",  # the same picture gives the same file
}


def draw_graph(
    graph: Structure,
    *,
    beside: bool = False,
    numbers: bool = False,
    distributions: bool = False,
    caption: str = "",
) -> Figure:
    """The plate diagram of a model and its guide.

    Args:
        graph: of both programs.
        beside: model and guide in a panel each; one over the other by default.
        numbers: the sizes of plates as numbers too, beside their symbols.
        distributions: in every node its distribution too, and whose parameters that has.
        caption: what stands below, with formulas between dollars.
    """
    panes = ("p", "q") if beside else ("pq",)
    drawings = [
        lay_out(graph, sides, numbers=numbers, distributions=distributions) for sides in panes
    ]
    (left, low), (right, high) = hull([drawing.corners for drawing in drawings])
    share, height = (right - left) * INCHES, (high - low) * INCHES
    panels = share * len(drawings) + GAP * (len(drawings) - 1)
    wide = int(max(panels, LEAST) / CHARACTER)
    explained, said = entries(drawings), [*sentences(graph), *textwrap.wrap(caption, wide)]
    with rc_context(STYLE):
        margin, heading = 0.08, LINE if beside else 0.0
        lines, legend = LINE * len(said), LINE * -(-len(explained) // 2) + 0.12
        below = margin + lines + legend
        size = max(panels, LEAST) + 2 * margin, below + height + heading + margin
        figure = Figure(size)
        FigureCanvasAgg(figure)
        start = (size[0] - panels) / 2
        for position, drawing in enumerate(drawings):
            x = start + position * (share + GAP)
            axes = figure.add_axes(
                (x / size[0], below / size[1], share / size[0], height / size[1])
            )
            axes.set(xlim=(left, right), ylim=(low, high))
            axes.set_axis_off()
            _paint(axes, drawing)
            if beside:
                middle, top = (x + share / 2) / size[0], 1 - margin / size[1]
                figure.text(middle, top, headings()[position], ha="center", va="top")
        _legend(figure, explained, (margin + lines) / size[1])
        for line, sentence in enumerate(reversed(said)):
            place = (margin + LINE * line) / size[1]
            figure.text(0.5, place, sentence, ha="center", va="bottom", size=7, color="0.2")
    return figure


def save_graph(
    graph: Structure,
    path: Path,
    *,
    beside: bool = False,
    numbers: bool = False,
    distributions: bool = False,
    caption: str = "",
) -> None:
    """Write the diagram; the ending of the name decides the format: png, svg or pdf."""
    figure = draw_graph(
        graph, beside=beside, numbers=numbers, distributions=distributions, caption=caption
    )
    with rc_context(STYLE):
        undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
        figure.savefig(path, dpi=200, metadata=undated.get(path.suffix, {}))


def _paint(axes: Any, drawing: Drawing) -> None:
    (left, _), (right, _) = drawing.corners
    for box in drawing.boxes:
        _paint_box(axes, box, middle=(left + right) / 2)
    for arrow in drawing.arrows:
        _paint_arrow(axes, arrow)
    for disc in drawing.discs:
        _paint_square(axes, disc) if disc.is_square else _paint_disc(axes, disc)


def _paint_box(axes: Any, box: Box, middle: float) -> None:
    (left, low), (right, high) = box.lower, box.upper
    inset = 0.06
    axes.add_patch(
        FancyBboxPatch(
            (left + inset, low + inset),
            right - left - 2 * inset,
            high - low - 2 * inset,
            boxstyle="round,pad=0,rounding_size=0.1",
            fill=False,
            linewidth=0.8,
            linestyle=(0, (5, 2)) if box.dashed else "-",
            edgecolor="0.35",
        )
    )
    x, y, anchor = box.name_place(middle)
    across = {"west": "left", "east": "right"}[anchor]
    vertical = "top" if box.above else "bottom"
    axes.text(x, y, box.label, ha=across, va=vertical, color="0.2", zorder=6, bbox=PAPER)


def _paint_arrow(axes: Any, arrow: Arrow) -> None:
    points = [arrow.start, *(point for _, *piece in arrow.pieces for point in piece)]
    path = Curve(points, [Curve.MOVETO, *[Curve.CURVE3] * (len(points) - 1)])
    stroke = dict(STROKES[arrow.kind])
    dashes = stroke.pop("linestyle")
    # The head is drawn apart, with a whole line around it.
    axes.add_patch(FancyArrowPatch(path=path, arrowstyle="-", linestyle=dashes, **stroke))
    if arrow.head:
        head = _last_part(arrow)
        axes.add_patch(
            FancyArrowPatch(path=head, arrowstyle="-|>", mutation_scale=9, **stroke, linestyle="-")
        )
    if arrow.mark:
        mark = LATEX.math(LATEX.plain(arrow.mark))
        axes.text(*arrow.mark_place(), mark, ha="center", va="center", size=6.5)


def _last_part(arrow: Arrow) -> Curve:
    """The end of an arrow, just long enough for its head."""
    (ax, ay), (bx, by) = arrow.controls[-1], arrow.end
    share = 0.02
    return Curve([(bx + share * (ax - bx), by + share * (ay - by)), (bx, by)])


def _paint_disc(axes: Any, disc: Disc) -> None:
    size = (2 * disc.width, 2 * disc.height)
    role = disc.node.role
    fill = SHADE if role in ("observed", "input") else SET if role == INTERVENED else "white"
    ink = PALE if disc.lag else "black"
    axes.add_patch(Ellipse(disc.centre, *size, facecolor=fill, edgecolor="none", zorder=3))
    if role == "partly observed":
        axes.add_patch(_half(disc))
    outline: dict[str, Any] = {"fill": False, "edgecolor": ink, "zorder": 4}
    outline |= {"linewidth": 2.4 if role == INTERVENED else 1.0}
    outline |= {"linestyle": "--" if role == "auxiliary" else "-"}
    if role != "input":
        axes.add_patch(Ellipse(disc.centre, *size, **outline))
    if role == "deterministic":
        inner = (size[0] - 2 * DOUBLE, size[1] - 2 * DOUBLE)
        axes.add_patch(Ellipse(disc.centre, *inner, **outline))
    middle: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 5}
    axes.text(*disc.label_place, f"${disc.label}$", size=10, color=ink, **middle)
    for number, line in enumerate(disc.lines):
        colour = PALE if disc.lag else "0.2"
        axes.text(*disc.line_place(number), _plain(line), size=SMALL, color=colour, **middle)


def _plain(text: str) -> str:
    """A name that matplotlib shall not read as mathematics."""
    return text.replace("$", r"\$")


def _paint_square(axes: Any, disc: Disc) -> None:
    """A factor is filled; what a guide draws together hangs on an open one."""
    (left, low), (right, high) = disc.corners
    fill = "black" if disc.node.role == "factor" else "white"
    edge = PALE if disc.lag else "black"
    axes.add_patch(
        Rectangle((left, low), right - left, high - low, facecolor=fill, edgecolor=edge, zorder=4)
    )
    if disc.label:
        x, y = right + 0.08, disc.centre[1]
        axes.text(x, y, f"${disc.label}$", ha="left", va="center", size=9, color=edge, zorder=5)


def _half(disc: Disc) -> Patch:
    """The left half of a node."""
    half = Wedge((0, 0), 1, 90, 270, facecolor=SHADE, edgecolor="none", zorder=3).get_path()
    return PathPatch(
        half.transformed(Affine2D().scale(disc.width, disc.height).translate(*disc.centre)),
        facecolor=SHADE,
        edgecolor="none",
        zorder=3,
    )


def _legend(figure: Figure, shown: list[Entry], low: float) -> None:
    figure.legend(
        handles=[_sample(entry) for entry in shown],
        loc="lower center",
        bbox_to_anchor=(0.5, low - 0.02),
        ncols=2,
        frameon=False,
        fontsize=7.5,
        handlelength=3.2,
        columnspacing=1.4,
        borderpad=0.2,
    )


def _sample(entry: Entry) -> Any:
    if entry.is_line:
        return Line2D([], [], **STROKES[entry.what], label=entry.words)
    marker: dict[str, Any] = {"markerfacecolor": SET if entry.what == INTERVENED else "white"}
    if entry.what == "partly observed":
        marker = {"fillstyle": "left", "markerfacecolor": SHADE, "markerfacecoloralt": "white"}
    shape = "s" if entry.what == "block" else "o"
    size = 4 if entry.what == "block" else 8
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=shape,
        markersize=size,
        markeredgecolor="black",
        markeredgewidth=1.6 if entry.what in ("deterministic", INTERVENED) else 0.8,
        label=entry.words,
        **marker,
    )
