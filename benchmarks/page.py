"""``python -m ccvae.benchmarks.page``: the teaching page under many requests, and what it costs to
show a training.

*Requests*: a page of its own process is asked by one user, with pauses in which it is idle; then
by 200 at the same moment together with 100 requests that are wrong, a few times over; then by 200
people who each ask once, at moments of their own within some seconds, beside the same 100; then
by one user again. Their requests are of eight kinds and differ. All on one machine with the
clients, who take their share of its cores. *Of a round* is the time from the first request to the
last answer, divided by the answers: what one more request costs. At the same moment the median
answer cannot come sooner than half of a round, whatever serves it; people ask one after another.

*Showing*: ten steps of a training in the room of trainings, with all that is recorded and sent,
beside the same ten steps alone; the two take turns, see :mod:`ccvae.benchmarks.timing`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from ..web.offer import suites
from ..web.steering import Start, checked
from ..web.training import Training
from .people import KINDS, WRONG, Answer, ask, at_once, by_kinds, one_user, right
from .timing import measure, options_of, ratio

GOOD, BAD, ROUNDS, ALONE = 200, 100, 3, 80
"""Requests of a round, right and wrong ones; rounds; requests of the one user."""

SPANS = (2.0, 5.0, 10.0)
"""Seconds within which each of the people asks once."""


@dataclass(frozen=True)
class Load:
    """What many requests did to a page.

    Attributes:
        alone: median seconds of an answer to one user, by kinds.
        together: the same of all in a round. each: seconds of a round for each of its answers.
        people: for so many seconds within which each of 200 asks once, how many times as long as
            alone an answer takes, the median over kinds of the ratio of medians.
        after: seconds of one user's answers afterwards, by kinds.
        failures: answers with a status from 500 on, or none. growth: bytes of memory.
    """

    alone: dict[str, float]
    together: dict[str, float]
    each: float
    people: dict[float, float]
    after: dict[str, float]
    failures: int
    growth: int


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


def load(
    good: int = GOOD,
    bad: int = BAD,
    rounds: int = ROUNDS,
    alone: int = ALONE,
    spans: Sequence[float] = SPANS,
) -> Load:
    """A page under many requests; see the module."""
    asked, wrong = right(max(good, alone)), [WRONG[i % len(WRONG)] for i in range(bad)]
    with page() as (url, process):
        for each in (*asked, *WRONG):  # what is worked out but once
            ask(url, each)
        at_once(url, asked[:good] + wrong)
        before = memory(process)
        first = one_user(url, asked[:alone])
        found = [at_once(url, asked[:good] + wrong) for _ in range(rounds)]
        spread: dict[float, list[Answer]] = {}
        beside: dict[float, list[Answer]] = {}
        for span in spans:  # one user's beside it, for a machine is not the same for long
            beside[span] = one_user(url, asked[:alone])
            spread[span] = at_once(url, asked[:good] + wrong, span)[0]
            beside[span] += one_user(url, asked[:alone])
        last = one_user(url, asked[:alone])
        growth = memory(process) - before
    answers = [*(a for each, _ in found for a in each), *(a for s in spread.values() for a in s)]
    return Load(
        alone=by_kinds(first),
        together=by_kinds(*(each[:good] for each, _ in found)),
        each=median(taken for _, taken in found) / (good + bad),
        people={
            span: _times(by_kinds(spread[span][:good]), by_kinds(*_halves(beside[span])))
            for span in spans
        },
        after=by_kinds(last),
        failures=sum(answer.status == 0 or answer.status >= 500 for answer in answers),
        growth=growth,
    )


def _halves(series: Sequence[Answer]) -> tuple[Sequence[Answer], Sequence[Answer]]:
    return series[: len(series) // 2], series[len(series) // 2 :]


def _times(some: Mapping[str, float], others: Mapping[str, float]) -> float:
    return median(some[kind] / others[kind] for kind in KINDS)


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
        ("answers with a failure", found.failures),
        ("growth of memory", f"{found.growth / 2**20:.1f} MiB"),
        ("of a round, for each answer", f"{found.each * 1000:.1f} ms"),
        ("one user afterwards, times before", f"{_times(found.after, found.alone):.2f}"),
        ("all at the same moment, median", f"{median(found.together.values()) * 1000:.0f} ms"),
        ("all at the same moment, times alone", f"{_times(found.together, found.alone):.1f}"),
    ]
    rows += [
        (f"each once within {s:g} s, times alone", f"{r:.2f}") for s, r in found.people.items()
    ]
    rows += [(f"alone: {kind}", f"{s * 1000:.1f} ms") for kind, s in found.alone.items()]
    return "\n".join(f"{words:40}{value}" for words, value in rows)


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
