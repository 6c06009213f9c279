"""Reconstruction: images beside the mean image that the model makes of their codes."""

from __future__ import annotations

import torch
from torch import Tensor

from .drawing.section import Picture, Section
from .drawing.sheets import sheet
from .reading.subject import Subject

SHOWN = 10


def study(subject: Subject) -> Section:
    """Inputs above their reconstructions: some test images, labels hidden."""
    batch = subject.some(SHOWN)
    image = subject.reconstruct(batch)
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
