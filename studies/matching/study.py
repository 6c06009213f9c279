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

from collections.abc import Iterator
from dataclasses import fields, replace

from ..drawing.section import Picture, Section, stem
from ..drawing.tables import Cell, Figure, Table
from ..reading.examples import spread
from ..reading.subject import Subject
from .lines import brief, known, list_lines, short
from .matchers import find_matcher
from .matches import INLIER, Matcher
from .pictures import LINES, draw_matches, draw_scale
from .scores import (
    IMAGES,
    POSTER_DROP,
    POSTER_INTERVENTION,
    POSTER_RECONSTRUCTION,
    Measured,
    Scores,
    compare,
    drop,
    inputs,
    intervene,
    local_labels,
    mean_scores,
)


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


def _measurements(found: Measured) -> Iterator[dict[str, object]]:
    for line in list_lines(found):
        for f in fields(Scores):
            values = [None if v != v else v for v in getattr(line.scores, f.name).tolist()]
            yield {"against": line.title, "figure": f.name, "values": values}


def study(subject: Subject) -> Section | None:
    """How well images are found again in their reconstructions, before and after interventions.

    XFeat matches, or the matcher that was chosen. It takes about a minute on one core.

    Returns:
        None for fewer than two rows.

    Raises:
        ValueError: where the extra ``matching`` is not installed, or for an unknown matcher.
    """
    if len(subject.rows) < 2:
        return None
    return section(subject, find_matcher(subject.choice.matcher, subject.device))


def section(subject: Subject, matcher: Matcher, *, images: int = IMAGES) -> Section:
    """What :func:`study` returns, with any matcher and any number of images."""
    space, chosen = subject.space, spread(subject.rows, images)
    changed = intervene(replace(subject, rows=chosen), local_labels(space))
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
        f"{line.title}: {short(known(line.scores.matches), 0)} matches, "
        f"{short(known(line.scores.confidence))}."
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
        f"Intervening costs {brief(lost)} of the confidence of {found.matcher} "
        f"({_listed(by_label)}); the poster's table 2 gives {POSTER_DROP:.2f} for SuperGlue on "
        "CelebA. Confidences of two matchers are not on one scale, so compare drops alone. A match "
        "that is gone has no confidence to lower the mean, so count the matches too: a share of "
        f"{brief(drop(found.reconstruction.matches, changed.matches))} is gone, in the poster's "
        f"table {1 - POSTER_INTERVENTION.matches / POSTER_RECONSTRUCTION.matches:.2f}."
    )
    ends = drop(found.reconstruction.confidence, found.shuffled.confidence)
    scale = "" if ends is None else f"Another image's reconstruction costs {brief(ends)}."
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
            f" Reconstructions of those true images cost {brief(found.true_drop)} in the mean "
            f"({_listed(by_label)}): so much of the drop is the change itself. Beyond it "
            f"interventions cost {brief(found.beyond)}."
        )
    return words, scale


def _listed(by_label: dict[str, Figure | None]) -> str:
    return ", ".join(f"{name} {brief(figure)}" for name, figure in by_label.items())


def caption(found: Measured, name: str) -> str:
    """What the match picture of one label shows."""
    before, after = found.reconstruction, found.intervened[name]
    words = (
        f"Left of each pair the input, right what it is matched with. Of each pair at most {LINES} "
        "matches are drawn, evenly chosen from the surest to the least sure. Over all images "
        f"{before.matches.nanmean():.0f} matches at {brief(known(before.confidence))} before the "
        f"change and {after.matches.nanmean():.0f} at {brief(known(after.confidence))} after it"
    )
    if name not in found.true:
        return f"{words}."
    true = found.true[name]
    return (
        f"{words}; with the true change {true.matches.nanmean():.0f} at "
        f"{brief(known(true.confidence))}."
    )
