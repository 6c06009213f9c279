"""Plate diagrams as SVG for a page: every node can be reached by keyboard and says what it is.

Colours are left to the page's style sheet, by classes: a figure then suits light and dark.
"""

from __future__ import annotations

import re
from html import escape

from .graph import Graph, Node
from .layout import Arrow, Box, Disc, Drawing, Point, lay_out
from .notation import GREEK, UNICODE

UNIT, ENLARGED = 64, 1.4
"""Pixels per unit of the drawing, and how much larger it is shown where there is room."""

HEAD = 0.15, 0.055
"""Length and half width of an arrow's head."""

LABEL = re.compile(r"(?P<head>.+?)(?:_\{(?P<below>.*?)\})?(?:\^\{(?P<above>.*?)\})?")


def svg(graph: Graph, sides: str = "pq") -> str:
    """The plate diagram of a model and its guide.

    Args:
        graph: of both programs.
        sides: see :func:`ccvae.inspection.layout.lay_out`.

    Returns:
        an ``svg`` element. A node is a group of the class ``node`` and of its role, with its name
        in ``data-node``; an arrow has the class ``arrow`` and its kind, with hyphens for spaces.
    """
    drawing = lay_out(graph, sides)
    (left, low), (right, high) = drawing.corners
    width, height = (right - left) * UNIT, (high - low) * UNIT
    canvas = _Canvas(left, high)
    parts = [canvas.box(box, (left + right) / 2) for box in drawing.boxes]
    parts += [canvas.arrow(arrow) for arrow in drawing.arrows]
    parts += [canvas.disc(disc) for disc in drawing.discs]
    return (
        f'<svg class="plates" role="group" aria-label="{escape(describe(drawing))}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{ENLARGED * width:.0f}" '
        f'height="{ENLARGED * height:.0f}">{"".join(parts)}</svg>'
    )


def describe(drawing: Drawing) -> str:
    """What a diagram shows, in words."""
    words = []
    for program, side in (("model", "p"), ("guide", "q")):
        arrows = [a.edge for a in drawing.arrows if a.edge.side == side]
        if arrows:
            named = ", ".join(f"{_name(e.parent)} to {_name(e.child)}" for e in sorted(arrows))
            words.append(f"Arrows of the {program}: {named}.")
    plates = ", ".join(_plain(box.label) for box in drawing.boxes)
    return f"Plate diagram. Plates: {plates or 'none'}. {' '.join(words)}"


def explain(node: Node) -> str:
    """What a node is, in words."""
    plates = f", in the plates {', '.join(node.plates)}" if node.plates else ""
    return f"{_name(node.name)}: {node.role}{plates}"


class _Canvas:
    """Writes the parts of a drawing whose upper left corner is given."""

    def __init__(self, left: float, high: float) -> None:
        self.left, self.high = left, high

    def at(self, point: Point) -> tuple[float, float]:
        return (point[0] - self.left) * UNIT, (self.high - point[1]) * UNIT

    def pair(self, point: Point) -> str:
        x, y = self.at(point)
        return f"{x:.1f} {y:.1f}"

    def box(self, box: Box, middle: float) -> str:
        (x, y), (right, low) = (
            self.at((box.lower[0], box.upper[1])),
            self.at((box.upper[0], box.lower[1])),
        )
        inset = 0.06 * UNIT
        where = f'x="{x + inset:.1f}" y="{y + inset:.1f}"'
        size = f'width="{right - x - 2 * inset:.1f}" height="{low - y - 2 * inset:.1f}"'
        text_x, text_y, anchor = box.name_place(middle)
        tx, ty = self.at((text_x, text_y))
        ty += 10 if box.above else 0
        end = {"west": "start", "east": "end"}[anchor]
        return (
            f'<rect class="plate" {where} {size} rx="7"></rect><text class="plate-name" '
            f'x="{tx:.1f}" y="{ty:.1f}" text-anchor="{end}">{escape(_plain(box.label))}</text>'
        )

    def arrow(self, arrow: Arrow) -> str:
        (cx, cy), (ex, ey) = arrow.control, arrow.end
        far = ((cx - ex) ** 2 + (cy - ey) ** 2) ** 0.5
        ux, uy = (cx - ex) / far, (cy - ey) / far
        length, half = HEAD
        foot = ex + length * ux, ey + length * uy
        corners = [(foot[0] - s * half * uy, foot[1] + s * half * ux) for s in (1, -1)]
        line = f"M{self.pair(arrow.start)} Q{self.pair(arrow.control)} {self.pair(foot)}"
        head = " ".join(self.pair(point).replace(" ", ",") for point in (arrow.end, *corners))
        return (
            f'<g class="arrow {arrow.kind.replace(" ", "-")}"><path d="{line}"></path>'
            f'<polygon points="{head}"></polygon></g>'
        )

    def disc(self, disc: Disc) -> str:
        node, (x, y) = disc.node, self.at(disc.centre)
        rx, ry = disc.width * UNIT, disc.height * UNIT
        ellipse = f'cx="{x:.1f}" cy="{y:.1f}" rx="{rx:.1f}" ry="{ry:.1f}"'
        shapes = f'<ellipse class="body" {ellipse}></ellipse>'
        if node.role == "partly observed":
            top, bottom = f"{x:.1f} {y - ry:.1f}", f"{x:.1f} {y + ry:.1f}"
            half = f"M{top} A{rx:.1f} {ry:.1f} 0 0 0 {bottom} Z"
            shapes += f'<path class="shade" d="{half}"></path>'
        shapes += f'<ellipse class="outline" {ellipse}></ellipse>'
        what = escape(explain(node))
        return (
            f'<g class="node {node.role.replace(" ", "-")}" data-node="{escape(node.name)}" '
            f'tabindex="0" role="button" aria-pressed="false" aria-label="{what}">'
            f"<title>{what}</title>{shapes}"
            f'<text x="{x:.1f}" y="{y + 5:.1f}" text-anchor="middle">{_spans(disc.label)}</text>'
            "</g>"
        )


def _spans(label: str) -> str:
    """A name in LaTeX as text with its scripts below and above."""
    match = LABEL.fullmatch(label)
    head, below, above = (
        (match["head"], match["below"], match["above"]) if match else (label, "", "")
    )
    text = f'<tspan class="symbol">{escape(_letters(head))}</tspan>'
    back = 0
    for part, shift in ((above, -7), (below, 5)):
        if part:
            text += f'<tspan class="script" dy="{shift - back}">{escape(_letters(part))}</tspan>'
            back = shift
    return text


def _letters(latex: str) -> str:
    r"""Greek and words of a name as they are read: ``\setminus c`` is ``\c``."""
    latex = re.sub(r"\\mathrm\{(.*?)\}", r"\1", latex).replace(r"\setminus ", "\\")
    return re.sub(r"\\([a-z]+)", lambda m: GREEK.get(m[1], m[0]), latex)


def _plain(label: str) -> str:
    """A plate's label without the marks of mathematics."""
    return re.sub(r" +", " ", label.replace("$", ""))


def _name(name: str) -> str:
    return UNICODE.symbol(name)
