"""What a plate diagram consists of, in units that no format has chosen yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..graphs.structure import Edge, Node
from ..writing.notation import LATEX, Notation, Symbol

RADIUS = 0.33
"""Of a node, in units of which one is about 14 mm in print."""

TALL, ABOVE, LINE, LETTER = 0.46, 0.14, 0.16, 0.044
"""Of nodes with lines: half the height, the label's place, a line, half a letter's width."""

SQUARE = 0.11
"""Half the side of a factor's square."""

MARK = 0.19
"""How far from an arrow its mark stands."""

MARKED = 0.34
"""After which share of an arrow."""

PAD, TEXT = 0.2, 0.42
"""Room between a plate and what is in it, and where the plate's name stands."""

Point = tuple[float, float]

EMPTY = ((0.0, 0.0), (2 * RADIUS, RADIUS))
"""The corners of a drawing of nothing."""


@dataclass(frozen=True)
class Disc:
    """A node: an ellipse around ``centre``, ``width`` and ``height`` its half axes.

    A factor is a square of these half sides, with its label to the right of it. ``lag`` is how many
    steps before the one that is shown it lies: a reminder of another node, drawn paler. ``lines``
    stand below the label: its distribution, and whose parameters that has.
    """

    node: Node
    symbol: Symbol | None
    centre: Point
    width: float
    height: float = RADIUS
    lag: int = 0
    lines: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its symbol in LaTeX, without dollars; nothing where it has none."""
        return self.symbol.write(LATEX) if self.symbol else ""

    @property
    def label_place(self) -> Point:
        """Where the label stands: in the middle, or above the lines below it."""
        x, y = self.centre
        return x, y + (ABOVE if self.lines else 0.0)

    def line_place(self, number: int) -> Point:
        """Where a line stands."""
        x, y = self.centre
        return x, y + ABOVE - LINE * (number + 1) - 0.05

    @property
    def is_square(self) -> bool:
        """Whether it is drawn as a filled square: a factor, or what a guide draws together."""
        return self.node.role in ("factor", "block")

    @property
    def corners(self) -> tuple[Point, Point]:
        """The lower left and the upper right."""
        x, y = self.centre
        return (x - self.width, y - self.height), (x + self.width, y + self.height)


@dataclass(frozen=True)
class Arrow:
    """An edge: a smooth curve from border to border.

    Attributes:
        edge, kind: what it states.
        start, end: of the curve. controls: the points that it is drawn towards in between.
        bent: whether it leaves the straight line.
        head: whether it has one; lines to a factor and to what is drawn together have none.
        mark: what is written beside it, as ``t-1 → t``, or nothing.
    """

    edge: Edge
    kind: str
    start: Point
    controls: tuple[Point, ...]
    end: Point
    bent: bool
    head: bool = True
    mark: str = ""

    @property
    def pieces(self) -> list[tuple[Point, Point, Point]]:
        """The quadratic curves that it is made of: start, control point, end of each."""
        halves = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in pairwise(self.controls)]
        ends = [self.start, *halves, self.end]
        return list(zip(ends, self.controls, ends[1:], strict=False))

    def at(self, share: float) -> Point:
        """The point after a share of the curve between 0 and 1."""
        pieces = self.pieces
        number = min(int(share * len(pieces)), len(pieces) - 1)
        t = share * len(pieces) - number
        weights = (1 - t) ** 2, 2 * t * (1 - t), t**2
        x, y = (sum(w * p[i] for w, p in zip(weights, pieces[number], strict=True)) for i in (0, 1))
        return x, y

    def mark_place(self) -> Point:
        """Where what is written beside it stands: on the upper side, before the border of its end.

        What is written belongs to an arrow into a loop's box, and most of these come from outside.
        """
        (ax, ay), (bx, by), (x, y) = self.start, self.end, self.at(MARKED)
        length = math.dist(self.start, self.end) or 1.0
        across, up = (ay - by) / length, (bx - ax) / length
        side = 1 if up > 0 or (up == 0 and across > 0) else -1
        return x + MARK * side * across, y + MARK * side * up


@dataclass(frozen=True)
class Title:
    """What is written in a plate: its name, the symbol of its size, and maybe the number.

    A size that is called after its plate, N_words, says the name already.
    """

    words: str
    size: Symbol
    number: str = ""

    @property
    def width(self) -> float:
        """About how wide it is; what stands below the line is small."""
        head, _, below = self.size.name.partition("_")
        words = len(self.words) + 2 if self.words else 0
        return 0.11 * (words + len(head + self.equals)) + 0.075 * len(below)

    @property
    def equals(self) -> str:
        """The number behind its sign."""
        return f" = {self.number}" if self.number else ""

    def write(self, notation: Notation) -> str:
        """All of it, in LaTeX with the size between dollars."""
        size = notation.math(self.size.write(notation) + self.equals)
        return f"{self.words}  {size}" if self.words else size


@dataclass(frozen=True)
class Box:
    """A plate: a rectangle from corner to corner, with its name and size below or above.

    Attributes:
        title: name and size.
        above: whether the label stands at the upper side.
        plate: its name. dashed: whether it holds the steps of time and not cells.
        side: at which end the label stands: ``"west"``, ``"east"``, or ``""`` for the outer one.
    """

    title: Title
    lower: Point
    upper: Point
    above: bool
    plate: str = ""
    dashed: bool = False
    side: str = ""

    @property
    def label(self) -> str:
        """The title in LaTeX."""
        return self.title.write(LATEX)

    def name_place(self, middle: float) -> tuple[float, float, str]:
        """Where the name stands, and whether it begins or ends there: ``"west"`` or ``"east"``.

        It stands on the outer side of the drawing, where no arrow to its ``middle`` passes.
        """
        (left, low), (right, high) = self.lower, self.upper
        y = high - 0.12 if self.above else low + 0.12
        outer = "west" if (left + right) / 2 < middle - 1e-6 else "east"
        side = self.side or outer
        return (left + 0.14 if side == "west" else right - 0.14), y, side


@dataclass(frozen=True)
class Drawing:
    """A figure in units that no format has chosen yet."""

    discs: tuple[Disc, ...]
    arrows: tuple[Arrow, ...]
    boxes: tuple[Box, ...]

    @property
    def corners(self) -> tuple[Point, Point]:
        """The lower left and the upper right of everything."""
        parts = [(box.lower, box.upper) for box in self.boxes]
        parts += [disc.corners for disc in self.discs]
        parts += [(point, point) for arrow in self.arrows if arrow.bent for point in _along(arrow)]
        (left, low), (right, high) = hull(parts or [EMPTY])
        line = 0.03
        return (left - line, low - line), (right + line, high + line)


def _along(arrow: Arrow) -> list[Point]:
    return [arrow.at(share / 24) for share in range(1, 24)]


def hull(corners: Sequence[tuple[Point, Point]]) -> tuple[Point, Point]:
    """Lower left and upper right of several rectangles together."""
    lows, highs = zip(*corners, strict=True)
    return (
        (min(x for x, _ in lows), min(y for _, y in lows)),
        (max(x for x, _ in highs), max(y for _, y in highs)),
    )
