"""Feature matching: what of an image a matcher finds again after one label was changed.

The poster's third experiment (figures 6–7, table 2): points of the input are matched with its
reconstruction, and with its reconstruction after an intervention on one local label. A local change
costs the points near the label and no others; a drop of the confidence beyond that says that the
whole image changed.

Aligned faces match even if they are of two people, so a figure means little alone. Two ends of a
scale stand beside it: the input against the reconstruction of another image, and, where faces are
rendered, against the true image with that one label changed, and against what the pair makes of
that image when it sees it: no intervention of the same pair can do better.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain, zip_longest
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Drawing
from matplotlib.patheffects import Normal as PlainStroke
from matplotlib.patheffects import Stroke
from torch import Tensor, nn

from ..data import LabelSpace, Rows
from .examples import spread
from .figures import FAINT, INK, MUTED, RIGHT, panel, png, to_rgb
from .locality import Case, cases, true_scenes
from .matchers import FREE, INLIER, Matcher, Matches, find_matcher, inliers
from .section import Picture, Section, stem
from .tables import Cell, Figure, Table, mean_and_error

LOCAL = ("Smiling", "Eyeglasses", "Wearing_Necktie")
"""The labels that the poster intervened on."""

IMAGES = 50
"""Over so many images the poster took its means."""

SHOWN, LINES = 3, 30
"""Images in one picture, and matches drawn of one pair at most."""

COLOURS = "plasma"
"""Even to the eye, and like the poster's from blue to the warm colours."""


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


def local_labels(space: LabelSpace) -> tuple[str, ...]:
    """Those of the poster's local labels that a data set has; all labels where it has none."""
    return tuple(name for name in LOCAL if name in space.names) or space.names


def intervene(
    model: nn.Module,
    guide: nn.Module,
    rows: Rows,
    device: torch.device | str = "cpu",
    *,
    names: Sequence[str],
) -> dict[str, Case]:
    """By label, its intervention on every row: from the row's class to the next one of the label.

    The guide sees no label. With two classes the next one is the opposite; after the last comes the
    first.

    Args:
        model, guide: a trained pair.
        rows: all of them are used. device: where the pair is. names: of the labels.

    Raises:
        ValueError: for an unknown label.
    """
    space, some = rows.dataset.space, true_scenes(rows)
    batch = rows.batch(torch.arange(len(rows)), device)
    return {name: cases(model, guide, batch, space, name, some=some)[0] for name in names}


def measure(
    model: nn.Module,
    guide: nn.Module,
    rows: Rows,
    device: torch.device | str = "cpu",
    *,
    matcher: Matcher,
    names: Sequence[str] = (),
    images: int = IMAGES,
) -> Measured:
    """Match inputs with their reconstructions, unchanged and with each label changed.

    Args:
        model, guide: a trained pair.
        rows: that it was not trained on; annotated or not.
        device: where the pair is.
        matcher: see :func:`ccvae.studies.matchers.find_matcher`.
        names: labels to change; by default :func:`local_labels`.
        images: how many of the rows, evenly spaced.

    Raises:
        ValueError: for fewer than two images, which leave none to shuffle with, or an unknown
            label.
    """
    chosen = spread(rows, images)
    names = names or local_labels(rows.dataset.space)
    return compare(inputs(chosen), intervene(model, guide, chosen, device, names=names), matcher)


def inputs(rows: Rows) -> Tensor:
    """The images ``(B, C, H, W)`` of all rows, on the CPU."""
    return rows.batch(torch.arange(len(rows))).x


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


@dataclass(frozen=True)
class Line:
    """A row of the table.

    Attributes:
        title: what the input was matched with.
        scores: of the pairs.
        drop: of the confidence; None for a row that others are compared with.
        poster: the poster's figures for the same; None where it has none.
    """

    title: str
    scores: Scores
    drop: Figure | None = None
    poster: Published | None = None


def list_lines(found: Measured) -> list[Line]:
    """The rows of the table, from the upper end of the scale to the lower one.

    The drop of a true change is counted from the image itself, that of an intervention from the
    reconstruction.
    """
    top, base = found.itself.confidence, found.reconstruction.confidence
    changed = mean_scores(found.intervened.values())
    return [
        Line("itself", found.itself),
        *(
            Line(f"true image, {name} changed", s, drop(top, s.confidence))
            for name, s in found.true.items()
        ),
        Line("reconstruction", found.reconstruction, poster=POSTER_RECONSTRUCTION),
        *(
            Line(f"reconstruction, {name} changed", s, drop(base, s.confidence))
            for name, s in found.intervened.items()
        ),
        Line("with intervention, mean", changed, found.drop, POSTER_INTERVENTION),
        *(
            Line(f"true {name} change, reconstructed", s, drop(base, s.confidence))
            for name, s in found.seen.items()
        ),
        Line("another's reconstruction", found.shuffled, drop(base, found.shuffled.confidence)),
    ]


