"""A judge: a classifier of the same images and labels that knows nothing of the pair."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor, nn

from ...config import Config
from ...data import Rows
from ...inference.evaluation.evaluating import PlainClassifier, train_classifier


def train_judge(config: Config, train: Rows, device: torch.device | str = "cpu") -> PlainClassifier:
    """The plain classifier of an evaluation, with another seed than the run and its baseline have.

    Args:
        config: the run's. train: its training rows with the labels that it was shown.
        device: where the judge is to be. The random state of torch is left as it was.
    """
    with torch.random.fork_rng():
        return train_classifier(replace(config, seed=config.seed + 1), train, device)


class LateJudge(nn.Module):
    """The judge of :func:`train_judge`, trained when it is first asked and not before.

    Args:
        config, train, device: see there.
    """

    def __init__(self, config: Config, train: Rows, device: torch.device | str = "cpu") -> None:
        super().__init__()
        self._training = config, train, device

    @cached_property
    def classifier(self) -> PlainClassifier:
        """What it says is said by this."""
        return train_judge(*self._training)

    def predict(self, x: Tensor) -> list[Tensor]:
        """Log r(y = k | x): for each kind of label ``(B, n, K)``."""
        return self.classifier.predict(x)
