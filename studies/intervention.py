"""Intervention: one label's characteristic block is moved to a class's mean, all else is kept.

What is "kept" are the guide's typical values for the image, its labels hidden; how one block is
moved is in :mod:`ccvae.studies.reading.blocks`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..data import Batch
from .drawing.section import Picture, Section, stem
from .drawing.sheets import ABREAST, sheet, wrapped
from .reading.blocks import at_classes
from .reading.subject import Subject

SHOWN, CELLS = 6, 54
"""At most so many rows, and images in all (more labels, fewer rows)."""


def study(subject: Subject) -> Section | None:
    """Some test images with every label changed, one at a time; None for a single label."""
    space = subject.space
    if len(space) == 1:  # its traversal shows all there is
        return None
    batch = subject.some(max(2, min(SHOWN, CELLS // len(space))))
    pictures = [
        Picture(
            stem("one-label-at-a-time", number + 1),
            overview(subject, batch, space.names[first : first + ABREAST]),
            alt="Test images and their reconstructions; each further column has one label changed",
            caption="" if first else CAPTION,
        )
        for number, first in enumerate(range(0, len(space), ABREAST))
    ]
    title = "One label changed at a time"
    return Section("intervention", title, (EXPLANATION,), tuple(pictures))


EXPLANATION = (
    "Every image is decoded from the guide's mean code for the test image, its labels hidden; one "
    "label's characteristic block is replaced by a class mean of p(z_c | y), and all else is kept."
)

CAPTION = (
    "First column: the test image. Second: its reconstruction. Then the same code with one label's "
    "block moved to the mean of the class that is written below the image, which is not the one "
    "that the guide believes. Compare with the second column."
)


def overview(subject: Subject, batch: Batch, names: Sequence[str]) -> bytes:
    """Rows of images, their reconstructions, and each named label changed in a column, as PNG."""
    space, latents = subject.space, subject.encode(batch)
    table = subject.beliefs(batch.x)
    cells, notes = [batch.x, subject.decode(latents, batch)], []
    for name in names:
        targets = _others(table[name])
        images = at_classes(subject, latents, batch, name)
        cells.append(images[torch.arange(len(targets)), targets])
        classes = space.labels[space.index(name)].classes
        notes.append([classes[k] for k in targets.tolist()])
    return sheet(
        torch.stack(cells, 1),
        columns=["input", "recon-\nstruction", *map(wrapped, names)],
        notes=[["", "", *line] for line in zip(*notes, strict=True)],
        breaks=(1, 2),
    )


def _others(q: Tensor) -> Tensor:
    """A class for each row of q(y = k | x) ``(B, K)`` other than the likeliest, in turn."""
    turn = torch.arange(len(q), device=q.device) % (q.shape[1] - 1)
    return (q.argmax(-1) + 1 + turn) % q.shape[1]
