r"""Walks from class to class at equal steps of what they change, and not of z.

A network may answer the same step of a block with much or with nothing: where it takes a block
through a tanh, all of the change between two classes lies half-way between their means. So a walk
along the straight line from mean to mean is parametrised by the length of its path in the picture,

.. math::

    s(t) = \int_0^t \operatorname{mean}_\text{pixels}
           \Big| \frac{\partial \hat x(z(\tau))}{\partial \tau} \Big| \, \mathrm d\tau ,

for every image by itself, and its steps are equal in s. Numbers have a unit: along a real label the
steps are equal in that unit, and along an ordinal one each class is as long as the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ...data import Batch, Label, Ordinal
from ...inference.evaluation.prediction import Latents, decode
from .blocks import Block, class_means, find_block, moved
from .steps import Steps, in_units
from .subject import Subject

GRID = 32
"""Intervals in which a way is measured; then once more, in as many equal steps by the first."""

FLAT = 1e-6
"""Beside the length of a way: less than this part of it is nothing."""

AT_ONCE = 256
"""Images that are decoded together."""

TRIED = 10
"""Steps of the walks whose evenness is measured."""


class Way(NamedTuple):
    """A straight way through one label's block, and how far the picture has come at points of it.

    Attributes:
        start, end: of the block, ``(D,)`` or one an image ``(B, D)``.
        share: how far along the way in z its points lie, ``(B, G)``, from 0 to 1.
        length: of the path in the picture up to each, ``(B, G)``, in parts of the pixel range.
    """

    start: Tensor
    end: Tensor
    share: Tensor
    length: Tensor

    @property
    def whole(self) -> Tensor:
        """The length of the path of each image, ``(B,)``."""
        return self.length[:, -1]

    def even(self, steps: int) -> Tensor:
        """Points ``(B, steps + 1, D)`` between which the pictures change by equal lengths.

        Where nothing changes, they are even in z.
        """
        return self.points(inverted(self.share, self.length, steps))

    def points(self, share: Tensor) -> Tensor:
        """Points ``(B, S, D)`` at shares ``(B, S)`` of the way in z."""
        start, end = (at.expand(len(share), at.shape[-1])[:, None] for at in (self.start, self.end))
        return torch.lerp(start, end, share[..., None])


def inverted(share: Tensor, length: Tensor, steps: int) -> Tensor:
    """Shares ``(B, steps + 1)`` at which a rising ``length`` of shares (both ``(B, G)``) is even.

    >>> inverted(torch.tensor([[0.0, 0.5, 1.0]]), torch.tensor([[0.0, 3.0, 4.0]]), 2)
    tensor([[0.0000, 0.3333, 1.0000]])
    """
    tilt = FLAT * (length[:, -1:] + FLAT) * share  # nowhere flat, and even where nothing changes
    rising, share = (length + tilt).double(), share.double()
    even = torch.linspace(0, 1, steps + 1, dtype=torch.double, device=share.device)
    asked = rising[:, -1:] * even
    right = torch.searchsorted(rising, asked).clamp(1, rising.shape[1] - 1)
    low, high = rising.gather(1, right - 1), rising.gather(1, right)
    within = ((asked - low) / (high - low).clamp(min=torch.finfo(torch.double).tiny)).clamp(0, 1)
    found = torch.lerp(share.gather(1, right - 1), share.gather(1, right), within)
    found[:, 0], found[:, -1] = 0, 1  # whatever was rounded: the classes' own means
    return found.to(length.dtype)


@torch.no_grad()
def decode_at(
    model: nn.Module, batch: Batch, latents: Latents, block: Block, points: Tensor
) -> Tensor:
    """Images ``(B, S, C, H, W)`` with one block at points ``(B, S, D)``, all else as it was."""
    count, stops = points.shape[:2]
    rows = torch.arange(count, device=batch.x.device).repeat_interleave(stops)
    values, images = points.flatten(0, 1), []
    for part in torch.arange(len(rows), device=rows.device).split(AT_ONCE):
        of = rows[part]
        some = {site: value[of] for site, value in latents.items()}
        images.append(decode(model, moved(some, block, values[part]), picked(batch, of)))
    return torch.cat(images).unflatten(0, (count, stops))


def picked(batch: Batch, rows: Tensor) -> Batch:
    """Some rows of a batch, as often as they are named."""
    d = None if batch.d is None else batch.d[rows]
    return replace(
        batch, x=batch.x[rows], y=batch.y[rows], d=d, index=batch.index[rows], weights=None
    )


def way(
    model: nn.Module,
    batch: Batch,
    latents: Latents,
    block: Block,
    ends: tuple[Tensor, Tensor],
    *,
    together: bool = False,
) -> Way:
    """Measure a way.

    Args:
        model: what paints. batch: B images with their ``latents``.
        block: the one that moves. ends: from where to where, ``(D,)`` or ``(B, D)`` each.
        together: take the mean length over the images for each of them, so that all have one pace.
    """

    def length_at(share: Tensor) -> Tensor:
        points = Way(*ends, share, share).points(share)
        length = travelled(decode_at(model, batch, latents, block, points))
        return length.mean(0, keepdim=True).expand_as(length) if together else length

    even = torch.linspace(0, 1, GRID + 1, device=batch.x.device).repeat(len(batch.x), 1)
    closer = inverted(even, length_at(even), GRID)
    # Those even in z stay: at a long end little changes, and what does change lies at one side.
    share = torch.cat([closer, even], 1).sort(1).values
    return Way(*ends, share, length_at(share))


def travelled(images: Tensor) -> Tensor:
    """How far pictures have come along ``(B, S, C, H, W)``: ``(B, S)``, from 0."""
    steps = images.diff(dim=1).abs().flatten(2).mean(-1)
    return torch.cat([torch.zeros_like(steps[:, :1]), steps.cumsum(1)], 1)


class Walk(NamedTuple):
    """A label's way through its classes.

    Attributes:
        points: of its block, ``(B, S, D)``.
        stops: the class code at each of the S, None in between.
        words: what each is called: the class at a stop, a number between two numbers, else "".
    """

    points: Tensor
    stops: list[int | None]
    words: list[str]

    def nearest(self, step: int) -> int:
        """The class of the stop next to a step, the later of two."""
        at = [place for place, k in enumerate(self.stops) if k is not None]
        return at.index(min(reversed(at), key=lambda place: abs(place - step)))


@torch.no_grad()
def walk(subject: Subject, batch: Batch, name: str, steps: int) -> Walk:
    """One label's block through its class means, in about so many steps.

    There are at least as many steps as ways between classes. The way on which most changes has
    most of them.

    Args:
        subject: whose pair it is. batch: images to start from; their labels are not looked at.
        name: the label.

    Raises:
        ValueError: for a label that is not in the space, or a model without blocks.
    """
    label = subject.space.labels[subject.space.index(name)]
    means, block = class_means(subject.model, subject.space, name), find_block(subject.space, name)
    latents = subject.encode(batch)
    ways = [way(subject.model, batch, latents, block, ends) for ends in pairwise(means)]
    counts = shares_of(label, [each.whole.mean().item() for each in ways], steps)
    points, stops, words = [], [], []
    for code, (each, count) in enumerate(zip(ways, counts, strict=True)):
        found = _linear(each, count) if isinstance(label, Steps) else each.even(count)
        points.append(found if code == 0 else found[:, 1:])
        stops += [code, *[None] * (count - 1)]
        words += [label.classes[code], *_between(label, code, count)]
    last = len(means) - 1
    return Walk(torch.cat(points, 1), [*stops, last], [*words, label.classes[last]])


def _linear(each: Way, count: int) -> Tensor:
    """Points even in z, and so in the unit of a number: the mean of its block is linear in it."""
    share = torch.linspace(0, 1, count + 1, dtype=each.share.dtype, device=each.share.device)
    return each.points(share.expand(len(each.share), -1))


def _between(label: Label, code: int, count: int) -> list[str]:
    if not isinstance(label, Steps):
        return [""] * (count - 1)
    start, end = label.codes[code : code + 2]
    return [in_units(label.real, start + (end - start) * k / count) for k in range(1, count)]


def shares_of(label: Label, lengths: Sequence[float], steps: int) -> list[int]:
    """How many of the steps each way between neighbouring classes has, at least one.

    Args:
        label: whose classes they are; a number's ways are as long as its numbers are apart, and
            those of other ordered classes alike.
        lengths: of the ways in the picture.

    >>> from ccvae.data import Categorical, Ordinal
    >>> shares_of(Categorical("Hair", ("bald", "black", "blond")), [1.0, 3.1], 8)
    [2, 6]
    >>> shares_of(Ordinal("Size", ("small", "middling", "large")), [1.0, 3.1], 9)
    [4, 4]
    """
    if isinstance(label, Ordinal) and not isinstance(label, Steps):
        return [max(1, steps // len(lengths))] * len(lengths)
    if isinstance(label, Steps):
        lengths = [b - a for a, b in pairwise(label.codes)]
    counts = [1] * len(lengths)
    for _ in range(steps - len(lengths)):
        longest = max(range(len(lengths)), key=lambda i: lengths[i] / counts[i])
        counts[longest] += 1
    return counts


class Evenness(NamedTuple):
    """The largest of ten steps over the median one, mean over images.

    Attributes:
        walk: of the walk that is taken. z: with the same steps even in z.
    """

    walk: float
    z: float


@torch.no_grad()
def evenness(subject: Subject, batch: Batch, name: str) -> Evenness:
    """How even ten steps of a walk are in what they change: the picture, or a number in its unit.

    Of ordered classes it is the steps between each two that are compared, for a class is as long as
    another by definition.

    Args:
        subject: whose pair it is. batch: images to measure on, labels not looked at. name: a label.
    """
    label = subject.space.labels[subject.space.index(name)]
    taken = walk(subject, batch, name, TRIED)
    if isinstance(label, Steps):
        numbers = torch.tensor([label.real.from_units(float(word)) for word in taken.words])
        gaps = numbers.diff().abs()[None]
        return Evenness(_largest(gaps), _largest(gaps))
    block, latents = find_block(subject.space, name), subject.encode(batch)
    stops = [place for place, code in enumerate(taken.stops) if code is not None]
    found = []
    for points in (taken.points, _even_in_z(taken.points, stops)):
        gaps = travelled(decode_at(subject.model, batch, latents, block, points)).diff(dim=1)
        parts = [gaps[:, a:b] for a, b in pairwise(stops)] if isinstance(label, Ordinal) else [gaps]
        found.append(max(_largest(part) for part in parts))
    return Evenness(*found)


def _even_in_z(points: Tensor, stops: Sequence[int]) -> Tensor:
    """The same stops with the points between them even in z."""
    parts = [
        torch.lerp(
            points[:, [a]], points[:, [b]], torch.linspace(0, 1, b - a + 1)[:, None].to(points)
        )
        for a, b in pairwise(stops)
    ]
    return torch.cat([part if number == 0 else part[:, 1:] for number, part in enumerate(parts)], 1)


def _largest(gaps: Tensor) -> float:
    """The largest of the steps ``(B, S)`` over the median one, mean over images."""
    median = gaps.quantile(0.5, dim=1).clamp(min=1e-9)
    return (gaps.amax(1) / median).mean().item()
