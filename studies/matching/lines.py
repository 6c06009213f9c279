"""The lines of the table of matches, and how a figure stands in a text."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..drawing.tables import Figure, mean_and_error
from .scores import (
    POSTER_INTERVENTION,
    POSTER_RECONSTRUCTION,
    Measured,
    Published,
    Scores,
    drop,
    mean_scores,
)


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
        *(
            [Line("true changes, reconstructed, mean", mean_scores(seen), found.true_drop)]
            if (seen := list(found.seen.values()))
            else []
        ),
        Line("another's reconstruction", found.shuffled, drop(base, found.shuffled.confidence)),
    ]


def known(values: Tensor) -> Figure | None:
    """Mean and standard error of the values ``(B,)`` that are not NaN; None where all are."""
    return mean_and_error(values[~values.isnan()].tolist())


def brief(figure: Figure | None, missing: str = "–") -> str:
    """A figure with its error, as it stands in a text."""
    if figure is None:
        return missing
    error = "" if figure.error is None else f" ± {figure.error:.2f}"
    return f"{figure.mean:z.2f}{error}".replace("-", "−")


def short(figure: Figure | None, digits: int = 2) -> str:
    """A figure's mean alone."""
    return "–" if figure is None else f"{figure.mean:.{digits}f}"
