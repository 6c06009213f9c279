"""Rendered faces: a data set of colour cartoons with nine labels, four domains and ground truth.

Nothing is downloaded. A face is a row of uniform random numbers (:class:`Scenes` ``.draws``), its
labels and its domain; drawing the same numbers with one label changed gives a counterfactual pair:
the same face otherwise. Canvases know where each label is visible, so how local an intervention of
a model is can be compared with how local it ought to be.

Row i of a seed is the same whatever the number of rows, the chunk it is rendered in and whether it
came from the cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..files import cache_folder, replacing
from .cartoon import draw
from .dataset import Dataset
from .frequencies import FACES as FACES
from .frequencies import Frequencies
from .person import DRAWS, Person
from .symmetries import Symmetries

VERSION = 1
"""Of the drawing; raise it with any change to the pixels, so that no cache outlives it."""

CHUNK = 32
"""Faces drawn at once: few enough for a chunk to stay in a core's cache."""

DOMAINS = ("daylight", "studio", "evening", "garden")
"""The conditions of a picture: its background, light, zoom and gain."""


@dataclass(frozen=True)
class Scenes:
    """What some faces are drawn from.

    Attributes:
        draws: uniform random numbers ``(N, len(DRAWS))``, independent of the labels.
        labels: codes ``(N, 9)``, laid out as :data:`FACES` says.
        domains: codes ``(N,)`` into :data:`DOMAINS`.
    """

    draws: Tensor
    labels: Tensor
    domains: Tensor

    def __len__(self) -> int:
        return len(self.draws)

    def __getitem__(self, rows: Tensor | slice) -> Scenes:
        """The scenes at these rows."""
        return Scenes(self.draws[rows], self.labels[rows], self.domains[rows])

    def set(self, name: str, value: int | Tensor) -> Scenes:
        """The same scenes with one label set to a code, or to codes ``(N,)``.

        Raises:
            ValueError: for an unknown label or a code that it does not have.
        """
        labels = self.labels.clone()
        labels[:, FACES.index(name)] = torch.as_tensor(value).to(labels)
        FACES.check(labels)
        return replace(self, labels=labels)

    @property
    def possible(self) -> Tensor:
        """Whether each scene can be drawn as labelled, ``(N,)``: nobody is bald under bangs."""
        bald = self.labels[:, FACES.index("Hair")] == 0
        return ~(bald & (self.labels[:, FACES.index("Bangs")] == 1))


def scenes(size: int, *, seed: int = 0, frequencies: Frequencies | None = None) -> Scenes:
    """The scenes of the first ``size`` rows of :func:`faces` with this seed."""
    generator = torch.Generator().manual_seed(seed)
    # One row of the table is one face, drawn in order: more rows leave the first ones as they are.
    table = torch.rand(size, len(DRAWS) + len(FACES) + 1, generator=generator)
    draws, uniform, domain = table.split((len(DRAWS), len(FACES), 1), -1)
    labels = (frequencies or Frequencies()).sample(uniform)
    return Scenes(draws, labels, (domain[:, 0] * len(DOMAINS)).long())


def render(some: Scenes, *, pixels: int = 64) -> Tensor:
    """Images ``(N, 3, pixels, pixels)`` of unsigned bytes."""
    images = torch.empty(len(some), 3, pixels, pixels, dtype=torch.uint8)
    for rows, canvas_image, _ in _drawn(some, pixels, ()):
        images[rows] = canvas_image
    return images


def render_masked(some: Scenes, *, pixels: int = 64) -> tuple[Tensor, dict[str, Tensor]]:
    """Images as :func:`render` gives them, and where each label is visible.

    Returns:
        the images, and for every label ``(N, pixels, pixels)`` floats in [0, 1]: the share of each
        pixel that shows it. Smiling: the mouth. Arched_Eyebrows: the brows. Pale_Skin: the skin.
        Young: rosy cheeks, or furrows, bags and folds. Hair: all that has the hair's colour, bangs
        and beard included. Eyeglasses, Wearing_Necktie, Bangs, No_Beard: what is worn or grown,
        empty where there is none.
    """
    images, masks = [], []
    for _, image, mask in _drawn(some, pixels, FACES.names):
        images.append(image)
        masks.append(mask)
    return torch.cat(images), {k: torch.cat([mask[k] for mask in masks]) for k in FACES.names}


