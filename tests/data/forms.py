"""What forms of tables are written with, and where they are kept by their names.

Each form is named after where it is found, and written small. Image i of a form is :func:`shade` i,
so that it is seen whether images and labels belong together.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ccvae.data import Dataset, Label, Real

NO = None
"""A missing entry."""

COUNT = 12
"""Images of a form."""


class Form(NamedTuple):
    """What is read, with which options, and what comes of it.

    Attributes:
        folder: of the images. options: of :func:`images`.
        labels: for each label what it is, and its codes (for a number: in its own units).
        notes: parts of what is said to have been understood. problems: parts of what is listed.
        test: the test rows, where the form splits the images.
    """

    folder: Path
    options: dict[str, Any]
    labels: dict[str, tuple[Label | type[Real], Sequence[float | None]]]
    notes: Sequence[str] = ()
    problems: Sequence[str] = ()
    test: Sequence[int] | None = None


def shade(i: int) -> Image.Image:
    """An image of one colour that no other has."""
    return Image.new("RGB", (8, 8), (20 * i % 256, 7 * i % 256, 100))


def shades(folder: Path, names: Sequence[str]) -> Path:
    for i, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shade(i).save(path, "PNG")
    return folder


def plain_names(ending: str = ".png", width: int = 1) -> list[str]:
    return [f"{i:0{width}}{ending}" for i in range(COUNT)]


def write(path: Path, head: str, rows: Sequence[str], end: str = "\n", encoding="utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(end.join([head, *rows, ""]).encode(encoding))
    return path


def cycle(*values: Any) -> list[Any]:
    return [values[i % len(values)] for i in range(COUNT)]


READ: dict[str, Callable[[Path], Form]] = {}
REFUSED: dict[str, tuple[Callable[[Path], tuple[Path, dict[str, Any]]], str]] = {}


def read_right(form: Callable[[Path], Form]) -> None:
    READ[form.__name__] = form


def refused(words: str) -> Callable:
    def keep(form: Callable[[Path], tuple[Path, dict[str, Any]]]) -> None:
        REFUSED[form.__name__] = form, words

    return keep


def stacked() -> np.ndarray:
    return np.stack([np.asarray(shade(i)) for i in range(COUNT)])


def rows_of(data: Dataset) -> list[int]:
    """Which image each row shows."""
    colours = {tuple(shade(i).getpixel((0, 0))): i for i in range(COUNT)}
    return [colours[tuple(image[:, 0, 0].tolist())] for image in data.images]
