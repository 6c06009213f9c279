r"""A weighted sum of objectives, each of which runs the guide in its own way.

.. math::  \mathcal F = \sum_k w_k\, \mathcal F_k, \qquad
           \mathcal L = \sum_k w_k\, \mathcal L_k \Big/ \sum_k w_k

with the bound :math:`\mathcal L_k` within each part. Where all parts bound the same evidence, so
does their weighted mean. A term's name says of which part it is: ``weight_1 log p(x|z)``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .base import Objective
from .draw import Draw
from .sites import Program
from .terms import parse

WEIGHT = "weight_"
"""What the names of the parts' weights begin with, counted from 1."""


class Sum(Objective):
    """A weighted sum of objectives; ``0.5 * CCVAEObjective() + MarginalObjective()`` is one.

    Args:
        weights: one for each part, positive. parts: the objectives.

    Raises:
        ValueError: for a weight that is not positive.
    """

    def __init__(self, weights: Sequence[float], parts: Sequence[Objective]) -> None:
        super().__init__(max_plate_nesting=max(part.max_plate_nesting for part in parts))
        for weight in weights:
            if not 0 < weight < float("inf"):
                raise ValueError(f"expected positive weights of objectives, got {weight}")
        self.parts = tuple(parts)
        self.weights = {f"{WEIGHT}{k}": float(w) for k, w in enumerate(weights, 1)}
        of = {part.evidence for part in parts}
        self.evidence = of.pop() if len(of) == 1 else ""

    def weighted_parts(self) -> list[tuple[float, Objective]]:
        """The parts with their weights."""
        return list(zip(self.weights.values(), self.parts, strict=True))

    def prepare(self, guide: Program) -> Program:
        """The guide as the first part runs it, for figures."""
        return self.parts[0].prepare(guide)

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """The terms of all parts at one draw, for figures; a training draws for each part."""
        return {
            _of_part(number, name): weight * term
            for number, (weight, part) in enumerate(self.weighted_parts(), 1)
            for name, term in part.formula(draw).items()
        }

    def begin_epoch(self, epoch: int) -> None:
        """Tell every part."""
        for part in self.parts:
            part.begin_epoch(epoch)

    def loss_and_terms(
        self,
        model: Program,
        guide: Program,
        args: tuple[object, ...],
        kwargs: dict[str, object],
        weights: Tensor | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """As any objective's; each part draws anew."""
        losses: list[Tensor] = []
        terms: dict[str, Tensor] = {}
        for number, (weight, part) in enumerate(self.weighted_parts(), 1):
            loss, own = part.loss_and_terms(model, guide, args, kwargs, weights)
            losses.append(weight * loss)
            terms |= {_of_part(number, name): weight * term for name, term in own.items()}
        return torch.stack(losses).sum(), terms

    def evidence_bound(self, terms: dict[str, Tensor]) -> Tensor:
        """The weighted mean of the parts' bounds, ``(B,)``."""
        bounds = []
        for number, (weight, part) in enumerate(self.weighted_parts(), 1):
            before = f"{WEIGHT}{number} "
            own = {
                name.replace(before, "", 1): term / weight
                for name, term in terms.items()
                if parse(name).part == number
            }
            bounds.append(weight * part.evidence_bound(own))
        return torch.stack(bounds).sum(0) / sum(self.weights.values())


def _of_part(number: int, name: str) -> str:
    """The name of a term of a part."""
    sign = "-" * name.startswith("-")
    return f"{sign}{WEIGHT}{number} {name.removeprefix('-')}"
