"""Effects: how the guide's own beliefs follow when a label's block is moved."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...data import Batch, LabelSpace
from .blocks import at_classes
from .subject import Subject


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


def effects(subject: Subject, batch: Batch) -> list[Effect]:
    """The effect of moving every label, over the images of a batch: decoded and encoded again."""
    space, latents = subject.space, subject.encode(batch)
    seen = subject.beliefs(batch.x)
    again = subject.beliefs(subject.decode(latents, batch))
    found = []
    for name in space.names:
        images = at_classes(subject, latents, batch, name)
        believed = [subject.beliefs(at_class) for at_class in images.unbind(1)]
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
