"""The pictures of a comparison: differences, curves with bands, accuracy against the rest, cost."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy.special import stdtrit

from ...inference.runs.logbook import METRICS, VALIDATION, read_lines
from ..drawing.arviz_draws import densities
from ..drawing.section import Picture, stem
from ..drawing.sheets import DPI, FAINT, INK, MUTED, class_colours, clean, panel, png
from .cost import cost_of
from .paired import Difference
from .plan import CLASSIFIER, MAJORITY
from .rows import MEASURES, Measure, Row, fractions_of, measures_of, methods_of, values

QUANTILES = 2000
"""Points by which ArviZ is told of a distribution."""

MANY = 8
"""Methods of which a legend needs a second column."""

LETTERS = 28
"""In a line of a method's name within a picture."""


def colours_of(rows: Sequence[Row]) -> dict[str, str]:
    """A colour for each method; the baselines are grey."""
    names = [name for name in methods_of(rows) if name not in (CLASSIFIER, MAJORITY)]
    found = dict(zip(names, class_colours(len(names)), strict=True))
    return {**found, CLASSIFIER: INK, MAJORITY: MUTED}


def signed(text: str) -> str:
    """A text whose negative numbers have real minus signs.

    >>> signed("our-adapted-diva -1.5")
    'our-adapted-diva −1.5'
    """
    return re.sub(r"-(?=\d)", "−", text)


def of_differences(rows: Sequence[Row], found: Sequence[Difference]) -> Iterator[Picture]:
    """Intervals of the paired differences, and their densities by ArviZ, a picture a measure."""
    colours, several = colours_of(rows), len(fractions_of(rows)) > 1
    for measure in measures_of(rows):
        for fraction in fractions_of(rows):
            own = [
                d
                for d in found
                if (d.key, d.labelled) == (measure.key, fraction)
                and d.seeds > 1
                and d.method not in (CLASSIFIER, MAJORITY)
                and d.high > d.low
            ]
            if own:
                at = f", F = {fraction:g}" if several else ""
                yield _densities(measure, own, colours, at)


def brief(method: str) -> str:
    """A method's name where a picture has little room for it: modules without their packages.

    >>> print(brief("ccvae/marginal"))
    ccvae/marginal
    >>> print(brief("our.lab.ssvae:model,guide/our.lab.objectives:SemiSupervisedObjective"))
    ssvae:model,guide/
    objectives:SemiSupervisedO…
    """
    if len(method) <= LETTERS:
        return method
    pieces = [re.sub(r"[\w.]+\.(\w+:)", r"\1", piece) for piece in method.split("/")]
    return "/\n".join(
        piece if len(piece) < LETTERS else f"{piece[: LETTERS - 2]}…" for piece in pieces
    )


def _legend(axes: Axes) -> None:
    """What is whose, however many there are; the axes keep their size for it."""
    many = len(axes.get_legend_handles_labels()[1]) > MANY
    size, columns = (6.5, 2) if many else (8.5, 1)
    shown = axes.legend(frameon=False, fontsize=size, ncols=columns, labelcolor=INK)
    shown.set_in_layout(False)


def _densities(
    measure: Measure, own: Sequence[Difference], colours: Mapping[str, str], at: str
) -> Picture:
    """What the seeds say of the mean differences: Student's t about each mean."""
    levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
    samples = []
    for difference in own:
        centre, error = (measure.factor * value for value in (difference.mean, difference.error))
        draws = centre + error * stdtrit(difference.seeds - 1, levels)
        reach = 1.6 * measure.factor * (difference.high - difference.low) / 2
        samples.append(np.clip(draws, centre - reach, centre + reach)[1:-1])
    inside = [s[(s > s.min()) & (s < s.max())] for s in samples]
    figure, axes = densities(inside, [colours[d.method] for d in own], (5.4, 2.2 + 0.25 * len(own)))
    figure.set(dpi=DPI, facecolor="white")
    _finish_differences(clean(axes), measure, own, colours)
    reference = brief(own[0].reference).replace("\n", "")
    axes.set_title(f"{measure.title}, minus {reference}{at}", loc="left", fontsize=10.5)
    words = "; ".join(
        f"{d.method} {measure.factor * d.mean:+.1f} [{measure.factor * d.low:+.1f}, "
        f"{measure.factor * d.high:+.1f}]"
        for d in own
    )
    return Picture(
        stem("differences", MEASURES.index(measure), f"{measure.key}{at}"),
        png(figure),
        alt=f"Differences in {measure.short} to {own[0].reference}{at}: {words}",
        caption=signed(f"{words}."),
        span="half",
    )


def _finish_differences(
    axes: Axes, measure: Measure, own: Sequence[Difference], colours: Mapping[str, str]
) -> None:
    """Draw the means with their intervals below the densities, and a line where nothing differs."""
    top = axes.get_ylim()[1]
    step = 0.17 * top
    for place, d in enumerate(own):
        y = -step * (place + 0.8)
        low, mean, high = (measure.factor * value for value in (d.low, d.mean, d.high))
        axes.plot([low, high], [y, y], color=colours[d.method], lw=2.2, solid_capstyle="butt")
        axes.plot([mean], [y], "o", color=colours[d.method], ms=5)
        right = mean > sum(axes.get_xlim()) / 2  # where there is no room for a name beyond it
        at, away, side = (low, -6, "right") if right else (high, 6, "left")
        axes.annotate(
            brief(d.method),
            (at, y),
            (away, 0),
            textcoords="offset points",
            ha=side,
            va="center",
            color=INK,
            fontsize=9,
        )
    axes.axvline(0, color=MUTED, lw=1, ls=(0, (4, 3)))
    axes.set_ylim(-step * (len(own) + 0.6), 1.05 * top)
    axes.set_yticks([])


def of_curves(rows: Sequence[Row], folder: Path) -> Iterator[Picture]:
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
) -> Picture | None:
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
    axes.set_title(f"{measure.title} ({where} images){place}", loc="left", color=INK, fontsize=10.5)
    _legend(axes)
    return Picture(
        stem("curves", MEASURES.index(measure), f"{measure.key}{place}"),
        png(figure),
        alt=f"Curves of {measure.title} by epoch{place}, ending at {', '.join(ends)}",
        caption=signed(f"At the end: {', '.join(ends)}."),
        span="half",
    )


def of_trade(rows: Sequence[Row]) -> Iterator[Picture]:
    """The labels that are got right against the bound and against the reconstruction."""
    measures = {measure.key: measure for measure in measures_of(rows)}
    first = measures.get("accuracy") or measures.get("r2")
    if first is None:
        return
    for other in (measures.get("bound"), measures.get("reconstruction_l1")):
        for fraction in fractions_of(rows):
            if other is not None:
                yield _trade(rows, first, other, fraction)


def _trade(rows: Sequence[Row], first: Measure, other: Measure, fraction: float) -> Picture:
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
    return Picture(
        stem("trade", MEASURES.index(other), f"{other.key}{at}"),
        png(figure),
        alt=f"{first.title} against {other.title}{at}: {'; '.join(said)}",
        caption="Small points are seeds, large ones means with standard errors.",
        span="half",
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
