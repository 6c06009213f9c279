"""What a data set is made of: sizes, labels and how they go together, a contact sheet, problems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from .correlations import correlations
from .dataset import Dataset
from .forms import Binary, Categorical, Label, Ordinal, Real

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
        :func:`~ccvae.data.correlations.correlations`. A real label has no classes and no majority
        but ``numbers``, in its own units. ``notes`` says how tables were understood.
    """
    labels, shares, problems = {}, [], list(dataset.problems)
    for column, label in enumerate(dataset.space):
        codes = dataset.labels[:, column]
        counts = [int((codes == k).sum()) for k in range(len(label.classes))]
        annotated = int((~codes.isnan()).sum())
        majority = max(counts) / annotated if annotated and counts else None
        labels[label.name] = {
            "kind": kind_of(label),
            "classes": dict(zip(label.classes, counts, strict=True)),
            "missing": len(codes) - annotated,
            "majority": majority,
        }
        if isinstance(label, Real):
            labels[label.name] |= {"rows": annotated, "numbers": _numbers(label, codes)}
        if majority is not None:
            shares.append(majority)
        problems += poverty(label, codes, codes[dataset.train], codes[dataset.test])
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
        "notes": list(dataset.notes),
        "problems": problems,
    }


def kind_of(label: Label) -> str:
    """A label's kind in a word."""
    match label:
        case Binary():
            return "binary"
        case Categorical():
            return "categorical"
        case Ordinal():
            return "ordinal"
    return "real"


def _numbers(label: Real, codes: Tensor) -> dict[str, float]:
    """Where the numbers of a real label lie, in its own units; empty without any."""
    known = codes[~codes.isnan()]
    if not len(known):
        return {}
    units = label.to_units(known.double())
    middle = {"mean": units.mean(), "sd": units.std(correction=0), "median": units.median()}
    found = middle | {"min": units.min(), "max": units.max()}
    # What standardising to floats has left of a zero is none.
    return {
        name: value.item() if value.abs() > 1e-6 * label.scale else 0.0
        for name, value in found.items()
    }


def poverty(label: Label, codes: Tensor, train: Tensor, test: Tensor) -> list[str]:
    """What is to be said about a label whose classes are not all there.

    Args:
        label: which. codes: of all rows. train: of the rows to train on. test: to evaluate on.
    """
    if codes.isnan().all():
        return [f"{label.name}: no row is annotated"]
    where = _places(label, codes)
    if len(where) == 1:
        return [f"{label.name}: every annotated row has the same class"]
    rows = int((~codes.isnan()).sum())
    if train.isnan().all():
        return [f"{label.name}: no training row is annotated, {rows} others are; nothing is learnt"]
    untested = f"{label.name}: no test row is annotated, so it cannot be evaluated"
    found = [untested] if test.isnan().all() else []
    if isinstance(label, Real):
        return found
    here = _places(label, train)
    nowhere = [name for name in label.classes if name not in where]
    unseen = [f"{name} ({where[name]} other rows have it)" for name in where if name not in here]
    if nowhere:
        found.append(f"{label.name}: no row has the class {', '.join(nowhere)}")
    if unseen:
        found.append(f"{label.name}: no training row has the class {', '.join(unseen)}")
    if len(here) == 1:
        found.append(f"{label.name}: every annotated training row has the class {next(iter(here))}")
    return found


def unshown(dataset: Dataset, shown: Tensor) -> list[str]:
    """Classes that training rows have but none of those that show their labels.

    Args:
        dataset: whose training rows. shown: the labels ``(n, L)`` that a training shows of them.
    """
    found = []
    for column, label in enumerate(dataset.space):
        there = _places(label, dataset.labels[dataset.train, column])
        here = _places(label, shown[:, column])
        hidden = ", ".join(name for name in there if name not in here)
        if hidden:
            found.append(f"{label.name}: no row that shows its labels has the class {hidden}")
    return found


def _places(label: Label, codes: Tensor) -> dict[str, int]:
    """The classes that occur, with their rows."""
    counts = {name: int((codes == code).sum()) for code, name in enumerate(label.classes)}
    return {name: count for name, count in counts.items() if count}


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
    # Some formats are read alone.
    if Image.EXTENSION.get(path.suffix.lower()) not in Image.SAVE:
        raise ValueError(f"expected a picture such as sheet.png, got {path}; name it so")
    _, height, width = dataset.shape
    text, row_height = 190, max(height, 14) + 2
    entries = [
        (f"{label.name}: {name}", rows)
        for column, label in enumerate(dataset.space)
        for name, rows in examples(label, dataset.labels[:, column])
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


def examples(label: Label, codes: Tensor) -> list[tuple[str, Tensor]]:
    """The first rows of each class, or of the fifths of a real label's numbers, by their names."""
    if not isinstance(label, Real):
        found = [(codes == code).nonzero()[:EXAMPLES, 0] for code in range(len(label.classes))]
        return list(zip(label.classes, found, strict=True))
    order = codes.argsort(stable=True)[: int((~codes.isnan()).sum())]
    fifths = [part for part in order.tensor_split(5) if len(part)]
    ends = [label.to_units(codes[part[[0, -1]]].double()).tolist() for part in fifths]
    names = [f"{low:.4g} to {high:.4g}" for low, high in ends]
    return [(name, part.sort().values[:EXAMPLES]) for name, part in zip(names, fifths, strict=True)]
