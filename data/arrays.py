"""Images that are one array in a ``.npy`` or ``.npz`` file, and the labels beside them.

An archive may have several parts under names such as ``train_images`` and ``test_labels``, as
MedMNIST's do, and keeps labels of one number for each image, or several. A table has a row for each
image, in their order. Grey images stay grey; floats from 0 to 1 become bytes.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .naming import PARTS
from .table import Table

ENDINGS = (".npy", ".npz")

_IMAGES = ("images", "image", "imgs", "x", "data", "pixels", "arr_0")
_NAME = re.compile(
    r"(?:(train|training|val|valid|validation|test|x|y)_)?(.+?)(?:_(train|val|valid|test))?"
)


class Arrays(NamedTuple):
    """The images of a file, and the table that its other arrays make, if there are any."""

    images: np.ndarray
    table: Table | None


def read_arrays(path: Path) -> Arrays:
    """The images ``(N, C, H, W)`` of a file as bytes, and its labels.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it holds no images, or is damaged.
    """
    named = _load(path)
    parts: dict[str, dict[str, np.ndarray]] = {}
    for name, array in named.items():
        part, field = _split(name)
        parts.setdefault(part, {})[field] = array
    images, words, splits = [], [], []
    for part, arrays in parts.items():
        pictures = _pictures(arrays)
        if pictures is None:
            continue
        key, array = pictures
        images.append(_as_bytes(path, array))
        others = {name: value for name, value in arrays.items() if name != key}
        words.append(_words(others, len(array)))
        splits += [PARTS.get(part, "")] * len(array)
    if not images:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in named.items())
        raise ValueError(
            f"{path}: expected an array of images (N, H, W), (N, H, W, C) or (N, C, H, W), got "
            f"{shapes or 'nothing'}; save one as images"
        )
    if len({array.shape[1:] for array in images}) > 1:
        raise ValueError(f"{path}: expected parts of one shape; resize their images first")
    columns = {name: [w for each in words for w in each[name]] for name in words[0]}
    if len(parts) > 1 and all(splits):
        columns["split"] = splits
    return Arrays(np.concatenate(images), _table(columns) if words[0] else None)


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            if isinstance(found, np.ndarray):
                return {"images": found}
            return {name: found[name] for name in found.files}
    except OSError as error:
        raise FileNotFoundError(
            f"cannot read the images {path}: {error.strerror or error}; give images:FILE.npz"
        ) from error
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path}: expected plain arrays as numpy.savez writes them ({error}); save them anew, "
            "without objects"
        ) from error


def _split(name: str) -> tuple[str, str]:
    """The part that an array belongs to, and what it is.

    >>> _split("train_images"), _split("x_test"), _split("labels")
    (('train', 'images'), ('test', 'x'), ('', 'labels'))
    """
    match = _NAME.fullmatch(name)
    before, field, after = match.groups() if match else (None, name, None)
    if before in ("x", "y"):  # Keras writes x_train
        return (PARTS.get(field, ""), before) if field in PARTS else ("", name)
    if field in ("x", "y") and after:
        return PARTS.get(after, ""), field
    return PARTS.get(before or after or "", ""), field


def _pictures(arrays: dict[str, np.ndarray]) -> tuple[str, np.ndarray] | None:
    """The array that holds images, and its name; those with a usual name are tried first."""
    order = sorted(arrays, key=lambda n: _IMAGES.index(n) if n in _IMAGES else len(_IMAGES))
    return next(((name, arrays[name]) for name in order if arrays[name].ndim in (3, 4)), None)


def _as_bytes(path: Path, array: np.ndarray) -> np.ndarray:
    """Images ``(N, C, H, W)`` of bytes, C being 1 or 3."""
    if array.ndim == 3:
        array = array[:, None]
    elif array.shape[-1] in (1, 3, 4) and array.shape[1] not in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    if array.shape[1] not in (1, 3, 4) or not len(array):
        raise ValueError(
            f"{path}: expected images of 1 or 3 colours, got an array {array.shape}; save them as "
            "(N, H, W), (N, H, W, C) or (N, C, H, W)"
        )
    array = array[:, :3]
    if array.dtype == np.uint8:
        return array
    low, high = float(array.min()), float(array.max())
    if not (array.dtype.kind in "fiub" and low >= 0 and high <= 255):
        raise ValueError(
            f"{path}: expected pixels from 0 to 255, or floats from 0 to 1, got {array.dtype} from "
            f"{low:g} to {high:g}; rescale them"
        )
    scale = 255 if array.dtype.kind in "fb" and high <= 1 else 1
    return (array.astype(np.float32) * scale).round().astype(np.uint8)


def _words(arrays: dict[str, np.ndarray], count: int) -> dict[str, list[str]]:
    """What is known of each image, as the words of a table."""
    columns: dict[str, list[str]] = {}
    for name, array in arrays.items():
        if array.shape[:1] != (count,) or array.ndim > 2 or array.dtype.kind not in "biufUS":
            continue
        each = array.reshape(count, -1)
        for column in range(each.shape[1]):
            title = name if each.shape[1] == 1 else f"{name}_{column}"
            columns[title] = [_word(value) for value in each[:, column].tolist()]
    return columns


def _word(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value != value else str(value)


def _table(columns: dict[str, list[str]]) -> Table:
    count = len(next(iter(columns.values())))
    return Table(columns, list(range(1, count + 1)), [])


def resized(images: np.ndarray, side: int) -> Tensor:
    """Images ``(N, C, H, W)`` as squares of a side, by the filter of :mod:`.decode`."""
    if images.shape[2:] == (side, side):
        return torch.from_numpy(np.ascontiguousarray(images))
    found = np.empty((*images.shape[:2], side, side), np.uint8)
    for place, channels in enumerate(images):
        for colour, pixels in enumerate(channels):
            small = Image.fromarray(np.ascontiguousarray(pixels)).resize(
                (side, side), Image.Resampling.BILINEAR
            )
            found[place, colour] = np.asarray(small)
    return torch.from_numpy(found)
