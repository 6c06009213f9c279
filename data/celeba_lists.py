"""CelebA's two lists, as text or as CSV: the attributes of each image, and its official part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

PARTS = ("train", "valid", "test")


def read_attributes(path: Path) -> tuple[list[str], list[str], Tensor]:
    """The attribute list.

    Returns:
        the images' names, the attributes' names, and ``(N, 40)`` booleans.

    Raises:
        ValueError: naming the first line that is not as published.
    """
    lines, comma = _lines(path)
    counted = bool(lines) and lines[0].strip().isdecimal()
    start = 1 if counted else 0
    header = _split(lines[start], comma=comma) if len(lines) > start else []
    first = _split(lines[start + 1], comma=comma) if len(lines) > start + 1 else []
    if comma or len(header) == len(first):
        header = header[1:]  # a name for the names
    if not header or not (counted or comma or len(header) > 1):
        raise ValueError(
            f"{path}: expected the number of images in line 1 and the attributes' names in line 2, "
            f"got {' / '.join(lines[:2])[:60]!r}; use the file as CelebA publishes it"
        )
    names, rows = [], []
    for number, line in enumerate(lines[start + 1 :], start + 2):
        name, _, rest = (line.replace(",", " ") if comma else line).strip().partition(" ")
        signs = _signs(rest)
        if len(signs) != len(header) or "/" in name:
            raise ValueError(
                f"{path}, line {number}: expected a name and {len(header)} times 1 or -1, got "
                f"{line[:60]!r}; use the file as CelebA publishes it"
            )
        names.append(name)
        rows.append(signs)
    if len(set(names)) != len(names) or (counted and len(names) != int(lines[0])):
        stated = f"{lines[0].strip()} different images as its first line says" if counted else ""
        raise ValueError(
            f"{path}: expected {stated or 'different images'}, got {len(set(names))} in "
            f"{len(names)} lines; use the file as CelebA publishes it"
        )
    flags = np.frombuffer("".join(rows).encode(), np.uint8).reshape(-1, len(header))
    return names, header, torch.from_numpy(flags == ord("1"))


def _signs(words: str) -> str:
    """A list of 1 and -1 as the digits 1 and 0, ``""`` for any other list."""
    ones = words.replace("-1", "1")
    # A few passes over the line in C; to split it into 40 words takes three times as long.
    if ones.strip("1 ") or "11" in ones:
        return ""
    return words.replace("-1", "0").replace(" ", "")


def _lines(path: Path) -> tuple[list[str], bool]:
    """The lines of a list, and whether commas separate their words."""
    text = path.read_text(encoding="ascii", errors="replace")
    lines = text.removeprefix("\ufffd\ufffd\ufffd").splitlines()
    return lines, path.suffix.casefold() == ".csv"


def _split(line: str, *, comma: bool) -> list[str]:
    return [word.strip().strip('"') for word in line.split(",")] if comma else line.split()


def read_partition(path: Path, names: Sequence[str]) -> Tensor:
    """The official part of each image, ``(N,)`` codes into :data:`PARTS`.

    Raises:
        ValueError: for a line that is not as published, or an image without a part.
    """
    parts: dict[str, int] = {}
    lines, comma = _lines(path)
    for number, line in enumerate(lines, 1):
        words = _split(line, comma=comma)
        if comma and number == 1 and not words[-1].isdecimal():
            continue
        if len(words) != 2 or words[1] not in ("0", "1", "2"):
            raise ValueError(
                f"{path}, line {number}: expected a name and 0, 1 or 2, got {line[:60]!r}; use the "
                "file as CelebA publishes it"
            )
        parts[words[0]] = int(words[1])
    without = next((name for name in names if name not in parts), None)
    if without is not None:
        raise ValueError(f"{path}: expected a line for {without}, got none; use the whole file")
    return torch.tensor([parts[name] for name in names])
