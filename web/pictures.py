"""Pictures that somebody sends, made as large as those of a run."""

from __future__ import annotations

import io

import torch
from PIL import Image
from torch import Tensor

from ..data.decode import FORMATS, Decoding, decode_file, strict_pillow
from ..networks import Shape

PIXELS = 24_000_000
"""Of a picture: more are not decoded."""

WHOLE_PICTURE = 10**9
"""The side of a square that no picture exceeds: cut from the middle, it is as large as can be."""


def fitted(content: bytes, shape: Shape) -> tuple[Tensor, str]:
    """The middle of an image file in a run's size, ``(3, H, W)``, and what was unusual.

    Raises:
        ValueError: for what is no image that can be used.
    """
    _, height, width = shape
    size = max(height, width)
    with strict_pillow():
        check_pixels(content)
        pixels, remark = decode_file(io.BytesIO(content), Decoding(size, WHOLE_PICTURE))
    top, left = (size - height) // 2, (size - width) // 2
    middle = pixels[:, top : top + height, left : left + width]
    return torch.from_numpy(middle.copy()).float() / 255, remark


def check_pixels(content: bytes) -> None:
    """Raise for a picture of more pixels than are decoded; what is none is left to the decoder.

    Raises:
        ValueError: with the limit.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            count = picture.size[0] * picture.size[1]
    except Exception:  # the decoder says what is wrong with it
        return
    if count > PIXELS:
        raise ValueError(f"it has more than {PIXELS // 10**6} million pixels")
