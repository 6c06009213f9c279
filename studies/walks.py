"""Walks through characteristic blocks: two labels at once, from class to class, and in motion.

What :mod:`ccvae.studies.traversal` does for one label along one line, as grids and as an animation.
Everything else stays at the guide's typical values for the image, its labels hidden.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..data import Batch
from .drawing.sheets import looped, png, sheet, table, to_rgb, wrapped
from .reading.blocks import class_means, find_block, moved
from .reading.pace import decode_at, picked, walk, way
from .reading.subject import Subject

STEPS, PAIRS, FRAMES = 4, 3, 11
"""Steps along either side of a grid, grids at most, and frames of an animation one way."""


def pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Some pairs of labels, each label in one as far as they go.

    >>> pairs(["a", "b", "c"]), pairs(["a"])
    ([('a', 'b'), ('c', 'a')], [])
    """
    if len(names) < 2:
        return []
    found = list(zip(names[::2], names[1::2], strict=False))
    return [*found, (names[-1], names[0])] if len(names) % 2 else found


@torch.no_grad()
def pair_images(
    subject: Subject, batch: Batch, names: tuple[str, str]
) -> tuple[Tensor, list[list[int | None]]]:
    """One image with two labels walking, the first down and the second across.

    Args:
        subject: whose pair it is. batch: one image, whose labels are not looked at.
        names: the labels that walk.

    Returns:
        images ``(S, T, C, H, W)``, and the class codes at the steps of either label, None between.

    Raises:
        ValueError: for a label that is not in the space.
    """
    blocks = [find_block(subject.space, name) for name in names]
    walks = [walk(subject, batch, name, STEPS) for name in names]
    down, across = (each.points for each in walks)
    latents, count = subject.encode(batch), down.shape[1]
    rows = picked(batch, torch.zeros(count, dtype=torch.long, device=batch.x.device))
    there = moved({s: value[rows.index * 0] for s, value in latents.items()}, blocks[0], down[0])
    images = decode_at(subject.model, rows, there, blocks[1], across.expand(count, -1, -1))
    return images, [each.stops for each in walks]


def draw_pair(subject: Subject, batch: Batch, names: tuple[str, str]) -> bytes:
    """The grid of :func:`pair_images` with the classes at its sides, as PNG."""
    space = subject.space
    images, stops = pair_images(subject, batch, names)
    down, across = (
        [
            "" if k is None else f"{name}: {space.labels[space.index(name)].classes[k]}"
            for k in steps
        ]
        for name, steps in zip(names, stops, strict=True)
    )
    return sheet(images, rows=down, columns=[wrapped(heading) for heading in across])


@torch.no_grad()
def crossings(
    subject: Subject, batch: Batch, name: str, steps: int
) -> tuple[Tensor, Tensor, list[int]]:
    """One image on the straight way from its own class to each other class of a label.

    Args:
        subject: whose pair it is. batch: one image, whose labels are not looked at: its own class
            is the one that the guide believes.
        name: the label. steps: from class to class.

    Returns:
        images ``(K − 1, S, C, H, W)``; the guide's belief ``(K − 1, S)`` in the class that each row
        goes to, on seeing them; and these classes' codes.
    """
    space, latents = subject.space, subject.encode(batch)
    block, means = find_block(space, name), class_means(subject.model, space, name)
    own = int(subject.classify(batch.x)[0, space.index(name)])
    targets = [k for k in range(len(means)) if k != own]
    images, belief = [], []
    for k in targets:
        points = way(subject.model, batch, latents, block, (means[own], means[k])).even(steps)
        images.append(decode_at(subject.model, batch, latents, block, points)[0])
        belief.append(subject.beliefs(images[-1])[name][:, k])
    return torch.stack(images), torch.stack(belief), targets


def draw_crossings(subject: Subject, batch: Batch, name: str, steps: int) -> bytes:
    """The rows of :func:`crossings` with the beliefs below, as PNG."""
    space = subject.space
    images, belief, targets = crossings(subject, batch, name, steps)
    classes = space.labels[space.index(name)].classes
    return sheet(
        images,
        rows=[f"→ {classes[k]}" for k in targets],
        notes=[[f"{q:.2f}" for q in row] for row in belief.tolist()],
    )


@torch.no_grad()
def motion(subject: Subject, batch: Batch, names: Sequence[str]) -> tuple[bytes, bytes]:
    """Every named label walking through its classes and back, a label a column.

    Args:
        subject: whose pair it is. batch: the images to start from, labels not looked at.
        names: the labels that walk, all at the same time.

    Returns:
        the last step as PNG, and all of them as WebP, forth and back without end.
    """
    space, latents = subject.space, subject.encode(batch)
    walks = [walk(subject, batch, name, FRAMES - 1) for name in names]
    ways = [
        decode_at(subject.model, batch, latents, find_block(space, name), each.points)
        for name, each in zip(names, walks, strict=True)
    ]
    frames = []
    for frame in range(FRAMES):
        steps = [round(frame / (FRAMES - 1) * (images.shape[1] - 1)) for images in ways]
        images = [images[:, step] for images, step in zip(ways, steps, strict=True)]
        nearest = [
            space.labels[space.index(name)].classes[each.nearest(step)]
            for name, each, step in zip(names, walks, steps, strict=True)
        ]
        blank = [[""] * (len(names) + 1)] * (len(batch.x) - 1)
        frames.append(
            table(
                to_rgb(torch.stack([batch.x, *images], 1)),
                columns=["input", *map(wrapped, names)],
                notes=[*blank, ["", *nearest]],
                breaks=(1,),
            )
        )
    return png(frames[-1]), looped(frames)
