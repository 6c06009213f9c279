"""What a study looks at, in one record: a trained pair, rows, and how it is to look."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ...data import Batch, LabelSpace, Rows
from ...guides import Prediction
from ...guides.contracts import Classifier
from ...inference.evaluation.prediction import Latents, classify, decode, encode
from .beliefs import Beliefs, beliefs
from .examples import OWN, Choice, spread, whole
from .steps import SteppedSpace, Steps, in_steps, stepped


class Nobody:
    """The judge of a subject that was given none."""

    def predict(self, x: Tensor) -> list[Prediction]:
        """Nothing.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "expected a judge, got none; give Subject(…, judge=train_judge(config, train))"
        )


@dataclass(frozen=True)
class Subject:
    """A trained pair, the rows that it is looked at with, and who judges what is seen.

    Attributes:
        model, guide: the pair.
        rows: annotated rows that it was not trained on. Studies see their numbers in steps, see
            :mod:`.steps`.
        device: where the pair and the judge are.
        judge: what has ``predict(x)`` as a guide has and knows nothing of the pair; see
            :func:`ccvae.inference.training.train_judge`.
        choice: of the images and labels to show.
    """

    model: nn.Module
    guide: nn.Module
    rows: Rows
    device: torch.device | str = "cpu"
    judge: Classifier = field(default_factory=Nobody)
    choice: Choice = OWN

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", stepped(self.rows))

    def codes(self, rows: Rows) -> Tensor:
        """Shown codes ``(N, L)`` of some of the rows, with numbers and not their steps."""
        space = self.space
        if not isinstance(space, SteppedSpace):
            return rows.labels
        return space.codes[rows.rows].masked_fill(rows.labels.isnan(), torch.nan)

    @property
    def space(self) -> LabelSpace:
        """The labels of the rows."""
        return self.rows.dataset.space

    def batch(self, rows: Rows) -> Batch:
        """All of some rows, where the pair is."""
        return whole(rows, self.device)

    def some(self, count: int) -> Batch:
        """At most ``count`` of the rows, evenly spaced."""
        return self.batch(spread(self.rows, count))

    def encode(self, batch: Batch) -> Latents:
        """The guide's typical latents of a batch, its labels hidden."""
        return encode(self.guide, batch)

    def decode(self, latents: Latents, batch: Batch) -> Tensor:
        """The model's mean image ``(B, C, H, W)`` at latents of a batch."""
        return decode(self.model, latents, batch)

    def reconstruct(self, batch: Batch) -> Tensor:
        """The mean image ``(B, C, H, W)`` at the guide's typical latents, labels hidden."""
        return self.decode(self.encode(batch), batch)

    def beliefs(self, x: Tensor) -> Beliefs:
        """The guide's q(y = k | x) of every label by name, ``(B, K)``."""
        return beliefs(self.guide, self.space, x)

    def classify(self, x: Tensor) -> Tensor:
        """The guide's likeliest class of every label, ``(B, L)``."""
        return in_steps(self.space, classify(self.guide, self.space, x))

    def judged(self, x: Tensor) -> Tensor:
        """The judge's likeliest class of every label, ``(B, L)``."""
        return in_steps(self.space, classify(self.judge, self.space, x))

    @torch.no_grad()
    def number(self, x: Tensor, name: str) -> Tensor:
        """What the guide reads off images for a real label, in its units, ``(B,)``."""
        column = self.space.index(name)
        label = self.space.labels[column]
        if not isinstance(label, Steps):
            raise ValueError(f"expected a real label, got {name}; ask for its beliefs")
        return label.real.to_units(classify(self.guide, self.space, x)[:, column])
