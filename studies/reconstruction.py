"""Reconstruction: images beside the mean image that the model makes of their codes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..data import Rows
from ..inference.evaluation.prediction import reconstruct
from .drawing.section import Picture, Section
from .drawing.sheets import sheet
from .reading.examples import spread, whole

SHOWN = 10


def study(
    model: nn.Module, guide: nn.Module, rows: Rows, device: torch.device | str = "cpu"
) -> Section:
    """Inputs above their reconstructions: some test images, labels hidden.

    Args:
        model, guide: a trained pair.
        rows: annotated rows that it was not trained on.
        device: where the pair is.
    """
    chosen = spread(rows, SHOWN)
    batch = whole(chosen, device)
    image = reconstruct(model, guide, batch)
    error = (image - batch.x).abs().mean().item()
    picture = Picture(
        "reconstruction",
        compare(batch.x, image),
        alt=f"{len(image)} test images in a row, and below each its reconstruction",
        caption=f"Above: {len(image)} test images. Below: the mean image decoded from "
        f"the guide's mean codes. Their mean absolute difference per channel is {error:.3f} of "
        "the pixel range.",
    )
    text = (
        "The images here and below are spread evenly over the test set. The guide sees them alone: "
        "their labels are hidden."
    )
    return Section("reconstruction", "Reconstructions", (text,), (picture,))


def compare(inputs: Tensor, reconstructions: Tensor) -> bytes:
    """Images ``(B, C, H, W)`` above what was made of them, as PNG."""
    return sheet(torch.stack([inputs, reconstructions]), rows=["input", "reconstruction"])
