"""``python -m ccvae.benchmarks.killed``: a comparison killed at random moments, and what is left.

Its process gets SIGKILL again and again, each time at another moment, and is started again; then
its tables are held against those of a comparison that nobody touched, byte by byte. With
``--workers`` above 1 the killed process has workers, which have to end with it.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import numpy as np

SIDE = 8

TABLES = ("table.md", "table.tex", "table.csv")


def tray(path: Path, count: int = 120) -> str:
    """Save tiny images and say where: a bright bar that stands or lies, in one of three places.

    Returns:
        their specification.
    """
    noise = np.random.default_rng(0)
    stands, place = noise.integers(0, 2, count), noise.integers(0, 3, count)
    images = noise.integers(0, 60, (count, SIDE, SIDE, 1), dtype=np.uint8)
    for image, up, where in zip(images, stands, place, strict=True):
        at = slice(1 + 2 * where, 3 + 2 * where)
        image[(slice(None), at) if up else (at, slice(None))] += 180
    names = np.array(["left", "middle", "right"])[place]
    np.savez(path, images=images, Stands=stands, Place=names)
    return f"images:{path}"


def command(data: str, out: Path, workers: int, *, tried: bool) -> list[str]:
    """A small comparison as its user would call it, with settings to choose among or without."""
    words = ["compare", "--data", data, "--programs", "ccvae,m2", "--objectives", "ccvae,marginal"]
    words += ["--labelled", "0.5", "--seeds", "2" if tried else "1", "--network", "mlp"]
    words += ["--grid", "alpha=10,100"] * tried + [
        "--style",
        "2",
        "--epochs",
        "4",
        "--batch-size",
        "20",
        "--threads",
        "1",
    ]
    return [*words, "--workers", str(workers), "--out", str(out)]


def child(words: list[str]) -> int:
    """Start a command in a process of its own group that has nothing left to import."""
    process = os.fork()
    if not process:
        from ..cli import main

        os.setpgid(0, 0)
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
            os._exit(main(words))
    return process


def killed(folder: Path, kills: int, workers: int, *, tried: bool) -> tuple[int, list[str]]:
    """Kill a comparison so many times and let it end.

    One that ends before its next kill, as beside other load it may, is begun anew.

    Returns:
        how often it was killed, and the tables that differ from those of one that nobody touched.
    """
    data = tray(folder / "tray.npz")
    start = time.monotonic()
    assert os.waitpid(child(command(data, folder / "whole", workers, tried=tried)), 0)[1] == 0
    whole, moments, count = time.monotonic() - start, random.Random(0), 0
    while True:
        process = child(command(data, folder / "killed", workers, tried=tried))
        if count < kills:
            time.sleep(moments.uniform(0.01, 2 * whole / max(kills, 4)))
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        if status == 0 and count == kills:
            break
        if status == 0:
            rmtree(folder / "killed")
            continue
        assert os.WIFSIGNALED(status), f"it ended with status {status} by itself"
        count += 1
    different = [
        name
        for name in TABLES
        if (folder / "whole" / name).read_bytes() != (folder / "killed" / name).read_bytes()
    ]
    return count, different


def main() -> None:
    """Kill, let it end, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m ccvae.benchmarks.killed")
    parser.add_argument("--kills", type=int, default=20, help="how often (20)")
    parser.add_argument("--workers", type=int, default=1, help="of the comparison (1)")
    parser.add_argument("--small", action="store_true", help="a few cells, without settings")
    given = parser.parse_args()
    import lightning_fabric  # noqa: F401, before the first fork, so that no child pays for it
    import torch

    from ..studies.comparing import comparing  # noqa: F401

    torch.set_num_threads(1)  # threads do not survive a fork
    with TemporaryDirectory() as folder:
        count, different = killed(Path(folder), given.kills, given.workers, tried=not given.small)
    said = f"these differ: {', '.join(different)}" if different else "all tables are the same"
    print(f"killed {count} times; {said}")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
