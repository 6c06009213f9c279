"""All labels of a row as one variable, for programs whose decoder ties them together.

The labels are independent of each other, but what depends on them depends on all of them at once,
so a sum over them runs over the product of their classes. One site with the event shape ``(L,)``
states that, and costs what the site of one label costs.
"""

from __future__ import annotations

import itertools
from operator import mul
from typing import ClassVar

import torch
from pyro.distributions import TorchDistribution
from pyro.distributions.score_parts import ScoreParts
from torch import Size, Tensor
from torch.distributions import constraints

from ..data import rows_by_missing
from ..data.classes import ClassColumns
from .shapes import broadcast


def missing_codes(y: Tensor) -> Tensor | bool:
    """Which labels are missing, ``(B, 1, L)``; False where the host knows that none is.

    Args:
        y: labels ``(B, L)``, NaN where missing.
    """
    return y.isnan()[:, None] if len(rows_by_missing(y)[1]) else False


def filled(observed: Tensor, drawn: Tensor, missing: Tensor | bool) -> Tensor:
    """Codes ``(…, B, 1, L)``: the observed ones, and in the missing ones' place those drawn."""
    return torch.where(missing, drawn, observed) if isinstance(missing, Tensor) else observed


class Codes(constraints.Constraint):
    """Class codes ``(…, L)`` that the labels have, or NaN."""

    is_discrete = True
    event_dim = 1

    def __init__(self, columns: ClassColumns) -> None:
        self.columns = columns
        super().__init__()

    def check(self, value: Tensor) -> Tensor:
        """Whether every code is one, ``(…)``."""
        found: Tensor = self.columns(value).sum(-1)
        return found == (~value.isnan()).sum(-1)

    def __repr__(self) -> str:
        return f"class codes below {self.columns.classes}, or NaN"


class JointLabels(TorchDistribution):
    """Independent labels of any numbers of classes as one event of class codes ``(L,)``.

    A code is a float, as labels travel. One that is NaN is missing: it has no density.

    Args:
        columns: which of the ``ΣK`` columns is which class.
        log_classes: log-probabilities of all classes, normalised within each label, ``(…, ΣK)``.
        counted: ``(…, L)``, the codes that have a density, or True for all and False for none.
            Draws and settings have a code for the others as well, which means nothing.
        validate_args: as in torch's distributions.

    >>> columns = ClassColumns([2, 3])
    >>> labels = JointLabels(columns, columns.log_softmax(torch.zeros(5)))
    >>> labels.log_prob(torch.tensor([1.0, 2.0])).exp().item()
    0.1666...
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "log_classes": constraints.real_vector
    }
    has_enumerate_support = True

    def __init__(
        self,
        columns: ClassColumns,
        log_classes: Tensor,
        counted: Tensor | bool = True,
        validate_args: bool | None = None,
    ) -> None:
        self.columns, self.log_classes, self.counted = columns, log_classes, counted
        batch = log_classes.shape[:-1]
        if isinstance(counted, Tensor):
            batch = _broadcast(batch, counted.shape[:-1])
        super().__init__(batch, Size([len(columns.classes)]), validate_args=validate_args)

    def expand(self, batch_shape: Size, _instance: object = None) -> JointLabels:
        """The same distribution with a larger batch shape."""
        log_classes = self.log_classes.expand(*batch_shape, self.columns.width)
        counted = self.counted
        if isinstance(counted, Tensor):
            counted = counted.expand(*batch_shape, *self.event_shape)
        return JointLabels(self.columns, log_classes, counted, self._validate_args)

    def counting(self, counted: Tensor | bool) -> JointLabels:
        """The same labels with the density of other codes, ``(…, L)``, of all or of none."""
        return JointLabels(self.columns, self.log_classes, counted, self._validate_args)

    def halves(self, missing: Tensor | bool) -> tuple[JointLabels, JointLabels]:
        """The same labels with the density of what is observed, and with that of what is missing.

        Args:
            missing: as :func:`missing_codes` returns it.
        """
        observed = ~missing if isinstance(missing, Tensor) else not missing
        return self.counting(observed), self.counting(missing)

    @property
    def support(self) -> constraints.Constraint:
        """Whole numbers from 0 to K − 1 for each label, or NaN."""
        return Codes(self.columns)

    @property
    def settings(self) -> tuple[int, ...]:
        """How many joint settings the first label has, the first two, … and all."""
        return tuple(itertools.accumulate(self.columns.classes, mul))

    @property
    def mode(self) -> Tensor:
        """The likeliest code of each label, ``(…, L)``."""
        row = self.log_classes.expand(*self.batch_shape, -1)
        return self.columns.argmax(row).to(row.dtype)

    def sample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """Codes ``sample_shape + (…, L)``, each by one uniform number."""
        with torch.no_grad():
            row = self.log_classes
            shape = self._extended_shape(sample_shape)
            if self.counted is False:
                return row.new_zeros(shape)
            uniform = row.new_empty(shape).uniform_()
            return self.columns.quantile(row.exp(), uniform)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-probability of the codes ``(…, L)`` that are counted and not missing, ``(…)``."""
        if self._validate_args:
            self._validate_sample(value)
        if self.counted is False:
            return value.new_zeros(_broadcast(value.shape[:-1], self.batch_shape))
        if isinstance(self.counted, Tensor):
            value = torch.where(self.counted, value, torch.nan)
        return torch.where(self.columns(value), self.log_classes, 0.0).sum(-1)

    def score_parts(self, value: Tensor) -> ScoreParts:
        """What Pyro's own ELBOs weigh draws and enumerated settings by: all codes, counted or not.

        The weights of all settings add to 1 then, as those of a site under a mask do.
        """
        density = self.log_prob(value)
        if self.counted is False:
            return ScoreParts(density, density, 0)
        return ScoreParts(density, self.counting(True).log_prob(value), 0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All settings ``(∏K, 1, …, 1, L)``, the last label's class changing first.

        Args:
            expand: repeat them for the batch, ``(∏K, …, L)``.
        """
        size, count = self.columns.size, self.settings[-1]
        setting = torch.arange(count, device=size.device)[:, None]
        codes = setting // (count // size.cumprod(0)) % size
        support = codes.to(self.log_classes.dtype).view(count, *(1 for _ in self.batch_shape), -1)
        return support.expand(count, *self.batch_shape, -1) if expand else support


def _broadcast(one: Size, other: Size) -> Size:
    """Both shapes broadcast; torch's own function takes longer than a small operation."""
    return one if one == other else broadcast(one, other)
