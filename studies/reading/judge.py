"""A judge: a classifier of the same images and labels that knows nothing of the pair."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ...config import Config
from ...data import Rows
from ...guides import Prediction
from ...inference.training.baselines import PlainClassifier, train_judge


@runtime_checkable
class Perceiving(Protocol):
    """A judge whose features can be compared."""

    def features(self, x: Tensor) -> list[Tensor]:
        """What it makes of images ``(B, C, H, W)``, layer by layer, ``(B, C', H', W')`` each."""
        ...


class LateJudge:
    """The judge of :func:`~ccvae.inference.training.train_judge`, trained when it is first asked.

    Args:
        config, train, device: see there.
    """

    def __init__(self, config: Config, train: Rows, device: torch.device | str = "cpu") -> None:
        self._training = config, train, device

    @cached_property
    def classifier(self) -> PlainClassifier:
        """What it says is said by this."""
        with torch.enable_grad():  # a study may ask for the first time where none is kept
            return train_judge(*self._training)

    def predict(self, x: Tensor) -> list[Prediction]:
        """r(y | x), for each kind of label."""
        return self.classifier.predict(x)

    def features(self, x: Tensor) -> list[Tensor]:
        """See :meth:`~ccvae.inference.training.baselines.PlainClassifier.features`."""
        return self.classifier.features(x)
