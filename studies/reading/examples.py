"""Which images a study looks at, where it cannot look at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...data import Batch, LabelSpace, Rows

MATCHER = "xfeat"
"""What matches where nobody names another."""


@dataclass(frozen=True)
class Choice:
    """What a study is asked to look at; where nothing is said it chooses itself.

    Attributes:
        images: positions among the rows. labels: names.
        matcher: the name of what finds points again; see :mod:`ccvae.studies.matching.matchers`.
    """

    images: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    matcher: str = MATCHER

    @classmethod
    def parse(cls, images: str = "", labels: str = "", matcher: str = MATCHER) -> Choice:
        """A choice as the command line writes it: ``3,14``, ``Smiling,Hair`` and ``sift``.

        Raises:
            ValueError: where an image is no whole number.
        """
        numbers = [part.strip() for part in images.split(",")] if images else []
        wrong = [part for part in numbers if not part.isdecimal()]
        if wrong:
            raise ValueError(
                f"expected images as positions by commas, such as 3,14, got {wrong[0]!r}"
            )
        names = [part.strip() for part in labels.split(",")] if labels else []
        return cls(tuple(map(int, numbers)), tuple(names), matcher)

    def rows(self, rows: Rows, count: int) -> Rows:
        """The chosen rows, or at most ``count`` that are evenly spaced.

        Raises:
            ValueError: for a position that there is not.
        """
        wrong = [image for image in self.images if not 0 <= image < len(rows)]
        if wrong:
            raise ValueError(
                f"expected images between 0 and {len(rows) - 1}, the positions of the test images, "
                f"got {wrong[0]}"
            )
        return picked(rows, torch.tensor(self.images)) if self.images else spread(rows, count)

    def names(self, space: LabelSpace) -> Sequence[str]:
        """The chosen labels, or all.

        Raises:
            ValueError: for a label that is not in the space.
        """
        for name in self.labels:
            space.index(name)
        return self.labels or space.names


OWN = Choice()
"""The study's own choice."""


def evenly(total: int, count: int) -> Tensor:
    """Positions of at most ``count`` of ``total`` things, evenly spaced."""
    return torch.linspace(0, total - 1, min(count, total)).round().long()


def spread(rows: Rows, count: int) -> Rows:
    """At most ``count`` rows, evenly spaced, so that rows sorted by class show every class."""
    return picked(rows, evenly(len(rows), count))


def picked(rows: Rows, positions: Tensor) -> Rows:
    """The rows at some positions ``(n,)`` of a set."""
    return Rows(rows.dataset, rows.rows[positions], rows.labels[positions])


def whole(rows: Rows, device: torch.device | str = "cpu") -> Batch:
    """All rows as one batch."""
    return rows.batch(torch.arange(len(rows)), device)
