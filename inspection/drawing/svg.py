"""Plate diagrams as SVG for a page: every node can be reached by keyboard and says what it is.

Colours are left to the page's style sheet, by classes: a figure then suits light and dark.
"""

from __future__ import annotations

from html import escape

from ..graphs.structure import Node, Structure
from ..writing.notation import UNICODE, Symbol
from .layout import lay_out
from .shapes import Arrow, Box, Disc, Drawing, Point, Title

UNIT, ENLARGED = 64, 1.4
"""Pixels per unit of the drawing, and how much larger it is shown where there is room."""

HEAD = 0.15, 0.055
"""Length and half width of an arrow's head."""

WORD = 2
"""Letters up to which a name is a symbol; longer ones are words and written smaller."""

DOUBLE = 4
"""Pixels between the two outlines of what its parents determine."""


def svg(
    graph: Structure, sides: str = "pq", *, numbers: bool = False, distributions: bool = False
) -> str:
    """The plate diagram of a model and its guide.

    Args:
        graph: of both programs.
        sides, numbers, distributions: see :func:`ccvae.inspection.drawing.layout.lay_out`.

    Returns:
        an ``svg`` element. A node is a group of the class ``node`` and of its role, with its name
        in ``data-node``; one of an earlier step has the class ``earlier`` and no name. A factor is
        a square; an arrow has the class ``arrow`` and its kind, with hyphens for spaces, and its
        ends in ``data-parent`` and ``data-child``.
    """
    return drawn_svg(lay_out(graph, sides, numbers=numbers, distributions=distributions))


def drawn_svg(drawing: Drawing) -> str:
    """A drawing that was laid out, as :func:`svg` returns it."""
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
    plates = ", ".join(_plain(box.title).strip() for box in drawing.boxes)
    return f"Plate diagram. Plates: {plates or 'none'}. {' '.join(words)}"


