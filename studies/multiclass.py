"""Multi-class: how labels of more than two classes fare beside the binary ones.

The poster's second experiment put hair colour into one label of five classes, and found that it was
neither clustered nor local. Here are, for every such label of a run, the classes that the guide
takes for one another, how they cluster in the label's block, and what an independent judge sees
where the label is moved to each class. What another way to treat the label would have given takes
other trainings: ``ccvae table multiclass``.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor

from ..data import Batch, Label
from .drawing.charts import matrix
from .drawing.section import Picture, Section, stem
from .drawing.sheets import sheet, wrapped
from .embedding import LIMIT, show
from .reading.blocks import at_classes, class_means
from .reading.examples import spread
from .reading.latents import Draws, draws, silhouette
from .reading.subject import Subject

MEASURED, SHOWN = 512, 4
"""Test images whose label is moved, and that are shown."""


@dataclass(frozen=True)
class Multiclass:
    """What was found of one label.

    Attributes:
        accuracy: of the guide; by_judge: of the judge, a plain classifier; majority: of always
            naming the commonest class of these images.
        confusion: for each annotated class the shares of the believed ones, ``(K, K)``; NaN where
            no image is annotated so.
        silhouette: of the classes in the label's block; style: in z_style.
        obeyed: for each class, of images moved to it the share in which the judge sees it.
        expected: for each class, of reconstructions of images of the class.
    """

    accuracy: float
    by_judge: float
    majority: float
    confusion: list[list[float]]
    silhouette: float
    style: float
    obeyed: list[float]
    expected: list[float]


def shares(truth: Tensor, seen: Tensor, classes: int) -> Tensor:
    """Of the rows of each true class the shares of the seen ones, ``(K, K)``.

    Args:
        truth, seen: class codes ``(N,)``, the first NaN where unknown. classes: K.
    """
    table = [(seen[truth == k][:, None] == torch.arange(classes)).float() for k in range(classes)]
    return torch.stack([rows.mean(0) for rows in table])


@torch.no_grad()
def measure(subject: Subject, found: Draws) -> dict[str, Multiclass]:
    """What there is to find of every label of more than two classes, by name.

    Args:
        subject: with a judge. found: draws of its rows.
    """
    space, rows = subject.space, subject.rows
    guessed, judged = (
        torch.cat([name_classes(b.x).cpu() for b in rows.batches(500, device=subject.device)])
        for name_classes in (subject.classify, subject.judged)
    )
    batch = subject.some(MEASURED)
    latents = subject.encode(batch)
    again = subject.judged(subject.decode(latents, batch)).cpu()
    table = {}
    for column, label in enumerate(space):
        classes = len(label.classes)
        truth, known = rows.labels[:, column], ~rows.labels[:, column].isnan()
        if classes < 3 or not known.any():
            continue
        code, own = truth[known], batch.y[:, column].cpu()
        moved = at_classes(subject, latents, batch, label.name)
        seen = torch.stack([subject.judged(x)[:, column].cpu() for x in moved.unbind(1)])
        table[label.name] = Multiclass(
            (guessed[known, column] == code).float().mean().item(),
            (judged[known, column] == code).float().mean().item(),
            code.long().bincount().max().item() / len(code),
            shares(truth, guessed[:, column], classes).tolist(),
            silhouette(found.blocks[label.name], truth),
            silhouette(found.style, truth),
            [(seen[k][own != k] == k).float().mean().item() for k in range(classes)],
            shares(own, again[:, column], classes).diagonal().tolist(),
        )
    return table


def study(subject: Subject) -> Section | None:
    """Confusion, clusters and interventions of every label of more than two classes.

    Returns:
        None where there is no such label.
    """
    space, choice = subject.space, subject.choice
    names = choice.names(space)
    batch = subject.batch(choice.rows(subject.rows, SHOWN))
    rows = spread(subject.rows, LIMIT)
    looked_at = replace(subject, rows=rows)
    drawn = draws(looked_at)
    table = measure(looked_at, drawn)
    found = {name: result for name, result in table.items() if name in names}
    if not found:
        return None
    pictures = []
    for name, result in found.items():
        label, codes = space.labels[space.index(name)], rows.labels[:, space.index(name)]
        known = ~codes.isnan()
        means = class_means(subject.model, space, name).cpu()
        clusters = show(label, drawn.blocks[name][known], codes[known], means)
        pictures += [
            Picture(
                name,
                believed(label, result),
                alt=f"Matrix of the classes of {name}, annotated against believed",
                caption=CONFUSED,
                title=f"{name}: which class is taken for which",
                span="half",
            ),
            Picture(
                name,
                clusters,
                alt=f"The classes of {name} in the first two components of its block",
                caption=f"Silhouette {result.silhouette:.2f}, in z_style {result.style:.2f}; "
                "crosses are the class means.".replace("-", "−"),
                title=f"{name}: its block",
                span="half",
            ),
            Picture(
                name,
                moves(subject, batch, label),
                alt=f"Test images with {name} moved to each of its classes",
                caption=describe_moves(label, result),
                title=f"{name}: moved to every class",
            ),
        ]
    named = [
        replace(picture, name=stem("multiclass", number, picture.name))
        for number, picture in enumerate(pictures, 1)
    ]
    text = (EXPLANATION, *(describe(name, result) for name, result in found.items()))
    figures = {name: asdict(result) for name, result in found.items()}
    return Section("multiclass", "Labels of more than two classes", text, tuple(named), figures)


def moves(subject: Subject, batch: Batch, label: Label) -> bytes:
    """Images, their reconstructions, and these with a label at each of its class means, as PNG."""
    latents = subject.encode(batch)
    again = subject.decode(latents, batch)
    moved = at_classes(subject, latents, batch, label.name)
    return sheet(
        torch.cat([torch.stack([batch.x, again], 1), moved], 1),
        columns=["input", "recon-\nstruction", *map(wrapped, label.classes)],
        breaks=(1, 2),
    )


def believed(label: Label, found: Multiclass) -> bytes:
    """The guide's confusion of a label's classes, as PNG."""
    table = torch.tensor(found.confusion).nan_to_num().tolist()
    return matrix(
        table, rows=label.classes, columns=label.classes, across="believed", down="annotated"
    )


EXPLANATION = (
    "The poster's second experiment put hair colour into one label of five classes, on one "
    "dimension and with all class means at 0, and found it no better than five binary labels. "
    "Here a label of K classes has K − 1 dimensions, and its class means start apart. What other "
    "choices would have given is trained by ccvae table multiclass."
)

CONFUSED = (
    "Of the images of the row's class, the share that the guide takes for the column's; each row "
    "is shaded relative to its largest entry."
)


def describe(name: str, found: Multiclass) -> str:
    """A label's figures in words."""
    return (
        f"{name}: accuracy {found.accuracy:.1%}, where the judge has {found.by_judge:.1%} and the "
        f"commonest class {found.majority:.1%}. Its silhouette is {found.silhouette:.2f} in its "
        f"block and {found.style:.2f} in z_style. "
    ).replace("-", "−") + (
        f"Moved to another class, the judge sees that class in {_mean(found.obeyed):.0%} of the "
        f"images (mean over classes; in reconstructions of true ones {_mean(found.expected):.0%})."
    )


def describe_moves(label: Label, found: Multiclass) -> str:
    """How often the judge sees each class where the label is moved to it."""
    parts = [
        f"{value} {share:.0%}"
        for value, share in zip(label.classes, found.obeyed, strict=True)
        if not math.isnan(share)
    ]
    return f"In images of other classes the judge then sees the class: {', '.join(parts)}."


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