def table(found: Measured) -> Table:
    """The poster's table 2 beside ours."""
    rows: list[tuple[Cell, ...]] = []
    for line in list_lines(found):
        cells = [known(getattr(line.scores, f.name)) for f in fields(Scores)]
        poster = line.poster
        theirs: tuple[Cell, ...] = (None, None, None)
        if poster is not None:
            lost = POSTER_DROP if poster is POSTER_INTERVENTION else None
            theirs = (poster.matches, poster.confidence, lost)
        rows.append((line.title, *cells, line.drop, *theirs))
    return Table(
        "matching",
        f"Feature matching by {found.matcher}: the input against …",
        (
            *("Input against", "Matches", "Confidence", "Inliers", "In place", "Drop"),
            *("Poster: matches", "Poster: confidence", "Poster: drop"),
        ),
        tuple(rows),
        notes=(EXPLANATION, *findings(found)),
        digits=2,
        measurements=tuple(_measurements(found)),
        settings={"matcher": found.matcher, "inlier_pixels": INLIER},
    )


def known(values: Tensor) -> Figure | None:
    """Mean and standard error of the values ``(B,)`` that are not NaN; None where all are."""
    return mean_and_error(values[~values.isnan()].tolist())


def _measurements(found: Measured) -> Iterator[dict[str, object]]:
    for line in list_lines(found):
        for f in fields(Scores):
            values = [None if v != v else v for v in getattr(line.scores, f.name).tolist()]
            yield {"against": line.title, "figure": f.name, "values": values}


def study(
    model: nn.Module, guide: nn.Module, rows: Rows, device: torch.device | str = "cpu"
) -> Section | None:
    """How well images are found again in their reconstructions, before and after interventions.

    XFeat matches. It takes about a minute on one core.

    Args:
        model, guide: a trained pair.
        rows: that it was not trained on.
        device: where the pair is.

    Returns:
        None for fewer than two rows.

    Raises:
        ValueError: where the extra ``matching`` is not installed.
    """
    if len(rows) < 2:
        return None
    return section(model, guide, rows, device, matcher=find_matcher("xfeat", device))


def section(
    model: nn.Module,
    guide: nn.Module,
    rows: Rows,
    device: torch.device | str = "cpu",
    *,
    matcher: Matcher,
    images: int = IMAGES,
) -> Section:
    """What :func:`study` returns, with any matcher and any number of images."""
    space, chosen = rows.dataset.space, spread(rows, images)
    changed = intervene(model, guide, chosen, device, names=local_labels(space))
    x = inputs(chosen)
    found = compare(x, changed, matcher)
    pictures = [
        Picture(
            "matching",
            draw_scale(found),
            alt=f"Mean confidence of the matches for every kind of pair. {_told(found)}",
            caption=f"Means over {len(chosen)} images; bars are two standard errors each way. "
            "Below the two rows that the poster has, in grey, are the poster's figures.",
        )
    ]
    pictures += [
        Picture(
            stem("matching", number + 1, name),
            draw_matches(x, case, space.labels[space.index(name)].classes, matcher),
            alt=f"Lines from test images to their reconstructions, with {name} as it is and "
            "changed",
            caption=caption(found, name),
            title=name,
        )
        for number, (name, case) in enumerate(changed.items())
    ]
    text = (EXPLANATION, *findings(found))
    figures = table(found).to_json()
    return Section("matching", "Feature matching", text, tuple(pictures), figures)


EXPLANATION = (
    "Each test image is matched with its reconstruction, and with its reconstruction after one "
    "label's block was moved to the mean of the other class (the poster's experiment 3; labels are "
    "hidden from the guide). Confidence is the mean over a pair's matches. Inliers: the share of "
    f"matches that fit one affine map within {INLIER:g} pixel (RANSAC), not counting the three "
    "that any map fits. In place: the share whose two ends are less than a pixel apart. Drop: the "
    "share of the confidence that is lost, counted for true changes from the image itself and for "
    "all else from the reconstruction."
)


def _told(found: Measured) -> str:
    """The table for those who do not see it."""
    return " ".join(
        f"{line.title}: {_mean(known(line.scores.matches), 0)} matches, "
        f"{_mean(known(line.scores.confidence))}."
        for line in list_lines(found)
    )


