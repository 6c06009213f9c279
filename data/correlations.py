"""How much two labels say about each other."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from .dataset import Dataset
from .forms import Binary, Categorical, Label, Real


def correlations(dataset: Dataset) -> dict[str, dict[str, float | None]]:
    """How much two labels say about each other, from −1 or 0 to 1, over rows that have both.

    For labels that are binary, ordinal or real this is the correlation of their codes (φ for two
    binary ones), and for a categorical label beside another with classes Cramér's V, which has no
    sign: the root of χ² over n · (min(K, K') − 1). For a categorical label beside a real one it is
    the correlation ratio η: the root of the share of the variance that lies between the classes.
    None where one of them has a single class.
    """
    space = dataset.space
    codes = [dataset.labels[:, column] for column in range(len(space))]
    # One product counts every pair of classes; a missing entry is in none.
    present = [_present(label, code) for label, code in zip(space, codes, strict=True)]
    result: dict[str, dict[str, float | None]] = {}
    for i, first in enumerate(space):
        pairs = {}
        for j, second in enumerate(space):
            if i < j:
                pair = (first, second)
                if all(isinstance(label, Binary) for label in pair):
                    value = _cramer(present[i].T @ present[j], signed=True)
                elif not any(isinstance(label, Categorical) for label in pair):
                    value = _correlation(codes[i], codes[j])
                elif any(isinstance(label, Real) for label in pair):
                    turned = isinstance(first, Real)
                    classes, number = (j, i) if turned else (i, j)
                    value = _ratio(present[classes], codes[number])
                else:
                    value = _cramer(present[i].T @ present[j], signed=False)
                pairs[second.name] = value
        if pairs:
            result[first.name] = pairs
    return result


def _present(label: Label, codes: Tensor) -> Tensor:
    """A column for each class ``(N, K)``, 1 where a row has it; none for a real label."""
    count = len(label.classes)
    if not count:
        return codes.new_zeros(len(codes), 0).double()
    return one_hot(codes.nan_to_num(count).long(), count + 1)[:, :-1].double()


def _cramer(table: Tensor, *, signed: bool) -> float | None:
    """Cramér's V of a table of counts, with the sign of its determinant if asked for."""
    rows, columns = table.sum(1) > 0, table.sum(0) > 0
    table = table[rows][:, columns]
    if min(table.shape) < 2:
        return None
    expected = table.sum(1, keepdim=True) * table.sum(0) / table.sum()
    square = ((table - expected) ** 2 / expected).sum() / table.sum() / (min(table.shape) - 1)
    value = min(square.sqrt().item(), 1.0)
    return -value if signed and torch.det(table) < 0 else value


def _correlation(first: Tensor, second: Tensor) -> float | None:
    """Pearson's correlation of the rows that have both."""
    both = ~(first.isnan() | second.isnan())
    pair = torch.stack([first[both], second[both]]).double()
    if pair.shape[1] < 2 or (pair.min(1).values == pair.max(1).values).any():
        return None
    return max(-1.0, min(1.0, torch.corrcoef(pair)[0, 1].item()))


def _ratio(present: Tensor, numbers: Tensor) -> float | None:
    """The correlation ratio of classes ``(N, K)`` and numbers ``(N,)``."""
    both = ~numbers.isnan() & (present.sum(1) > 0)
    present, numbers = present[both], numbers[both].double()
    counts = present.sum(0)
    spread = (numbers - numbers.mean()).square().sum()
    if (counts > 0).sum() < 2 or not spread > 0:
        return None
    means = (present.T @ numbers)[counts > 0] / counts[counts > 0]
    between = (counts[counts > 0] * (means - numbers.mean()).square()).sum()
    return min((between / spread).sqrt().item(), 1.0)
