"""Embedding: how the classes of a label lie in its characteristic block, labels hidden.

The poster's first experiment: the density of z_c^i for either value of y^i over up to 10 000
images, and the Wasserstein distance between the two. A label of more classes has its block's
principal components and its silhouette instead. Beside both stands what z_style tells of the same
label, which ought to be nothing. ArviZ draws the densities, and the draws are kept in its format.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ..data import Label, LabelSpace, Ordinal, Real
from .arviz_draws import Array, densities, netcdf
from .drawing.charts import bars
from .drawing.section import Picture, Section, stem
from .drawing.sheets import CLASS_COLOURS, DPI, INK, MUTED, RIGHT, class_colours, clean, panel, png
from .reading.blocks import class_means
from .reading.examples import spread
from .reading.latents import Draws, components, draws, separation, silhouette
from .reading.steps import Steps
from .reading.subject import Subject

LIMIT = 10_000

Arrays = dict[str, Array]

WELL_APART, APART = 2.0, 1.0
"""Distances from which a caption calls two classes so."""


@dataclass(frozen=True)
class Distance:
    """How far apart the classes of one label lie.

    Attributes:
        measure: ``wasserstein`` between two classes (standardised), ``silhouette`` of more, and
            ``correlation`` with ordered classes or with a number, by its amount.
        block: in the label's own block. style: in the dimension of z_style that tells most, or in
            all of z_style for a silhouette. NaN where there are too few annotated images.
    """

    measure: str
    block: float
    style: float


def measure(space: LabelSpace, found: Draws, labels: Tensor) -> dict[str, Distance]:
    """The distance of every label's classes by name.

    Args:
        space: the labels. found: draws of N rows. labels: their annotated codes ``(N, L)``.
    """
    table = {}
    for column, label in enumerate(space):
        codes, block = labels[:, column], found.blocks[label.name]
        if is_ordered(label):
            own, *others = [correlation(z, codes) for z in (*block.T, *found.style.T)]
            table[label.name] = Distance("correlation", own, max(others, key=_or_less))
            continue
        if len(label.classes) > 2:
            shares = (silhouette(z, codes) for z in (block, found.style))
            table[label.name] = Distance("silhouette", *shares)
            continue
        own, *others = [
            separation(z[codes == 0], z[codes == 1]) for z in (*block.T, *found.style.T)
        ]
        table[label.name] = Distance("wasserstein", own, max(others, key=_or_less))
    return table


def is_ordered(label: Label) -> bool:
    """Whether a label's codes lie on a line: more than two classes in order, or a number."""
    return isinstance(label, Real) or (isinstance(label, Ordinal) and len(label.classes) > 2)


def correlation(z: Tensor, codes: Tensor) -> float:
    """The amount of the correlation of draws ``(N,)`` with codes; NaN where either is constant."""
    known = ~codes.isnan()
    both = torch.stack([z[known], codes[known]]).double()
    if both.shape[1] < 3 or (both.std(1) == 0).any():
        return math.nan
    return abs(float(torch.corrcoef(both)[0, 1]))


