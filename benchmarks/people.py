"""What people ask a page for, one after another or all at once, and how long their answers take."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

from ..inference.programs import PROGRAMS
from ..inspection.example import PATTERNS

PAUSE = 0.05
"""Seconds between two requests of one user."""


class Asked(NamedTuple):
    """A request: method, path, body, and a header of another site's where there is one."""

    method: str
    path: str
    body: str = ""
    site: str = ""


GIVEN = ("", "x", "y", "d", "x,y", "x,d", "y,d", "x,y,d", "z_x", "x,z_x", "y,z_x")
SCRIPTS = ("train", "programs", "faces", "page", "take", "chart")

KINDS: dict[str, Callable[[int], Asked]] = {
    "a room of a program": lambda i: Asked("GET", f"/programs?program={_of(PROGRAMS, i)}"),
    "a view of one": lambda i: Asked(
        "GET", f"/programs/view?program={_of(PROGRAMS, i)}&labels={_of(PATTERNS, i // 5)}"
    ),
    "a question": lambda i: Asked(
        "GET", f"/api/ask?program=diva&first=z_d&second=z_y&given={_of(GIVEN, i)}"
    ),
    "a table": lambda i: Asked("GET", "/objectives"),
    "a room": lambda i: Asked("GET", "/estimators"),
    "a script": lambda i: Asked("GET", f"/static/{_of(SCRIPTS, i)}.js"),
    "a slider": lambda i: Asked(
        "POST",
        "/api/faces",
        json.dumps({"face": i % 12, "blocks": {"Young": [i / 200], "Smiling": [-i / 300]}}),
    ),
    "an intervention": lambda i: Asked(
        "POST", "/api/faces", json.dumps({"face": i // 2 % 12, "intervene": {"Bangs": i % 2}})
    ),
}
"""What people ask for by kinds, each a request for every number: another number, another state."""


def _of(known: Sequence[str] | Mapping[str, object], i: int) -> str:
    """The names in turn."""
    return list(known)[i % len(known)]


def right(count: int) -> list[Asked]:
    """So many requests, of all kinds in turn, each in a state of its own as far as there are."""
    makers = list(KINDS.values())
    return [makers[i % len(makers)](i // len(makers)) for i in range(count)]


RIGHT = right(len(KINDS))
"""One of each kind."""

WRONG = (
    Asked("POST", "/api/faces", '{"face": 99}'),
    Asked("POST", "/api/faces", "[" * 50_000),
    Asked("POST", "/api/upload", "no picture"),
    Asked("POST", "/api/train", '{"seed": "x"}'),
    Asked("POST", "/api/train/nosuch", '{"do": "go"}'),
    Asked("GET", "/api/ask?program=diva&first=nosuch&second=x"),
    Asked("GET", "/programs?program=nosuch"),
    Asked("DELETE", "/api/faces"),
    Asked("POST", "/api/train", "{}", site="cross-site"),
    Asked("GET", "/nowhere"),
)
"""What nobody's page asks for."""


class Answer(NamedTuple):
    """A status, 0 where there was no answer, and the seconds that it took."""

    status: int
    seconds: float


def ask(url: str, asked: Asked) -> Answer:
    """One request, whole."""
    headers = {"Sec-Fetch-Site": asked.site} if asked.site else {}
    start = time.perf_counter()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)
    try:
        connection.request(asked.method, asked.path, asked.body or None, headers)
        response = connection.getresponse()
        response.read()
        status = response.status
    except OSError:
        status = 0
    finally:
        connection.close()
    return Answer(status, time.perf_counter() - start)


def one_user(url: str, requests: Sequence[Asked]) -> list[Answer]:
    """One request after another, each after a pause, in which the page is idle."""
    answers = []
    for asked in requests:
        time.sleep(PAUSE)
        answers.append(ask(url, asked))
    return answers


def at_once(url: str, requests: Sequence[Asked], span: float = 0.0) -> tuple[list[Answer], float]:
    """All requests at the same moment, or each at a moment of its own within a span of seconds.

    Returns:
        the answers, and the seconds until the last.
    """
    answers: list[Answer] = [Answer(0, 0.0)] * len(requests)
    gate, chance = threading.Barrier(len(requests) + 1), random.Random(0)
    moments = [chance.uniform(0, span) for _ in requests]

    def one(position: int) -> None:
        gate.wait()
        time.sleep(moments[position])
        answers[position] = ask(url, requests[position])

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(requests))]
    for thread in threads:
        thread.start()
    gate.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return answers, time.perf_counter() - start


def by_kinds(*series: Sequence[Answer]) -> dict[str, float]:
    """Median seconds by kinds, of answers to :func:`right` in their order."""
    kinds = list(KINDS)
    return {
        name: median(a.seconds for each in series for a in each[at :: len(kinds)])
        for at, name in enumerate(kinds)
    }
