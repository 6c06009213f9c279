"""Probes: what a label can be predicted from, its own block, z_style or another's block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..drawing.charts import bars
from ..drawing.sheets import MUTED, panel, png
from .scores import Split


@dataclass(frozen=True)
class Probe:
    """How well a label is predicted from parts of the latents; accuracies on other rows.

    Each is that of the better of a linear and a boosted classifier.

    Attributes:
        name: the label.
        majority: of naming the commonest class: what z_style should not exceed.
        style: from draws of z_style ~ q(z_style | x), which are what the decoder was trained on.
        style_mean: from its means: what the guide knows at all, however drowned in its own noise.
        block: from draws of the label's own block.
        error: the standard error of an accuracy at the majority's.
    """

    name: str
    majority: float
    style: float
    style_mean: float
    block: float
    error: float


def probe(
    means: Split, draws: Split, name: str, factor: int, style: Sequence[int], own: Sequence[int]
) -> Probe:
    """Predict one factor from z_style and from its own block.

    Args:
        means, draws: the codes and factors. name: the label. factor: its column.
        style, own: columns of the codes.
    """
    _, target, _, test_target = means.of(factor)
    values, counts = np.unique(target, return_counts=True)
    majority = float((test_target == values[counts.argmax()]).mean())
    return Probe(
        name,
        majority,
        style=predicted(draws, factor, style),
        style_mean=predicted(means, factor, style),
        block=predicted(draws, factor, own),
        error=math.sqrt(majority * (1 - majority) / len(test_target)),
    )


def predicted(split: Split, factor: int, columns: Sequence[int]) -> float:
    """The better accuracy of two classifiers from some columns of the codes to a factor."""
    codes, target, test_codes, test_target = split.of(factor)
    fitted = (classifier.fit(codes[:, list(columns)], target) for classifier in probes())
    return max(float(each.score(test_codes[:, list(columns)], test_target)) for each in fitted)


def probes() -> tuple[Any, Any]:
    """A linear classifier and one that sees bends and interactions."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return linear, HistGradientBoostingClassifier(max_iter=50, random_state=0)


def probe_chart(found: Sequence[Probe]) -> bytes:
    """Bars of the accuracy from z_style, with majority and own block, as PNG."""
    figure, axes = panel(4.7, 0.9 + 0.3 * len(found))
    bars(
        axes,
        [each.name for each in found],
        [each.style_mean for each in found],
        parts=[each.style for each in found],
        ticks=[each.majority for each in found],
        rings=[each.block for each in found],
    )
    axes.set(xlim=(0, 1.04), xticks=(0, 0.5, 1))
    axes.set_xlabel("accuracy from z_style", color=MUTED, fontsize=9.5)
    return png(figure)


def describe(found: Sequence[Probe]) -> str:
    """What the probes found, in words."""
    words = (
        "How well z_style predicts each label, by the better of a linear and a boosted classifier: "
        "dark from draws of q(z_style | x), light and in figures from its means. Tick: the "
        "commonest class, which z_style should not exceed. Ring: draws of the label's own block. "
    )
    over = [
        f"{each.name} by {100 * (each.style - each.majority):.1f}"
        for each in found
        if each.style - each.majority > 2 * each.error
    ]
    if not over:
        return words + "No draws of z_style exceed the commonest class by two standard errors."
    return words + (
        "By more than two standard errors, in points, draws of z_style exceed it on "
        f"{', '.join(over)}."
    )
