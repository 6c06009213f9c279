"""Two trainings side by side, a step at a time: same start, same batches, same noise."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from ..inference.catalogue import ENTRIES
from ..inspection.writing.mathml import term
from .grounds import BATCH, LARGER, PIXELS, Faces, Ground, Minibatches
from .looking import OWN, Theirs
from .pupil import Pupil
from .steering import Change, Start

STEPS = 120
"""Of a training at first, sized for some seconds on one core; it can be asked for as many more."""

LAST = 600
"""The step at which every training ends."""

LABELS, FEW = ("Smiling", "Eyeglasses", "Hair"), ("Smiling", "Eyeglasses")
"""Labels of two kinds, and those for M2, which sums over all settings of its labels together."""

JUDGED_EVERY, FRAME_EVERY = 10, 10

SUMMARIES = {
    "objective": "objective, maximised",
    "bound": "bound on the evidence",
    "accuracy": "accuracy, labels hidden",
}
"""What is drawn beside the terms, and what it is called."""


NOTHING = Theirs()
"""Of somebody's."""


class Training:
    """A short training of two pairs, a step at a time.

    Args:
        start: what was asked for. theirs: what somebody named, where a side is of it.

    Raises:
        ValueError: for a name that is not known, or programs that cannot be trained.
    """

    def __init__(self, start: Start, theirs: Theirs = NOTHING) -> None:
        self.start, self.theirs, self.done = start, theirs, 0
        programs = [side.program for side in (start.a, start.b)]
        self.called = OWN in programs and not theirs.inputs  # as the suite's programs are
        jointly = any(ENTRIES[each].sums_jointly for each in programs if each != OWN)
        self.names = FEW if jointly and not self.called else LABELS
        self.minibatches: Minibatches | None = None
        if OWN in programs and theirs.inputs:
            self.minibatches = Minibatches(theirs.inputs, start.seed)
        self.faces: Faces | None = None
        try:
            self._begin(PIXELS)
        except ValueError:
            if not self.called:
                raise
            self._begin(LARGER)  # somebody's pair may be made for larger faces

    def _begin(self, pixels: int) -> None:
        """Make both sides, and what they learn from."""
        start, self.grounds = self.start, list[Ground]()
        if self.minibatches is not None:
            self.grounds.append(self.minibatches)
        if self.minibatches is None or {start.a.program, start.b.program} != {OWN}:
            self.faces = Faces(self.names, start.seed, pixels)
            self.grounds.append(self.faces)
        for ground in self.grounds:
            ground.deal(start.share, 0)
        self.sides = [
            Pupil(side, self.grounds[0 if side.program == OWN else -1], start, self.theirs)
            for side in (start.a, start.b)
        ]

    def opening(self) -> dict[str, Any]:
        """What is known before the first step."""
        return {
            "sides": [side.opening() for side in self.sides],
            "batch": BATCH,
            "originals": self.faces.originals() if self.faces else "",
            "labels": self.faces.labels() if self.faces else [],
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
        self.done += 1
        for ground in self.grounds:
            ground.turn()
        judged = self.done % JUDGED_EVERY == 0 or self.done == 1
        noise = self.start.seed * 100_003 + self.done
        sides = [side.step(self.done, judged, noise) for side in self.sides]
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
            for ground in self.grounds:
                ground.deal(change.share, self.done)


@cache
def heading(name: str) -> str:
    """What a curve is headed by: a summary's words, or a term as MathML."""
    return SUMMARIES.get(name) or term(name)
