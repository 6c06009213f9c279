"""Plain classifiers: what labels and networks give without a probabilistic program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ...config import Config
from ...data import Batch, Kind, LabelSpace, Rows
from ...guides import ClassPrediction, NumberPrediction, Prediction
from ...networks import build
from ..evaluation.accuracy import answers
from ..evaluation.evaluating import Figures, judged
from ..evaluation.prediction import classify
from .noise import seed_of
from .optimisation import adam, descend

CLASSIFIER_STEPS = 600
"""The fewest steps of a plain classifier's training."""

SETTLED = 1000
"""Rows from which a plain classifier takes how far off its numbers are."""


def baseline(config: Config, train: Rows, test: Rows, device: torch.device | str) -> Figures:
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
            descend(optimizer, partial(_loss_on, encoder, batch, space))
            schedule.step()
    classifier = PlainClassifier(space, encoder).to(device).eval()
    classifier.settle(rows.first(SETTLED), device)
    return classifier


def train_judge(config: Config, train: Rows, device: torch.device | str = "cpu") -> PlainClassifier:
    """The same with another seed than the run and its baseline have, to judge the run's images.

    Args:
        config: the run's. train: its training rows with the labels that it was shown.
        device: where the judge is to be. The random state of torch is left as it was.
    """
    with torch.random.fork_rng():
        return train_classifier(replace(config, seed=config.seed + 1), train, device)


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


def _loss_on(encoder: nn.Module, batch: Batch, space: LabelSpace) -> Tensor:
    return classifier_loss(space, encoder(batch.x)[0], batch.y)
