"""Numbers in steps: a real label seen as ordered classes, so that every study can look at it.

The steps of a label are five quantiles of its annotated rows, rounded as people would: an Age has
the steps 10, 20, 35, 45 and 65. A step is the class of the numbers that are nearer to it than to
any other, and at a step the label's block lies at the mean of p(z_c | y = step).
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.special import ndtr

from ...data import Kind, Label, LabelSpace, Ordinal, Real, Rows
from ...data.forms import Form
from ...guides import ClassPrediction, NumberPrediction, Prediction

QUANTILES = (0.05, 0.275, 0.5, 0.725, 0.95)


class Steps(Ordinal):
    """A real label in steps.

    Attributes:
        real: the label. codes: the steps, standardised as its codes are, increasing.
    """

    real: Real
    codes: tuple[float, ...]

    def __init__(self, real: Real, codes: tuple[float, ...]) -> None:
        object.__setattr__(self, "real", real)
        object.__setattr__(self, "codes", codes)
        super().__init__(real.name, tuple(in_units(real, code) for code in codes))

    def of(self, numbers: Tensor) -> Tensor:
        """The step nearest to each standardised number, NaN for NaN."""
        edges = numbers.new_tensor(self._edges)
        return torch.where(numbers.isnan(), numbers, (numbers[..., None] > edges).sum(-1))

    def prediction(self, mean: Tensor, scale: Tensor) -> Tensor:
        """Probability of each step, ``(…, K)``, of a number with this mean and deviation."""
        below = ndtr((mean.new_tensor(self._edges) - mean[..., None]) / scale[..., None])
        ends = torch.ones_like(below[..., :1])
        return torch.cat([0 * ends, below, ends], -1).diff(dim=-1)

    @property
    def _edges(self) -> list[float]:
        return [(a + b) / 2 for a, b in zip(self.codes, self.codes[1:], strict=False)]


class SteppedSpace(LabelSpace):
    """Labels of which the real ones are in steps; their kinds, and so their blocks, are as before.

    Attributes:
        original: the labels as the programs have them.
        codes: of all rows of the data set, ``(N, L)``, as the programs have them.
    """

    original: LabelSpace
    codes: Tensor

    def __init__(self, original: LabelSpace, labels: list[Label], codes: Tensor) -> None:
        super().__init__(labels)
        object.__setattr__(self, "original", original)
        object.__setattr__(self, "codes", codes)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Those of the original."""
        return self.original.kinds

    @property
    def forms(self) -> tuple[Form, ...]:
        """Those of the original."""
        return self.original.forms


def stepped(rows: Rows) -> Rows:
    """The same rows with numbers in steps; themselves where there are none."""
    dataset = rows.dataset
    if isinstance(dataset.space, SteppedSpace) or "real" not in dataset.space.forms:
        return rows
    space = stepped_space(dataset.space, dataset.labels)
    seen = replace(dataset, space=space, labels=in_steps(space, dataset.labels))
    return Rows(seen, rows.rows, in_steps(space, rows.labels))


def stepped_space(space: LabelSpace, labels: Tensor) -> LabelSpace:
    """Labels of which the real ones are in steps, by rows' codes ``(N, L)``."""
    if "real" not in space.forms:
        return space
    each: list[Label] = [
        steps_of(label, labels[:, column]) if isinstance(label, Real) else label
        for column, label in enumerate(space)
    ]
    return SteppedSpace(space, each, labels)


def in_steps(space: LabelSpace, codes: Tensor) -> Tensor:
    """The programs' codes ``(…, L)``, with the step's place for every number."""
    columns = [
        label.of(codes[..., column]) if isinstance(label, Steps) else codes[..., column]
        for column, label in enumerate(space)
    ]
    return torch.stack(columns, -1)


def code_of(label: Label, k: int) -> float:
    """What a program calls class k of a label: its number for a step."""
    return label.codes[k] if isinstance(label, Steps) else float(k)


def steps_of(label: Real, codes: Tensor) -> Steps:
    """The steps of a label from the codes ``(N,)`` of annotated rows."""
    known = codes[~codes.isnan()].double()
    if not len(known):
        known = codes.new_tensor([-2.0, 0.0, 2.0]).double()
    found = known.quantile(known.new_tensor(QUANTILES)).tolist()
    numbers = sorted({rounded(label.to_units(code), label.scale) for code in found})
    if len(numbers) < 2:
        numbers = [label.mean - label.scale, label.mean + label.scale]
    return Steps(label, tuple(label.from_units(number) for number in numbers))


def rounded(number: float, scale: float) -> float:
    """A number rounded to 1, 2 or 5 times a power of ten, about a third of the label's scale.

    >>> rounded(33.2, 19.8), rounded(0.347, 0.05)
    (35.0, 0.35)
    """
    unit = 10.0 ** math.floor(math.log10(scale / 3.5))
    unit *= max(step for step in (1, 2, 5) if step * unit <= scale / 3.5)
    return float(f"{round(number / unit) * unit:.12g}")


def in_units(label: Real, code: float) -> str:
    """A standardised number in the label's units, in words."""
    return f"{label.to_units(code):.4g}"


def probabilities(said: Prediction, position: int, label: Label) -> Tensor:
    """Probability of each class or step of the label at a position of its kind, ``(B, K)``."""
    match said:
        case ClassPrediction():
            return said.log_classes[:, position].exp()
        case NumberPrediction() if isinstance(label, Steps):
            return label.prediction(said.mean[:, position], said.scale[:, position])
    raise ValueError(
        f"expected classes or steps of {label.name}, got a number; read the rows through "
        "ccvae.studies.reading.steps.stepped"
    )
