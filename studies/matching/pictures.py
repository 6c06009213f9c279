"""Pictures of feature matches: the scale of confidences, and lines between points that match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import chain, zip_longest
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Drawing
from matplotlib.patheffects import Normal as PlainStroke
from matplotlib.patheffects import Stroke
from torch import Tensor

from ..drawing.sheets import FAINT, INK, MUTED, RIGHT, panel, png, to_rgb
from ..drawing.tables import mean_and_error
from ..reading.counterfactuals import Case
from .lines import Line, brief, known, list_lines, short
from .matches import Matcher, Matches
from .scores import POSTER_DROP, POSTER_INTERVENTION, Measured, Scores

SHOWN, LINES = 3, 30
"""Images in one picture, and matches drawn of one pair at most."""


COLOURS = "plasma"
"""Even to the eye, and like the poster's from blue to the warm colours."""


def draw_scale(found: Measured) -> bytes:
    """The table as a picture: confidence as dots on a scale, the figures beside, as PNG."""
    lines = list_lines(found)
    height = len(lines) + sum(line.poster is not None for line in lines)
    figure, axes = panel(9.6, 0.85 + 0.27 * height)
    _row(axes, -1, ("matches", "confidence", "inliers", "in place", "drop"), MUTED)
    names: list[tuple[int, str, str, bool]] = []
    y = 0
    for line in lines:
        _dot(axes, y, line)
        means = [known(getattr(line.scores, f.name)) for f in fields(Scores)]
        _row(
            axes,
            y,
            (short(means[0], 0), *map(short, means[1:]), brief(line.drop, "")),
            INK,
        )
        names.append((y, line.title, INK, line.poster is not None))
        y += 1
        if line.poster is not None:
            lost = f"{POSTER_DROP:.2f}" if line.poster is POSTER_INTERVENTION else ""
            theirs = (f"{line.poster.matches:.2f}", f"{line.poster.confidence:.2f}", "", "", lost)
            _row(axes, y, theirs, MUTED)
            axes.plot(line.poster.confidence, y, "D", ms=5, mfc="white", mec=MUTED)
            names.append((y, "the poster's", MUTED, False))
            y += 1
    axes.set_yticks([name[0] for name in names], [name[1] for name in names])
    for text, (_, _, colour, strong) in zip(axes.get_yticklabels(), names, strict=True):
        text.set(color=colour, weight="bold" if strong else "normal")
    axes.set(xlim=(0, WIDTH), ylim=(y - 0.4, -1.5), xticks=(0, 0.25, 0.5, 0.75, 1))
    axes.spines["bottom"].set_bounds(0, 1)
    axes.set_xlabel("confidence", x=0.5 / WIDTH, color=MUTED, fontsize=9.5)
    return png(figure)


COLUMNS, WIDTH = (1.12, 1.37, 1.6, 1.79, 2.03), 2.18
"""Where the columns of figures stand beside the scale from 0 to 1, and where all ends."""


def _dot(axes: Axes, y: int, line: Line) -> None:
    axes.plot([0, 1], [y, y], color=FAINT, lw=0.8, zorder=0)
    confidence = known(line.scores.confidence)
    if confidence is not None:
        colour = RIGHT if line.poster is not None else INK
        axes.errorbar(
            confidence.mean, y, xerr=2 * (confidence.error or 0), fmt="o", ms=5, color=colour
        )


def _row(axes: Axes, y: int, texts: Sequence[str], colour: str) -> None:
    for x, text in zip(COLUMNS, texts, strict=True):
        axes.text(x, y, text, ha="center", va="center", color=colour, fontsize=9.5)


def pick(classes: Sequence[int], count: int) -> list[int]:
    """Positions of ``count`` images at most, of each class in turn.

    >>> pick([0, 0, 0, 1], 3)
    [0, 3, 1]
    """
    groups = [[i for i, c in enumerate(classes) if c == k] for k in dict.fromkeys(classes)]
    turns = chain.from_iterable(zip_longest(*groups))
    return [i for i in turns if i is not None][:count]


def draw_matches(x: Tensor, case: Case, classes: Sequence[str], matcher: Matcher) -> bytes:
    """Some images beside what they are matched with, as in the poster's figures 6–7, as PNG.

    Args:
        x: the images ``(B, C, H, W)``. case: an intervention on them.
        classes: names of its label's classes. matcher: finds the matches.
    """
    columns = {
        "reconstruction": case.reconstruction,
        f"reconstruction, {case.name} changed": case.image,
    }
    if case.truth is not None:
        columns[f"true image, {case.name} changed"] = case.truth.after
    shown = pick(case.source.tolist(), SHOWN)
    size = (3.6 * len(columns) + 0.5, 1.95 * len(shown) + 0.3)
    figure = Drawing(figsize=size, dpi=150, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(h_pad=0.03, hspace=0)  # type: ignore[union-attr, call-arg]
    axes = figure.subplots(len(shown), len(columns), squeeze=False)
    for row, i in zip(axes, shown, strict=True):
        change = f"{classes[int(case.source[i])]} → {classes[int(case.target[i])]}: "
        for column, (cell, images) in enumerate(zip(row, columns.values(), strict=True)):
            found = matcher.match(x[i], images[i])
            draw_pair(cell, x[i], images[i], found)
            mean = short(mean_and_error(found.confidence.tolist()))
            words = f"{change if column else ''}{len(found)} matches, mean {mean}"
            cell.set_xlabel(words, color=MUTED, fontsize=9)
    for cell, title in zip(axes[0], columns, strict=True):
        cell.set_title(title, color=INK, fontsize=10)
    _colour_bar(figure, axes)
    return png(figure)


def _colour_bar(figure: Drawing, axes: Any) -> None:
    shades = ScalarMappable(Normalize(0, 1), COLOURS)
    bar = figure.colorbar(shades, ax=axes, shrink=0.6, aspect=30, pad=0.01)
    bar.set_label("confidence of the match", color=MUTED, fontsize=9)
    bar.ax.tick_params(labelsize=9, labelcolor=MUTED)
    bar.outline.set_visible(False)


def draw_pair(axes: Axes, a: Tensor, b: Tensor, matches: Matches) -> None:
    """Two images ``(C, H, W)`` of one size side by side, and lines between points that match."""
    gap = max(1, a.shape[-1] // 16)
    between = torch.ones(3, a.shape[-2], gap)
    pixels = torch.cat([to_rgb(a), between, to_rgb(b)], -1).movedim(0, -1).numpy()
    axes.imshow(pixels, interpolation="nearest")
    order = matches.confidence.argsort()
    if len(order) > LINES:
        order = order[torch.linspace(0, len(order) - 1, LINES).round().long()]
    # The surest come last, on top of the others.
    starts, ends = matches.a[order], matches.b[order] + torch.tensor([a.shape[-1] + gap, 0])
    colours = ScalarMappable(Normalize(0, 1), COLOURS).to_rgba(matches.confidence[order].numpy())
    lines = LineCollection(list(torch.stack([starts, ends], 1).numpy()), colors=colours, lw=1)
    # A pale edge, or the dark end of the scale is lost on a dark image.
    lines.set_path_effects([Stroke(linewidth=2, foreground="white", alpha=0.45), PlainStroke()])
    axes.add_collection(lines)
    for points in (starts, ends):
        x, y = points.T.numpy()
        axes.scatter(x, y, s=7, c=colours, lw=0.3, ec="white", zorder=3)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