def _drawn(
    some: Scenes, pixels: int, tags: tuple[str, ...]
) -> Iterator[tuple[slice, Tensor, dict[str, Tensor]]]:
    """Draw the scenes chunk by chunk: the rows, their images and their masks."""
    for start in range(0, len(some), CHUNK):
        rows = slice(start, start + CHUNK)
        part = some[rows]
        person = Person(
            dict(zip(DRAWS, part.draws.T.contiguous(), strict=True)),
            dict(zip(FACES.names, part.labels.T.contiguous(), strict=True)),
        )
        canvas = draw(person, part.domains, pixels, tags)
        yield rows, canvas.image.mul_(255).add_(0.5).to(torch.uint8), canvas.masks


class Counterfactual(NamedTuple):
    """Faces before and after one label was changed.

    Attributes:
        before: images ``(N, 3, H, W)``, unsigned bytes. after: the same faces with the new label.
        masks_before: by label ``(N, H, W)``, see :func:`render_masked`. masks_after: likewise.
        valid: ``(N,)``, False where the new labels contradict each other (bangs on a bald head).
    """

    before: Tensor
    after: Tensor
    masks_before: dict[str, Tensor]
    masks_after: dict[str, Tensor]
    valid: Tensor

    def region(self, name: str) -> Tensor:
        """Where a label shows before or after, ``(N, H, W)``: where the change ought to be."""
        return torch.maximum(self.masks_before[name], self.masks_after[name])


def counterfactual(
    some: Scenes, name: str, value: int | Tensor, *, pixels: int = 64
) -> Counterfactual:
    """The same faces before and after a label is set; nothing else about them changes.

    Args:
        some: the faces; ``scenes(size, seed=seed)[rows]`` are rows of the data set.
        name: the label to set.
        value: its code, or codes ``(N,)``. Where a face has it already, nothing changes.
        pixels: along each side of the images.

    Raises:
        ValueError: for an unknown label or a code that it does not have.
    """
    changed = some.set(name, value)
    before, masks_before = render_masked(some, pixels=pixels)
    after, masks_after = render_masked(changed, pixels=pixels)
    return Counterfactual(before, after, masks_before, masks_after, changed.possible)


def faces(
    size: int = 12_000,
    *,
    seed: int = 0,
    cache: Path | None = None,
    pixels: int = 64,
    frequencies: Frequencies | None = None,
) -> Dataset:
    """Rendered faces; the first five sixths of the rows are for training, the rest for testing.

    Args:
        size: number of faces.
        seed: of everything random.
        cache: folder that keeps the rendered images. By default the one that the environment
            variable ``CCVAE_CACHE`` names, else the user's own for caches. A file that cannot be
            read is rendered again, and a folder that cannot be written to does no harm.
        pixels: along each side of the images.
        frequencies: of the labels.

    Returns:
        images ``(size, 3, pixels, pixels)`` of bytes, labels as :data:`FACES` says without gaps,
        and domains.
    """
    frequencies = frequencies or Frequencies()
    some = scenes(size, seed=seed, frequencies=frequencies)
    mix = hashlib.sha256(repr(frequencies).encode()).hexdigest()[:8]
    path = (cache or cache_folder()) / f"faces-v{VERSION}-{size}-{seed}-{pixels}-{mix}.npz"
    images = _load(path, (size, 3, pixels, pixels))
    if images is None:
        images = render(some, pixels=pixels)
        _save(path, images)
    train, test = torch.arange(size).tensor_split([size * 5 // 6])
    return Dataset(
        "faces",
        images,
        some.labels,
        some.domains,
        FACES,
        train,
        test,
        symmetries=Symmetries(mirrored=True),
    )


def _load(path: Path, shape: tuple[int, ...]) -> Tensor | None:
    """The images that a file holds, or None unless it holds such images undamaged."""
    try:
        # Opened here, since np.load leaves a broken archive's file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            images = archive["images"]
    except Exception:  # zipfile and numpy raise whatever a broken file drives them to
        return None
    return torch.from_numpy(images) if images.shape == shape and images.dtype == np.uint8 else None


def _save(path: Path, images: Tensor) -> None:
    """Keep the images, or give up where that is forbidden."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part, part.open("wb") as file:
            np.savez(file, images=images.numpy())
