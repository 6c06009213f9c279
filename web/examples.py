"""What a run's directory may keep for the page: test images, and how well training images came."""

from __future__ import annotations

from typing import NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor

from ..data import Batch, Rows
from ..inference.evaluation.prediction import reconstruct
from ..inference.runs.run import Run
from ..studies.reading.examples import spread

EXAMPLES = "examples.safetensors"
"""Test images that a run's directory may keep, so that its data set need not be at hand."""

SHOWN = 12
"""Test images to choose from."""

COMPARED = 500
"""Training images whose reconstruction's error says what is usual."""


class Usual(NamedTuple):
    """The mean error of a pixel in reconstructions of training images: least, median, largest."""

    least: float
    median: float
    largest: float

    def says(self, error: float) -> str:
        """What to be told of an image whose reconstruction has this error; ``""`` where usual."""
        if error <= self.largest:
            return ""
        return (
            f"this image is unlike those that the run was trained on: its reconstruction is off by "
            f"{error:.2f} a pixel, and of {COMPARED} training images by {self.least:.2f} to "
            f"{self.largest:.2f}; what is said of its labels is a guess"
        )


def examples(run: Run) -> tuple[Tensor, Tensor]:
    """Test images ``(n, C, H, W)`` of a run and their labels ``(n, L)``."""
    if (tensors := _kept(run)) is not None:
        return tensors["images"].float() / 255, tensors["labels"]
    rows: Rows = spread(run.data()[1], SHOWN)
    batch = rows.batch(torch.arange(len(rows)))
    return batch.x, batch.y


def usual(run: Run) -> Usual:
    """How well the run draws the images that it was trained on, by some of them."""
    tensors = _kept(run)
    if tensors is not None and "errors" in tensors:
        return Usual(*tensors["errors"].tolist())
    rows = run.data()[0]
    step = max(1, len(rows) // COMPARED)
    index = torch.arange(0, len(rows), step)[:COMPARED]
    errors = torch.cat([_errors(run, rows.batch(part, run.device)) for part in index.split(100)])
    return Usual(*torch.quantile(errors.cpu(), torch.tensor([0.0, 0.5, 1.0])).tolist())


def _errors(run: Run, batch: Batch) -> Tensor:
    run.model.eval()
    run.guide.eval()
    return (reconstruct(run.model, run.guide, batch) - batch.x).abs().mean((1, 2, 3))


def _kept(run: Run) -> dict[str, Tensor] | None:
    path = run.directory / EXAMPLES
    return load_file(path) if path.exists() else None
