"""What every request passes: who may ask, how much may be sent, and what a browser is allowed.

Starlette's own ``TrustedHostMiddleware`` would answer a wrong host with a bare 400; here it is
refused in a sentence, as everything else is, and with the headers below.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
"""Names under which the page may be asked for. Any other host's name that leads here is a trick."""

LARGEST = 16 * 2**20
"""Bytes of a request's body."""

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class Guard:
    """Refuses what does not come from a page of this server, or is too large.

    Args:
        app: what answers all other requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _refusal(scope) or self.app
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST:
                raise HTTPException(413, TOO_LARGE)
            return message

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await answer(scope, counted, guarded)


TOO_LARGE = f"more than {LARGEST // 2**20} MB were sent; choose a smaller image"


def _refusal(scope: Scope) -> JSONResponse | None:
    """What is answered to a request that must not pass."""
    headers = Headers(scope=scope)
    host = headers.get("host", "").rsplit(":", 1)[0]
    if host not in HOSTS:
        return _refused(403, f"this page answers on {' and '.join(HOSTS)} only")
    if _is_foreign(headers, scope["path"].startswith("/api/")):
        return _refused(403, "this page answers its own requests only, not those of other sites")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > LARGEST:
        return _refused(413, TOO_LARGE)
    return None


def _is_foreign(headers: Headers, works: bool) -> bool:
    """Whether another site's page asks; such a page may link to ours, and to nothing that works."""
    own = f"http://{headers.get('host', '')}"
    if any(origin != own for origin in headers.getlist("origin")):
        return True
    if all(site in ("same-origin", "none") for site in headers.getlist("sec-fetch-site")):
        return False
    return works or headers.get("sec-fetch-mode") != "navigate"


def _refused(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"error": reason}, status)


def without(reason: str, given: Iterable[str]) -> str:
    """A reason without the words that were sent."""
    for words in given:
        reason = reason.replace(repr(words), "as sent")
    return reason
