"""Plate diagrams as pictures: PNG, SVG and PDF by matplotlib, without any other program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch, Patch, Wedge
from matplotlib.path import Path as Curve

from .graph import Graph
from .layout import Arrow, Box, Disc, Drawing, lay_out

INCHES = 0.56
"""Per unit of the drawing."""

GAP, LEAST = 0.35, 3.4
"""Inches between model and guide side by side, and of the narrowest figure: its legend's width."""

SHADE = "0.80"

STROKES: dict[str, dict[str, Any]] = {
    "generative": {"color": "black", "linewidth": 1.0, "linestyle": "-"},
    "conditional prior": {"color": "#c04a00", "linewidth": 2.0, "linestyle": "-"},
    "inference": {"color": "0.25", "linewidth": 1.0, "linestyle": (0, (4, 2.4))},
    "label classifier": {"color": "#0063a8", "linewidth": 1.7, "linestyle": (0, (1, 1.2))},
    "missing": {"color": "#d0021b", "linewidth": 1.2, "linestyle": (0, (1, 2.2))},
}
"""The arrows of each kind, told apart by colour, and without colour by width and dashes."""

WORDS = {
    "generative": "model $p$",
    "conditional prior": "conditional prior $p(z\\mid y)$",
    "inference": "guide $q$",
    "label classifier": "label classifier $q(y\\mid\\cdot)$",
    "missing": "missing from $q$",
}

STYLE: Any = {
    "mathtext.fontset": "cm",
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "svg.hashsalt": "ccvae",  # the same picture gives the same file
}


def draw_graph(graph: Graph, *, beside: bool = False) -> Figure:
    """The plate diagram of a model and its guide.

    Args:
        graph: of both programs.
        beside: model and guide in a panel each; one over the other by default.
    """
    drawings = [lay_out(graph, sides) for sides in (("p", "q") if beside else ("pq",))]
    (left, low), (right, high) = drawings[0].corners
    with rc_context(STYLE):
        kinds = {arrow.kind for drawing in drawings for arrow in drawing.arrows}
        margin, legend = 0.08, 0.17 * -(-len(kinds) // 2) + 0.12
        share, height = (right - left) * INCHES, (high - low) * INCHES
        panels = share * len(drawings) + GAP * (len(drawings) - 1)
        figure = Figure((max(panels, LEAST) + 2 * margin, height + legend + 2 * margin))
        FigureCanvasAgg(figure)
        whole = figure.get_size_inches()
        start = (whole[0] - panels) / 2
        for position, drawing in enumerate(drawings):
            box = (start + position * (share + GAP), margin + legend, share, height)
            axes = figure.add_axes(
                (box[0] / whole[0], box[1] / whole[1], box[2] / whole[0], box[3] / whole[1])
            )
            axes.set(xlim=(left, right), ylim=(low, high))
            axes.set_axis_off()
            _paint(axes, drawing)
        _legend(figure, drawings)
    return figure


def save_graph(graph: Graph, path: Path, *, beside: bool = False) -> None:
    """Write the diagram; the ending of the name decides the format: png, svg or pdf."""
    figure = draw_graph(graph, beside=beside)
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
        _paint_disc(axes, disc)


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
            edgecolor="0.35",
        )
    )
    x, y, anchor = box.name_place(middle)
    across = {"west": "left", "east": "right"}[anchor]
    axes.text(x, y, box.label, ha=across, va="top" if box.above else "bottom", color="0.2")


def _paint_arrow(axes: Any, arrow: Arrow) -> None:
    path = Curve(
        [arrow.start, arrow.control, arrow.end], [Curve.MOVETO, Curve.CURVE3, Curve.CURVE3]
    )
    stroke = dict(STROKES[arrow.kind])
    dashes = stroke.pop("linestyle")
    # The head is drawn apart, with a whole line around it.
    axes.add_patch(FancyArrowPatch(path=path, arrowstyle="-", linestyle=dashes, **stroke))
    axes.add_patch(
        FancyArrowPatch(
            path=_last_part(arrow), arrowstyle="-|>", mutation_scale=9, **stroke, linestyle="-"
        )
    )


def _last_part(arrow: Arrow) -> Curve:
    """The end of an arrow, just long enough for its head."""
    (ax, ay), (bx, by) = arrow.control, arrow.end
    share = 0.02
    return Curve([(bx + share * (ax - bx), by + share * (ay - by)), (bx, by)])


def _paint_disc(axes: Any, disc: Disc) -> None:
    size = (2 * disc.width, 2 * disc.height)
    role = disc.node.role
    fill = SHADE if role in ("observed", "input") else "white"
    outline = "none" if role == "input" else "black"
    axes.add_patch(Ellipse(disc.centre, *size, facecolor=fill, edgecolor="none", zorder=3))
    if role == "partly observed":
        axes.add_patch(_half(disc.centre, disc.width))
    axes.add_patch(
        Ellipse(
            disc.centre,
            *size,
            fill=False,
            edgecolor=outline,
            linewidth=1.0,
            linestyle="--" if role == "auxiliary" else "-",
            zorder=4,
        )
    )
    axes.text(*disc.centre, f"${disc.label}$", ha="center", va="center", size=10, zorder=5)


def _half(centre: tuple[float, float], radius: float) -> Patch:
    return Wedge(centre, radius, 90, 270, facecolor=SHADE, edgecolor="none", zorder=3)


def _legend(figure: Figure, drawings: list[Drawing]) -> None:
    kinds = [kind for kind in STROKES if any(a.kind == kind for d in drawings for a in d.arrows)]
    lines = [Line2D([], [], **STROKES[kind], label=WORDS[kind]) for kind in kinds]
    figure.legend(
        handles=lines,
        loc="lower center",
        ncols=2,
        frameon=False,
        fontsize=7.5,
        handlelength=3.2,
        columnspacing=1.4,
        borderpad=0.2,
    )
