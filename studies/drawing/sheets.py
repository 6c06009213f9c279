"""What the studies draw with: sheets of images and plain panels, without pyplot's global state."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.colors import to_rgb as colour_of
from matplotlib.figure import Figure
from matplotlib.image import _ImageBase
from matplotlib.text import Text
from PIL import Image
from torch import Tensor
from torch.nn.functional import max_pool2d

from ...inspection.notebook.pictures import CHART

INK, MUTED, FAINT = "#23272f", "#5f6773", "#d5d9df"
RIGHT, WRONG = "#2a78b5", "#d1602b"
"""Colours that stay apart for the colour-blind."""

CLASS_COLOURS = (
    *("#d1602b", "#2a78b5", "#2f9e73", "#b0468e", "#c99a06"),
    *("#5b4fc4", "#7a5c3e", "#5c6670", "#8fb51f", "#17a6b8"),
)

_HEAT = LinearSegmentedColormap.from_list("heat", ["white", "#f0a35e", "#b8325a", "#2a0a3c"])

_CELL, _GAP, _BREAK, _MARGIN, _LINE = 128, 8, 26, 12, 24
_SHEET_DPI, _POINTS, _LETTER = 100, 12.5, 10.5
DPI = 180
"""Of panels."""

ABREAST = 9
"""Labels in one picture, at most."""

FAINTEST = 0.2
"""The change that is drawn darkest where all are smaller, so that a weak change looks weak."""

_STEPS = 63

_REST, _FRAME = 900, 110
"""Milliseconds that an animation rests at either end, and that it takes for a step."""


def class_colours(count: int) -> list[str]:
    """A colour for each of ``count`` classes."""
    if count <= len(CLASS_COLOURS):
        return list(CLASS_COLOURS[:count])
    wheel = matplotlib.colormaps["turbo"](np.linspace(0.03, 0.97, count))
    return [to_hex(colour) for colour in wheel]


def to_rgb(images: Tensor) -> Tensor:
    """Images ``(…, C, H, W)`` in [0, 1] as colours ``(…, 3, H, W)`` on the CPU; grey if C ≠ 3."""
    images = images.detach().float().cpu().clamp(0, 1)
    if images.shape[-3] != 3:
        images = images.mean(-3, keepdim=True).expand(*images.shape[:-3], 3, *images.shape[-2:])
    return images


def heat(values: Tensor, top: float) -> Tensor:
    """Values ``(…, H, W)`` from 0 to ``top`` as colours ``(…, 3, H, W)``, white to dark."""
    shades = _HEAT((values.detach().cpu() / top).clamp(0, 1).numpy())
    colours = torch.from_numpy(shades[..., :3]).float().movedim(-1, -3)
    colours[..., [0, -1], :] = colours[..., :, [0, -1]] = 0.87  # a frame, or white has no edge
    return colours


def outlined(images: Tensor, region: Tensor) -> Tensor:
    """Images ``(B, 3, H, W)`` with a blue line just outside a region ``(B, H, W)``."""
    inside = region[:, None].float()
    edge = (max_pool2d(inside, 3, 1, 1) > inside).expand_as(images)
    blue = torch.tensor(colour_of(RIGHT))[:, None, None].expand_as(images)
    return torch.where(edge, blue, images)


@dataclass(frozen=True)
class _Grid:
    """Where the cells of a sheet lie, in pixels from its upper left corner."""

    rows: int
    columns: int
    height: int
    width: int
    breaks: Collection[int]
    margin: int
    head: int
    foot: int

    def left(self, column: int) -> int:
        wide = sum(column >= b for b in self.breaks)
        return self.margin + column * (self.width + _GAP) + wide * (_BREAK - _GAP)

    def top(self, row: int) -> int:
        return self.head + row * (self.height + self.foot + _GAP)

    @property
    def size(self) -> tuple[int, int]:
        return self.left(self.columns) - _GAP + _MARGIN, self.top(self.rows) - _GAP + _MARGIN


def sheet(
    cells: Tensor,
    *,
    columns: Sequence[str] = (),
    rows: Sequence[str] = (),
    notes: Sequence[Sequence[str]] = (),
    breaks: Collection[int] = (),
) -> bytes:
    """The :func:`table` of images with these headings, as PNG."""
    return png(table(cells, columns=columns, rows=rows, notes=notes, breaks=breaks))


def table(
    cells: Tensor,
    *,
    columns: Sequence[str] = (),
    rows: Sequence[str] = (),
    notes: Sequence[Sequence[str]] = (),
    breaks: Collection[int] = (),
) -> Figure:
    """A table of images, enlarged by a whole number so that every pixel stays a square.

    Colours are rounded to 64 steps a channel: an eye does not see it, and the file halves.

    Args:
        cells: images ``(R, S, C, H, W)`` in [0, 1]; with C = 3 colours, else grey.
        columns: S headings, of as many lines as they have. rows: R headings.
        notes: R × S short texts to stand below the images.
        breaks: columns before which a wider gap is left.
    """
    cells = (to_rgb(cells) * _STEPS).round() / _STEPS
    factor = max(1, round(_CELL / max(cells.shape[-2:])))
    lines = max((heading.count("\n") + 1 for heading in columns if heading), default=0)
    grid = _Grid(
        columns=cells.shape[1],
        rows=cells.shape[0],
        height=factor * cells.shape[-2],
        width=factor * cells.shape[-1],
        breaks=breaks,
        margin=_MARGIN + max((round(_LETTER * len(row)) for row in rows), default=0),
        head=_MARGIN + lines * _LINE,
        foot=_LINE if notes else 0,
    )
    figure = _blank(*grid.size)
    for row, images in enumerate(cells):
        for column, image in enumerate(images):
            _place(figure, grid, row, column, image, factor)
    _write(figure, grid, columns, rows, notes)
    return figure


def _blank(width: int, height: int) -> Figure:
    size = (width / _SHEET_DPI, height / _SHEET_DPI)
    return Figure(figsize=size, dpi=_SHEET_DPI, facecolor="white")


def _place(figure: Figure, grid: _Grid, row: int, column: int, image: Tensor, factor: int) -> None:
    pixels = image.movedim(0, -1).numpy().repeat(factor, 0).repeat(factor, 1)
    bottom = grid.size[1] - grid.top(row) - grid.height
    figure.figimage(pixels, grid.left(column), bottom, origin="upper")


def _write(
    figure: Figure,
    grid: _Grid,
    columns: Sequence[str],
    rows: Sequence[str],
    notes: Sequence[Sequence[str]],
) -> None:
    width, height = grid.size

    def text(x: float, y: float, words: str, **style: Any) -> None:
        figure.text(x / width, 1 - y / height, words, parse_math=False, fontsize=_POINTS, **style)

    for column, words in enumerate(columns):
        x = grid.left(column) + grid.width / 2
        text(x, grid.head - 5, words, color=INK, ha="center", va="bottom")
    for row, words in enumerate(rows):
        y = grid.top(row) + grid.height / 2
        text(grid.margin - 8, y, words, color=INK, ha="right", va="center")
    for row, line in enumerate(notes):
        for column, words in enumerate(line):
            x = grid.left(column) + grid.width / 2
            y = grid.top(row) + grid.height + 3
            text(x, y, words, color=MUTED, ha="center", va="top")


def wrapped(name: str, width: int = 11) -> str:
    """A name on lines of at most ``width`` letters, broken where it can be.

    >>> wrapped("Arched_Eyebrows")
    'Arched_\\nEyebrows'
    """
    return "\n".join(
        line.replace("_ ", "_") for line in textwrap.wrap(name.replace("_", "_ "), width + 1)
    )


def panel(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty panel of a size in inches, with no more lines than it needs."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout="constrained")
    return figure, clean(figure.add_subplot())


def clean(axes: Axes) -> Axes:
    """Take frame and tick marks off."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(length=0, labelsize=9.5, labelcolor=MUTED)
    return axes


def plain(figure: Figure) -> None:
    """Take every text of a figure as it is: a label's name may hold dollar signs."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)


def png(figure: Figure) -> bytes:
    """A figure as PNG; one without images says in its head that it is a chart."""
    plain(figure)
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="png",
        dpi=figure.dpi,
        metadata=None if figure.findobj(_ImageBase) else {"Title": CHART},
        pil_kwargs={"optimize": True, "compress_level": 9},
    )
    return buffer.getvalue()


def looped(frames: Sequence[Figure]) -> bytes:
    """Figures of one size as an animated WebP that goes forth and back without end."""
    first, *rest = (_drawn(frame) for frame in frames)
    buffer = io.BytesIO()
    first.save(
        buffer,
        format="webp",
        save_all=True,
        append_images=[*rest, *rest[-2::-1]],
        duration=[_REST, *[_FRAME] * (len(rest) - 1), _REST, *[_FRAME] * (len(rest) - 1)],
        loop=0,
        quality=60,
    )
    return buffer.getvalue()


def _drawn(figure: Figure) -> Image.Image:
    plain(figure)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
