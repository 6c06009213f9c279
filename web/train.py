"""The room of trainings: what is answered at its addresses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .apart import Apart
from .frame import Frame
from .offer import Offer
from .shelf import LIVE, FullError, Kept, Shelf
from .steering import Change, Start, checked, read
from .training import Training


class TrainRoom:
    """Trainings that are begun, steered and looked at.

    Args:
        frame: writes the page. offer: what there is to choose from.
    """

    def __init__(self, frame: Frame, offer: Callable[[], Offer]) -> None:
        self.frame, self.offer, self.shelf = frame, offer, Shelf()

    def routes(self) -> list[Route]:
        """Its addresses."""
        return [
            Route("/train", self.page),
            Route("/api/train", self.begin, methods=["POST"]),
            Route("/api/train/{name}", self.state, methods=["GET"]),
            Route("/api/train/{name}", self.steer, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """The room."""
        return self.frame.page(request, "train", **train_parts(self.offer(), []))

    async def begin(self, request: Request) -> Response:
        """A new training, paused before its first step."""
        offer = self.offer()
        start = checked(read(await request.body(), Start), offer)
        theirs = any(offer.is_theirs(side.program, side.objective) for side in (start.a, start.b))
        try:
            make = partial(Apart, start, offer.theirs) if theirs else partial(Training, start)
            kept = await self.shelf.begin(start, make, theirs)
        except FullError:
            raise HTTPException(
                429, f"{LIVE} trainings are running already; pause one, or wait until one has ended"
            ) from None
        return JSONResponse({"id": kept.id})

    async def state(self, request: Request) -> Response:
        """What a page does not know yet of a training."""
        kept = self._find(request)
        since, frames = (_count(request, name) for name in ("since", "frames"))
        opening = {"opening": kept.opening} if request.query_params.get("opening") else {}
        return JSONResponse({**opening, **kept.state(since, frames)})

    async def steer(self, request: Request) -> Response:
        """Go on, pause, take one step, or change what is learnt."""
        kept = self._find(request)
        await self.shelf.steer(kept, read(await request.body(), Change))
        return JSONResponse({"status": kept.status})

    def _find(self, request: Request) -> Kept:
        try:
            return self.shelf.find(request.path_params["name"])
        except LookupError:
            raise HTTPException(
                404, "this training is no longer kept; begin it again, it gives the same numbers"
            ) from None


def train_parts(offer: Offer, recorded: list[dict[str, Any]]) -> dict[str, Any]:
    """What the room of trainings is written from, where there is no server with those recorded."""
    own = {"word": offer.theirs.objective, "inputs": offer.theirs.inputs}
    return {"choices": offer.trained, "titles": offer.titles, "own": own, "recorded": recorded}


def _count(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise ValueError(f"expected a whole number for {name}; reload the page")
    return int(text)
