"""Curves of a training: what was found after every epoch, in training and on validation rows."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ...inference.runs.logbook import METRICS, VALIDATION, read_lines
from ..drawing.section import Picture, Section
from ..drawing.sheets import FAINT, INK, MUTED, RIGHT, panel, png


def section(directory: Path, *, majority: float | None = None) -> Section | None:
    """The curves of a run; None without metrics.

    Args:
        directory: of the run.
        majority: accuracy of the majority class, drawn as a line to start from.
    """
    metrics, tried = (read_lines(directory / name) for name in (METRICS, VALIDATION))
    curves = (
        _curve(metrics, "objective", "objective, nats per image"),
        _curve(metrics, "accuracy", "accuracy on labelled training images", majority),
        _curve(tried, "bound", "bound on validation images, nats each", stem="validation"),
        _curve(tried, "accuracy", "accuracy on validation images", majority, stem="validation"),
        _curve(tried, "r2", "R² on validation images", stem="validation"),
        _curve(tried, "reconstruction_l1", "error on validation images", stem="validation"),
    )
    pictures = tuple(picture for picture in curves if picture is not None)
    text = (EXPLANATION, KEPT_OUT) if tried else (EXPLANATION,)
    return Section("training", "Training", text, pictures) if pictures else None


EXPLANATION = (
    "The objective is the mean over an epoch's steps, classifier term included, so it is no bound "
    "and not to be compared between objectives. Accuracy here is on training images that show "
    "their labels; the table above has the test images."
)

KEPT_OUT = (
    "Validation images have labels and are kept out of the training; the labels are hidden when "
    "the weights are tried on them. Few images make these curves rough."
)


def _curve(
    metrics: list[dict[str, Any]],
    key: str,
    title: str,
    majority: float | None = None,
    *,
    stem: str = "training",
) -> Picture | None:
    points = [(row["epoch"] + 1, row[key]) for row in metrics if _finite(row.get(key))]
    if not points:
        return None
    figure, axes = panel(5.4, 2.5)
    axes.plot(*zip(*points, strict=True), color=RIGHT, lw=2, marker="o", ms=4)
    axes.grid(axis="y", color=FAINT, lw=0.7)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch", color=MUTED, fontsize=9.5)
    axes.set_title(title, loc="left", color=INK, fontsize=10.5)
    if majority is not None:
        _line(axes, majority, points[-1][0])
    form = {"accuracy": ".1%", "r2": ".3f", "reconstruction_l1": ".4f"}.get(key, ".1f")
    last = format(points[-1][1], form)
    return Picture(
        f"{stem}-{key}",
        png(figure),
        alt=f"Curve of the {title} by epoch, ending at {last}",
        caption=f"After epoch {points[-1][0]}: {last}.",
        span="half",
    )


def _line(axes: Axes, height: float, right: int) -> None:
    axes.axhline(height, color=MUTED, lw=1, ls=(0, (4, 3)))
    axes.annotate(
        "majority class, test",
        (right, height),
        (0, 4),
        textcoords="offset points",
        ha="right",
        color=MUTED,
        fontsize=9,
    )


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
