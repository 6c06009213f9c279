"""The pictures of a comparison: curves with bands, and accuracy against the rest; its cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ...inference.runs.logbook import METRICS, VALIDATION, read_lines
from ..drawing.section import stem
from ..drawing.sheets import FAINT, INK, MUTED, panel
from .chart import Chart, brief, chart, colours_of, signed
from .cost import cost_of
from .plan import CLASSIFIER, MAJORITY
from .rows import MEASURES, Measure, Row, fractions_of, measures_of, methods_of, values

MANY = 8
"""Methods of which a legend needs a second column."""


def _legend(axes: Axes) -> None:
    """What is whose, however many there are; the axes keep their size for it."""
    many = len(axes.get_legend_handles_labels()[1]) > MANY
    size, columns = (6.5, 2) if many else (8.5, 1)
    shown = axes.legend(frameon=False, fontsize=size, ncols=columns, labelcolor=INK)
    shown.set_in_layout(False)


def of_curves(rows: Sequence[Row], folder: Path) -> Iterator[Chart]:
    """What was found after every epoch: means over the seeds, with a standard error around them.

    Args:
        folder: that has the runs. They are of validation rows, or of training rows without any.
    """
    curves = {
        row["run"]: read_lines(folder / row["run"] / VALIDATION)
        or read_lines(folder / row["run"] / METRICS)
        for row in rows
        if row["chosen"] and row["method"] not in (CLASSIFIER, MAJORITY)
    }
    where = "validation" if _validated(rows, folder) else "training"
    for measure in MEASURES:
        for fraction in fractions_of(rows):
            picture = _curve(rows, curves, measure, fraction, where)
            if picture is not None:
                yield picture


def _validated(rows: Sequence[Row], folder: Path) -> bool:
    return any((folder / row["run"] / VALIDATION).exists() for row in rows)


def _curve(
    rows: Sequence[Row],
    curves: Mapping[str, Sequence[Mapping[str, float]]],
    measure: Measure,
    fraction: float,
    where: str,
) -> Chart | None:
    colours, ends = colours_of(rows), []
    figure, axes = panel(5.4, 2.9)
    for method in methods_of(rows):
        own = [
            {line["epoch"]: line[measure.key] for line in curves[row["run"]] if measure.key in line}
            for row in rows
            if (row["method"], row["labelled"]) == (method, fraction) and row["run"] in curves
        ]
        found = [curve for curve in own if curve]
        if not found:
            continue
        epochs = sorted(set.intersection(*(set(curve) for curve in found)))
        if not epochs:
            continue
        by_epoch = [[measure.factor * curve[epoch] for curve in found] for epoch in epochs]
        means = [fmean(numbers) for numbers in by_epoch]
        at = [epoch + 1 for epoch in epochs]
        axes.plot(at, means, color=colours[method], lw=1.8, label=brief(method))
        if len(found) > 1:
            errors = [stdev(numbers) / math.sqrt(len(numbers)) for numbers in by_epoch]
            low = [mean - error for mean, error in zip(means, errors, strict=True)]
            high = [mean + error for mean, error in zip(means, errors, strict=True)]
            axes.fill_between(at, low, high, color=colours[method], alpha=0.18, lw=0)
        ends.append(f"{method} {means[-1]:.1f}")
    if not ends:
        return None
    place = f", F = {fraction:g}" if len(fractions_of(rows)) > 1 else ""
    axes.grid(axis="y", color=FAINT, lw=0.7)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch", color=MUTED, fontsize=9.5)
    axes.set_title(f"{measure.title}, {where} images{place}", loc="left", color=INK, fontsize=10.5)
    _legend(axes)
    return chart(
        figure,
        stem("curves", MEASURES.index(measure), f"{measure.key}{place}"),
        alt=f"Curves of {measure.title} by epoch{place}, ending at {', '.join(ends)}",
        caption=signed(f"Of {where} images; at the end: {', '.join(ends)}."),
    )


def of_trade(rows: Sequence[Row]) -> Iterator[Chart]:
    """The labels that are got right against the bound and against the reconstruction."""
    measures = {measure.key: measure for measure in measures_of(rows)}
    first = measures.get("accuracy") or measures.get("r2")
    if first is None:
        return
    for other in (measures.get("bound"), measures.get("reconstruction_l1")):
        for fraction in fractions_of(rows):
            if other is not None:
                yield _trade(rows, first, other, fraction)


def _trade(rows: Sequence[Row], first: Measure, other: Measure, fraction: float) -> Chart:
    figure, axes = panel(5.4, 3.4)
    colours, said = colours_of(rows), []
    for method in methods_of(rows):
        x, y = (values(rows, method, fraction, measure.key) for measure in (other, first))
        seeds = sorted(x.keys() & y.keys())
        if not seeds:
            continue
        across = [other.factor * x[seed] for seed in seeds]
        up = [first.factor * y[seed] for seed in seeds]
        colour = colours[method]
        axes.plot(across, up, "o", color=colour, ms=4, alpha=0.4, mew=0)
        spread = [stdev(v) / math.sqrt(len(v)) if len(v) > 1 else 0.0 for v in (across, up)]
        axes.errorbar(
            fmean(across), fmean(up), xerr=spread[0], yerr=spread[1], fmt="o", ms=8, color=colour,
            mec="white", label=brief(method), lw=1.6,
        )  # fmt: skip
        said.append(f"{method} {fmean(up):.1f} at {fmean(across):.1f}")
    plain = values(rows, CLASSIFIER, fraction, first.key).values()
    if plain:
        height = first.factor * fmean(plain)
        axes.axhline(height, color=MUTED, lw=1, ls=(0, (4, 3)), label=CLASSIFIER)
    axes.grid(color=FAINT, lw=0.6)
    axes.set_axisbelow(True)
    better = "" if other.better > 0 else " (less is better)"
    axes.set_xlabel(f"{other.title}{better}", color=MUTED, fontsize=9.5)
    at = f", F = {fraction:g}" if len(fractions_of(rows)) > 1 else ""
    axes.set_title(
        f"{first.title}, against {other.short}{at}", loc="left", color=INK, fontsize=10.5
    )
    _legend(axes)
    return chart(
        figure,
        stem("trade", MEASURES.index(other), f"{other.key}{at}"),
        alt=f"{first.title} against {other.title}{at}: {'; '.join(said)}",
        caption="Small points are seeds, large ones means with standard errors.",
    )


def costs_of(rows: Sequence[Row], folder: Path) -> list[tuple[str, float, float, int]]:
    """Mean seconds of a training, the most MiB of memory, and trainings in all, by method."""
    found = []
    for method in methods_of(rows):
        own = [cost_of(folder / row["run"]) for row in rows if row["method"] == method]
        own = [cost for cost in own if math.isfinite(cost["seconds"])]
        if own and method != MAJORITY:
            seconds = fmean(cost["seconds"] for cost in own)
            found.append((method, seconds, max(cost["memory"] for cost in own), len(own)))
    return found
