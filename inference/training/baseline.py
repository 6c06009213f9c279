"""Plain classifiers: what labels and networks give without a probabilistic program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ...config import Config
from ...data import Batch, LabelSpace, Rows
from ...data.classes import by_kind
from ...networks import build
from ..evaluation.accuracy import by_label, hits, mean_over_labels
from ..evaluation.evaluating import Figures
from ..evaluation.prediction import classify
from .noise import seed_of
from .optimisation import adam, descend

CLASSIFIER_STEPS = 600
"""The fewest steps of a plain classifier's training."""


def baseline(config: Config, train: Rows, test: Rows, device: torch.device | str) -> Figures:
    """A plain classifier with the same encoder, seed and labels, by cross-entropy alone.

    It takes the run's batch size and step size, its learning rate falls to 0 along a cosine, and it
    sees labelled rows only, for the steps that the run would have taken on them but for at least
    600.
    """
    space = test.dataset.space
    right, known = hits(plain_classifier(config, train, device), test, device)
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
    """The classifier of :func:`baseline`."""
    space, shape = train.dataset.space, train.dataset.shape
    torch.manual_seed(config.seed)
    encoder = build.encoder(config.network, shape, sum(space.classes)).to(device)
    rows = train.labelled
    per_epoch = -(-len(rows) // config.batch_size)
    epochs = max(config.epochs, -(-CLASSIFIER_STEPS // per_epoch))
    optimizer = adam(encoder, config.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * per_epoch)
    for epoch in range(epochs):
        for batch in rows.batches(config.batch_size, seed_of(config.seed, epoch), device):
            descend(optimizer, partial(_loss_on, encoder, batch, space))
            schedule.step()
    return PlainClassifier(space, encoder).eval()


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
    """Mean over the rows of the cross-entropy of their annotated labels."""
    total = scores.new_zeros(())
    for kind, table in zip(space.kinds, by_kind(space.kinds, scores), strict=True):
        codes = kind.of(y)
        target = torch.where(codes.isnan(), -100, codes).long()
        total = total + cross_entropy(table.movedim(-1, 1), target, reduction="sum")
    return total / len(y)


def _loss_on(encoder: nn.Module, batch: Batch, space: LabelSpace) -> Tensor:
    return classifier_loss(space, encoder(batch.x)[0], batch.y)
