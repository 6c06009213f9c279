"""Two trainings side by side, a step at a time: same start, same batches, same noise."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any, Protocol, runtime_checkable

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
from ..inspection.writing.mathml import term
from ..models.likelihoods import Laplace
from .recording import Recorder, strip
from .steering import Change, Side, Start

STEPS = 120
"""Of a training at first, sized for some seconds on one core; it can be asked for as many more."""

LAST = 600
"""The step at which every training ends."""

ROWS, PIXELS = 720, 28
"""Faces, and their size."""

LABELS, FEW = ("Smiling", "Eyeglasses", "Hair"), ("Smiling", "Eyeglasses")
"""Labels of two kinds, and those for M2, which sums over all settings of its labels together."""

BATCH, JUDGED_EVERY, FRAME_EVERY = 60, 10, 10

RATE, WARM_UP = 1e-3, 15
"""The step size, and the steps over which it rises: Adam's first throw a new pair far off."""

SUMMARIES = {
    "objective": "objective, maximised",
    "bound": "bound on the evidence",
    "accuracy": "accuracy, labels hidden",
}
"""What is drawn beside the terms, and what it is called."""


@runtime_checkable
class WithAlpha(Protocol):
    """An objective whose classifier has a weight."""

    alpha: float


@cache
def small_faces() -> Dataset:
    """The faces that a short training is shown."""
    return faces(ROWS, pixels=PIXELS)


def weights(program: str, objective: str) -> dict[str, float]:
    """The weights that an objective takes, α and β, with what they are by default."""
    kind = PROGRAMS[program][objective]
    taken = inspect.signature(kind).parameters
    return {name: float(taken[name].default) for name in ("alpha", "beta") if name in taken}


class Training:
    """A short training of two pairs, a step at a time.

    Args:
        start: what was asked for.

    Raises:
        ValueError: for a name that is not known.
    """

    def __init__(self, start: Start) -> None:
        programs = [side.program for side in (start.a, start.b)]
        few = any(ENTRIES[program].sums_jointly for program in programs)
        self.data = small_faces().only(FEW if few else LABELS)
        self.start, self.done = start, 0
        self.judged = self.data.subset(self.data.test).batch(torch.arange(len(self.data.test)))
        self.sides = [Pupil(side, self.data, self.judged, start) for side in (start.a, start.b)]
        self.batches = self._batches(start.share)

    def opening(self) -> dict[str, Any]:
        """What is known before the first step."""
        return {
            "sides": [side.opening() for side in self.sides],
            "rows": {"train": len(self.data.train), "batch": BATCH},
            "originals": strip(self.judged.x[: len(self.sides[0].recorder.few.x)]),
            "labels": [
                {"name": label.name, "classes": list(label.classes), "codes": codes}
                for label, codes in zip(self.data.space, self.judged.y.T.tolist(), strict=True)
            ],
        }

    def step(self, always: bool = False) -> dict[str, Any]:
        """Train both sides on the next batch.

        Args:
            always: look at both sides after this step, whatever its number.

        Returns:
            ``step``, its number; ``sides``, what :meth:`Pupil.step` found; and ``frame``, what
            :meth:`~ccvae.web.recording.Recorder.frame` saw of each side, after every tenth step.

        Raises:
            ValueError: where a term is no number any more.
        """
        batch = next(self.batches)
        self.done += 1
        judged = self.done % JUDGED_EVERY == 0 or self.done == 1
        noise = self.start.seed * 100_003 + self.done
        sides = [side.step(self.done, batch, judged, noise) for side in self.sides]
        if not all(math.isfinite(value) for side in sides for value in side.values()):
            raise ValueError(
                f"a term became NaN or infinite at step {self.done}; start again with another seed"
            )
        found: dict[str, Any] = {"step": self.done, "sides": sides}
        if always or self.done % FRAME_EVERY == 0:
            found["frame"] = self.frame()
        return found

    def frame(self) -> list[dict[str, Any]]:
        """What is seen of both sides now."""
        return [side.frame() for side in self.sides]

    def change(self, change: Change) -> None:
        """Set weights, the labelled share or the likelihood's scale from the next step on."""
        for side, asked in zip(self.sides, (change.a, change.b), strict=True):
            side.weigh(asked.alpha, asked.beta)
            if change.scale is not None:
                side.widen(change.scale)
        if change.share is not None:
            self.batches = self._batches(change.share)

    def _batches(self, share: float) -> Iterator[Batch]:
        return _endless(self.data.training(share, self.start.seed), self.start.seed + self.done)


class Pupil:
    """One side: an objective with its own pair of programs."""

    def __init__(self, side: Side, data: Dataset, judged: Batch, start: Start) -> None:
        config = Config(
            program=side.program,
            objective=side.objective,
            network="conv28",
            likelihood="normal",
            scale=start.scale,
            style=8,
        )
        torch.manual_seed(start.seed)
        pair = build_pair(config, data.space, data.shape, None, data.domain_count)
        self.side, self.space, self.judged = side, data.space, judged
        self.module: ELBOModule = build_objective(config)(*pair)
        self.optimizer: Optimizer = adam(self.module, RATE)
        self.recorder = Recorder(*pair, data.space, judged)
        self.weigh(side.alpha, side.beta)

    def opening(self) -> dict[str, Any]:
        """What the side is, and the weights that its objective takes."""
        known = weights(self.side.program, self.side.objective)
        given = {"alpha": self.side.alpha, "beta": self.side.beta}
        set_ = {name: given[name] if given[name] is not None else known[name] for name in known}
        return {"program": self.side.program, "objective": self.side.objective, "weights": set_}

    def weigh(self, alpha: float | None, beta: float | None) -> None:
        """Set the objective's weights, where it has them."""
        known, objective = weights(self.side.program, self.side.objective), self.module.elbo
        if alpha is not None and "alpha" in known and isinstance(objective, WithAlpha):
            objective.alpha = alpha
        if beta is not None and "beta" in known and isinstance(objective, Objective):
            objective.beta = beta

    def widen(self, scale: float) -> None:
        """Set the likelihood's scale."""
        for part in self.module.model.modules():
            if isinstance(part, Laplace):
                part.fixed = scale

    def step(self, step: int, batch: Batch, judged: bool, noise: int) -> dict[str, float]:
        """One step of the optimiser.

        Args:
            step: its number, from 1. batch: what is trained on. noise: seed of the draws.
            judged: whether the accuracy is measured.

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
        if judged and isinstance(self.module.guide, Classifier):
            self.module.eval()
            right = classify(self.module.guide, self.space, self.judged.x) == self.judged.y
            found["accuracy"] = right.float().mean().item()
        return found

    def frame(self) -> dict[str, Any]:
        """What is seen of this side now."""
        self.module.eval()
        return self.recorder.frame()


def _endless(rows: Rows, seed: int) -> Iterator[Batch]:
    """Batches, one pass after another."""
    for epoch in count(1):  # the seed itself chose the labelled rows: their order is taken
        yield from rows.batches(BATCH, seed * 100_003 + epoch)


@cache
def heading(name: str) -> str:
    """What a curve is headed by: a summary's words, or a term as MathML."""
    return SUMMARIES.get(name) or term(name)
