"""Sliders without a server: one HTML file with every label's traversal for some test images.

The file holds its pictures and its few lines of script, and asks for nothing else, so it opens from
disk in any browser and can be handed on. What it shows is what :mod:`ccvae.studies.traversal`
computes: a label's block on the straight line between its classes' means, in steps of equal change,
all else kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import interpolate

from ...files import write_atomically
from ...guides import Partitioned
from ..drawing.pixels import address
from ..reading.subject import Subject
from ..traversal import Traversal, traverse
from .pages import render

SLIDERS = "sliders.html"

POSITIONS = 11
"""Of a slider, where there are not more classes."""

SHOWN, PIXELS, EDGE = 6, 5_000_000, 128
"""At most so many test images, fewer where their traversals would have more pixels than this, and
no picture larger than this along a side: so the file stays below some four megabytes."""


def write_sliders(directory: Path, subject: Subject, title: str) -> Path | None:
    """Write the page of a trained pair into a directory; None where no label owns a block.

    Args:
        directory: of its run. subject: the pair and test rows. title: of the page.
    """
    if not isinstance(subject.guide, Partitioned):
        return None
    page = render(SLIDERS, title=title, **content(subject))
    path = directory / SLIDERS
    write_atomically(path, page.encode())
    return path


def content(subject: Subject) -> dict[str, Any]:
    """What the page holds.

    Returns:
        ``labels``, name, classes, stops and the words of all positions of each; and ``faces``, each
        with its pictures as addresses and for every label a strip of all positions beside what the
        guide believes of each class at every position.
    """
    space, rows = subject.space, subject.rows
    _, height, width = rows.dataset.shape
    area = min(height, EDGE) * min(width, EDGE)
    strips = sum(_steps(len(label.classes)) for label in space) * area
    batch = subject.some(max(1, min(SHOWN, PIXELS // strips)))
    again = subject.reconstruct(batch)
    walks = [
        traverse(subject, batch, label.name, steps=_steps(len(label.classes)) - 1)
        for label in space
    ]
    labels = [
        {
            "name": label.name,
            "classes": list(label.classes),
            "stops": walk.stops,
            "words": walk.words,
        }
        for label, walk in zip(space, walks, strict=True)
    ]
    start = subject.beliefs(batch.x)
    faces = [
        {
            "image": address(batch.x[row]),
            "reconstruction": address(again[row]),
            "strips": [_strip(walk, row) for walk in walks],
            "beliefs": [_beliefs(subject, walk, row) for walk in walks],
            "start": [start[name][row].argmax().item() for name in space.names],
        }
        for row in range(len(batch.x))
    ]
    return {"labels": labels, "faces": faces, "height": height, "width": width}


def _steps(classes: int) -> int:
    """Positions of a slider through so many classes."""
    return max(POSITIONS, classes)


def _strip(walk: Traversal, row: int) -> str:
    """All positions of one image side by side."""
    images = walk.images[row]
    shrunk = min(1.0, EDGE / max(images.shape[-2:]))
    if shrunk < 1:
        images = interpolate(images, scale_factor=shrunk, mode="area")
    return address(torch.cat(list(images), -1), "WEBP")


def _beliefs(subject: Subject, walk: Traversal, row: int) -> list[list[float]]:
    """For every position q(y = k | picture) of the label that moves, to two decimals."""
    table = subject.beliefs(walk.images[row])[walk.name]
    return [[round(q, 2) for q in at] for at in table.tolist()]
