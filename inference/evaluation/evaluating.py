"""How good a trained pair is, next to what needs no model and what needs no images generated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pyro
import torch
from pyro.infer import ELBO
from torch import Tensor, nn

from ...data import Batch, LabelSpace, Rows
from ...guides import ClassPrediction, NumberPrediction, Prediction
from ...guides.contracts import Classifier
from ..objectives.base import Objective
from ..objectives.pyros import WHOLE_ROWS
from ..objectives.unweighted import unweighted
from .accuracy import (
    Answers,
    answers,
    answers_of,
    balanced,
    by_label,
    errors,
    mean_over_labels,
    r2,
    right,
)
from .prediction import draws_images, reconstruct

Figures = dict[str, Any]
"""What was measured, by name: numbers, and tables of one for each label; plain data."""


def evaluate(
    model: nn.Module,
    guide: nn.Module,
    objective: ELBO,
    rows: Rows,
    device: torch.device | str,
    *,
    watch: Callable[[int, int], None] | None = None,
) -> Figures:
    """Accuracy, bound and reconstruction on annotated rows, whose labels the guide does not see.

    Args:
        model, guide, objective: of the run. rows: to try them on. device: where the programs are.
        watch: told how many rows of how many are done.

    Returns:
        what :func:`judged` says of a guide that predicts, with ``balanced_by_label`` (mean over
        classes); ``bound`` (nats per image, the objective's evidence
        bound with every label missing) and ``reconstruction_l1`` (mean absolute error per channel,
        pixel range 1).
    """
    model.eval()
    guide.eval()
    space = rows.dataset.space
    result: Figures = {}
    if isinstance(guide, Classifier):
        said = answers(guide, rows, device)
        result = judged(space, said, rows.labels)
        if "accuracy" in result:
            hit = said.likeliest == rows.labels
            result["balanced_by_label"] = balanced(space, hit, rows.labels)
    bound, error, shows = 0.0, 0.0, draws_images(model, guide, rows, device)
    for done, batch in enumerate(rows.batches(250, device=device)):
        bound += total_bound(model, guide, objective, batch.hidden())
        if shows:
            image = reconstruct(model, guide, batch)
            error += (image - batch.x).abs().mean().item() * len(batch.x)
        if watch is not None:
            watch(min(250 * (done + 1), len(rows)), len(rows))
    result["bound"] = bound / len(rows)
    return result | ({"reconstruction_l1": error / len(rows)} if shows else {})


@torch.no_grad()
def total_bound(model: nn.Module, guide: nn.Module, objective: ELBO, batch: Batch) -> float:
    """The evidence bound within an objective, summed over a batch."""
    with pyro.get_param_store().scope():
        if isinstance(objective, Objective):
            terms = objective.terms(model, guide, *batch.args, **batch.kwargs)
            return objective.evidence_bound(terms).sum().item()
        # One of Pyro's own, which scales what it sums by N/B.
        if isinstance(objective, WHOLE_ROWS):
            rows = len(batch.x)
            batch = replace(batch, index=torch.arange(rows, device=batch.index.device), size=rows)
        with pyro.validation_enabled(False):
            pair = unweighted(model), unweighted(guide)
            loss = objective.loss(*pair, *batch.args, **batch.kwargs)
        return -loss * (len(batch.x) / batch.size)


def judged(space: LabelSpace, said: Answers, labels: Tensor, of: str = "") -> Figures:
    """How well some rows' labels were predicted.

    Args:
        said: what was predicted. labels: the rows' codes, ``(n, L)``.
        of: whose predictions they are, where not the model's; begins the names.

    Returns:
        ``accuracy`` (mean over the labels with classes) and ``accuracy_by_label``, where there are
        any; ``error_by_label``, the mean absolute error of ordinal labels in classes and of real
        ones in their units, and ``r2_by_label``, where there are any. Of others than the model the
        accuracy has their name alone: ``majority``, ``majority_by_label``.
    """
    result: Figures = {}
    if any(label.classes for label in space):
        hit, known = right(space, said.likeliest, labels)
        name = of or "accuracy"
        result = {
            name: mean_over_labels(hit, known),
            f"{name}_by_label": by_label(space, hit, known),
        }
    for name, found in (("error", errors(space, said, labels)), ("r2", r2(space, said, labels))):
        if found:
            result[f"{of}_{name}_by_label" if of else f"{name}_by_label"] = found
    return result


def in_short(found: Figures) -> dict[str, float]:
    """The figures of :func:`evaluate` that are one number, for curves.

    Returns:
        ``bound``, ``reconstruction_l1``, and for a guide that predicts ``accuracy`` where labels
        have classes and ``r2`` where some are numbers, the mean over these.
    """
    names = ("bound", "accuracy", "reconstruction_l1")
    short = {name: found[name] for name in names if name in found}
    if "r2_by_label" in found:
        short["r2"] = torch.tensor(list(found["r2_by_label"].values())).nanmean().item()
    return short


def share_right(space: LabelSpace, short: Mapping[str, float]) -> float:
    """How much of the labels is right, mean over them: of classes the accuracy, of numbers R².

    Args:
        short: what :func:`in_short` returned. What is not known, or below 0, counts as 0.
    """
    numbers = space.forms.count("real")
    classed = max(0.0, short.get("accuracy", 0.0)) * (len(space) - numbers)
    return (classed + max(0.0, short.get("r2", 0.0)) * numbers) / len(space)


def majority(train: Rows, test: Rows) -> Figures:
    """What the shown labels alone get right: the commonest class, the median class, the mean."""
    space = test.dataset.space
    says: list[Prediction] = []
    for kind, table in zip(space.kinds, space.frequencies(train.labels), strict=True):
        if kind.form == "real":
            says.append(NumberPrediction(table[None, :, 0], table[None, :, 1]))
        else:
            says.append(ClassPrediction(table[None].log(), kind.form == "ordinal"))
    one = answers_of(space, says)
    said = Answers(*(codes.expand(len(test), -1) for codes in one))
    return judged(space, said, test.labels, "majority")
