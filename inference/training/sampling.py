r"""Which rows a step sees: every row once an epoch, or a stated share of each batch with labels.

Where few rows have labels, one pass over all rows shows each label once, and a model of 20 passes
has seen a label as often as a classifier has after a fifth of a second. So a batch of B rows holds
k that have a label and B − k that have none, each from a stream of its own that goes through its
rows again and again, each time in a new order. An epoch has as many steps as a pass over all N rows
would take.

Rows that are drawn more often count less. With p_i the probability that a draw from its stream is
row i, and m draws of that stream in the batch (k or B − k), row i weighs

.. math::  w_i = \frac{B}{N\, m\, p_i}, \qquad
    \mathbb E\Big[\frac NB \sum_{i \in \text{batch}} w_i f_i\Big] = \sum_{i=1}^N f_i

so that the loss is an unbiased estimate of that of all rows, whatever the share is.

A batch follows from the seed, the epoch and the step's number alone. So a training can be left
anywhere, and several processes agree on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ...data import Rows
from ...data.forms import Form
from .noise import seed_of

LABELLED_SHARE = 0.3
"""Of each batch, where fewer rows have labels; see docs/training.md."""

SHARE_APART = 0.5
"""The same where the blocks of labels are taught apart from the images."""


class Drawn(NamedTuple):
    """The rows of a step.

    Attributes:
        rows: positions ``(B,)`` in the training rows.
        weights: what each counts for ``(B,)``, in float64; None where all count alike.
    """

    rows: Tensor
    weights: Tensor | None

    def part(self, of: slice) -> Drawn:
        """The rows of one process."""
        return Drawn(self.rows[of], None if self.weights is None else self.weights[of])


Sampler = Callable[[Rows, int, int, int], list[Drawn]]
"""The steps of an epoch, from rows, rows of a batch, seed and epoch."""


def once(rows: Rows, size: int, seed: int, epoch: int) -> list[Drawn]:
    """Every row once an epoch, in a new order; the last batch may be smaller.

    Args:
        rows: to draw from. size: of a batch. seed: of the order. epoch: counted from 0.
    """
    return [Drawn(index, None) for index in rows.order(seed_of(seed, epoch)).split(size)]


@dataclass(frozen=True)
class LabelledShare:
    """A share of each batch has labels, in part or whole.

    Attributes:
        share: of a batch's rows, of which at least one has labels and one has none.
        by_class: draw such rows so that every label is drawn as often as any other, and every
            class of it too; by default every row with a label is drawn as often as any other.
        weighted: a row that is drawn more often counts less. Without, it counts each time.
    """

    share: float
    by_class: bool = False
    weighted: bool = True

    def __call__(self, rows: Rows, size: int, seed: int, epoch: int) -> list[Drawn]:
        """The steps of an epoch; as :func:`once` where all rows have labels, or none.

        Args:
            rows: to draw from. size: of a batch. seed: of the order. epoch: counted from 0.
        """
        size = min(size, len(rows))
        shown = rows.shown
        positions = [where.nonzero()[:, 0] for where in (shown, ~shown)]
        if size < 2 or not all(map(len, positions)):
            return once(rows, size, seed, epoch)
        steps = -(-len(rows) // size)
        with_labels = min(max(1, round(self.share * size)), size - 1)
        parts = []
        for stream, (there, count) in enumerate(
            zip(positions, (with_labels, size - with_labels), strict=True)
        ):
            p = None
            if self.by_class and stream == 0:
                p = even_over_classes(rows.labels[there], rows.dataset.space.forms)
            drawn = draws(
                len(there), p, seed_of(seed, stream), epoch * steps * count, steps * count
            )
            # 1/p as a number where it is the same for all, so that nothing is rounded.
            rarity = float(len(there)) if p is None else 1 / p[drawn]
            weights = (
                torch.ones(len(drawn), dtype=torch.float64) * rarity * (size / len(rows) / count)
            )
            parts.append((there[drawn].view(steps, count), weights.view(steps, count)))
        index, weights = (torch.cat(part, 1) for part in zip(*parts, strict=True))
        return [Drawn(i, w if self.weighted else None) for i, w in zip(index, weights, strict=True)]


def even_over_classes(labels: Tensor, forms: Sequence[Form] = ()) -> Tensor:
    """How often to draw each row so that labels, and the classes of each, come equally often.

    A row is drawn as if first a label were chosen, then one of its classes that occur, then a row
    that shows it; of a number, at once a row that has one. Rows that miss some labels have their
    share by the others.

    Args:
        labels: codes ``(n, L)``, NaN where missing; at least one in every row.
        forms: of the labels; by default all have classes.

    Returns:
        probabilities ``(n,)`` in float64, all positive.
    """
    parts = []
    for form, codes in zip(forms or ["nominal"] * labels.shape[1], labels.T, strict=True):
        # A number is seldom the same twice: to draw its values evenly would need a table of them.
        codes = torch.where(codes.isnan(), codes, 0.0) if form == "real" else codes
        classes = codes[~codes.isnan()].unique()
        if len(classes):
            own = (codes == classes[:, None]).double()
            parts.append((own / own.sum(1, keepdim=True)).mean(0))
    return torch.stack(parts).mean(0)


def draws(rows: int, p: Tensor | None, seed: int, first: int, count: int) -> Tensor:
    """Some draws of an endless stream of rows, by position.

    The stream is cut into passes of as many draws as there are rows. In each, row i is drawn
    ``rows · p[i]`` times, rounded up or down at random: once, where all are equally likely.

    Args:
        rows: how many there are. p: of each ``(rows,)``; None is as often as any other.
        seed: of the stream. first: number of the first draw. count: of draws.
    """
    passes = range(first // rows, (first + count - 1) // rows + 1)
    parts = [_one_pass(rows, p, seed_of(seed, number)) for number in passes]
    start = first - passes.start * rows
    return torch.cat(parts)[start : start + count]


def _one_pass(rows: int, p: Tensor | None, seed: int) -> Tensor:
    """The draws of one pass: systematic sampling, whose points lie one ``rows``-th apart."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(rows, generator=generator)
    if p is None:
        return order
    edges = p.double()[order].cumsum(0)
    offset = torch.rand((), generator=generator, dtype=torch.float64)
    points = (torch.arange(rows) + offset) / rows * edges[-1]
    found = order[torch.searchsorted(edges, points).clamp(max=rows - 1)]
    return found[torch.randperm(rows, generator=generator)]
