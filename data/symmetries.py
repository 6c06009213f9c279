"""Changes of an image after which all that is said of it still holds, as a data set declares them.

A photograph of a face and its mirror image have the same labels. A digit and its mirror image do
not, and nobody but who made the data knows which it is: so a data set says so itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


class Moves(NamedTuple):
    """What is done to each of some images.

    Attributes:
        mirrored: which are turned left to right, ``(B,)`` booleans.
        shifts: by how many pixels each is moved down and to the right, ``(B, 2)`` integers.
    """

    mirrored: Tensor
    shifts: Tensor

    def part(self, of: slice) -> Moves:
        """What is done to some of them."""
        return Moves(self.mirrored[of], self.shifts[of])

    def apply(self, images: Tensor) -> Tensor:
        """The images ``(B, C, H, W)``, moved; what comes in at an edge repeats the edge.

        Args:
            images: of any type; they stay as they are.
        """
        images = torch.where(self.mirrored[:, None, None, None], images.flip(-1), images)
        if not self.shifts.any():
            return images
        rows, columns = (
            (torch.arange(size) - shift[:, None]).clamp(0, size - 1)
            for size, shift in zip(images.shape[-2:], self.shifts.T, strict=True)
        )
        every = torch.arange(len(images))[:, None, None]
        moved = images.movedim(1, -1)[every, rows[:, :, None], columns[:, None, :]]
        return moved.movedim(-1, 1)


@dataclass(frozen=True)
class Symmetries:
    """Changes that leave the labels of a data set's images as they are.

    Attributes:
        mirrored: left and right may be exchanged.
        shift: pixels by which an image may be moved in either direction along each axis.
    """

    mirrored: bool = False
    shift: int = 0

    def __bool__(self) -> bool:
        return self.mirrored or self.shift > 0

    def draw(self, count: int, seed: int) -> Moves:
        """Moves for so many images, all that are allowed equally likely.

        Args:
            count: of images. seed: of the draw.
        """
        generator = torch.Generator().manual_seed(seed)
        mirrored = torch.rand(count, generator=generator) < 0.5 * self.mirrored
        shifts = torch.randint(-self.shift, self.shift + 1, (count, 2), generator=generator)
        return Moves(mirrored, shifts)


NONE = Symmetries()
"""Nothing may be done to the images."""
