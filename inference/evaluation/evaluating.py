"""How good a trained pair is, next to what needs no model and what needs no images generated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pyro
import torch
from pyro.infer import ELBO
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ...config import Config
from ...data import Batch, Kind, LabelSpace, Rows
from ...guides import ClassPrediction, NumberPrediction, Prediction
from ...networks import build
from ..objectives.base import Objective
from ..training.noise import seed_of
from ..training.optimisation import adam
from .accuracy import Answers, answers, answers_of, errors, mean_over_labels, r2, right
from .prediction import classify, reconstruct

CLASSIFIER_STEPS = 600

SETTLED = 1000
"""Rows from which a plain classifier takes how far off its numbers are."""


def evaluate(
    model: nn.Module, guide: nn.Module, objective: ELBO, rows: Rows, device: torch.device | str
) -> dict[str, Any]:
    """Accuracy, bound and reconstruction on annotated rows, whose labels the guide does not see.

    Returns:
        what :func:`judged` says of a guide that predicts, with ``balanced_by_label`` (mean over
        classes); ``bound`` (nats per image, the objective's evidence
        bound with every label missing) and ``reconstruction_l1`` (mean absolute error per channel,
        pixel range 1).
    """
    model.eval()
    guide.eval()
    space = rows.dataset.space
    result: dict[str, Any] = {}
    if hasattr(guide, "predict"):
        said = answers(guide, rows, device)
        result = judged(space, said, rows.labels)
        if "accuracy" in result:
            right_ones = said.likeliest == rows.labels
            result["balanced_by_label"] = balanced(space, right_ones, rows.labels)
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


def judged(space: LabelSpace, said: Answers, labels: Tensor, of: str = "") -> dict[str, Any]:
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
    result: dict[str, Any] = {}
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


def majority(train: Rows, test: Rows) -> dict[str, Any]:
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


def baseline(config: Config, train: Rows, test: Rows, device: torch.device | str) -> dict[str, Any]:
    """A plain classifier with the same encoder, seed and labels, without a generative model.

    It learns classes by cross-entropy and numbers by squared error. It takes the run's batch size
    and step size, its learning rate falls to 0 along a cosine, and it sees labelled rows only, for
    the steps that the run would have taken on them but for at least 600.
    """
    said = answers(train_classifier(config, train, device), test, device)
    return judged(test.dataset.space, said, test.labels, "classifier")


class PlainClassifier(nn.Module):
    """A plain classifier that speaks as a guide does, so that what asks guides can ask it.

    Args:
        space: the labels.
        encoder: images ``(B, C, H, W)`` to a pair, of which the first has a score for every class
            of every label and a mean for every number, kind by kind.
    """

    deviation: Tensor

    def __init__(self, space: LabelSpace, encoder: nn.Module) -> None:
        super().__init__()
        self.space = space
        self.encoder = encoder
        self.register_buffer("deviation", torch.ones(space.forms.count("real")))

    @torch.no_grad()
    def settle(self, rows: Rows, device: torch.device | str) -> None:
        """Take a number's deviation from how far off the numbers of some rows are."""
        real = [column for column, form in enumerate(self.space.forms) if form == "real"]
        if real and len(rows):
            off = (answers(self, rows, device).median - rows.labels)[:, real]
            found = off.square().nanmean(0).sqrt().clamp(min=1e-3)
            self.deviation = torch.where(found.isnan(), 1.0, found).to(self.deviation)

    def predict(self, x: Tensor) -> list[Prediction]:
        """r(y | x), for each kind of label."""
        kinds = self.space.kinds
        return [
            NumberPrediction(table[..., 0], self.deviation.expand_as(table[..., 0]))
            if kind.form == "real"
            else ClassPrediction(table.log_softmax(-1), kind.form == "ordinal")
            for kind, table in zip(kinds, outputs(kinds, self.encoder(x)[0]), strict=True)
        ]


def train_classifier(config: Config, train: Rows, device: torch.device | str) -> PlainClassifier:
    """The classifier of :func:`baseline`."""
    space, shape = train.dataset.space, train.dataset.shape
    torch.manual_seed(config.seed)
    width = sum(k or 1 for k in space.classes)
    encoder = build.encoder(config.network, shape, width).to(device)
    rows = train.labelled
    per_epoch = -(-len(rows) // config.batch_size)
    epochs = max(config.epochs, -(-CLASSIFIER_STEPS // per_epoch))
    optimizer = adam(encoder, config.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * per_epoch)
    for epoch in range(epochs):
        for batch in rows.batches(config.batch_size, seed_of(config.seed, epoch), device):
            optimizer.zero_grad()
            classifier_loss(space, encoder(batch.x)[0], batch.y).backward()
            optimizer.step()
            schedule.step()
    classifier = PlainClassifier(space, encoder).to(device).eval()
    classifier.settle(rows.first(SETTLED), device)
    return classifier


def plain_classifier(
    config: Config, train: Rows, device: torch.device | str
) -> Callable[[Tensor], Tensor]:
    """That classifier as a function: images ``(B, C, H, W)`` to class codes ``(B, L)``."""
    return partial(classify, train_classifier(config, train, device), train.dataset.space)


def classifier_loss(space: LabelSpace, scores: Tensor, y: Tensor) -> Tensor:
    """Mean over the rows of the negative log-probability of their annotated labels.

    That is the cross-entropy of classes, and half of a number's squared error.
    """
    total = scores.new_zeros(())
    for kind, table in zip(space.kinds, outputs(space.kinds, scores), strict=True):
        codes = kind.of(y)
        if kind.form == "real":
            off = torch.where(codes.isnan(), 0.0, table[..., 0] - codes.nan_to_num())
            total = total + off.square().sum() / 2
            continue
        target = torch.where(codes.isnan(), -100, codes).long()
        total = total + cross_entropy(table.movedim(-1, 1), target, reduction="sum")
    return total / len(y)


def outputs(kinds: Sequence[Kind], row: Tensor) -> list[Tensor]:
    """The numbers ``(B, n, K)`` of each kind in what the encoder puts out; K is 1 for real ones."""
    sizes = [(len(kind), kind.classes or 1) for kind in kinds]
    parts = row.split([n * k for n, k in sizes], -1)
    return [part.unflatten(-1, size) for part, size in zip(parts, sizes, strict=True)]


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
