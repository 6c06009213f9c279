"""``python -m ccvae.benchmarks.page``: the teaching page under many requests, and what it costs to
show a training.

*Requests*: a page of its own process is asked by one user, then by 200 at the same moment together
with 100 requests that are wrong, a few times over, then by one user again. All on one machine with
the clients, who take their share of its cores. *Of a round* is the time from the first request to
the last answer, divided by the answers: what one more request costs.

*Showing*: ten steps of a training in the room of trainings, with all that is recorded and sent,
beside the same ten steps alone; the two take turns, see :mod:`ccvae.benchmarks.timing`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import torch
from torch import Tensor

from ..web.offer import suites
from ..web.steering import Start, checked
from ..web.training import Training
from .timing import measure, options_of, ratio

GOOD, BAD, ROUNDS, ALONE = 200, 100, 3, 60
"""Requests of a round, right and wrong ones; rounds; requests of the one user."""


class Asked(NamedTuple):
    """A request: method, path, body, and a header of another site's where there is one."""

    method: str
    path: str
    body: str = ""
    site: str = ""


RIGHT = (
    Asked("GET", "/programs?program=diva"),
    Asked("GET", "/programs/view?program=m2&objective=m2&labels=all"),
    Asked("GET", "/api/ask?program=diva&first=z_d&second=z_y&given=x"),
    Asked("GET", "/objectives"),
    Asked("GET", "/estimators"),
    Asked("GET", "/static/train.js"),
    Asked("POST", "/api/faces", '{"face": 1, "blocks": {"Young": [1.0]}}'),
    Asked("POST", "/api/faces", '{"face": 2, "intervene": {"Eyeglasses": 1}}'),
)
"""What people ask for."""

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


@dataclass(frozen=True)
class Load:
    """What many requests did to a page.

    Attributes:
        alone, together, after: median seconds of an answer: of one user before, of all in a round,
            and of one user afterwards.
        each: seconds of a round for each of its answers.
        failures: answers with a status from 500 on, or none. growth: bytes of memory.
    """

    alone: float
    together: float
    each: float
    after: float
    failures: int
    growth: int


class Answer(NamedTuple):
    """A status, 0 where there was no answer, and the seconds that it took."""

    status: int
    seconds: float


@contextmanager
def page() -> Iterator[tuple[str, int]]:
    """A page in a process of its own; gives its address and the process's number."""
    command = [sys.executable, "-m", "ccvae", "app", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("}"):
            lines.append(process.stdout.readline())
        try:
            yield json.loads("".join(lines))["url"], process.pid
        finally:
            process.terminate()
            process.wait(30)


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


def at_once(url: str, requests: Sequence[Asked]) -> tuple[list[Answer], float]:
    """All requests at the same moment: the answers, and the seconds until the last."""
    answers: list[Answer] = [Answer(0, 0.0)] * len(requests)
    gate = threading.Barrier(len(requests) + 1)

    def one(position: int) -> None:
        gate.wait()
        answers[position] = ask(url, requests[position])

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(requests))]
    for thread in threads:
        thread.start()
    gate.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return answers, time.perf_counter() - start


def load(good: int = GOOD, bad: int = BAD, rounds: int = ROUNDS, alone: int = ALONE) -> Load:
    """A page under many requests; see the module."""
    right = [RIGHT[i % len(RIGHT)] for i in range(max(good, alone))]
    wrong = [WRONG[i % len(WRONG)] for i in range(bad)]
    with page() as (url, process):
        for asked in (*RIGHT, *WRONG):  # what is worked out but once
            ask(url, asked)
        at_once(url, right[:good] + wrong)
        before = memory(process)
        first = [ask(url, asked).seconds for asked in right[:alone]]
        found = [at_once(url, right[:good] + wrong) for _ in range(rounds)]
        last = [ask(url, asked).seconds for asked in right[:alone]]
        growth = memory(process) - before
    answers = [answer for each, _ in found for answer in each]
    return Load(
        alone=median(first),
        together=median(a.seconds for each, _ in found for a in each[:good]),
        each=median(taken for _, taken in found) / (good + bad),
        after=median(last),
        failures=sum(answer.status == 0 or answer.status >= 500 for answer in answers),
        growth=growth,
    )


def memory(process: int) -> int:
    """The bytes that a process holds in memory; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return int(next(line.split()[1] for line in status.split("\n") if "VmRSS" in line)) * 1024


def showing(seconds: float) -> float:
    """How many times as long ten steps take where they are shown."""
    shown, plain = (Training(checked(Start(), suites())) for _ in range(2))

    def ten_shown() -> Tensor:
        for _ in range(10):
            json.dumps(shown.step())
        return torch.zeros(())

    def ten_plain() -> Tensor:
        for _ in range(10):
            plain.done += 1
            for ground in plain.grounds:
                ground.turn()
            for side in plain.sides:
                side.step(plain.done, False, plain.done)
        return torch.zeros(())

    taken = measure({"shown": ten_shown, "plain": ten_plain}, seconds)
    return ratio(taken["shown"], taken["plain"])


def table(found: Load) -> str:
    """A load as lines for people."""
    rows: list[tuple[str, Any]] = [
        ("median answer, one user", f"{found.alone * 1000:.1f} ms"),
        ("median answer, all at once", f"{found.together * 1000:.1f} ms"),
        ("of a round, for each answer", f"{found.each * 1000:.1f} ms"),
        ("median answer, one user afterwards", f"{found.after * 1000:.1f} ms"),
        ("answers with a failure", found.failures),
        ("growth of memory", f"{found.growth / 2**20:.1f} MiB"),
    ]
    return "\n".join(f"{words:36}{value}" for words, value in rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m ccvae.benchmarks.page")
    parser.add_argument("--seconds", type=float, default=30, help="of the trainings (30)")
    parser.add_argument("--good", type=int, default=GOOD, help=f"requests at once ({GOOD})")
    parser.add_argument("--bad", type=int, default=BAD, help=f"wrong ones beside them ({BAD})")
    options = options_of(parser, arguments)
    print(table(load(options.good, options.bad)), flush=True)
    print(f"ten steps shown beside the same alone: {showing(options.seconds):.3f} times as long")


if __name__ == "__main__":
    main()