def explain(node: Node) -> str:
    """What a node is, in words."""
    plates = f", in the plates {', '.join(node.plates)}" if node.plates else ""
    if node.role == "block":
        return f"{node.name}: drawn together by the guide"
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
        ty += 10 if box.above else -4 * ("_" in box.title.size.name)  # room for what hangs below
        end = {"west": "start", "east": "end"}[anchor]
        kind = "plate steps" if box.dashed else "plate"
        return (
            f'<rect class="{kind}" {where} {size} rx="7"></rect><text class="plate-name" '
            f'x="{tx:.1f}" y="{ty:.1f}" text-anchor="{end}">{_plate(box.title)}</text>'
        )

    def arrow(self, arrow: Arrow) -> str:
        (cx, cy), (ex, ey) = arrow.controls[-1], arrow.end
        far = ((cx - ex) ** 2 + (cy - ey) ** 2) ** 0.5
        ux, uy = (cx - ex) / far, (cy - ey) / far
        length, half = HEAD if arrow.head else (0.0, 0.0)
        foot = ex + length * ux, ey + length * uy
        corners = [(foot[0] - s * half * uy, foot[1] + s * half * ux) for s in (1, -1)]
        stops = [*(end for *_, end in arrow.pieces[:-1]), foot]
        curves = zip(arrow.controls, stops, strict=True)
        line = " ".join(f"Q{self.pair(control)} {self.pair(end)}" for control, end in curves)
        head = " ".join(self.pair(point).replace(" ", ",") for point in (arrow.end, *corners))
        ends = f'data-parent="{escape(arrow.edge.parent)}" data-child="{escape(arrow.edge.child)}"'
        return (
            f'<g class="arrow {arrow.kind.replace(" ", "-")}" {ends}>'
            f'<path d="M{self.pair(arrow.start)} {line}"></path>'
            + (f'<polygon points="{head}"></polygon>' if arrow.head else "")
            + (self.mark(arrow) if arrow.mark else "")
            + "</g>"
        )

    def mark(self, arrow: Arrow) -> str:
        x, y = self.at(arrow.mark_place())
        text = escape(arrow.mark.replace("-", "−"))
        return f'<text class="mark" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{text}</text>'

    def disc(self, disc: Disc) -> str:
        node, (x, ty) = disc.node, self.at(disc.label_place)
        shapes = self.square(disc) if disc.is_square else self.ellipse(disc)
        what = escape(explain(node))
        reach = (
            f'data-node="{escape(node.name)}" tabindex="0" role="button" aria-pressed="false" '
            f'aria-label="{what}"'
        )
        kind = node.role.replace(" ", "-") + (" earlier" if disc.lag else "")
        own = "" if disc.lag or node.role == "block" else reach
        tx, anchor = (x + 0.2 * UNIT, "start") if disc.is_square else (x, "middle")
        return (
            f'<g class="node {kind}" {own}><title>{what}</title>{shapes}'
            f'<text x="{tx:.1f}" y="{ty + 5:.1f}" text-anchor="{anchor}">{_spans(disc.symbol)}'
            f"</text>{self.lines(disc)}</g>"
        )

    def lines(self, disc: Disc) -> str:
        places = (self.at(disc.line_place(number)) for number in range(len(disc.lines)))
        return "".join(
            f'<text class="law" x="{x:.1f}" y="{y + 3:.1f}" text-anchor="middle">'
            f"{escape(line)}</text>"
            for line, (x, y) in zip(disc.lines, places, strict=True)
        )

    def ellipse(self, disc: Disc) -> str:
        x, y = self.at(disc.centre)
        rx, ry = disc.width * UNIT, disc.height * UNIT
        centre = f'cx="{x:.1f}" cy="{y:.1f}"'
        ellipse = f'{centre} rx="{rx:.1f}" ry="{ry:.1f}"'
        shapes = f'<ellipse class="body" {ellipse}></ellipse>'
        if disc.node.role == "partly observed":
            top, bottom = f"{x:.1f} {y - ry:.1f}", f"{x:.1f} {y + ry:.1f}"
            half = f"M{top} A{rx:.1f} {ry:.1f} 0 0 0 {bottom} Z"
            shapes += f'<path class="shade" d="{half}"></path>'
        if disc.node.role == "deterministic":
            inner = f'{centre} rx="{rx - DOUBLE:.1f}" ry="{ry - DOUBLE:.1f}"'
            shapes += f'<ellipse class="outline" {inner}></ellipse>'
        return shapes + f'<ellipse class="outline" {ellipse}></ellipse>'

    def square(self, disc: Disc) -> str:
        """A factor is filled; what a guide draws together hangs on an open one."""
        (left, low), (right, high) = disc.corners
        (x, y), side = self.at((left, high)), (right - left) * UNIT
        return (
            f'<rect class="body outline" x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" '
            f'height="{(high - low) * UNIT:.1f}"></rect>'
        )


def _spans(symbol: Symbol | None) -> str:
    """A name as text with its scripts below and above."""
    if symbol is None:
        return ""
    letters, below, above = symbol.pieces(UNICODE)
    kind = "symbol word" if len(letters) > WORD else "symbol"
    text = f'<tspan class="{kind}">{escape(letters)}</tspan>'
    back = 0
    for part, shift in ((above, -7), (below, 5)):
        if part:
            text += f'<tspan class="script" dy="{shift - back}">{escape(part)}</tspan>'
            back = shift
    return text


def _plain(title: Title) -> str:
    """A plate's title in one line."""
    return f"{title.words} {title.size.write(UNICODE)}{title.equals}"


def _plate(title: Title) -> str:
    """A plate's title as text, what stands below the line in small letters."""
    letters, below, _ = title.size.pieces(UNICODE)
    equals = escape(title.equals)
    small = f'<tspan class="small" dy="3">{escape(below)}</tspan>' if below else ""
    rest = f'<tspan dy="-3">{equals}</tspan>' if below else equals
    words = f"{escape(title.words)} " if title.words else ""
    return f"{words}<tspan>{escape(letters)}</tspan>{small}{rest}"


def _name(name: str) -> str:
    return UNICODE.symbol(name)
