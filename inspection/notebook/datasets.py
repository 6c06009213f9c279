"""A data set as a notebook shows it: its labels with their classes, and examples of each."""

from __future__ import annotations

import base64
from html import escape

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from ...data.dataset import Dataset
from ...data.summary import examples, kind_of
from .page import shown
from .pictures import encoded, table_html

EXAMPLES = 8
"""Pictures of each class."""

SIDE = 40
"""Pixels of a picture's longer side at most."""

CLASSES = 30
"""Classes that are shown with pictures; more are counted."""


def dataset_page(dataset: Dataset) -> str:
    """A data set for a notebook: a line and pictures a class, and what was wrong with it."""
    found = [
        (label.name if k == 0 else "", kind_of(label) if k == 0 else "", *each)
        for column, label in enumerate(dataset.space)
        for k, each in enumerate(_classes(dataset, column))
    ]
    more = len(found) - CLASSES
    notes = [f"and {more} more classes; ccvae data lists all"] if more > 0 else []
    notes += [f"problem: {problem}" for problem in dataset.problems[:5]]
    headings = ("label", "kind", "class", "rows", "examples")
    return shown(
        f"<h4>{escape(dataset.in_words)}</h4>",
        table_html(headings, found[:CLASSES], raw=4),
        *(f'<p class="note">{escape(note)}</p>' for note in notes),
    )


def _classes(dataset: Dataset, column: int) -> list[tuple[str, str, str]]:
    """Of each class its name, its rows and its pictures."""
    label, codes = dataset.space.labels[column], dataset.labels[:, column]
    counts = [str(int((codes == code).sum())) for code in range(len(label.classes))]
    shown = examples(label, codes)
    counts = counts or [f"{int((~codes.isnan()).sum())} in all"] * len(shown)
    missing = int(codes.isnan().sum())
    found = [
        (name, count, strip(dataset.images[rows[:EXAMPLES]], f"{label.name}: {name}"))
        for (name, rows), count in zip(shown, counts, strict=True)
    ]
    return [*found, ("missing", str(missing), "")] if missing else found


def strip(images: Tensor, alt: str) -> str:
    """Images ``(n, C, H, W)`` of bytes beside each other as one small picture."""
    if not len(images):
        return ""
    height, width = images.shape[-2:]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    small = interpolate(images.float(), size, mode="area") if scale < 1 else images.float()
    row = torch.cat(list(small.round().byte().expand(-1, 3, -1, -1)), -1)
    jpeg = encoded(Image.fromarray(row.permute(1, 2, 0).contiguous().numpy()), "JPEG")
    source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    return f'<img src="{source}" alt="{escape(alt)}" style="display:block;margin:1px 0" />'
