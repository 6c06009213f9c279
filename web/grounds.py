"""What a training on the page learns from: small faces, or minibatches that somebody named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from itertools import count
from typing import Any, Protocol

import torch
from torch import nn

from ..data import Batch, Dataset, LabelSpace, Rows
from ..data.faces import faces
from ..guides.contracts import Classifier
from ..inference.evaluation.own import answers
from ..inference.evaluation.prediction import classify
from ..inference.foreign import Foreign, Inputs, Minibatch
from ..inference.foreign.inputs import Extent
from ..inference.foreign.program import ForeignClassifier
from ..inference.programs import Pair, Signature
from .recording import PICTURES, Recorder, strip
from .sketching import Sketch, of_theirs

ROWS, PIXELS, LARGER = 720, 28, 64
"""Faces, their size, and the size that somebody's pair may be made for."""

BATCH = 60
"""Rows of a step."""


class Looking(Protocol):
    """What looks at a pair now and then."""

    def frame(self) -> dict[str, Any]:
        """What is seen at this moment."""
        ...


class Ground(Protocol):
    """What both programs of a side are called with, a step after another.

    Attributes:
        signature: what a pair for it is made for. now: what this step sees.
    """

    signature: Signature
    now: Batch | Minibatch

    def turn(self) -> None:
        """Go on to the next step's."""
        ...

    def deal(self, share: float, done: int) -> None:
        """Show this share of the labels from now on, after so many steps."""
        ...

    def accuracy(self, guide: nn.Module) -> float | None:
        """The share of labels, hidden, that a guide predicts; None where it does not."""
        ...

    def looking(self, pair: Pair) -> Looking:
        """What looks at a pair that learns from it."""
        ...

    def originals(self) -> str:
        """The images that are reconstructed, in a strip; ``""`` where there are none."""
        ...


@cache
def small_faces(pixels: int = PIXELS) -> Dataset:
    """The faces that a short training is shown."""
    return faces(ROWS, pixels=pixels)


class Faces:
    """Small rendered faces.

    Args:
        labels: by name. seed: of the rows that show them, and of their order. pixels: their size.
    """

    def __init__(self, labels: Sequence[str], seed: int, pixels: int = PIXELS) -> None:
        self.data, self.seed, self.pixels = small_faces(pixels).only(labels), seed, pixels
        self.signature = Signature.of(self.data)
        test = self.data.subset(self.data.test)
        self.judged = test.batch(torch.arange(len(test)))
        self.now: Batch | Minibatch = self.judged
        self.batches: Iterator[Batch] = iter(())

    @property
    def space(self) -> LabelSpace:
        """The labels."""
        return self.data.space

    def deal(self, share: float, done: int) -> None:
        """Show this share of the labels from now on, after so many steps."""
        self.batches = _endless(self.data.training(share, self.seed), self.seed + done)

    def turn(self) -> None:
        """Go on to the next step's."""
        self.now = next(self.batches)

    def accuracy(self, guide: nn.Module) -> float | None:
        """The share of labels, hidden, that a guide predicts; None where it does not."""
        if not isinstance(guide, Classifier):
            return None
        right = classify(guide, self.space, self.judged.x) == self.judged.y
        return right.float().mean().item()

    def looking(self, pair: Pair) -> Looking:
        """What looks at a pair that learns from it."""
        recorder = Recorder(*pair, self.space, self.judged)
        if isinstance(pair[0], Foreign):
            return of_theirs(recorder, Sketch(*pair, self.judged.hidden()))
        return recorder

    def originals(self) -> str:
        """The images that are reconstructed, in a strip."""
        return strip(self.judged.x[:PICTURES])

    def labels(self) -> list[dict[str, Any]]:
        """The labels with their classes, and the codes of the test rows."""
        return [
            {"name": label.name, "classes": list(label.classes), "codes": codes}
            for label, codes in zip(self.space, self.judged.y.T.tolist(), strict=True)
        ]


class Minibatches:
    """Minibatches that somebody named.

    Args:
        word: ``module:function``. seed: of the training.
    """

    signature = Signature(LabelSpace(()), (0, 0, 0))

    def __init__(self, word: str, seed: int) -> None:
        self.inputs = Inputs.named(word, seed)
        self.now: Batch | Minibatch = self.inputs.first
        part = "test" if self.inputs.has("test") else "train"
        self.judged = next(self.inputs.batches(part, 0))
        self.batches = self._endless()
        self.sketch: Sketch | None = None

    def deal(self, share: float, done: int) -> None:
        """Nothing: which labels they show is somebody's own."""

    def turn(self) -> None:
        """Go on to the next step's."""
        self.now = next(self.batches)

    def accuracy(self, guide: nn.Module) -> float | None:
        """The share of known ``y`` that a guide predicts; None where it does not."""
        if not isinstance(guide, ForeignClassifier):
            return None
        right, known = answers(guide, self.judged)
        return right / known if known else None

    def looking(self, pair: Pair) -> Looking:
        """What looks at a pair that learns from it."""
        self.sketch = Sketch(*pair, self.judged)
        return self.sketch

    def originals(self) -> str:
        """The images that are reconstructed, in a strip; ``""`` where there are none."""
        return self.sketch.originals() if self.sketch else ""

    def _endless(self) -> Iterator[Minibatch]:
        for epoch in count():
            yield from self.inputs.batches("train", epoch)


def extent(called: Batch | Minibatch) -> AbstractContextManager[object]:
    """Notes how many rows a minibatch has as its programs run; a batch knows it."""
    return Extent(called) if isinstance(called, Minibatch) else nullcontext()


def _endless(rows: Rows, seed: int) -> Iterator[Batch]:
    """Batches, one pass after another."""
    for epoch in count(1):  # the seed itself chose the labelled rows: their order is taken
        yield from rows.batches(BATCH, seed * 100_003 + epoch)
