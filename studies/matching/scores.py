"""Scores of feature matches between images, and what they are lost by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from ...data import LabelSpace, Rows
from ..drawing.tables import Figure
from ..reading.counterfactuals import Case, cases, true_scenes
from ..reading.examples import spread, whole
from ..reading.subject import Subject
from .matches import FREE, INLIER, Matcher, Matches, inliers

LOCAL = ("Smiling", "Eyeglasses", "Wearing_Necktie")
"""The labels that the poster intervened on."""


IMAGES = 50
"""Over so many images the poster took its means."""


@dataclass(frozen=True)
class Published:
    """A row of the poster's table 2: mean number of matches and mean confidence."""

    matches: float
    confidence: float


POSTER_RECONSTRUCTION = Published(8.88, 0.76)


POSTER_INTERVENTION = Published(7.74, 0.62)


POSTER_DROP = 1 - POSTER_INTERVENTION.confidence / POSTER_RECONSTRUCTION.confidence


@dataclass(frozen=True)
class Scores:
    """What was found in B pairs of images.

    Attributes:
        matches: ``(B,)``, how many.
        confidence: ``(B,)``, their mean; NaN where there is none.
        inliers: ``(B,)``, share of the matches that fit one affine map, beyond the three that any
            map fits; NaN where there are no more.
        in_place: ``(B,)``, share of the matches whose two ends are less than a pixel apart, as they
            are in aligned images; NaN where there is none.
    """

    matches: Tensor
    confidence: Tensor
    inliers: Tensor
    in_place: Tensor


@dataclass(frozen=True)
class Measured:
    """Scores of every kind of pair; the first image of a pair is always the input.

    Attributes:
        matcher: its name.
        itself: against itself.
        reconstruction: against its reconstruction.
        shuffled: against the reconstruction of another image.
        intervened: by label, against its reconstruction with that label changed.
        true: by label, against the true image with that label changed; empty where none is known.
        seen: by label, against the reconstruction of that true image; likewise.
    """

    matcher: str
    itself: Scores
    reconstruction: Scores
    shuffled: Scores
    intervened: dict[str, Scores]
    true: dict[str, Scores]
    seen: dict[str, Scores]

    @property
    def drop(self) -> Figure | None:
        """The drop in confidence from reconstruction to intervention, over all labels."""
        after = mean_scores(self.intervened.values())
        return drop(self.reconstruction.confidence, after.confidence)

    @property
    def true_drop(self) -> Figure | None:
        """The same drop where the pair sees the true changes; None where they are not known."""
        after = mean_scores(self.seen.values()) if self.seen else None
        return None if after is None else drop(self.reconstruction.confidence, after.confidence)

    @property
    def beyond(self) -> Figure | None:
        """What interventions lose of the confidence that seen true changes leave; None likewise.

        The true change costs matches too, those of the glasses that were put on. This is the rest:
        what moves beside the label.
        """
        if not self.seen:
            return None
        # Of each label the images that can be drawn changed, in both means.
        pairs = [(self.seen[name], self.intervened[name]) for name in self.seen]
        kept = [drawn_alone(changed, seen.confidence) for seen, changed in pairs]
        before = mean_scores(self.seen.values())
        return drop(before.confidence, mean_scores(kept).confidence)


def local_labels(space: LabelSpace) -> tuple[str, ...]:
    """Those of the poster's local labels that a data set has; all labels where it has none."""
    return tuple(name for name in LOCAL if name in space.names) or space.names


def intervene(subject: Subject, names: Sequence[str]) -> dict[str, Case]:
    """By label, its intervention on every row: from the row's class to the next one of the label.

    The guide sees no label. With two classes the next one is the opposite; after the last comes the
    first.

    Args:
        subject: whose pair intervenes. names: of the labels.

    Raises:
        ValueError: for an unknown label.
    """
    some, batch = true_scenes(subject.rows), subject.batch(subject.rows)
    return {name: cases(subject, batch, name, some=some)[0] for name in names}


