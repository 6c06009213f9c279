"""Intervention: one label's characteristic block is moved to a class's mean, all else is kept.

The block of a label is a slice of a vectorised site, so Pyro's ``condition`` and ``do`` would take
all labels of its kind at once; :func:`moved` changes the one block and leaves the others as they
were. What is "kept" are the guide's typical values for the image, its labels hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..data import Batch, LabelSpace, Rows
from ..inference.evaluation.prediction import Latents, decode, encode
from .beliefs import beliefs
from .drawing.section import Picture, Section, stem
from .drawing.sheets import sheet, wrapped
from .reading.examples import spread, whole

SHOWN, CELLS, ABREAST = 6, 54, 9
"""At most so many rows, images in all (more labels, fewer rows), and labels in one picture."""

MEASURED = 128
"""Images over which effects are measured."""


@dataclass(frozen=True)
class Block:
    """Where a label's characteristic block lies among the latents: a site and a position in it."""

    site: str
    position: int

    def of(self, latents: Latents) -> Tensor:
        """The block's values ``(B, D)``."""
        return latents[self.site][:, self.position]


def find_block(space: LabelSpace, name: str) -> Block:
    """The block of a label.

    Raises:
        ValueError: for a label that is not in the space.
    """
    column = space.index(name)
    kind = next(kind for kind in space.kinds if column in kind.columns)
    return Block(f"z_c{kind.suffix}", kind.columns.index(column))


def class_means(model: nn.Module, space: LabelSpace, name: str) -> Tensor:
    """Means ``(K, D)`` of p(z_c | y = k) for one label."""
    column = space.index(name)
    for kind, prior in zip(space.kinds, model.prior, strict=True):  # type: ignore[arg-type]
        if column in kind.columns:
            means: Tensor = prior.loc.detach()[kind.columns.index(column)]
    return means


def moved(latents: Latents, block: Block, value: Tensor) -> Latents:
    """Latents with one block at ``value``, ``(D,)`` or ``(B, D)``, and all else as it was."""
    site = latents[block.site].clone()
    site[:, block.position] = value
    return {**latents, block.site: site}


@torch.no_grad()
def at_classes(
    model: nn.Module, latents: Latents, batch: Batch, space: LabelSpace, name: str
) -> Tensor:
    """Images ``(B, K, C, H, W)`` with one label's block at the mean of each of its classes."""
    block = find_block(space, name)
    means = class_means(model, space, name)
    return torch.stack([decode(model, moved(latents, block, m), batch) for m in means], 1)


@dataclass(frozen=True)
class Effect:
    """How far the guide's own beliefs follow when one label is moved between its classes' means.

    Attributes:
        name: the label that was moved.
        before, after: mean over images of q(y = k | decoded image), with the block at the mean of
            another class and at that of class k. With two classes k = 1; with more, both are means
            over all k (and over the other classes).
        weakest: the class with the lowest ``after``, and that value.
        other: the other label whose mean belief changes most; None where there is no other label.
        change: that change, from the first class to the second; with more classes the largest
            between any two.
        agreement: share of images whose likeliest class stays the same when the guide sees the
            reconstruction instead; where it is low, the beliefs above say little.
    """

    name: str
    before: float
    after: float
    weakest: tuple[str, float]
    other: str | None
    change: float
    agreement: float

    @property
    def local(self) -> bool:
        """Whether the label's own belief changes more than any other label's."""
        return self.after - self.before > abs(self.change)


def effects(model: nn.Module, guide: nn.Module, batch: Batch, space: LabelSpace) -> list[Effect]:
    """The effect of moving every label, over the images of a batch: decoded and encoded again."""
    latents = encode(guide, batch)
    seen = beliefs(guide, space, batch.x)
    again = beliefs(guide, space, decode(model, latents, batch))
    found = []
    for name in space.names:
        images = at_classes(model, latents, batch, space, name)
        believed = [beliefs(guide, space, at_class) for at_class in images.unbind(1)]
        # A table (k, c) for every label: the belief in its class c with the block at class k.
        tables = {n: torch.stack([q[n].mean(0) for q in believed]).cpu() for n in space.names}
        same = seen[name].argmax(-1) == again[name].argmax(-1)
        found.append(_effect(space, name, tables, same.float().mean().item()))
    return found


