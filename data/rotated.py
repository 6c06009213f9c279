"""Rotated digits: the domains of DIVA (Ilse et al. 2020, section 4.1) from the embedded sample.

100 digits of each class, each turned by six angles. Five angles are the domains of the training
rows; the sixth, left out, is what a trained pair is tested on. As in the paper's code the test
images are the same 1 000 digits at the angle that was left out. That tests invariance to the angle
alone: the shapes have been seen. With ``held_out`` the test digits are 1 000 others.

References:
    [1] M. Ilse, J. M. Tomczak, C. Louizos, M. Welling. DIVA: Domain invariant variational
        autoencoders. MIDL 2020, PMLR 121.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from .dataset import Dataset
from .digits import DIGITS, digits

ANGLES = (0, 15, 30, 45, 60, 75)
"""Degrees by which every digit is turned, counter-clockwise."""

PER_CLASS = 100
"""Digits of each class that are turned."""


def rotated_digits(left_out: int = 0, *, held_out: bool = False) -> Dataset:
    """Digits at six angles, of which one is for testing.

    Args:
        left_out: the angle of the test rows, one of :data:`ANGLES`.
        held_out: test on 1 000 other digits instead of those trained on.

    Returns:
        images ``(6000, 1, 28, 28)`` of bytes, one label ``Digit``. The 5 000 training rows come
        first, angle by angle, with the domains 0 … 4; the test rows follow, their domain missing
        (−1).

    Raises:
        ValueError: for an angle that is not among the six.
    """
    if left_out not in ANGLES:
        raise ValueError(
            f"expected a left-out angle among {', '.join(map(str, ANGLES))}, got {left_out}; "
            "choose one of them"
        )
    sample = digits()
    seen, others = _choose(sample.labels[:, 0])
    test = others if held_out else seen
    train_angles = [angle for angle in ANGLES if angle != left_out]
    parts = [rotate(sample.images[seen], angle) for angle in train_angles]
    parts.append(rotate(sample.images[test], left_out))
    labels = torch.cat([sample.labels[seen]] * len(train_angles) + [sample.labels[test]])
    domains = torch.arange(len(ANGLES)).repeat_interleave(len(seen))
    domains[-len(test) :] = -1
    split = len(train_angles) * len(seen)
    train_rows, test_rows = torch.arange(len(labels)).tensor_split([split])
    name = f"rotated-digits:{left_out}" + (":held-out" if held_out else "")
    return Dataset(name, torch.cat(parts), labels, domains, DIGITS, train_rows, test_rows)


def rotate(images: Tensor, angle: float) -> Tensor:
    """Images of bytes turned counter-clockwise about their centre, bilinearly, with 0 around them.

    Args:
        images: ``(N, C, H, W)`` unsigned bytes.
        angle: in degrees; 0 returns the images as they are.
    """
    if angle == 0:
        return images
    # Where each pixel of the result comes from; rows count downwards, so that the sine's sign is
    # that of a clockwise turn seen from the result.
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    back = torch.tensor([[c, -s, 0.0], [s, c, 0.0]]).expand(len(images), 2, 3)
    grid = affine_grid(back, list(images.shape), align_corners=False)
    turned = grid_sample(images.float(), grid, align_corners=False)
    return turned.round().clamp(0, 255).to(torch.uint8)


def _choose(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Rows ``(1000,)`` of the first hundred digits of each class, and of the second hundred."""
    rows = [(codes == code).nonzero()[: 2 * PER_CLASS, 0] for code in range(10)]
    return (
        torch.cat([row[:PER_CLASS] for row in rows]),
        torch.cat([row[PER_CLASS:] for row in rows]),
    )