def measure(
    subject: Subject, matcher: Matcher, *, names: Sequence[str] = (), images: int = IMAGES
) -> Measured:
    """Match inputs with their reconstructions, unchanged and with each label changed.

    Args:
        subject: its rows need no annotation.
        matcher: see :func:`ccvae.studies.matching.matchers.find_matcher`.
        names: labels to change; by default :func:`local_labels`.
        images: how many of the rows, evenly spaced.

    Raises:
        ValueError: for fewer than two images, which leave none to shuffle with, or an unknown
            label.
    """
    chosen = replace(subject, rows=spread(subject.rows, images))
    changed = intervene(chosen, names or local_labels(subject.space))
    return compare(inputs(chosen.rows), changed, matcher)


def inputs(rows: Rows) -> Tensor:
    """The images ``(B, C, H, W)`` of all rows, on the CPU."""
    return whole(rows).x


def compare(x: Tensor, changed: Mapping[str, Case], matcher: Matcher) -> Measured:
    """Match images ``(B, C, H, W)`` with all that was made of them.

    Args:
        x: the inputs. changed: interventions on them, by label. matcher: finds the matches.

    Raises:
        ValueError: for fewer than two images, which leave none to shuffle with.
    """
    if len(x) < 2:
        raise ValueError(f"expected two or more images to match, got {len(x)}; give more rows")
    again = next(iter(changed.values())).reconstruction
    true = {name: case.truth for name, case in changed.items() if case.truth is not None}
    seen = {name: case.ceiling for name, case in changed.items() if case.ceiling is not None}
    return Measured(
        matcher.name,
        score(matcher, x, x),
        score(matcher, x, again),
        # Half a set away: neighbours may be of one class where rows are sorted.
        score(matcher, x, again.roll(len(again) // 2, 0)),
        {name: score(matcher, x, case.image) for name, case in changed.items()},
        {name: score(matcher, x, t.after, t.valid) for name, t in true.items()},
        {name: score(matcher, x, image, true[name].valid) for name, image in seen.items()},
    )


def score(matcher: Matcher, a: Tensor, b: Tensor, use: Tensor | None = None) -> Scores:
    """Scores of the pairs of ``a`` and ``b``, both ``(B, C, H, W)``.

    Args:
        matcher: finds the matches.
        a, b: the images. use: ``(B,)``, False for pairs to leave out, whose scores are NaN.
    """
    table = torch.full((len(a), len(fields(Scores))), torch.nan)
    for i in range(len(a)):
        if use is None or use[i]:
            table[i] = torch.tensor(_score(matcher.match(a[i], b[i])))
    return Scores(*table.unbind(-1))


def _score(matches: Matches) -> tuple[float, float, float, float]:
    count = len(matches)
    beyond = int(inliers(matches).sum()) - FREE
    return (
        count,
        matches.confidence.mean().item(),
        max(0, beyond) / (count - FREE) if count > FREE else torch.nan,
        ((matches.a - matches.b).norm(dim=-1) < INLIER).float().mean().item(),
    )


def mean_scores(some: Iterable[Scores]) -> Scores:
    """The mean of several scores of the same images, each over what is known of it."""
    listed = list(some)
    return Scores(
        *(torch.stack([getattr(s, f.name) for s in listed]).nanmean(0) for f in fields(Scores))
    )


def drawn_alone(scores: Scores, known_where: Tensor) -> Scores:
    """The same scores, NaN where others ``(B,)`` are."""
    hidden = known_where.isnan()
    each = (getattr(scores, f.name).masked_fill(hidden, torch.nan) for f in fields(Scores))
    return Scores(*each)


def drop(before: Tensor, after: Tensor) -> Figure | None:
    r"""What share of a figure is lost, over the images ``(B,)`` for which both are known.

    .. math::  r = 1 - \bar c' / \bar c, \quad s_r^2 = \frac{1}{B (B - 1) \bar c^2}
               \sum_b \left(c'_b - (1 - r) c_b\right)^2

    The standard error is that of a ratio of means over the same images (the delta method). None
    where there is nothing to lose.

    >>> drop(torch.tensor([0.5, 0.5]), torch.tensor([0.375, 0.375]))
    Figure(mean=0.25, error=0.0, count=2)
    """
    known = ~(before.isnan() | after.isnan())
    before, after = before[known].double(), after[known].double()
    if not before.sum() > 0:
        return None
    kept = (after.mean() / before.mean()).item()
    if len(before) == 1:
        return Figure(1 - kept)
    squares = (after - kept * before).square().sum().item()
    error = (squares / (len(before) * (len(before) - 1))) ** 0.5 / before.mean().item()
    return Figure(1 - kept, error, len(before))
