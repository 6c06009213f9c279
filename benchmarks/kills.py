"""``python -m ccvae.benchmarks.kills``: real SIGKILLs at random moments of the commands that write.

Beside files of the user's own, ``train``, ``demo``, ``study all``, ``data``, which decodes images,
and ``compare`` are killed and repeated as their users would repeat them. Asked is whether
everything of the user's is there afterwards, whether the command goes on every time, and whether
what it made in the end is what it makes undisturbed, byte for byte. Each try is a process of its
own, forked once all is imported, so that the signals fall into the work and not into the imports.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from .. import commands
from ..cli import main as ccvae
from ..config import Config
from ..files import is_half
from ..inference.training import baselines

DATA = ["images:ph", "--image-size", "16"]

TRAIN = ["train", "--data", *DATA, "--network", "mlp", "--style", "2", "--labelled", "1"]
TRAIN += ["--epochs", "5", "--batch-size", "20", "--alpha", "9", "--log-every", "2"]

COMPARE = ["compare", *TRAIN[1:-2], "--programs", "ccvae,vae", "--seeds", "1", "--threads", "1"]

BRIEF = Config(data="faces:72", epochs=2, batch_size=30, only="Smiling", alpha=9.0, trunks=1)
"""What a demo trains here."""

WRITTEN = (".safetensors", ".jsonl", ".bytes", ".tex")
"""Endings of the files that are compared byte for byte; a comparison's table is among them."""


class Case(NamedTuple):
    """A command that is killed and repeated.

    Attributes:
        words: after ``ccvae``; the same each time. place: where it writes.
        before: commands that are not killed, which it needs.
    """

    words: Sequence[str]
    place: str
    before: Sequence[Sequence[str]] = ()


CASES = {
    "train": Case([*TRAIN, "--out", "r", "--resume"], "r"),
    "demo": Case(["demo", "--out", "d"], "d"),
    # One label alone, as the pictures of each take longest.
    "study all": Case(
        ["study", "all", "s"], "s", [[*TRAIN, "--only", "A", "--out", "s", "--resume"]]
    ),
    "cache": Case(["data", *DATA], "cache"),
    "compare": Case([*COMPARE, "--out", "c"], "c"),
}


class Outcome(NamedTuple):
    """What came of a case.

    Attributes:
        kills: that met the command at work. seconds: that it takes undisturbed.
        mine: whether all of the user's is as it was. on: whether it ended with 0 after the kills.
        same: whether what it wrote is what it writes undisturbed. left: files half written.
        said: its last words, where it did not go on.
    """

    kills: int
    seconds: float
    mine: bool
    on: bool
    same: bool
    left: int
    said: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing was lost."""
        return self.mine and self.on and self.same and not self.left


def tried(name: str, kills: int, folder: Path, seed: int = 0) -> Outcome:
    """Kill a command so many times, in an empty folder of its own, and see what is left.

    Args:
        name: one of :data:`CASES`. kills: signals that have to meet it at work.
        seed: of the moments at which they are sent.
    """
    case, moments = CASES[name], random.Random(seed)
    with _within(folder / "place"):
        _user()
        for words in case.before:
            _run(words)
        start = time.monotonic()
        if _run(case.words) != 0:
            raise RuntimeError(f"{name} fails undisturbed: {_said()}")
        seconds = time.monotonic() - start
        wanted = _written(Path(case.place))
    shutil.rmtree(folder / "place")  # a run says where its images lie, so the same place it is
    done, on = 0, True
    with _within(folder / "place"):
        mine = _user()
        for words in case.before:
            _run(words)
        while done < kills and on:
            status = _run(case.words, after=moments.uniform(0, seconds))
            done += status == -signal.SIGKILL
            on = status in (0, -signal.SIGKILL)
        on = on and _run(case.words) == 0
        kept = all(Path(path).read_bytes() == content for path, content in mine.items())
        left = sum(is_half(path) for path in Path(case.place).rglob(".*"))
        same = _written(Path(case.place)) == wanted
        return Outcome(done, seconds, kept, on, same, left, "" if on else _said())


def _said() -> str:
    return Path("said.txt").read_text()[-400:]


def _user() -> dict[str, bytes]:
    """What the user has in a folder: a text, images with their table."""
    Path("ph").mkdir()
    Path("thesis.tex").write_text("mine")
    rows = ["file,A,Hair"]
    for i in range(120):
        pixels = np.full((16, 16, 3), 2 * i, np.uint8)
        Image.fromarray(pixels).save(f"ph/{i}.png")
        os.utime(f"ph/{i}.png", (1, 1))
        rows.append(f"{i}.png,{i % 2},{'abc'[i % 3]}")
    Path("ph/labels.csv").write_text("\n".join(rows))
    return {str(p): p.read_bytes() for p in (*Path("ph").iterdir(), Path("thesis.tex"))}


def _written(place: Path) -> dict[str, bytes]:
    """What a command wrote that does not say how long it took; of caches without their names."""
    found = sorted(path for path in place.rglob("*") if path.suffix in WRITTEN)
    found = [path for path in found if path.name != "steps.jsonl" and not is_half(path)]
    return {
        path.name[:6] if path.suffix == ".bytes" else str(path): path.read_bytes() for path in found
    }


def _run(words: Sequence[str], after: float | None = None) -> int:
    """A command in a process of its own; its status, or minus the signal that ended it.

    Args:
        after: seconds until it is killed (never).
    """
    child = os.fork()
    if child == 0:
        said = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1), os.dup2(said, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        try:
            status = ccvae(list(words))
        except BaseException:  # nothing of the parent's may run in the child
            traceback.print_exc()
            status = 1
        sys.stderr.flush()
        os._exit(status)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)  # of one that has ended there is still its status
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def _within(folder: Path) -> Iterator[None]:
    """Work in a new folder, with a cache of its own and with trainings that are brief."""
    folder.mkdir(parents=True)
    kept = commands.DEMO, baselines.CLASSIFIER_STEPS, os.environ.get("CCVAE_CACHE"), Path.cwd()
    commands.DEMO, baselines.CLASSIFIER_STEPS = BRIEF, 1
    os.environ["CCVAE_CACHE"] = str(folder / "cache")
    os.chdir(folder)
    try:
        yield
    finally:
        commands.DEMO, baselines.CLASSIFIER_STEPS = kept[:2]
        os.chdir(kept[3])
        os.environ.pop("CCVAE_CACHE")
        if kept[2] is not None:
            os.environ["CCVAE_CACHE"] = kept[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; returns 1 where something was lost."""
    parser = argparse.ArgumentParser(prog="python -m ccvae.benchmarks.kills")
    parser.add_argument("--kills", type=int, default=20, help="of each command (20)")
    parser.add_argument("--seed", type=int, default=0, help="of their moments (0)")
    parser.add_argument("--only", choices=CASES, help="one of the commands (all)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # a fork takes no other threads along
    good = True
    print(
        "| command | kills | seconds undisturbed | the user's files | goes on | same bytes | left |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in [options.only] if options.only else CASES:
        with tempfile.TemporaryDirectory() as folder:
            found = tried(name, options.kills, Path(folder), options.seed)
        words = [("no", "yes")[each] for each in (found.mine, found.on, found.same)]
        print(
            f"| {name} | {found.kills} | {found.seconds:.1f} | {' | '.join(words)} | {found.left} |"
        )
        if found.said:
            print(found.said, file=sys.stderr)
        good = good and found.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
