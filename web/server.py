"""The server: its addresses, and who does the work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import Receive, Scope, Send

from .. import __version__
from ..inference.catalogue import PROGRAMS
from ..inference.runs.run import Run
from ..inspection.example import PATTERNS
from ..inspection.objectives import names
from .comparison import SUMMARIES, Comparison, heading, small_faces
from .faces import Room
from .guard import Guard, without
from .objectives import table_row
from .programs import DEFAULTS, TITLES, View, view

HERE = Path(__file__).parent

ROOMS = {"programs": "Programs", "objectives": "Objectives", "faces": "Faces"}

TRAININGS = 3
"""How many trainings may run at once."""

Result = TypeVar("Result")


PYRO = ThreadPoolExecutor(1, "pyro")
"""The one thread on which Pyro runs: its handlers and random numbers belong to the process."""


async def do(work: Callable[..., Result], *arguments: Any) -> Result:
    """What a function returns that runs Pyro, once its turn has come.

    Who asks waits in a queue, a training for every step anew: so it delays a slider by one step.
    """
    return await asyncio.get_running_loop().run_in_executor(PYRO, work, *arguments)


def build_app(run: Run) -> Starlette:
    """The page as an ASGI application.

    Args:
        run: a trained run for the room of faces.
    """
    pages = Pages(run)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        preparing = asyncio.create_task(pages.prepare())
        yield
        preparing.cancel()

    app = Starlette(
        routes=[
            Route("/", pages.programs),
            Route("/programs", pages.programs),
            Route("/programs/view", pages.programs_view),
            Route("/objectives", pages.objectives),
            Route("/faces", pages.faces),
            Route("/api/comparison", pages.comparison, methods=["POST"]),
            Route("/api/faces", pages.answer, methods=["POST"]),
            Route("/api/upload", pages.upload, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={
            HTTPException: pages.failed,
            ValueError: pages.failed,
            ClientDisconnect: pages.failed,
            Exception: pages.failed,
        },
        lifespan=lifespan,
    )
    app.state.pages = pages
    return app


class Stream(StreamingResponse):
    """Lines of JSON, and what is done when they end: with the last, or when their reader leaves.

    Args:
        lines: one object each. end: called once, even where no line was ever asked for.
    """

    def __init__(self, lines: AsyncIterator[str], end: Callable[[], None]) -> None:
        super().__init__(lines, media_type="application/x-ndjson")
        self.end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.end()


def breakable(name: str) -> Markup:
    """A label's name that a line may break after an underscore."""
    return Markup("_<wbr>").join(name.split("_"))


class Pages:
    """What is answered at each address.

    Args:
        run: a trained run.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.trainings, self.ended = run, 0, False
        environment = Environment(
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            loader=FileSystemLoader(HERE / "templates"),
        )
        environment.filters["markup"] = Markup  # for what this package wrote itself
        environment.filters["breakable"] = breakable
        self.templates = Jinja2Templates(env=environment)
        try:
            self.room: Room | None = Room(run)
            self.reason = ""
        except ValueError as error:
            self.room, self.reason = None, str(error)

    async def prepare(self) -> None:
        """Work out what the room of objectives would let its first visitor wait for."""
        await asyncio.to_thread(small_faces)
        for name in names():
            await do(table_row, name)

    async def programs(self, request: Request) -> Response:
        """The room of programs."""
        shown = await self._view(request)
        programs = {name: list(known) for name, known in PROGRAMS.items()}
        return self._page(
            request, "programs", view=shown, programs=programs, titles=TITLES, patterns=PATTERNS
        )

    async def programs_view(self, request: Request) -> Response:
        """What that room shows of a program, without the page around it."""
        shown = await self._view(request)
        return self.templates.TemplateResponse(request, "programs_view.html", {"view": shown})

    async def objectives(self, request: Request) -> Response:
        """The room of objectives."""
        table = [await do(table_row, name) for name in names()]
        choices = {name: list(known) for name, known in PROGRAMS.items() if len(known) > 1}
        return self._page(request, "objectives", table=table, choices=choices, titles=TITLES)

    async def faces(self, request: Request) -> Response:
        """The room of faces."""
        return self._page(request, "faces", room=self.room, reason=self.reason, run=self.run)

    async def comparison(self, request: Request) -> Response:
        """A short training under two objectives, as a JSON object on each line."""
        query = request.query_params
        program = query.get("program", DEFAULTS[0])
        seed = query.get("seed", "0")
        if not (seed.isascii() and seed.isdecimal() and len(seed) < 6):
            raise ValueError("expected a seed from 0 to 99999; reload the page")
        if self.trainings >= TRAININGS:
            raise HTTPException(
                503, f"{TRAININGS} trainings are running already; start again when one has ended"
            )
        self.trainings += 1
        try:
            chosen = (query.get("a", ""), query.get("b", ""))
            training = await do(Comparison, program, chosen, int(seed))
        except BaseException:
            self._training_ended()
            raise
        return Stream(self._train(request, training), self._training_ended)

    async def _train(self, request: Request, training: Comparison) -> AsyncIterator[str]:
        opening = training.opening()
        yield json.dumps(opening) + "\n"
        known: set[str] = set()
        while training.done < opening["steps"] and not self.ended:
            if await request.is_disconnected():
                return
            try:
                found = await do(training.step)
            except ValueError as error:  # the answer has begun: what went wrong is its last line
                yield json.dumps({"error": str(error)}) + "\n"
                return
            present = list(SUMMARIES) + [name for side in found["sides"] for name in side]
            found["headings"] = {n: heading(n) for n in present if n not in known}
            known.update(present)
            yield json.dumps(found) + "\n"

    def _training_ended(self) -> None:
        self.trainings -= 1

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

    async def failed(self, request: Request, error: Exception) -> Response:
        """A failure as one sentence: JSON for the page's own requests, a page for people."""
        status, reason = 500, "something went wrong here; the terminal of ccvae app says what"
        if isinstance(error, HTTPException):
            status, reason = error.status_code, str(error.detail)
        elif isinstance(error, ValueError):
            status, reason = 400, without(str(error), request.query_params.values())
        elif isinstance(error, ClientDisconnect):
            status, reason = 400, "the request ended before it was whole"
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": reason}, status)
        return self._page(request, "", code=status, reason=reason)

    def _room(self) -> Room:
        if self.room is None:
            raise HTTPException(404, self.reason)
        return self.room

    async def _view(self, request: Request) -> View:
        asked = [request.query_params.get(k, "") for k in ("program", "objective", "labels")]
        program = asked[0] or DEFAULTS[0]
        return await do(view, program, asked[1], asked[2] or DEFAULTS[2])

    def _page(self, request: Request, here: str, *, code: int = 200, **parts: Any) -> Response:
        frame = {"rooms": ROOMS, "here": here, "version": __version__, "code": code}
        return self.templates.TemplateResponse(
            request, f"{here or 'failed'}.html", frame | parts, code
        )


async def _json(request: Request) -> dict[str, Any]:
    try:
        content = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected a JSON object ({error}); reload the page") from error
    if not isinstance(content, dict):
        raise ValueError(f"expected a JSON object, got a {type(content).__name__}; reload the page")
    return content
