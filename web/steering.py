"""What a page may ask of a training, and within which limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec

from ..words import LONGEST
from .offer import Offer

Word = Annotated[str, msgspec.Meta(max_length=LONGEST)]
Alpha = Annotated[float, msgspec.Meta(ge=0, le=1e6)]
Beta = Annotated[float, msgspec.Meta(gt=0, le=100)]
Share = Annotated[float, msgspec.Meta(ge=0.01, le=1)]
Scale = Annotated[float, msgspec.Meta(ge=0.02, le=5)]
Speed = Annotated[float, msgspec.Meta(ge=0, le=1000)]
Seed = Annotated[int, msgspec.Meta(ge=0, le=99_999)]

DEEDS = ("", "go", "pause", "step")
"""What may be done: nothing, go on, pause, one step."""


class Weights(msgspec.Struct, frozen=True):
    """Weights of an objective; None leaves one as it is."""

    alpha: Alpha | None = None
    beta: Beta | None = None


class Side(Weights, frozen=True):
    """One of the two: a program under an objective, ``""`` for its own."""

    program: Word = "ccvae"
    objective: Word = ""


class Start(msgspec.Struct, frozen=True):
    """What a training begins with.

    Attributes:
        a, b: the two sides.
        seed: of the weights, the batches and the noise, which both sides share.
        share: of the training rows that show their labels. scale: of the likelihood.
    """

    a: Side = Side()
    b: Side = Side(objective="adapted-diva")
    seed: Seed = 0
    share: Share = 0.5
    scale: Scale = 0.2


class Change(msgspec.Struct, frozen=True):
    """What is done to a training while it is there; None leaves something as it is.

    Attributes:
        do: one of :data:`DEEDS`. speed: steps a second at most; 0 for as many as there can be.
        a, b: weights. share, scale: as in :class:`Start`.
    """

    do: Word = ""
    speed: Speed | None = None
    a: Weights = Weights()
    b: Weights = Weights()
    share: Share | None = None
    scale: Scale | None = None

    def touches(self) -> bool:
        """Whether it changes what is learnt from the next step on."""
        nothing = Weights()
        return (self.a, self.b, self.share, self.scale) != (nothing, nothing, None, None)

    def words(self) -> str:
        """What it changes, in words."""
        sides = (("A", self.a), ("B", self.b))
        parts = [f"α of {n} {side.alpha:g}" for n, side in sides if side.alpha is not None]
        parts += [f"β of {n} {side.beta:g}" for n, side in sides if side.beta is not None]
        parts += [f"labelled share {self.share:g}"] if self.share is not None else []
        parts += [f"scale {self.scale:g}"] if self.scale is not None else []
        return ", ".join(parts)


Kind = TypeVar("Kind", Start, Change)


def read(content: bytes, kind: type[Kind]) -> Kind:
    """What was sent, as what it should be.

    Raises:
        ValueError: with what was expected, and nothing of what was sent.
    """
    try:
        found: Kind = msgspec.json.decode(content or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        expected = (
            str(error).partition(",")[0] if isinstance(error, msgspec.ValidationError) else ""
        )
        reason = f" ({expected})" if expected else ""
        raise ValueError(
            f"expected what a training is asked for as JSON{reason}; reload the page"
        ) from None
    return found


def checked(start: Start, offer: Offer) -> Start:
    """The same with names that are offered, and the program's own objective where it was left out.

    Raises:
        ValueError: for another name.
    """
    sides = [_checked(side, offer.trained) for side in (start.a, start.b)]
    return msgspec.structs.replace(start, a=sides[0], b=sides[1])


def _checked(side: Side, trained: Mapping[str, Mapping[str, object]]) -> Side:
    if side.program not in trained:
        raise ValueError(f"unknown program; choose one of {', '.join(trained)}")
    known = trained[side.program]
    if side.objective and side.objective not in known:
        raise ValueError(f"unknown objective of {side.program}; choose one of {', '.join(known)}")
    return msgspec.structs.replace(side, objective=side.objective or next(iter(known)))
