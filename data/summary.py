"""What a data set is made of: sizes, labels and how they go together, a contact sheet, problems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from .dataset import Dataset
from .labels import Binary, Label

EXAMPLES = 10
"""Images of each class on a contact sheet."""


def describe(dataset: Dataset, batch_size: int = 1) -> dict[str, Any]:
    """Sizes, label frequencies and correlations, missing entries, majority class and problems.

    Args:
        dataset: what to describe.
        batch_size: of a training; a data set with fewer training rows is a problem.

    Returns:
        plain data. ``labels`` has for each label its ``kind``, the rows of each of its
        ``classes``, how many are ``missing`` and the ``majority`` class's share; ``majority`` is
        the mean share. ``correlations`` has a number for each pair of labels, see
        :func:`correlations`.
    """
    labels, shares, problems = {}, [], list(dataset.problems)
    for column, label in enumerate(dataset.space):
        codes = dataset.labels[:, column]
        counts = [int((codes == k).sum()) for k in range(len(label.classes))]
        annotated = sum(counts)
        labels[label.name] = {
            "kind": kind_of(label),
            "classes": dict(zip(label.classes, counts, strict=True)),
            "missing": len(codes) - annotated,
            "majority": max(counts) / annotated if annotated else None,
        }
        if annotated:
            shares.append(max(counts) / annotated)
        problems += _poverty(label, counts)
    if len(dataset.train) < batch_size:
        problems.append(
            f"{len(dataset.train)} training rows are fewer than a batch of {batch_size}; give a "
            "smaller --batch-size"
        )
    return {
        "name": dataset.name,
        "images": len(dataset.images),
        "shape": dataset.shape,
        "train": len(dataset.train),
        "test": len(dataset.test),
        "domains": dataset.domain_count,
        "labels": labels,
        "correlations": correlations(dataset),
        "majority": sum(shares) / len(shares) if shares else None,
        "problems": problems,
    }


def kind_of(label: Label) -> str:
    """A label's kind in a word."""
    return "binary" if isinstance(label, Binary) else "categorical"


def _poverty(label: Label, counts: list[int]) -> list[str]:
    """What is to be said about a label whose classes are not all there."""
    if not any(counts):
        return [f"{label.name}: no row is annotated"]
    if max(counts) == sum(counts):
        return [f"{label.name}: every annotated row has the same class"]
    absent = [name for name, count in zip(label.classes, counts, strict=True) if not count]
    return [f"{label.name}: no row has the class {', '.join(absent)}"] if absent else []


def correlations(dataset: Dataset) -> dict[str, dict[str, float | None]]:
    """How much two labels say about each other, from −1 or 0 to 1, over rows that have both.

    For two binary labels this is their correlation (φ), and for others Cramér's V, which has no
    sign: the root of χ² over n · (min(K, K') − 1). None where one of them has a single class.
    """
    space = dataset.space
    codes = [dataset.labels[:, column] for column in range(len(space))]
    # One product counts every pair of classes; a missing entry is in none.
    present = [
        one_hot(code.nan_to_num(len(label.classes)).long(), len(label.classes) + 1)[:, :-1].double()
        for code, label in zip(codes, space, strict=True)
    ]
    result: dict[str, dict[str, float | None]] = {}
    for i, first in enumerate(space):
        pairs = {}
        for j, second in enumerate(space):
            if i < j:
                signed = isinstance(first, Binary) and isinstance(second, Binary)
                pairs[second.name] = _association(present[i].T @ present[j], signed=signed)
        if pairs:
            result[first.name] = pairs
    return result


def _association(table: Tensor, *, signed: bool) -> float | None:
    """Cramér's V of a table of counts, with the sign of its determinant if asked for."""
    rows, columns = table.sum(1) > 0, table.sum(0) > 0
    table = table[rows][:, columns]
    if min(table.shape) < 2:
        return None
    expected = table.sum(1, keepdim=True) * table.sum(0) / table.sum()
    square = ((table - expected) ** 2 / expected).sum() / table.sum() / (min(table.shape) - 1)
    value = min(square.sqrt().item(), 1.0)
    return -value if signed and torch.det(table) < 0 else value


def contact_sheet(dataset: Dataset, path: Path) -> None:
    """Write a picture with the first images of each class, a row for every class of every label.

    Args:
        dataset: what to show.
        path: where to; its ending decides the format.

    Raises:
        ValueError: for an ending of no known format.
    """
    from PIL import Image, ImageDraw

    Image.init()
    if path.suffix.lower() not in Image.EXTENSION:
        raise ValueError(f"expected a picture such as sheet.png, got {path}; name it so")
    _, height, width = dataset.shape
    text, row_height = 190, max(height, 14) + 2
    entries = [
        (f"{label.name}: {name}", (dataset.labels[:, column] == code).nonzero()[:EXAMPLES, 0])
        for column, label in enumerate(dataset.space)
        for code, name in enumerate(label.classes)
    ]
    sheet = Image.new("RGB", (text + EXAMPLES * (width + 2), row_height * len(entries)), "white")
    pen = ImageDraw.Draw(sheet)
    for line, (caption, rows) in enumerate(entries):
        pen.text((4, line * row_height + row_height // 2 - 6), caption[:30], fill="black")
        for place, image in enumerate(dataset.images[rows]):
            pixels = image.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()
            where = (text + place * (width + 2), line * row_height + 1)
            sheet.paste(Image.fromarray(pixels), where)
    sheet.save(path)