def _effect(space: LabelSpace, name: str, tables: dict[str, Tensor], agreement: float) -> Effect:
    own = tables[name]
    after = own.diagonal()
    before = (own.sum(0) - after) / (len(own) - 1)
    if len(own) == 2:
        before, after = before[1:], after[1:]
    changes = {n: _largest_change(table) for n, table in tables.items() if n != name}
    other = max(changes, key=lambda n: abs(changes[n]), default=None)
    weakest = int(own.diagonal().argmin())
    return Effect(
        name,
        before.mean().item(),
        after.mean().item(),
        (space.labels[space.index(name)].classes[weakest], own[weakest, weakest].item()),
        other,
        0.0 if other is None else changes[other],
        agreement,
    )


def _largest_change(table: Tensor) -> float:
    """The largest change in a table (k, c) between its rows; with two rows, signed."""
    if table.shape[1] == 2:
        table = table[:, 1:]
    if len(table) == 2:
        return max((table[1] - table[0]).tolist(), key=abs)
    return (table.amax(0) - table.amin(0)).max().item()


def study(
    model: nn.Module, guide: nn.Module, rows: Rows, device: torch.device | str = "cpu"
) -> Section | None:
    """Some test images with every label changed, one at a time; None for a single label.

    Args:
        model, guide: a trained pair.
        rows: annotated rows that it was not trained on.
        device: where the pair is.
    """
    space = rows.dataset.space
    if len(space) == 1:  # its traversal shows all there is
        return None
    shown = max(2, min(SHOWN, CELLS // len(space)))
    chosen = spread(rows, shown)
    batch = whole(chosen, device)
    pictures = [
        Picture(
            stem("one-label-at-a-time", number + 1),
            overview(model, guide, batch, space, space.names[first : first + ABREAST]),
            alt="Test images and their reconstructions; each further column has one label changed",
            caption="" if first else CAPTION,
        )
        for number, first in enumerate(range(0, len(space), ABREAST))
    ]
    title = "One label changed at a time"
    return Section("intervention", title, (EXPLANATION,), tuple(pictures))


EXPLANATION = (
    "Every image is decoded from the guide's mean code for the test image, its labels hidden; one "
    "label's characteristic block is replaced by a class mean of p(z_c | y), and all else is kept."
)

CAPTION = (
    "First column: the test image. Second: its reconstruction. Then the same code with one label's "
    "block moved to the mean of the class that is written below the image, which is not the one "
    "that the guide believes. Compare with the second column."
)


def overview(
    model: nn.Module, guide: nn.Module, batch: Batch, space: LabelSpace, names: Sequence[str]
) -> bytes:
    """Rows of images, their reconstructions, and each named label changed in a column, as PNG."""
    latents = encode(guide, batch)
    table = beliefs(guide, space, batch.x)
    cells, notes = [batch.x, decode(model, latents, batch)], []
    for name in names:
        targets = _others(table[name])
        images = at_classes(model, latents, batch, space, name)
        cells.append(images[torch.arange(len(targets)), targets])
        classes = space.labels[space.index(name)].classes
        notes.append([classes[k] for k in targets.tolist()])
    return sheet(
        torch.stack(cells, 1),
        columns=["input", "recon-\nstruction", *map(wrapped, names)],
        notes=[["", "", *line] for line in zip(*notes, strict=True)],
        breaks=(1, 2),
    )


def _others(q: Tensor) -> Tensor:
    """A class for each row of q(y = k | x) ``(B, K)`` other than the likeliest, in turn."""
    turn = torch.arange(len(q), device=q.device) % (q.shape[1] - 1)
    return (q.argmax(-1) + 1 + turn) % q.shape[1]
