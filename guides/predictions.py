"""What a guide says of the labels of an image: probabilities of classes, or a number's normal.

A guide's ``predict`` returns one :class:`Prediction` for each kind of label. All shapes below are
those of B images and the n labels of a kind.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from torch import Tensor


class Prediction(Protocol):
    """What every kind's prediction answers; codes are those of :mod:`ccvae.data.labels`."""

    @property
    def likeliest(self) -> Tensor:
        """The code of the highest probability or density, ``(B, n)``."""
        ...

    @property
    def median(self) -> Tensor:
        """The code with half of the probability on either side, ``(B, n)``.

        For classes without order it is the likeliest.
        """
        ...


class ClassPrediction(NamedTuple):
    """Of labels with classes.

    Attributes:
        log_classes: log q(y = k | x), ``(B, n, K)``.
        ordered: whether the classes have an order.
    """

    log_classes: Tensor
    ordered: bool = False

    @property
    def likeliest(self) -> Tensor:
        """The likeliest class."""
        return self.log_classes.argmax(-1).to(self.log_classes.dtype)

    @property
    def median(self) -> Tensor:
        """The first class at which half of the probability is reached; see :class:`Prediction`."""
        if not self.ordered:
            return self.likeliest
        reached = self.log_classes.exp().cumsum(-1)[..., :-1]
        return (reached < 0.5).sum(-1).to(self.log_classes.dtype)


class NumberPrediction(NamedTuple):
    """Of real labels: a normal over the standardised number.

    Attributes:
        mean, scale: ``(B, n)``.
    """

    mean: Tensor
    scale: Tensor

    @property
    def likeliest(self) -> Tensor:
        """The mean."""
        return self.mean

    @property
    def median(self) -> Tensor:
        """The mean."""
        return self.mean
