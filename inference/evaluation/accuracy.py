"""The share of labels that a classifier gets right."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...data import LabelSpace, Rows
from ...guides.contracts import Classifier
from .prediction import classify


def accuracy(guide: nn.Module, rows: Rows, device: torch.device | str = "cpu") -> dict[str, float]:
    """``accuracy`` of q(y|x), the mean over the labels; nothing for a guide without classifier."""
    if not isinstance(guide, Classifier) or len(rows) == 0:
        return {}
    space = rows.dataset.space
    return {"accuracy": mean_over_labels(*hits(lambda x: classify(guide, space, x), rows, device))}


def hits(
    classifier: Callable[[Tensor], Tensor], rows: Rows, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Which annotated entries a classifier gets right, and which are annotated; ``(n, L)`` both."""
    parts = []
    for batch in rows.batches(500, device=device):
        parts.append(classifier(batch.x) == batch.y)
    known = ~rows.labels.isnan()
    right = torch.cat(parts).cpu() if parts else known
    return right, known


def mean_over_labels(right: Tensor, known: Tensor) -> float:
    """Accuracy of each label over its annotated rows, averaged over the labels that have any."""
    shares = (right & known).sum(0) / known.sum(0)
    return shares[~shares.isnan()].mean().item()


def by_label(space: LabelSpace, right: Tensor, known: Tensor) -> dict[str, float]:
    """Accuracy of each label over its annotated rows, by name."""
    shares = (right & known).sum(0) / known.sum(0)
    return dict(zip(space.names, shares.tolist(), strict=True))


def balanced(space: LabelSpace, right: Tensor, labels: Tensor) -> dict[str, float]:
    """Each label's accuracy averaged over its classes, by name."""
    table = {}
    for column, label in enumerate(space):
        codes = labels[:, column]
        shares = [right[codes == k, column].float().mean() for k in range(len(label.classes))]
        table[label.name] = torch.stack(shares).nanmean().item()
    return table
