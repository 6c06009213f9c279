"""Plain classifiers: what labels and networks give without a probabilistic program."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ...config import Config
from ...data import Batch, Kind, LabelSpace, Rows
from ...guides import ClassPrediction, NumberPrediction, Prediction
from ...networks import build
from ...stopping import Request, Stopped
from ..evaluation.accuracy import answers
from ..evaluation.evaluating import Figures, in_short, judged, share_right
from ..evaluation.prediction import classify
from .average import Average
from .noise import seed_of
from .optimisation import SCHEDULES, adam, descend, set_rate
from .validation import TRIED, split

CLASSIFIER_STEPS = 600
"""The fewest steps of a plain classifier's training."""

SETTLED = 1000
"""Rows from which a plain classifier takes how far off its numbers are."""


Watch = Callable[[int, int], None]
"""Told how many epochs of how many are done."""


def baseline(
    config: Config,
    train: Rows,
    test: Rows,
    device: torch.device | str,
    *,
    watch: Watch | None = None,
) -> Figures:
    """A plain classifier with the same encoder, seed and labels, without a generative model.

    It learns classes by cross-entropy and numbers by squared error. It has what the run has: the
    batch size, the step size and its schedule, mirrored images, the average of the weights, and the
    best epoch by validation. It sees labelled rows alone, as often as the run's training does, but
    for at least 600 steps.

    Args:
        config: of the run. train: rows with the labels that are shown, of which as many validate
            as in the run. test: to be tried on. device: where to train.
    """
    said = answers(train_classifier(config, train, device, watch), test, device)
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

    def features(self, x: Tensor) -> list[Tensor]:
        """What its convolutions make of images ``(B, C, H, W)``, ``(B, C', H', W')`` of each."""
        found: list[Tensor] = []
        layers = [layer for layer in self.encoder.modules() if isinstance(layer, nn.Conv2d)]
        hooks = [
            layer.register_forward_hook(lambda *seen: found.append(seen[-1])) for layer in layers
        ]
        try:
            self.encoder(x)
        finally:
            for hook in hooks:
                hook.remove()
        return found

    def predict(self, x: Tensor) -> list[Prediction]:
        """r(y | x), for each kind of label."""
        kinds = self.space.kinds
        return [
            NumberPrediction(table[..., 0], self.deviation.expand_as(table[..., 0]))
            if kind.form == "real"
            else ClassPrediction(table.log_softmax(-1), kind.form == "ordinal")
            for kind, table in zip(kinds, outputs(kinds, self.encoder(x)[0]), strict=True)
        ]


def train_classifier(
    config: Config,
    train: Rows,
    device: torch.device | str,
    watch: Watch | None = None,
    stop: Request | None = None,
) -> PlainClassifier:
    """The classifier of :func:`baseline`, whose arguments these are.

    Raises:
        Stopped: after a step, where ``stop`` was asked for; nothing is kept of it.
    """
    space, shape = train.dataset.space, train.dataset.shape
    torch.manual_seed(config.seed)
    width = sum(k or 1 for k in space.classes)
    encoder = build.encoder(config.network, shape, width).to(device)
    classifier = PlainClassifier(space, encoder).to(device)
    _, train, validation = split(config, train)
    rows = train.labelled
    epochs, per_epoch = passes(config, train)
    optimizer, schedule = adam(encoder, config.lr), SCHEDULES[config.rate_schedule]
    average = Average(classifier, config.average) if config.average else None
    kept = Best(average.module if average else classifier, config, validation)
    for epoch in range(epochs):
        classifier.train()
        order = rows.order(seed_of(config.seed, epoch)).split(config.batch_size)
        for step, index in enumerate(order):
            batch = moved(rows, index, device, None if config.still else (config.seed, epoch, step))
            set_rate(optimizer, config.lr * schedule((epoch + step / per_epoch) / epochs))
            descend(optimizer, partial(_loss_on, encoder, batch, space))
            if average is not None:
                average.update(epoch * per_epoch + step + 1)
            if stop is not None and stop.asked:
                raise Stopped(epoch, step + 1, stop.signal)
        kept.after_epoch(device)
        if watch is not None:
            watch(epoch + 1, epochs)
    found = kept.classifier()
    found.settle(rows.first(SETTLED), device)
    return found


def passes(config: Config, train: Rows) -> tuple[int, int]:
    """How often :func:`train_classifier` goes through the labelled rows, and in how many steps.

    Args:
        config: of the run. train: the rows that are trained on, without those that validate.
    """
    rows = len(train.labelled)
    per_epoch = -(-rows // config.batch_size)
    looks = config.epochs * max(rows, (config.labelled_share or 0.0) * len(train))
    return max(math.ceil(looks / rows), -(-CLASSIFIER_STEPS // per_epoch)), per_epoch


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
        self.state: dict[str, Tensor] | None = None

    def after_epoch(self, device: torch.device | str) -> None:
        """Try the classifier as it is after an epoch."""
        if not len(self.validation):
            return
        space, labels = self.validation.dataset.space, self.validation.labels
        said = judged(space, answers(self.current.eval(), self.validation, device), labels)
        found = share_right(space, in_short(said))
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