def findings(found: Measured) -> tuple[str, ...]:
    """What was found, in words: the drop beside the poster's, and where it lies on the scale."""
    lost, changed = found.drop, mean_scores(found.intervened.values())
    if lost is None:
        return (f"{found.matcher} found no match to compare.",)
    by_label = {
        name: drop(found.reconstruction.confidence, s.confidence)
        for name, s in found.intervened.items()
    }
    words = (
        f"Intervening costs {_text(lost)} of the confidence of {found.matcher} "
        f"({_listed(by_label)}); the poster's table 2 gives {POSTER_DROP:.2f} for SuperGlue on "
        "CelebA. Confidences of two matchers are not on one scale, so compare drops alone. A match "
        "that is gone has no confidence to lower the mean, so count the matches too: a share of "
        f"{_text(drop(found.reconstruction.matches, changed.matches))} is gone, in the poster's "
        f"table {1 - POSTER_INTERVENTION.matches / POSTER_RECONSTRUCTION.matches:.2f}."
    )
    ends = drop(found.reconstruction.confidence, found.shuffled.confidence)
    scale = "" if ends is None else f"Another image's reconstruction costs {_text(ends)}."
    if found.true:
        by_label = {n: drop(found.itself.confidence, s.confidence) for n, s in found.true.items()}
        scale += (
            f" The same changes made to the true images, which are local, cost {_listed(by_label)} "
            "of the confidence with which an image matches itself."
        )
    if found.seen:
        base = found.reconstruction.confidence
        by_label = {n: drop(base, s.confidence) for n, s in found.seen.items()}
        scale += (
            f" Reconstructions of those true images cost {_listed(by_label)}: so much of the drop "
            "would remain if the intervention were what the pair makes of a true change."
        )
    return words, scale


def _listed(by_label: dict[str, Figure | None]) -> str:
    return ", ".join(f"{name} {_text(figure)}" for name, figure in by_label.items())


def _text(figure: Figure | None, missing: str = "–") -> str:
    if figure is None:
        return missing
    error = "" if figure.error is None else f" ± {figure.error:.2f}"
    return f"{figure.mean:z.2f}{error}".replace("-", "−")


def caption(found: Measured, name: str) -> str:
    """What the match picture of one label shows."""
    before, after = found.reconstruction, found.intervened[name]
    words = (
        f"Left of each pair the input, right what it is matched with. Of each pair at most {LINES} "
        "matches are drawn, evenly chosen from the surest to the least sure. Over all images "
        f"{before.matches.nanmean():.0f} matches at {_text(known(before.confidence))} before the "
        f"change and {after.matches.nanmean():.0f} at {_text(known(after.confidence))} after it"
    )
    if name not in found.true:
        return f"{words}."
    true = found.true[name]
    return (
        f"{words}; with the true change {true.matches.nanmean():.0f} at "
        f"{_text(known(true.confidence))}."
    )


def draw_scale(found: Measured) -> bytes:
    """The table as a picture: confidence as dots on a scale, the figures beside, as PNG."""
    lines = list_lines(found)
    height = len(lines) + sum(line.poster is not None for line in lines)
    figure, axes = panel(9.6, 0.85 + 0.27 * height)
    _row(axes, -1, ("matches", "confidence", "inliers", "in place", "drop"), MUTED)
    names: list[tuple[int, str, str, bool]] = []
    y = 0
    for line in lines:
        _dot(axes, y, line)
        means = [known(getattr(line.scores, f.name)) for f in fields(Scores)]
        _row(axes, y, (_mean(means[0], 0), *map(_mean, means[1:]), _text(line.drop, "")), INK)
        names.append((y, line.title, INK, line.poster is not None))
        y += 1
        if line.poster is not None:
            lost = f"{POSTER_DROP:.2f}" if line.poster is POSTER_INTERVENTION else ""
            theirs = (f"{line.poster.matches:.2f}", f"{line.poster.confidence:.2f}", "", "", lost)
            _row(axes, y, theirs, MUTED)
            axes.plot(line.poster.confidence, y, "D", ms=5, mfc="white", mec=MUTED)
            names.append((y, "the poster's", MUTED, False))
            y += 1
    axes.set_yticks([name[0] for name in names], [name[1] for name in names])
    for text, (_, _, colour, strong) in zip(axes.get_yticklabels(), names, strict=True):
        text.set(color=colour, weight="bold" if strong else "normal")
    axes.set(xlim=(0, WIDTH), ylim=(y - 0.4, -1.5), xticks=(0, 0.25, 0.5, 0.75, 1))
    axes.spines["bottom"].set_bounds(0, 1)
    axes.set_xlabel("confidence", x=0.5 / WIDTH, color=MUTED, fontsize=9.5)
    return png(figure)


COLUMNS, WIDTH = (1.12, 1.37, 1.6, 1.79, 2.03), 2.18
"""Where the columns of figures stand beside the scale from 0 to 1, and where all ends."""


