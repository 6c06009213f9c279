"""Pictures of a characteristic block: how its draws lie, by class, in order, or over a number."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ...data import Label
from ..reading.latents import components, correlation, separation
from ..reading.steps import Steps
from .arviz_draws import densities
from .sheets import CLASS_COLOURS, DPI, INK, MUTED, RIGHT, class_colours, clean, panel, png


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
