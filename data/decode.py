"""One image file to one small colour image of bytes, whatever the file holds.

A photograph is cut (if asked), resized to a square by Pillow's antialiased bilinear filter, as
torchvision's ``Resize`` does to the authors' images, and laid out as ``(3, size, size)``. What is
not plain colour becomes so: grey is repeated, CMYK converted, a palette looked up, transparency
laid on white, 16 bits cut to 8, and an animation is its first frame. The camera's orientation is
applied.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from warnings import catch_warnings, simplefilter

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")
"""What is opened. Pillow knows more formats, some of which start other programs."""

DRAFT = 4
"""A JPEG more than so many times larger than asked for is decoded at a fraction of its size."""


@dataclass(frozen=True)
class Decoding:
    """How a file becomes an image.

    Attributes:
        size: pixels along each side of the result.
        crop: pixels along each side of the square that is cut from the file's middle first (at most
            its shorter side); 0 keeps all of it and changes its proportions.

    Raises:
        ValueError: for a number out of its range.
    """

    size: int = 64
    crop: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.size <= 1024:
            raise ValueError(f"expected an image size from 1 to 1024 pixels, got {self.size}")
        if self.crop < 0:
            raise ValueError(f"expected a crop of 0 (none) or more pixels, got {self.crop}")


class UnusableImageError(ValueError):
    """A file that gives no image; the message is the reason."""


@contextmanager
def strict_pillow() -> Iterator[None]:
    """Let Pillow refuse decompression bombs, and say nothing else on standard error.

    Filters of warnings belong to the process: enter this before the threads that decode.
    """
    Image.init()
    with catch_warnings():
        simplefilter("ignore")
        simplefilter("error", Image.DecompressionBombWarning)
        yield


def decode(path: Path, decoding: Decoding) -> tuple[np.ndarray, str]:
    """The image of a file; call it within :func:`strict_pillow`.

    Args:
        path: a file in one of :data:`FORMATS`.
        decoding: the size wanted.

    Returns:
        bytes ``(3, size, size)``, and what had to be done to get colour (``""`` for nothing).

    Raises:
        UnusableImageError: with the reason, for a file that is empty, damaged, too large or no
            image.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise UnusableImageError("not a file")
        with path.open("rb") as file:
            return decode_file(file, decoding)
    except UnusableImageError:
        raise
    except FileNotFoundError as error:
        raise UnusableImageError("no such file") from error
    except PermissionError as error:
        raise UnusableImageError("no permission to read it") from error
    except (OSError, ValueError) as error:  # a name that no file can have, or a failing disk
        raise UnusableImageError(f"damaged ({error})") from error


def decode_file(file: IO[bytes], decoding: Decoding) -> tuple[np.ndarray, str]:
    """The image of an open file; see :func:`decode`."""
    try:
        if not file.read(1):
            raise UnusableImageError("an empty file")
        file.seek(0)
        with Image.open(file, formats=FORMATS) as image:
            return _convert(image, decoding)
    except UnusableImageError:
        raise
    except UnidentifiedImageError as error:
        raise UnusableImageError("not an image, or damaged at its start") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableImageError(
            f"more than {Image.MAX_IMAGE_PIXELS} pixels, perhaps a decompression bomb"
        ) from error
    except Exception as error:  # Pillow's decoders raise whatever a broken file drives them to
        raise UnusableImageError(f"damaged ({error or type(error).__name__})") from error


def _convert(image: Image.Image, decoding: Decoding) -> tuple[np.ndarray, str]:
    converted = _oddity(image)
    if not decoding.crop:
        image.draft(None, (DRAFT * decoding.size, DRAFT * decoding.size))
    upright = _colour(ImageOps.exif_transpose(image))
    if decoding.crop:
        upright = _middle(upright, decoding.crop)
    small = upright.resize((decoding.size, decoding.size), Image.Resampling.BILINEAR)
    return np.asarray(small).transpose(2, 0, 1), converted


def _oddity(image: Image.Image) -> str:
    """What is unusual about a file, and what is done about it."""
    if getattr(image, "is_animated", False) and image.format != "MPO":
        return "animated, the first frame is used"
    if image.has_transparency_data:
        return "transparent, laid on white"
    if image.mode == "P":
        return "in a palette's colours, converted"
    if image.mode.startswith(("1", "L", "I", "F")):
        return "grey, converted to colour"
    return "" if image.mode == "RGB" else f"of mode {image.mode}, converted to colour"


def _colour(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Pillow would cut 16 bits off at 255 instead of scaling them.
        grey = np.asarray(image).astype(np.int64) >> 8
        image = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")


def _middle(image: Image.Image, side: int) -> Image.Image:
    """The square in the middle, placed as torchvision's ``CenterCrop`` places it."""
    side = min(side, *image.size)
    left, top = (round((length - side) / 2) for length in image.size)
    return image.crop((left, top, left + side, top + side))
