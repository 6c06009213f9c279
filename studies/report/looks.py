"""Looks at a run that is still in training: its report after some epochs, renewed as it learns.

A look costs a few seconds: figures of some test images, their reconstructions beside those of the
looks before, and one label changed at a time. The page loads itself anew until the training is done
and the whole report has taken its place. What the looks found is kept in ``looks.json``, so that a
training that is taken up later still knows where it began.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from ...files import keeping, write_atomically
from ...inference.evaluation.evaluating import evaluate, majority
from ...inference.runs.run import Run
from .. import intervention
from ..drawing.section import Picture, Section
from ..drawing.sheets import sheet
from ..reading.examples import spread
from .conduct import subject_of
from .report import write_page

LOOKS = "looks.json"

EVERY = 2
"""Epochs from one look to the next."""

TRIED, SHOWN = 500, 10
"""Test images that are evaluated, and that are shown."""

RENEWED = 20
"""Seconds after which an open page asks for itself again."""

PARTS = (("accuracy", "accuracy", 3), ("reconstruction_l1", "reconstruction error", 4))
"""Figures whose change is told: key, name and digits."""


class Look(msgspec.Struct):
    """What one look found.

    Attributes:
        epoch: how many were done. bound, accuracy, reconstruction_l1: as in an evaluation.
        accuracy_by_label: likewise.
    """

    epoch: int
    bound: float
    accuracy: float
    reconstruction_l1: float
    accuracy_by_label: dict[str, float]


class Looks:
    """All looks at one run.

    Args:
        run: in training, or about to be.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.found = read(run.directory)
        self.shapes: list[tuple[int, Tensor]] = []

    def after(self, epochs: int) -> Path | None:
        """Look, if so many epochs are done that it is time to; the path of the report then."""
        if epochs % EVERY or epochs >= self.run.config.epochs:
            return None
        run = self.run
        for module in run.modules.values():
            module.eval()  # the training goes on in its own mode
        train, test = run.data()
        some = spread(test, TRIED)
        figures = evaluate(run.model, run.guide, run.objective, some, run.device)
        self.found = [look for look in self.found if look.epoch < epochs]
        self.found.append(msgspec.convert(figures | {"epoch": epochs}, Look))
        with keeping("what this look found"):
            text = json.dumps(msgspec.to_builtins(self.found), indent=2)
            write_atomically(run.directory / LOOKS, text.encode())
        shown = intervention.study(subject_of(run))
        sections = [section for section in (self.section(epochs), shown) if section is not None]
        done = f"This is the run after {epochs} of its {run.config.epochs} epochs"
        return write_page(
            run,
            figures | majority(train, some),
            sections,
            note=f"{done}; the page is renewed as it learns.",
            refresh=RENEWED,
        )

    def section(self, epochs: int) -> Section:
        """How some faces took shape, up to now."""
        subject = subject_of(self.run)
        batch = subject.some(SHOWN)
        self.shapes.append((epochs, subject.reconstruct(batch).cpu()))
        rows = [batch.x.cpu(), *(images for _, images in self.shapes)]
        picture = Picture(
            "taking-shape",
            sheet(torch.stack(rows), rows=["input", *(f"epoch {n}" for n, _ in self.shapes)]),
            alt=f"{len(batch.x)} test images, and below them their reconstructions so far",
            caption="Each row: what was decoded from the guide's mean codes by then.",
        )
        return Section("taking-shape", "Taking shape", (), (picture,))

    def change(self, result: dict[str, Any]) -> str:
        """What changed since the first look, in a line; nothing where there was none."""
        if not self.found:
            return ""
        first = self.found[0]
        parts = [
            f"{name} {getattr(first, key):.{digits}f} → {result[key]:.{digits}f}"
            for key, name, digits in PARTS
        ]
        gains = {
            name: result["accuracy_by_label"][name] - before
            for name, before in first.accuracy_by_label.items()
            if name in result["accuracy_by_label"]
        }
        most = max(gains, key=lambda name: gains[name], default=None)
        if most is not None and gains[most] > 0:
            before = first.accuracy_by_label[most]
            parts.append(f"most of all {most} {before:.2f} → {before + gains[most]:.2f}")
        return f"since the first report, after {first.epoch} epochs: {', '.join(parts)}"


def read(directory: Path) -> list[Look]:
    """The looks that a directory keeps; none where it keeps none that are whole."""
    path = directory / LOOKS
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Look]) if path.exists() else []
    except (msgspec.DecodeError, OSError):
        return []
