r"""Confusion: what an intervention on one label does to every other, judged by an outsider.

The paper's confusion matrix (Joy et al. 2021, section 5): entry (i, j) is the change of the
log-probability of label j when label i is intervened on, by a classifier that was trained on the
same data and knows nothing of the pair. Here, over images and over all other classes that label i
is moved to,

.. math::

    C_{ij} = \mathbb E\big[ \log r(y^j = c^j \mid \hat x) - \log r(y^j = c^j \mid \hat x_i) \big],
    \qquad c^j = \arg\max_k r(y^j = k \mid \hat x),

with the judge r, the reconstruction x̂ and the image x̂_i after the intervention: by how many nats
falls the class that the judge saw. A label that is left alone gives 0. Beside it stands the total
variation between r(y^j | x̂) and r(y^j | x̂_i), a change of probability between 0 and 1, which no
overconfident judge can inflate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .beliefs import Beliefs, beliefs
from .counterfactuals import cases, true_scenes
from .examples import spread
from .subject import Subject

MEASURED = 256
"""Images over which is measured."""


@dataclass(frozen=True)
class Confusion:
    """How a judge's beliefs follow interventions, ``(L, L)``: label i moved, label j judged.

    Attributes:
        names: the labels.
        fall: C, in nats. variation: the total variation.
        decoding_fall, decoding_variation: ``(L,)``, likewise from the test image to its
            reconstruction: what decoding alone does to the judge.
        true_fall, true_variation: likewise of the renderer's own interventions on the test images:
            the matrix of a perfect model; None where the scenes are not known.
    """

    names: tuple[str, ...]
    fall: Tensor
    variation: Tensor
    decoding_fall: Tensor
    decoding_variation: Tensor
    true_fall: Tensor | None = None
    true_variation: Tensor | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data, and which rows have their maximum on the diagonal."""
        tables = {
            key: value.tolist() for key, value in vars(self).items() if isinstance(value, Tensor)
        }
        return {
            "names": list(self.names),
            **tables,
            "diagonal_fall": diagonal(self.fall),
            "diagonal_variation": diagonal(self.variation),
        }


def diagonal(matrix: Tensor) -> list[bool]:
    """For each row of ``(L, L)`` whether its largest absolute entry is the one on the diagonal."""
    return (matrix.abs().argmax(1) == torch.arange(len(matrix))).tolist()


def shifts(before: Beliefs, after: Beliefs) -> tuple[Tensor, Tensor]:
    """By how much beliefs change: the fall in nats and the total variation, ``(B, L)`` each.

    Args:
        before, after: probabilities ``(B, K)`` by label.
    """
    falls, variations = [], []
    for name, old in before.items():
        new, seen = after[name], old.argmax(-1, keepdim=True)
        tiny = torch.finfo(old.dtype).tiny
        falls.append(
            (old.gather(1, seen).clamp(min=tiny) / new.gather(1, seen).clamp(min=tiny)).log()[:, 0]
        )
        variations.append((old - new).abs().sum(-1) / 2)
    return torch.stack(falls, 1).cpu(), torch.stack(variations, 1).cpu()


@torch.no_grad()
def measure(subject: Subject) -> Confusion:
    """The confusion matrix over at most 256 of the rows, whose labels are not looked at."""
    space, judged = subject.space, partial(beliefs, subject.judge, subject.space)
    chosen = spread(subject.rows, MEASURED)
    some, batch = true_scenes(chosen), subject.batch(chosen)
    inputs, again = judged(batch.x), judged(subject.reconstruct(batch))
    model_rows, true_rows = [], []
    for name in space.names:
        found = cases(subject, batch, name, some=some)
        kept = [case.counts.cpu() for case in found]
        model_rows.append(_mean([shifts(again, judged(case.image)) for case in found], kept))
        if some is not None:
            pairs = [case.truth.after for case in found if case.truth is not None]
            true_rows.append(_mean([shifts(inputs, judged(x)) for x in pairs], kept))
    fall, variation = map(torch.stack, zip(*model_rows, strict=True))
    decoded = [shift.mean(0) for shift in shifts(inputs, again)]
    truth = map(torch.stack, zip(*true_rows, strict=True)) if true_rows else (None, None)
    return Confusion(space.names, fall, variation, *decoded, *truth)


def _mean(found: Sequence[tuple[Tensor, Tensor]], kept: Sequence[Tensor]) -> list[Tensor]:
    """Means ``(L,)`` of falls and of variations ``(B, L)`` over the rows ``(B,)`` that count."""
    return [
        torch.cat([part[rows] for part, rows in zip(parts, kept, strict=True)]).mean(0)
        for parts in zip(*found, strict=True)
    ]
