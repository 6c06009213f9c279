"""How good a trained pair is, next to what needs no model and what needs no images generated."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import pyro
import torch
from pyro.infer import ELBO
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..config import Config
from ..data import Batch, LabelSpace, Rows
from ..data.classes import by_kind
from ..networks import build
from .accuracy import accuracy, hits, mean_over_labels
from .average import Average
from .noise import seed_of
from .objective import Objective
from .optimisation import SCHEDULES, adam
from .prediction import classify, most_likely, reconstruct
from .validation import split

CLASSIFIER_STEPS = 600
"""That a plain classifier makes at least."""

TRIED = 512
"""Validation rows that are looked at after an epoch, at most."""


def evaluate(
    model: nn.Module, guide: nn.Module, objective: ELBO, rows: Rows, device: torch.device | str
) -> dict[str, Any]:
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
    result: dict[str, Any] = {}
    if hasattr(guide, "predict"):
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


def majority(train: Rows, test: Rows) -> dict[str, Any]:
    """What naming each label's commonest class among the shown labels gets right."""
    space = test.dataset.space
    tables = [table[None] for table in space.frequencies(train.labels)]
    codes = most_likely(space, tables)
    right, known = hits(lambda x: codes.to(x.device), test)
    return {
        "majority": mean_over_labels(right, known),
        "majority_by_label": by_label(space, right, known),
    }


def baseline(config: Config, train: Rows, test: Rows, device: torch.device | str) -> dict[str, Any]:
    """A plain classifier with the same encoder, seed and labels, by cross-entropy alone.

    It has what the run has: the batch size, the step size and its schedule, mirrored images, the
    average of the weights, and the best epoch by validation. It sees labelled rows alone, as often
    as the run's training does, but for at least 600 steps.

    Args:
        config: of the run. train: rows with the labels that are shown, of which as many validate
            as in the run. test: to be tried on. device: where to train.
    """
    space = test.dataset.space
    classifier = plain_classifier(config, train, device)
    right, known = hits(classifier, test, device)
    return {
        "classifier": mean_over_labels(right, known),
        "classifier_by_label": by_label(space, right, known),
    }


class PlainClassifier(nn.Module):
    """A plain classifier that speaks as a guide does, so that what asks guides can ask it.

    Args:
        space: the labels.
        encoder: images ``(B, C, H, W)`` to a pair, of which the first has one score ``(B, ΣK)`` for
            every class of every label.
    """

    def __init__(self, space: LabelSpace, encoder: nn.Module) -> None:
        super().__init__()
        self.space = space
        self.encoder = encoder

    def predict(self, x: Tensor) -> list[Tensor]:
        """Log r(y = k | x): for each kind of label ``(B, n, K)``."""
        return [t.log_softmax(-1) for t in by_kind(self.space.kinds, self.encoder(x)[0])]


def train_classifier(config: Config, train: Rows, device: torch.device | str) -> PlainClassifier:
    """The classifier of :func:`baseline`, whose arguments these are."""
    space, shape = train.dataset.space, train.dataset.shape
    torch.manual_seed(config.seed)
    encoder = build.encoder(config.network, shape, sum(space.classes)).to(device)
    classifier = PlainClassifier(space, encoder)
    _, train, validation = split(config, train)
    rows = train.labelled
    per_epoch = -(-len(rows) // config.batch_size)
    looks = config.epochs * max(len(rows), (config.labelled_share or 0.0) * len(train))
    epochs = max(math.ceil(looks / len(rows)), -(-CLASSIFIER_STEPS // per_epoch))
    optimizer, schedule = adam(encoder, config.lr), SCHEDULES[config.schedule]
    average = Average(classifier, config.average) if config.average else None
    kept = Best(average.module if average else classifier, config, validation)
    for epoch in range(epochs):
        classifier.train()
        for step, index in enumerate(
            rows.order(seed_of(config.seed, epoch)).split(config.batch_size)
        ):
            batch = moved(rows, index, device, None if config.still else (config.seed, epoch, step))
            for group in optimizer.param_groups:
                progress = (epoch + step / per_epoch) / epochs
                group["lr"] = config.lr * schedule(progress) * group.get("factor", 1.0)
            optimizer.zero_grad()
            classifier_loss(space, encoder(batch.x)[0], batch.y).backward()
            optimizer.step()
            if average is not None:
                average.update(epoch * per_epoch + step + 1)
        kept.after_epoch(device)
    return kept.classifier()


class Best:
    """The classifier of the epoch that is best on validation rows; the last of equals.

    Args:
        classifier: in training. config: of the run, which says what to keep.
        validation: rows to try it on; without any, the last one is kept.
    """

    def __init__(self, classifier: PlainClassifier, config: Config, validation: Rows) -> None:
        self.current = classifier
        self.validation = validation.first(TRIED if config.keep == "best" else 0)
        self.best = -1.0
        self.state: dict[str, Any] | None = None

    def after_epoch(self, device: torch.device | str) -> None:
        """Try the classifier as it is after an epoch."""
        if not len(self.validation):
            return
        found = accuracy(self.current.eval(), self.validation, device)["accuracy"]
        if found >= self.best:
            self.best, self.state = found, deepcopy(self.current.state_dict())

    def classifier(self) -> PlainClassifier:
        """The one that is kept, in evaluation mode."""
        if self.state is not None:
            self.current.load_state_dict(self.state)
        return self.current.eval()


def moved(
    rows: Rows, index: Tensor, device: torch.device | str, key: tuple[int, ...] | None
) -> Batch:
    """The rows at ``index``, their images moved as the data set allows by a seed of ``key``."""
    moves = None if key is None else rows.moves(len(index), seed_of(*key))
    return rows.batch(index, device, moves=moves)


def plain_classifier(
    config: Config, train: Rows, device: torch.device | str
) -> Callable[[Tensor], Tensor]:
    """That classifier as a function: images ``(B, C, H, W)`` to class codes ``(B, L)``."""
    return partial(classify, train_classifier(config, train, device), train.dataset.space)


def classifier_loss(space: LabelSpace, scores: Tensor, y: Tensor) -> Tensor:
    """Mean over the rows of the cross-entropy of their annotated labels."""
    total = scores.new_zeros(())
    for kind, table in zip(space.kinds, by_kind(space.kinds, scores), strict=True):
        codes = kind.of(y)
        target = torch.where(codes.isnan(), -100, codes).long()
        total = total + cross_entropy(table.movedim(-1, 1), target, reduction="sum")
    return total / len(y)


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