def _or_less(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def study(subject: Subject) -> Section:
    """The distance between every label's classes, and how they lie in its block.

    At most 10 000 rows are used.
    """
    space, rows = subject.space, spread(subject.rows, LIMIT)
    found = draws(replace(subject, rows=rows))
    labels = subject.codes(rows)
    distances = measure(space, found, labels)
    pictures = [
        Picture(
            stem("embedding", 0),
            chart(distances),
            alt="Bars of the distance between the classes of every label",
            caption=CHART,
            title="How far apart the classes lie",
        )
    ]
    for column, label in enumerate(space):
        known = ~rows.labels[:, column].isnan()
        means = class_means(subject.model, space, label.name).cpu()
        block, codes = found.blocks[label.name][known], labels[known, column]
        caption = describe(label, distances[label.name], block)
        pictures.append(
            Picture(
                stem("embedding", column + 1, label.name),
                show(label, block, codes, means),
                alt=f"How the classes of {label.name} lie in its characteristic block: {caption}",
                caption=caption,
                title=label.name,
                span="third",
            )
        )
    text = f"Each of {len(rows)} test images gives one draw of z_c from q(z_c | x)" + EXPLANATION
    return Section(
        "embedding",
        "Embeddings",
        (text,),
        tuple(pictures),
        {name: asdict(distance) for name, distance in distances.items()},
        {FILE: netcdf(*as_arrays(space, found, labels))},
    )


FILE = "embedding.nc"
"""The draws, to be read with ``arviz.from_netcdf``."""

EXPLANATION = (
    ", its labels hidden, coloured by its annotated class. A label of two classes: the densities "
    "of its one dimension, and the Wasserstein distance W between them in pooled standard "
    "deviations; dashed lines are the means of p(z_c | y). A label of more classes: the first two "
    "principal components of its block; crosses are the class means. Of ordered classes the "
    "densities and their correlation r with the order, of a number all draws, its correlation and "
    "the line of p(z_c | y). The draws themselves are in "
    f"studies/{FILE}, in ArviZ's format."
)

CHART = (
    "Left: the Wasserstein distance between the two classes of a label in its block, in pooled "
    "standard deviations. Right: the silhouette of the classes of a label with more, 1 where they "
    "are far apart and 0 where they are mixed; and the correlation with ordered ones. "
    "Black tick: the same in z_style, of the dimension "
    "that tells most for W, of all for the silhouette; a style that knows nothing of the label "
    "has its tick near 0."
)


def as_arrays(space: LabelSpace, found: Draws, labels: Tensor) -> tuple[Arrays, Arrays]:
    """Draws and annotated classes by names that netCDF can take.

    Args:
        space: the labels. found: draws of N rows. labels: ``(N, L)``.
    """
    names = variables(space.names)
    blocks = {
        name: (z[:, 0] if z.shape[1] == 1 else z).numpy()
        for name, z in zip(names, found.blocks.values(), strict=True)
    }
    codes = dict(zip(names, labels.T.numpy(), strict=True))
    return {**blocks, "z_style": found.style.numpy()}, codes


def variables(names: Sequence[str]) -> list[str]:
    """Names of labels as ``z_c_NAME``, without what netCDF refuses; numbered where they clash.

    >>> variables(["Smiling", "a/b", "a b"])
    ['z_c_Smiling', 'z_c_a_b', 'z_c_a_b_2']
    """
    found: list[str] = []
    for name in names:
        plain = "z_c_" + re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
        same = sum(re.fullmatch(rf"{plain}(_\d+)?", other) is not None for other in found)
        found.append(f"{plain}_{same + 1}" if same else plain)
    return found


def chart(distances: dict[str, Distance]) -> bytes:
    """Bars of the Wasserstein distances, and of the silhouettes beside them, as PNG."""
    groups = [
        (heading, {name: each for name, each in distances.items() if each.measure == measure})
        for measure, heading in (
            ("wasserstein", "Wasserstein distance, standardised"),
            ("silhouette", "silhouette"),
            ("correlation", "correlation"),
        )
    ]
    groups = [(heading, group) for heading, group in groups if group]
    tallest = max(len(group) for _, group in groups)
    figure, first = panel(4.4 * len(groups), 0.9 + 0.3 * tallest)
    grid = figure.add_gridspec(1, len(groups), wspace=0.08)
    first.set_subplotspec(grid[0])
    rest = [clean(figure.add_subplot(grid[place])) for place in range(1, len(groups))]
    for axes, (heading, group) in zip([first, *rest], groups, strict=True):
        found = [each for each in group.values() if not math.isnan(each.block)]
        names = [name for name, each in group.items() if each in found]
        values = [each.block for each in found]
        bars(axes, names, values, ticks=[max(each.style, 0.0) for each in found])
        axes.set_xlabel(heading, color=MUTED, fontsize=9.5)
        axes.set_ylim(tallest - 0.4, -0.6)
        if heading != groups[0][0] or heading in ("silhouette", "correlation"):
            axes.set(xlim=(0, 1), xticks=(0, 0.5, 1))
    return png(figure)


def describe(label: Label, distance: Distance, block: Tensor) -> str:
    """A label's figures in words."""
    if math.isnan(distance.block):
        return "Too few annotated images of different classes to compare."
    if distance.measure == "wasserstein":
        size = distance.block
        words = (
            "well apart"
            if size > WELL_APART
            else "apart, with an overlap"
            if size > APART
            else "mixed"
        )
        return (
            f"{size:.2f} pooled standard deviations: {words}. At most {distance.style:.2f} in a "
            "dimension of z_style."
        )
    if distance.measure == "correlation":
        return (
            f"Correlation {distance.block:.2f} with the label; at most {distance.style:.2f} in a "
            "dimension of z_style."
        )
    words = f"Silhouette {distance.block:.2f} (in z_style {distance.style:.2f})".replace("-", "−")
    return (
        f"{words}: {len(label.classes)} classes in a block of {block.shape[1]} dimensions, of "
        f"whose variance this plane shows {components(block, block)[1].sum():.0%}."
    )


def show(label: Label, z: Tensor, codes: Tensor, means: Tensor) -> bytes:
    """A block as it is best seen, as PNG.

    Args:
        label: whose it is. z: draws ``(N, D)``. codes: annotated classes ``(N,)``, or standardised
            numbers. means: of p(z_c | y) at the classes or the steps, ``(K, D)``.
    """
    if isinstance(label, Steps):
        return cloud(label, z, codes, means)
    return (curves if z.shape[1] == 1 else scatter)(label, z, codes, means)


def cloud(label: Steps, z: Tensor, codes: Tensor, means: Tensor) -> bytes:
    """A one-dimensional block over the number that it stands for, as PNG.

    Args:
        label: the number's. z: draws ``(N, 1)``. codes: standardised numbers ``(N,)``.
        means: of p(z_c | y) at the steps, ``(K, 1)``.
    """
    figure, axes = panel(3.7, 2.9)
    axes.scatter(
        label.real.to_units(codes).numpy(), z[:, 0].numpy(), s=5, color=RIGHT, alpha=0.35, lw=0
    )
    steps = [label.real.to_units(code) for code in label.codes]
    axes.plot(steps, means[:, 0].tolist(), color=INK, lw=1.4, ls=(0, (4, 3)))
    r = correlation(z[:, 0], codes)
    axes.set_title("" if math.isnan(r) else f"r = {r:.2f}", color=INK, fontsize=10.5)
    axes.set_xlabel(label.name, color=MUTED, fontsize=9.5)
    axes.set_ylabel("z_c", color=MUTED, fontsize=9.5)
    return png(figure)


def curves(label: Label, z: Tensor, codes: Tensor, means: Tensor) -> bytes:
    """The densities of a one-dimensional block for two classes or ordered ones, as PNG.

    Args:
        label: of K classes. z: draws ``(N, 1)``. codes: annotated classes ``(N,)``.
        means: of p(z_c | y), ``(K, 1)``.
    """
    count = len(label.classes)
    samples = [z[codes == k, 0] for k in range(count)]
    colours = CLASS_COLOURS[:2] if count == 2 else class_colours(count)
    figure, axes = densities([sample.double().numpy() for sample in samples], colours, (3.7, 2.6))
    figure.set(dpi=DPI, facecolor="white", layout_engine="constrained")
    clean(axes)
    for name, mean, colour in zip(label.classes, means[:, 0].tolist(), colours, strict=True):
        axes.axvline(mean, color=colour, lw=1.2, ls=(0, (4, 3)))
        axes.plot([], [], color=colour, lw=1.8, label=name)
    distance = separation(*samples) if count == 2 else correlation(z[:, 0], codes)
    axes.set(ylim=(0, None), xlabel=f"z_c of {label.name}")
    title = f"{'W' if count == 2 else 'r'} = {distance:.2f}"
    axes.set_title("" if math.isnan(distance) else title, color=INK, fontsize=10.5)
    _finish(figure, axes, columns=2 if count == 2 else 3)
    return png(figure)


def scatter(label: Label, z: Tensor, codes: Tensor, means: Tensor) -> bytes:
    """A block's first two principal components by class, as PNG.

    Args:
        label: of more than two classes. z: draws ``(N, D)``. codes: annotated classes ``(N,)``.
        means: of p(z_c | y), ``(K, D)``.
    """
    figure, axes = panel(3.7, 3.4)
    if not len(z):
        return png(figure)
    scores, shares, centres = components(z, means)
    for k, colour in enumerate(class_colours(len(label.classes))):
        x, y = scores[codes == k].T.numpy()
        axes.scatter(x, y, s=7, color=colour, alpha=0.45, lw=0)
        axes.scatter([], [], s=30, color=colour, label=label.classes[k])
        x, y = centres[k].tolist()
        axes.scatter(x, y, s=46, marker="X", color=colour, ec="white", lw=1, zorder=3)
    axes.set(xlabel=f"first component ({shares[0]:.0%})", xticks=[], yticks=[])
    axes.set_ylabel(f"second ({shares[1]:.0%})", color=MUTED, fontsize=9.5)
    _finish(figure, axes, columns=3)
    return png(figure)


def _finish(figure: Figure, axes: Axes, *, columns: int) -> None:
    axes.xaxis.label.set(color=MUTED, fontsize=9.5)
    figure.legend(
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=9.5,
        labelcolor=INK,
        handlelength=1.2,
    )
