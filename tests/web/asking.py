"""Asks an ASGI application as a browser does, in this process and without a network."""

import asyncio
import json
from types import SimpleNamespace
from urllib.parse import urlencode


class Client:
    """Asks for one thing after another; several may ask the same application at once."""

    def __init__(self, app):
        self.app = app

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def request(self, method, path, params=None, content=b"", headers=None, **body):
        """Headers and params by name; content as bytes or pieces of it, or ``json=`` something."""
        path, _, query = path.partition("?")
        if "json" in body:
            content = json.dumps(body["json"]).encode()
        content = content.encode() if isinstance(content, str) else content
        named = {"host": "127.0.0.1:8000"} | (headers or {})
        if isinstance(content, bytes):
            named["content-length"] = str(len(content))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": (urlencode(params) if params else query).encode(),
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in named.items()],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8000),
        }
        return asyncio.run(
            self._answer(scope, [content] if isinstance(content, bytes) else content)
        )

    async def _answer(self, scope, pieces):
        sent = ({"type": "http.request", "body": piece, "more_body": True} for piece in pieces)
        ended, received = [{"type": "http.request", "body": b"", "more_body": False}], []

        async def receive():
            message = next(sent, None) or (ended.pop() if ended else None)
            if message is None:  # nothing more comes, and the reader stays
                await asyncio.Event().wait()
            return message

        async def send(message):
            received.append(message)

        try:
            await self.app(scope, receive, send)
        except Exception:
            if not received:  # else it was answered, and is raised again for the server's log
                raise
        start, *rest = received
        text = b"".join(message.get("body", b"") for message in rest)
        return SimpleNamespace(
            status_code=start["status"],
            headers={k.decode(): v.decode() for k, v in start["headers"]},
            text=text.decode(),
            json=lambda: json.loads(text),
        )
