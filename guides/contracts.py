"""What others ask of a guide beyond its sites. Whoever has the method has it, by whatever class."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from .blocks import Block
from .predictions import Prediction


@runtime_checkable
class Classifier(Protocol):
    """What says what the labels of images are: a guide with q(y | x), or a plain classifier."""

    def predict(self, x: Tensor) -> list[Prediction]:
        """q(y | x) with the labels hidden, for each kind of label."""
        ...


def classifying(guide: object) -> Classifier:
    """A guide as what it must be to be asked for classes.

    Raises:
        ValueError: where it is not.
    """
    if not isinstance(guide, Classifier):
        raise ValueError(
            f"expected a guide that names classes, got a {type(guide).__name__} without "
            "predict(x); give it that method, or ask another guide"
        )
    return guide


@runtime_checkable
class Partitioned(Protocol):
    """A guide that gives every label a block of the latent space of its own."""

    def posterior(self, x: Tensor) -> tuple[list[Block], tuple[Tensor, Tensor]]:
        """q(z_c | x) of each kind of label; mean and standard deviation of the rest ``(B, S)``."""
        ...
