"""The pictures of paired differences: intervals, with what the seeds say of the mean above them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from scipy.special import stdtrit

from ..drawing.arviz_draws import densities
from ..drawing.section import stem
from ..drawing.sheets import DPI, INK, MUTED, clean
from .chart import Chart, brief, chart, colours_of
from .chart import signed as minus
from .paired import Difference
from .plan import CLASSIFIER, MAJORITY
from .rows import MEASURES, Measure, Row, fractions_of, measures_of
from .writing import signed

QUANTILES = 2000
"""Points by which ArviZ is told of a distribution."""

LINE = 56
"""Letters of a title's line."""


def of_differences(rows: Sequence[Row], found: Sequence[Difference]) -> Iterator[Chart]:
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
            ]
            if any(d.high > d.low for d in own):
                at = f", F = {fraction:g}" if several else ""
                yield _densities(measure, own, colours, at)


def _densities(
    measure: Measure, own: Sequence[Difference], colours: Mapping[str, str], at: str
) -> Chart:
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
    figure.set_layout_engine("constrained")
    _level(clean(axes))
    _finish_differences(axes, measure, own, colours)
    reference = brief(own[0].reference).replace("\n", "")
    title = [f"{measure.title}{at}", f"minus {reference}"]
    figure.suptitle(
        (", " if len("".join(title)) < LINE else "\n").join(title), x=0.01, ha="left", fontsize=10.5
    )
    words = "; ".join(_said(measure, d) for d in own)
    return chart(
        figure,
        stem("differences", MEASURES.index(measure), f"{measure.key}{at}"),
        alt=f"Differences in {measure.short} to {own[0].reference}{at}: {words}",
        caption=minus(f"{words}."),
    )


def _said(measure: Measure, difference: Difference) -> str:
    mean, low, high = signed(difference, measure)
    same = ", the same on every seed" if difference.high == difference.low else ""
    return f"{difference.method} {mean} [{low}, {high}]{same}"


def _level(axes: Axes) -> None:
    """Give all densities one height: that of the surest would make the others flat."""
    for line in axes.lines:
        y = np.asarray(line.get_ydata(), float)
        line.set_visible(len(y) > 2)  # the others close a density's ends
        line.set_ydata(y / max(y.max(initial=0), 1e-300))
    for surface in axes.collections:
        for path in surface.get_paths():
            corners = np.asarray(path.vertices, float)
            path.vertices = corners / (1, max(corners[:, 1].max(initial=0), 1e-300))


def _finish_differences(
    axes: Axes, measure: Measure, own: Sequence[Difference], colours: Mapping[str, str]
) -> None:
    """Draw the means with their intervals below the densities, and a line where nothing differs."""
    top, step = 1.0, 0.17
    heights = [-step * (place + 0.8) for place in range(len(own))]
    for y, d in zip(heights, own, strict=True):
        low, mean, high = (measure.factor * value for value in (d.low, d.mean, d.high))
        axes.plot([low, high], [y, y], color=colours[d.method], lw=2.2, solid_capstyle="butt")
        axes.plot([mean], [y], "o", color=colours[d.method], ms=5)
    axes.axvline(0, color=MUTED, lw=1, ls=(0, (4, 3)))
    axes.set_ylim(-step * (len(own) + 0.6), 1.05 * top)
    axes.set_yticks(heights, [brief(d.method) for d in own], color=INK, fontsize=8.5)