def _dot(axes: Axes, y: int, line: Line) -> None:
    axes.plot([0, 1], [y, y], color=FAINT, lw=0.8, zorder=0)
    confidence = known(line.scores.confidence)
    if confidence is not None:
        colour = RIGHT if line.poster is not None else INK
        axes.errorbar(
            confidence.mean, y, xerr=2 * (confidence.error or 0), fmt="o", ms=5, color=colour
        )


def _row(axes: Axes, y: int, texts: Sequence[str], colour: str) -> None:
    for x, text in zip(COLUMNS, texts, strict=True):
        axes.text(x, y, text, ha="center", va="center", color=colour, fontsize=9.5)


def _mean(figure: Figure | None, digits: int = 2) -> str:
    return "–" if figure is None else f"{figure.mean:.{digits}f}"


def pick(classes: Sequence[int], count: int) -> list[int]:
    """Positions of ``count`` images at most, of each class in turn.

    >>> pick([0, 0, 0, 1], 3)
    [0, 3, 1]
    """
    groups = [[i for i, c in enumerate(classes) if c == k] for k in dict.fromkeys(classes)]
    turns = chain.from_iterable(zip_longest(*groups))
    return [i for i in turns if i is not None][:count]


def draw_matches(x: Tensor, case: Case, classes: Sequence[str], matcher: Matcher) -> bytes:
    """Some images beside what they are matched with, as in the poster's figures 6–7, as PNG.

    Args:
        x: the images ``(B, C, H, W)``. case: an intervention on them.
        classes: names of its label's classes. matcher: finds the matches.
    """
    columns = {
        "reconstruction": case.reconstruction,
        f"reconstruction, {case.name} changed": case.image,
    }
    if case.truth is not None:
        columns[f"true image, {case.name} changed"] = case.truth.after
    shown = pick(case.source.tolist(), SHOWN)
    size = (3.6 * len(columns) + 0.5, 1.95 * len(shown) + 0.3)
    figure = Drawing(figsize=size, dpi=150, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(h_pad=0.03, hspace=0)  # type: ignore[union-attr, call-arg]
    axes = figure.subplots(len(shown), len(columns), squeeze=False)
    for row, i in zip(axes, shown, strict=True):
        change = f"{classes[int(case.source[i])]} → {classes[int(case.target[i])]}: "
        for column, (cell, images) in enumerate(zip(row, columns.values(), strict=True)):
            found = matcher.match(x[i], images[i])
            draw_pair(cell, x[i], images[i], found)
            mean = _mean(mean_and_error(found.confidence.tolist()))
            words = f"{change if column else ''}{len(found)} matches, mean {mean}"
            cell.set_xlabel(words, color=MUTED, fontsize=9)
    for cell, title in zip(axes[0], columns, strict=True):
        cell.set_title(title, color=INK, fontsize=10)
    _colour_bar(figure, axes)
    return png(figure)


def _colour_bar(figure: Drawing, axes: Any) -> None:
    shades = ScalarMappable(Normalize(0, 1), COLOURS)
    bar = figure.colorbar(shades, ax=axes, shrink=0.6, aspect=30, pad=0.01)
    bar.set_label("confidence of the match", color=MUTED, fontsize=9)
    bar.ax.tick_params(labelsize=9, labelcolor=MUTED)
    bar.outline.set_visible(False)


def draw_pair(axes: Axes, a: Tensor, b: Tensor, matches: Matches) -> None:
    """Two images ``(C, H, W)`` of one size side by side, and lines between points that match."""
    gap = max(1, a.shape[-1] // 16)
    between = torch.ones(3, a.shape[-2], gap)
    pixels = torch.cat([to_rgb(a), between, to_rgb(b)], -1).movedim(0, -1).numpy()
    axes.imshow(pixels, interpolation="nearest")
    order = matches.confidence.argsort()
    if len(order) > LINES:
        order = order[torch.linspace(0, len(order) - 1, LINES).round().long()]
    # The surest come last, on top of the others.
    starts, ends = matches.a[order], matches.b[order] + torch.tensor([a.shape[-1] + gap, 0])
    colours = ScalarMappable(Normalize(0, 1), COLOURS).to_rgba(matches.confidence[order].numpy())
    lines = LineCollection(list(torch.stack([starts, ends], 1).numpy()), colors=colours, lw=1)
    # A pale edge, or the dark end of the scale is lost on a dark image.
    lines.set_path_effects([Stroke(linewidth=2, foreground="white", alpha=0.45), PlainStroke()])
    axes.add_collection(lines)
    for points in (starts, ends):
        x, y = points.T.numpy()
        axes.scatter(x, y, s=7, c=colours, lw=0.3, ec="white", zorder=3)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
