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
    """Writes pages."""

    def __init__(self) -> None:
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
        self.templates = Jinja2Templates(env=environment)

    def page(self, request: Request, here: str, *, code: int = 200, **parts: Any) -> Response:
        """A room with the frame around it; without a name the page of a failure."""
        frame = {"rooms": ROOMS, "here": here, "version": __version__, "code": code}
        return self.templates.TemplateResponse(
            request, f"{here or 'failed'}.html", frame | parts, code
        )

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
