"""How well labels are predicted: the share of right classes, and how far numbers are off."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ...data import LabelSpace, Ordinal, Real, Rows
from ...guides import Prediction
from ...guides.contracts import Classifier, classifying
from .prediction import classify, codes_of


class Answers(NamedTuple):
    """What is predicted of some rows, codes ``(n, L)`` on the CPU.

    Attributes:
        likeliest: for the share that is right. median: for the mean absolute error, which it keeps
            smallest.
    """

    likeliest: Tensor
    median: Tensor


@torch.no_grad()
def answers(guide: nn.Module, rows: Rows, device: torch.device | str = "cpu") -> Answers:
    """What a guide, or whatever predicts as guides do, says of some rows."""
    space, parts = rows.dataset.space, []
    for batch in rows.batches(500, device=device):
        parts.append(answers_of(space, classifying(guide).predict(batch.x)))
    if not parts:
        return Answers(rows.labels, rows.labels)
    return Answers(*(torch.cat(column).cpu() for column in zip(*parts, strict=True)))


def answers_of(space: LabelSpace, predictions: list[Prediction]) -> Answers:
    """What predictions of each kind of label say of their rows."""
    return Answers(
        codes_of(space, [each.likeliest for each in predictions]),
        codes_of(space, [each.median for each in predictions]),
    )


def accuracy(guide: nn.Module, rows: Rows, device: torch.device | str = "cpu") -> dict[str, float]:
    """``accuracy`` of q(y|x), the mean over the labels; nothing for a guide without classifier.

    Where all labels are numbers there is none, and ``r2`` in its place.
    """
    if not isinstance(guide, Classifier) or len(rows) == 0:
        return {}
    space = rows.dataset.space
    if all(isinstance(label, Real) for label in space):
        explained = list(r2(space, answers(guide, rows, device), rows.labels).values())
        return {"r2": torch.tensor(explained).nanmean().item()}
    return {"accuracy": mean_over_labels(*hits(lambda x: classify(guide, space, x), rows, device))}


def hits(
    classifier: Callable[[Tensor], Tensor], rows: Rows, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Which annotated entries a classifier gets right, and which are annotated; ``(n, L)`` both.

    Numbers are not among them.
    """
    parts = []
    for batch in rows.batches(500, device=device):
        parts.append(classifier(batch.x).cpu())
    return right(rows.dataset.space, torch.cat(parts) if parts else rows.labels, rows.labels)


def right(space: LabelSpace, codes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Which entries of labels with classes are the annotated ones, and which are annotated."""
    classed = torch.tensor([not isinstance(label, Real) for label in space])
    return codes == labels, ~labels.isnan() & classed


def mean_over_labels(right: Tensor, known: Tensor) -> float:
    """Accuracy of each label over its annotated rows, averaged over the labels that have any."""
    shares = (right & known).sum(0) / known.sum(0)
    return shares[~shares.isnan()].mean().item()


def errors(space: LabelSpace, said: Answers, labels: Tensor) -> dict[str, float]:
    """The mean absolute error of each ordered label by name: in classes, or in a number's units."""
    off = (said.median - labels).abs().nanmean(0).tolist()
    return {
        label.name: off[column] * (label.scale if isinstance(label, Real) else 1)
        for column, label in enumerate(space)
        if isinstance(label, Ordinal | Real)
    }


def r2(space: LabelSpace, said: Answers, labels: Tensor) -> dict[str, float]:
    """R² of each real label by name: the share of its variance that is predicted."""
    left = (said.median - labels).square().nanmean(0)
    total = (labels - labels.nanmean(0)).square().nanmean(0)
    shares = (1 - left / total).tolist()
    return {
        label.name: shares[column] for column, label in enumerate(space) if isinstance(label, Real)
    }


def by_label(space: LabelSpace, right: Tensor, known: Tensor) -> dict[str, float]:
    """Accuracy of each label with classes over its annotated rows, by name."""
    shares = ((right & known).sum(0) / known.sum(0)).tolist()
    every = zip(space, shares, strict=True)
    return {label.name: share for label, share in every if label.classes}


def balanced(space: LabelSpace, right: Tensor, labels: Tensor) -> dict[str, float]:
    """Each label's accuracy averaged over its classes, by name."""
    table = {}
    for column, label in enumerate(space):
        if not label.classes:
            continue
        codes = labels[:, column]
        shares = [right[codes == k, column].float().mean() for k in range(len(label.classes))]
        table[label.name] = torch.stack(shares).nanmean().item()
    return table
