"""How good a trained pair is, next to what needs no model and what needs no images generated."""

from __future__ import annotations

from typing import Any

import pyro
import torch
from pyro.infer import ELBO
from torch import nn

from ...data import Batch, Rows
from ...guides.contracts import Classifier
from ..objectives.base import Objective
from .accuracy import balanced, by_label, hits, mean_over_labels
from .prediction import classify, most_likely, reconstruct

Figures = dict[str, Any]
"""What was measured, by name: numbers, and tables of one for each label; plain data."""


def evaluate(
    model: nn.Module, guide: nn.Module, objective: ELBO, rows: Rows, device: torch.device | str
) -> Figures:
    """Accuracy, bound and reconstruction on annotated rows, whose labels the guide does not see.

    Returns:
        ``accuracy`` (mean over labels), ``accuracy_by_label`` and ``balanced_by_label`` (mean over
        classes) for a guide that classifies; ``bound`` (nats per image, the objective's evidence
        bound with every label missing) and ``reconstruction_l1`` (mean absolute error per channel,
        pixel range 1).
    """
    model.eval()
    guide.eval()
    space = rows.dataset.space
    result: Figures = {}
    if isinstance(guide, Classifier):
        right, known = hits(lambda x: classify(guide, space, x), rows, device)
        result = {
            "accuracy": mean_over_labels(right, known),
            "accuracy_by_label": by_label(space, right, known),
            "balanced_by_label": balanced(space, right, rows.labels),
        }
    bound, error = 0.0, 0.0
    for batch in rows.batches(250, device=device):
        bound += total_bound(model, guide, objective, batch.hidden())
        error += (reconstruct(model, guide, batch) - batch.x).abs().mean().item() * len(batch.x)
    return {
        **result,
        "bound": bound / len(rows),
        "reconstruction_l1": error / len(rows),
    }


@torch.no_grad()
def total_bound(model: nn.Module, guide: nn.Module, objective: ELBO, batch: Batch) -> float:
    """The evidence bound within an objective, summed over a batch."""
    with pyro.get_param_store().scope():
        if isinstance(objective, Objective):
            terms = objective.terms(model, guide, *batch.args, **batch.kwargs)
            return objective.evidence_bound(terms).sum().item()
        # One of Pyro's own, which scales what it sums by N/B and has no weights.
        return -objective.loss(model, guide, *batch.args, **batch.kwargs) * (
            len(batch.x) / batch.size
        )


def majority(train: Rows, test: Rows) -> Figures:
    """What naming each label's commonest class among the shown labels gets right."""
    space = test.dataset.space
    tables = [table[None] for table in space.frequencies(train.labels)]
    codes = most_likely(space, tables)
    right, known = hits(lambda x: codes.to(x.device), test)
    return {
        "majority": mean_over_labels(right, known),
        "majority_by_label": by_label(space, right, known),
    }
