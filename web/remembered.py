"""Answers that were given before, given again: what a room shows follows from its address alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROOMS = frozenset(
    ("/", "/programs", "/programs/view", "/api/ask", "/objectives", "/estimators", "/faces")
)
"""Addresses whose answers follow from the query and from what somebody named last."""

MOST = 8 * 2**20
"""Bytes of all answers together; those that were not asked for the longest go first."""

Key = tuple[str, bytes, int]


class Remembered:
    """Keeps good answers, and gives them to whoever asks the same.

    Args:
        app: what answers for the first time. version: of what somebody named, whose files change.
    """

    def __init__(self, app: ASGIApp, version: Callable[[], int]) -> None:
        self.app, self.version = app, version
        self.kept: OrderedDict[Key, tuple[Message, ...]] = OrderedDict()
        self.bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as before, or have it answered."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in ROOMS:
            await self.app(scope, receive, send)
            return
        key = scope["path"], scope["query_string"], self.version()
        if key not in self.kept:
            said: list[Message] = []

            async def heard(message: Message) -> None:
                said.append(copied(message))
                await send(message)

            await self.app(scope, receive, heard)
            self._keep(key, said)
            return
        self.kept.move_to_end(key)
        for message in self.kept[key]:
            await send(copied(message))

    def _keep(self, key: Key, said: list[Message]) -> None:
        if said[0]["status"] != 200 or key in self.kept:
            return
        self.kept[key] = tuple(said)
        self.bytes += _size(key, said)
        while self.bytes > MOST:
            old, gone = self.kept.popitem(last=False)
            self.bytes -= _size(old, gone)


def copied(message: Message) -> Message:
    """A message whose headers others may add to."""
    return {**message, "headers": [*message["headers"]]} if "headers" in message else {**message}


def _size(key: Key, said: list[Message] | tuple[Message, ...]) -> int:
    return len(key[1]) + 1000 + sum(len(message.get("body", b"")) for message in said)
