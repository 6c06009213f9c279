"""What is around every room: the templates, the page's frame, and a failure as one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.templating import Jinja2Templates

from .. import __version__
from .guard import without

HERE = Path(__file__).parent

ROOMS = {
    "programs": "Programs",
    "objectives": "Objectives",
    "train": "Train",
    "estimators": "Estimators",
    "faces": "Faces",
}


class Frame:
    """Writes pages.

    Args:
        static: for a folder without a server; addresses are then relative, and files.
    """

    def __init__(self, *, static: bool = False) -> None:
        environment = Environment(
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            loader=FileSystemLoader(HERE / "templates"),
        )
        environment.policies["json.dumps_kwargs"] = {}  # in the order of the program
        environment.filters["markup"] = Markup  # for what this package wrote itself
        environment.filters["breakable"] = breakable
        environment.globals |= {"static": static, "rooms": ROOMS, "version": __version__}
        environment.globals["to_room"] = to_file if static else to_room
        environment.globals["asset"] = "static/" if static else "/static/"
        self.environment, self.templates = environment, Jinja2Templates(env=environment)

    def page(self, request: Request, here: str, *, code: int = 200, **parts: Any) -> Response:
        """A room with the frame around it; without a name the page of a failure."""
        frame = {"here": here, "code": code}
        return self.templates.TemplateResponse(
            request, f"{here or 'failed'}.html", frame | parts, code
        )

    def text(self, here: str, **parts: Any) -> str:
        """A room as it is written into a file."""
        return self.part_text(f"{here}.html", here=here, code=200, **parts)

    def part_text(self, template: str, **parts: Any) -> str:
        """A part of a room as it is written into a file."""
        return self.environment.get_template(template).render(parts)

    def part(self, request: Request, template: str, **parts: Any) -> Response:
        """A part of a room."""
        return self.templates.TemplateResponse(request, template, parts)

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
        return self.page(request, "", code=status, reason=reason)


def breakable(name: str) -> Markup:
    """A label's name that a line may break after an underscore."""
    return Markup("_<wbr>").join(name.split("_"))


def to_room(name: str) -> str:
    """A room's address on the server."""
    return f"/{name}"


def to_file(name: str) -> str:
    """A room's address in a folder."""
    return f"{name}.html"
