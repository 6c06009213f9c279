"""The server: its addresses, and who does the work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..inference.runs.run import Run
from ..inspection.example import PATTERNS
from ..inspection.objectives import names, table_latex
from .asking import ask
from .examples import SHOWN
from .faces import Room
from .frame import HERE, Frame
from .grounds import small_faces
from .guard import Guard
from .objectives import Row, own_row, table_entry, table_row
from .offer import Offer, offer
from .own import Own
from .programs import DEFAULTS, Shown, suite
from .remembered import Remembered
from .train import TrainRoom
from .turns import do


def build_app(run: Run, own: Own | None = None) -> Starlette:
    """The page as an ASGI application.

    Args:
        run: a trained run for the room of faces. own: what somebody named, for the other rooms.
    """
    pages = Pages(run, own)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(pages.prepare())]
        if own is not None:
            tasks.append(asyncio.create_task(own.watch()))
        yield
        for task in tasks:
            task.cancel()
        pages.train.shelf.close()

    app = Starlette(
        routes=[
            Route("/", pages.programs),
            Route("/programs", pages.programs),
            Route("/programs/view", pages.programs_view),
            Route("/api/ask", pages.ask),
            Route("/api/own", pages.own_state),
            Route("/objectives", pages.objectives),
            Route("/estimators", pages.estimators),
            Route("/faces", pages.faces),
            *pages.train.routes(),
            Route("/api/faces", pages.answer, methods=["POST"]),
            Route("/api/upload", pages.upload, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(Guard), Middleware(Remembered, version=pages.version)],
        exception_handlers={
            HTTPException: pages.frame.failed,
            ValueError: pages.frame.failed,
            ClientDisconnect: pages.frame.failed,
            Exception: pages.frame.failed,
        },
        lifespan=lifespan,
    )
    app.state.pages = pages
    return app


class Pages:
    """What is answered at each address.

    Args:
        run: a trained run. own: what somebody named, or None.
    """

    def __init__(self, run: Run, own: Own | None = None) -> None:
        self.run, self.own, self.frame = run, own, Frame()
        self.train = TrainRoom(self.frame, self.offer)
        self.views: dict[tuple[tuple[str, str, str], bool], Shown] = {}
        self.rows: dict[str, Row] = {}
        try:
            self.room: Room | None = Room(run)
            self.reason = ""
        except ValueError as error:
            self.room, self.reason = None, str(error)

    async def prepare(self) -> None:
        """Work out what the room of objectives would let its first visitor wait for."""
        await asyncio.to_thread(small_faces)
        await self._table()

    async def _table(self) -> dict[str, Any]:
        for name in names():
            if name not in self.rows:
                self.rows[name] = await do(table_row, name)
        return self.table(list(self.rows.values()))

    async def programs(self, request: Request) -> Response:
        """The room of programs."""
        shown = await self._shown(request)
        return self.frame.page(request, "programs", **self.programs_parts(shown))

    def programs_parts(self, shown: Shown) -> dict[str, Any]:
        """What the room of programs is written from."""
        offered = self.offer()
        return {
            "view": shown.view,
            "programs": offered.drawn,
            "titles": offered.titles,
            "patterns": PATTERNS,
            "patterned": len(offered.theirs.patterns) > 1,
            "own": self.own.state() if self.own else {},
        }

    def version(self) -> int:
        """Counts the looks at what somebody named."""
        return self.own.version if self.own else 0

    def opening(self) -> tuple[str, str]:
        """The program and the objective that the room of programs opens with."""
        return self.own.opening() if self.own else DEFAULTS[:2]

    def offer(self) -> Offer:
        """What there is to choose from now."""
        return offer(self.own)

    async def programs_view(self, request: Request) -> Response:
        """What that room shows of a program, without the page around it."""
        shown = await self._shown(request)
        return self.frame.part(request, "programs_view.html", view=shown.view)

    async def ask(self, request: Request) -> Response:
        """The answer to a question about what the room of programs shows."""
        shown = await self._shown(request)
        return JSONResponse(await asyncio.to_thread(ask, shown, dict(request.query_params)))

    async def own_state(self, _: Request) -> Response:
        """Whether what somebody named has been looked at anew."""
        if self.own is None:
            raise HTTPException(
                404, "nothing of yours is shown; start ccvae app module:model,guide"
            )
        return JSONResponse(self.own.state())

    async def objectives(self, request: Request) -> Response:
        """The room of objectives."""
        return self.frame.page(request, "objectives", **await self._table())

    def table(self, table: list[Row]) -> dict[str, Any]:
        """What the room of objectives is written from, somebody's own first."""
        entries = [table_entry(name) for name in names()]
        own = self.own.entries if self.own else {}
        if own:
            table = [own_row(own), *table]
            entries = [next(iter(own.values())), *entries]
        state = self.own.state() if self.own else {}
        return {"table": table, "latex": table_latex(entries), "own": state}

    async def estimators(self, request: Request) -> Response:
        """The room of estimators, which works in the browser alone."""
        return self.frame.page(request, "estimators")

    async def faces(self, request: Request) -> Response:
        """The room of faces."""
        return self.frame.page(request, "faces", **self.faces_parts())

    def faces_parts(self, shown: int = SHOWN) -> dict[str, Any]:
        """What the room of faces is written from, with so many of its images."""
        return {"room": self.room, "reason": self.reason, "run": self.run, "shown": shown}

    async def answer(self, request: Request) -> Response:
        """What a state of the faces' sliders and switches leads to."""
        asked = await _json(request)
        return JSONResponse(await do(self._room().answer, asked))

    async def upload(self, request: Request) -> Response:
        """An image file as the run sees it."""
        content = await request.body()
        try:
            return JSONResponse(await do(self._room().upload, content))
        except ValueError as error:
            raise HTTPException(
                422, f"this file cannot be used: {error}; choose a PNG or a JPEG"
            ) from error

    def _room(self) -> Room:
        if self.room is None:
            raise HTTPException(404, self.reason)
        return self.room

    async def _shown(self, request: Request) -> Shown:
        query = request.query_params
        program, objective, labels = (query.get(k, "") for k in ("program", "objective", "labels"))
        labels, lacks = labels or DEFAULTS[2], bool(query.get("lacks"))
        if not program:
            program, objective = self.opening()
        if self.own is not None and self.own.draws(program, objective):
            shown = await self.own.view(program, objective, labels)
            return await asyncio.to_thread(shown.with_lacks) if lacks else shown
        return await self._suites((program, objective, labels), lacks)

    async def _suites(self, asked: tuple[str, str, str], lacks: bool) -> Shown:
        """What was shown before is at hand, and need not wait for its turn beside the trainings."""
        if (asked, lacks) not in self.views:
            shown = await do(suite, *asked)
            self.views[asked, lacks] = await do(shown.with_lacks) if lacks else shown
        return self.views[asked, lacks]


async def _json(request: Request) -> dict[str, Any]:
    try:
        content = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected a JSON object ({error}); reload the page") from error
    if not isinstance(content, dict):
        raise ValueError(f"expected a JSON object, got a {type(content).__name__}; reload the page")
    return content
