"""Two objectives that train the same programs: same start, same batches, same noise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any

import torch
from pyro.infer.elbo import ELBOModule
from torch.optim import Optimizer

from ..config import Config
from ..data import Batch, Dataset, Rows
from ..data.faces import faces
from ..guides.contracts import Classifier
from ..inference import Objective
from ..inference.catalogue import ENTRIES, PROGRAMS, build_objective, build_pair
from ..inference.evaluation.prediction import classify
from ..inference.training.optimisation import adam, descend, set_rate
from ..inspection.formulas import write_term
from ..inspection.mathml import mathml
from ..inspection.notation import LATEX
from ..loading import choose

STEPS = 120
"""Of a training, sized for some seconds on one core."""

ROWS, PIXELS = 720, 28
"""Faces, and their size."""

LABELS, FEW = ("Smiling", "Eyeglasses", "Hair"), ("Smiling", "Eyeglasses")
"""Labels of two kinds, and those for M2, which sums over all settings of its labels together."""

BATCH, LABELLED, JUDGED_EVERY = 60, 0.5, 10

RATE, WARM_UP = 1e-3, 15
"""The step size, and the steps over which it rises: Adam's first throw a new pair far off."""

SUMMARIES = {
    "objective": "objective, maximised",
    "bound": "bound on the evidence",
    "accuracy": "accuracy, labels hidden",
}
"""What is drawn beside the terms, and what it is called."""


@cache
def small_faces() -> Dataset:
    """The faces that a short training is shown."""
    return faces(ROWS, pixels=PIXELS)


class Comparison:
    """A short training under two objectives, a step at a time.

    Args:
        program: by name. objectives: two of its objectives, by name.
        seed: of the weights, the batches and the noise, which both sides share.

    Raises:
        ValueError: for a name that is not known.
    """

    def __init__(self, program: str, objectives: tuple[str, str], seed: int) -> None:
        choose("program", program, PROGRAMS)
        for name in objectives:
            choose(f"objective of {program}", name, PROGRAMS[program])
        data = small_faces().only(FEW if ENTRIES[program].sums_jointly else LABELS)
        self.seed, self.done = seed, 0
        self.sides = [_Side(program, name, data, seed) for name in objectives]
        self.batches = _endless(data.training(LABELLED, seed), seed)
        self.judged = data.subset(data.test).batch(torch.arange(len(data.test)))

    def opening(self) -> dict[str, Any]:
        """What is known before the first step: the two objectives, the number of steps."""
        return {
            "steps": STEPS,
            "objectives": [side.name for side in self.sides],
            "rows": {"train": ROWS * 5 // 6, "batch": BATCH, "labelled": LABELLED},
        }

    def step(self) -> dict[str, Any]:
        """Train both sides on the next batch.

        Returns:
            the step's number, and for each side what :meth:`_Side.step` found.

        Raises:
            ValueError: where a term is no number any more.
        """
        batch, judged = next(self.batches), None
        self.done += 1
        if self.done % JUDGED_EVERY == 0 or self.done == 1:
            judged = self.judged
        noise = self.seed * 100_003 + self.done
        sides = [side.step(self.done, batch, judged, noise) for side in self.sides]
        if not all(math.isfinite(value) for side in sides for value in side.values()):
            raise ValueError(
                f"a term became NaN or infinite at step {self.done}; start again with another seed"
            )
        return {"step": self.done, "sides": sides}


class _Side:
    """One objective with its own pair of programs."""

    def __init__(self, program: str, name: str, data: Dataset, seed: int) -> None:
        config = Config(
            program=program,
            objective=name,
            network="conv28",
            likelihood="normal",
            scale=0.2,
            style=8,
        )
        torch.manual_seed(seed)
        pair = build_pair(config, data.space, data.shape, None, data.domain_count)
        self.name, self.space = name, data.space
        self.module: ELBOModule = build_objective(config)(*pair)
        self.optimizer: Optimizer = adam(self.module, RATE)

    def step(self, step: int, batch: Batch, judged: Batch | None, noise: int) -> dict[str, float]:
        """One step of the optimiser.

        Args:
            step: its number, from 1. batch: what is trained on. noise: seed of the draws.
            judged: images on which the accuracy is measured, or None.

        Returns:
            the terms by name, the objective, and the bound in it, all means over the batch's rows;
            and the accuracy, labels hidden, where it was measured.
        """
        torch.manual_seed(noise)
        self.module.train()
        set_rate(self.optimizer, RATE * min(1.0, step / WARM_UP))
        loss = descend(self.optimizer, lambda: self.module(*batch.args, **batch.kwargs))
        ledger = self.module.terms
        found = {name: term.mean().item() for name, term in ledger.items()}
        found["objective"] = -loss.item() / batch.size
        if isinstance(self.module.elbo, Objective):
            found["bound"] = self.module.elbo.evidence_bound(ledger).mean().item()
        if judged is not None and isinstance(self.module.guide, Classifier):
            self.module.eval()
            right = classify(self.module.guide, self.space, judged.x) == judged.y
            found["accuracy"] = right.float().mean().item()
        return found


def _endless(rows: Rows, seed: int) -> Iterator[Batch]:
    """Batches, one pass after another."""
    for epoch in count(1):  # the seed itself chose the labelled rows: their order is taken
        yield from rows.batches(BATCH, seed * 100_003 + epoch)


def heading(name: str) -> str:
    """What a curve is headed by: a summary's words, or a term as MathML."""
    return SUMMARIES.get(name) or mathml(write_term(name, LATEX))
