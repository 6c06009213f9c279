"""Charts that several studies draw: bars with their marks, and a matrix of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes

from .sheets import FAINT, INK, MUTED, RIGHT, WRONG, panel, png, wrapped


def bars(
    axes: Axes,
    names: Sequence[str],
    values: Sequence[float],
    *,
    parts: Sequence[float] = (),
    ticks: Sequence[float] = (),
    rings: Sequence[float] = (),
) -> None:
    """Horizontal bars with their values, each with a darker part, a tick and a ring where given."""
    top = max([*values, *ticks, *rings, 1e-6])
    for y, value in enumerate(values):
        axes.barh(y, value, 0.62, color=RIGHT, alpha=0.4 if parts else 1)
        number = f"{value:.2f}" if top > 0.1 else f"{value:.4f}"
        across = axes.get_yaxis_transform()
        axes.text(1.02, y, number, va="center", fontsize=9, color=INK, transform=across)
    axes.barh(range(len(parts)), parts, 0.62, color=RIGHT)
    for y, tick in enumerate(ticks):
        axes.plot([tick, tick], [y - 0.4, y + 0.4], color=INK, lw=1.8, solid_capstyle="butt")
    axes.plot(rings, range(len(rings)), "o", mfc="white", mec=WRONG, mew=1.5, ms=6, zorder=3)
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set(xlim=(0, 1.05 * top), ylim=(len(names) - 0.4, -0.6))
    axes.grid(axis="x", color=FAINT, lw=0.6, zorder=0)
    axes.set_axisbelow(True)


def matrix(
    values: Sequence[Sequence[float]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    across: str = "",
    down: str = "",
) -> bytes:
    """A table of numbers, each row shaded relative to its largest absolute entry, as PNG.

    Rows beyond the number of columns are set apart and not shaded.

    Args:
        values: R × C. rows, columns: their names. across, down: what these are.
    """
    figure, axes = panel(1.9 + 0.5 * len(columns), 1.5 + 0.36 * len(rows))
    table = torch.tensor(values)
    share = table.abs() / table.abs().amax(1, keepdim=True).clamp(min=1e-12)
    for r, row in enumerate(table.tolist()):
        apart = 0.25 if r >= len(columns) else 0.0
        for c, value in enumerate(row):
            weight = share[r, c].item() if not apart else 0.0
            y = r + apart
            axes.fill_between(
                [c - 0.48, c + 0.48], y - 0.46, y + 0.46, color=RIGHT, alpha=weight, lw=0
            )
            axes.text(
                c,
                y,
                f"{value:z.2f}".replace("-", "−"),
                ha="center",
                va="center",
                fontsize=8.5,
                color="white" if weight > 0.6 else INK,
                weight="bold" if weight == 1 else "normal",
            )
    at = [r + (0.25 if r >= len(columns) else 0.0) for r in range(len(rows))]
    axes.set_yticks(at, rows, color=INK)
    axes.set_xticks(range(len(columns)), [wrapped(name) for name in columns], color=INK)
    axes.tick_params(axis="x", rotation=90, labelsize=8.5)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(at[-1] + 0.5, -0.5))
    axes.spines["bottom"].set_visible(False)
    axes.set_xlabel(across, color=MUTED, fontsize=9.5)
    axes.set_ylabel(down, color=MUTED, fontsize=9.5)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0)
    return png(figure)
