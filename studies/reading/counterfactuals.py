"""Interventions on images whose scene the renderer knows, beside what the renderer makes of them.

The renderer is known for rendered faces alone; elsewhere an intervention stands by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...data import Batch, Rows
from ...data.faces import FACES, Scenes, counterfactual, render, scenes
from .blocks import class_means, find_block, moved
from .subject import Subject


def true_scenes(rows: Rows) -> Scenes | None:
    """What rendered faces were drawn from; None where the rows are of another data set.

    A data set does not keep its seed. The one of ``faces`` on the command line is tried, and what
    it gives is believed if some images, drawn again, are those of the rows to the last bit.
    """
    dataset = rows.dataset
    channels, height, width = dataset.shape
    if channels != 3 or height != width or not set(dataset.space) <= set(FACES) or not len(rows):
        return None
    found = scenes(len(dataset.images))[rows.rows]
    probe = torch.linspace(0, len(rows) - 1, 4).long()
    drawn = render(found[probe], pixels=height)
    return found if torch.equal(drawn, dataset.images[rows.rows[probe]]) else None


@dataclass(frozen=True)
class Truth:
    """What the renderer makes of an intervention on some scenes.

    Attributes:
        before, after: images ``(B, C, H, W)`` in [0, 1], with the label as it was and changed.
        region: M, ``(B, H, W)`` booleans: every pixel that the label has any share in.
        valid: ``(B,)``, False where the changed labels contradict each other.
    """

    before: Tensor
    after: Tensor
    region: Tensor
    valid: Tensor

    @property
    def change(self) -> Tensor:
        """Δ_true, ``(B, C, H, W)``."""
        return self.after - self.before


def render_change(some: Scenes, name: str, codes: Tensor, like: Tensor) -> Truth:
    """The true change of B scenes whose label is set to codes ``(B,)``.

    Args:
        some: the scenes. name: the label. codes: its new classes.
        like: images ``(B, C, H, W)`` whose size, dtype and device are taken.
    """
    pair = counterfactual(some, name, codes.cpu(), pixels=like.shape[-1])
    before, after = (image.to(like) / 255 for image in (pair.before, pair.after))
    region = (pair.region(name) > 0).to(like.device)
    return Truth(before, after, region, pair.valid.to(like.device))


@dataclass(frozen=True)
class Case:
    """One intervention on every image of a batch: its label set to another class.

    Attributes:
        name: the label. source, target: its code before and after, ``(B,)``.
        reconstruction, image: decoded before and after, ``(B, C, H, W)``.
        truth: the renderer's change; None where the scenes are not known.
        ceiling: image ``(B, C, H, W)`` that the pair makes of ``truth.after`` when it sees it: what
            it can do where the code is right. None where there is no truth.
    """

    name: str
    source: Tensor
    target: Tensor
    reconstruction: Tensor
    image: Tensor
    truth: Truth | None = None
    ceiling: Tensor | None = None

    @property
    def counts(self) -> Tensor:
        """Which rows ``(B,)`` are moved to another class, and to one that can be drawn."""
        moves = self.source != self.target
        return moves if self.truth is None else moves & self.truth.valid


@torch.no_grad()
def cases(
    subject: Subject,
    batch: Batch,
    name: str,
    *,
    some: Scenes | None = None,
    target: int | None = None,
) -> list[Case]:
    """Interventions on one label, from each image's class to the others.

    The guide never sees a label. With scenes the class to leave is the scene's, else the one that
    the guide believes.

    Args:
        subject: whose pair intervenes. batch: B images. name: the label to move.
        some: the B scenes of the images.
        target: the one class to move to; by default every class but the image's own, one case each.

    Raises:
        ValueError: for a label that is not in the space.
    """
    column, block = subject.space.index(name), find_block(subject.space, name)
    means = class_means(subject.model, subject.space, name)
    latents = subject.encode(batch)
    before = subject.decode(latents, batch)
    if some is None:
        source = subject.classify(batch.x)[:, column].long()
    else:
        source = some.labels[:, FACES.index(name)].long().to(batch.x.device)
    steps = torch.arange(1, len(means), device=source.device)[:, None]
    targets = (source + steps) % len(means)
    if target is not None:
        targets = torch.full_like(source, target)[None]
    found = []
    for codes in targets:
        image = subject.decode(moved(latents, block, means[codes]), batch)
        case = Case(name, source, codes, before, image)
        if some is not None:
            truth = render_change(some, name, codes, batch.x)
            ceiling = subject.reconstruct(replace(batch, x=truth.after))
            case = replace(case, truth=truth, ceiling=ceiling)
        found.append(case)
    return found
