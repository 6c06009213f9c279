"""Embedding: how the classes of a label lie in its characteristic block, labels hidden.

The poster's first experiment: the density of z_c^i for either value of y^i over up to 10 000
images, and the Wasserstein distance between the two.
"""

from __future__ import annotations

import math

import numpy as np
import pyro
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pyro import poutine
from torch import Tensor, nn

from ..data import Label, Rows
from .examples import spread
from .figures import CLASS_COLOURS, INK, MUTED, class_colours, panel, png
from .intervention import class_means, find_block
from .section import Picture, Section, stem

LIMIT = 10_000


@torch.no_grad()
def draws(
    guide: nn.Module, rows: Rows, device: torch.device | str = "cpu", *, seed: int = 0
) -> dict[str, Tensor]:
    """One draw from q(z_c | x) for every row with its labels hidden: by label, ``(N, D)``.

    The random state of torch is left as it was.
    """
    space = rows.dataset.space
    blocks = {name: find_block(space, name) for name in space.names}
    parts: dict[str, list[Tensor]] = {name: [] for name in space.names}
    with torch.random.fork_rng(), pyro.get_param_store().scope():
        torch.manual_seed(seed)
        for batch in rows.batches(500, device=device):
            nodes = poutine.trace(guide).get_trace(*batch.hidden().args, **batch.kwargs).nodes
            for name, block in blocks.items():
                parts[name].append(nodes[block.site]["value"][:, block.position].cpu())
    return {name: torch.cat(part) for name, part in parts.items()}


def separation(a: Tensor, b: Tensor) -> float:
    r"""The standardised Wasserstein-1 distance of two samples ``(N,)`` and ``(M,)``.

    .. math::  W_1(a, b) / s, \quad s^2 = ((N-1) s_a^2 + (M-1) s_b^2) / (N + M - 2)

    Returns:
        the distance in pooled standard deviations; NaN where a sample has fewer than two values or
        both are constant.
    """
    from scipy.stats import wasserstein_distance

    if min(len(a), len(b)) < 2:
        return math.nan
    first, second = a.double().numpy(), b.double().numpy()
    squares = first.var() * len(first) + second.var() * len(second)
    pooled = math.sqrt(squares / (len(first) + len(second) - 2))
    return wasserstein_distance(first, second) / pooled if pooled > 0 else math.nan


def components(block: Tensor, means: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """First two principal components of a block.

    Args:
        block: ``(N, D)`` with D of at least 2. means: points ``(K, D)`` to project beside it.

    Returns:
        scores ``(N, 2)``, the shares ``(2,)`` of the variance that they hold, and the points
        ``(K, 2)``.
    """
    centred = block - block.mean(0)
    values, axes = torch.linalg.eigh(centred.T @ centred)
    shares = values / values.sum().clamp(min=1e-30)
    plane = axes.flip(-1)[:, :2]
    return centred @ plane, shares.flip(-1)[:2], (means - block.mean(0)) @ plane


def study(
    model: nn.Module, guide: nn.Module, rows: Rows, device: torch.device | str = "cpu"
) -> Section:
    """The densities of every label's block for each class of the annotated label.

    Args:
        model, guide: a trained pair.
        rows: annotated rows that it was not trained on; at most 10 000 are used.
        device: where the pair is.
    """
    rows = spread(rows, LIMIT)
    space = rows.dataset.space
    latents = draws(guide, rows, device)
    pictures = []
    for column, label in enumerate(space):
        known = ~rows.labels[:, column].isnan()
        means = class_means(model, space, label.name).cpu()
        show = densities if len(label.classes) == 2 else scatter
        drawing, caption = show(
            label, latents[label.name][known], rows.labels[known, column], means
        )
        pictures.append(
            Picture(
                stem("embedding", column + 1, label.name),
                drawing,
                alt=f"How the classes of {label.name} lie in its characteristic block: {caption}",
                caption=caption,
                title=label.name,
                span="third",
            )
        )
    text = f"Each of {len(rows)} test images gives one draw of z_c from q(z_c | x)" + EXPLANATION
    return Section("embedding", "Embeddings", (text,), tuple(pictures))


EXPLANATION = (
    ", its labels hidden, coloured by its annotated class. A label of two classes: the densities "
    "of its one dimension, and the Wasserstein distance W between them in pooled standard "
    "deviations; dashed lines are the means of p(z_c | y). A label of more classes: the first two "
    "principal components of its block; crosses are the class means."
)


def densities(label: Label, z: Tensor, codes: Tensor, means: Tensor) -> tuple[bytes, str]:
    """The densities of a one-dimensional block for two classes, as PNG, and what they show.

    Args:
        label: of two classes. z: draws ``(N, 1)``. codes: annotated classes ``(N,)``.
        means: of p(z_c | y), ``(2, 1)``.
    """
    figure, axes = panel(3.7, 2.6)
    samples = [z[codes == k, 0] for k in range(2)]
    edges = torch.cat([z[:, 0], means[:, 0]])
    margin = 0.1 * (edges.max() - edges.min()).item() + 1e-3
    grid = np.linspace(edges.min().item() - margin, edges.max().item() + margin, 300)
    for name, sample, mean, colour in zip(
        label.classes, samples, means[:, 0].tolist(), CLASS_COLOURS, strict=False
    ):
        curve = _smooth(sample, grid)
        axes.fill_between(grid, curve, color=colour, alpha=0.3, lw=0)
        axes.plot(grid, curve, color=colour, lw=1.8, label=name)
        axes.axvline(mean, color=colour, lw=1.2, ls=(0, (4, 3)))
    distance = separation(*samples)
    axes.set(yticks=[], ylim=(0, None), xlabel=f"z_c of {label.name}")
    axes.set_title("" if math.isnan(distance) else f"W = {distance:.2f}", color=INK, fontsize=10.5)
    _finish(figure, axes, columns=2)
    if math.isnan(distance):
        return png(figure), "Too few annotated images of both classes to compare."
    overlap = (
        "well apart" if distance > 2 else "apart, with an overlap" if distance > 1 else "mixed"
    )
    return png(figure), f"{distance:.2f} pooled standard deviations: {overlap}."


def _smooth(sample: Tensor, grid: np.ndarray) -> np.ndarray:
    """A Gaussian kernel density on a grid; 0 everywhere where there is no spread to smooth."""
    from scipy.stats import gaussian_kde

    if len(sample) < 2 or not sample.std() > 0:
        return np.zeros_like(grid)
    return gaussian_kde(sample.double().numpy())(grid)


def scatter(label: Label, z: Tensor, codes: Tensor, means: Tensor) -> tuple[bytes, str]:
    """A block's first two principal components by class, as PNG, and what they hold.

    Args:
        label: of more than two classes. z: draws ``(N, D)``. codes: annotated classes ``(N,)``.
        means: of p(z_c | y), ``(K, D)``.
    """
    figure, axes = panel(3.7, 3.4)
    if not len(z):
        return png(figure), "No annotated image."
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
    return png(figure), (
        f"{len(label.classes)} classes in a block of {z.shape[1]} dimensions, of whose variance "
        f"this plane shows {shares.sum():.0%}."
    )


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
