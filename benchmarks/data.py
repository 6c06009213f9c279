"""``python -m ccvae.benchmarks.data``: images per second from a decoded cache and from a loader.

Writes 5 000 JPEGs of 178 × 218 pixels, CelebA's size, into a temporary folder, and passes over them
in shuffled batches of 200 floats of 3 × 64 × 64. The loader decodes and resizes at every pass, as
CC-VAE's authors do: torchvision's ``Resize`` and ``ToTensor`` in torch's ``DataLoader``, in its own
process and with two workers. The cache was filled once (the first pass, timed apart). The passes
take turns, so that what else the machine does falls on all. Below stands the anonymous memory
(RssAnon) of a process after a pass over 1 000 and over all images, which ought to be the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from ..data import Binary, Dataset, LabelSpace, Rows
from ..data.cache import decoded
from ..data.decode import Decoding
from .timing import Step, measure, ratio

COUNT, FEW, BATCH = 5_000, 1_000, 200
TARGET = 20.0
"""How much faster than the better of the loaders the cache has to be."""


class Files(torch.utils.data.Dataset[Tensor]):
    """Images that are decoded and resized when they are asked for."""

    def __init__(self, paths: list[Path]) -> None:
        from torchvision.transforms import Compose, Resize, ToTensor

        self.paths = paths
        self.transform = Compose([Resize((64, 64)), ToTensor()])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> Tensor:
        with Image.open(self.paths[row]) as image:
            result: Tensor = self.transform(image.convert("RGB"))
        return result


def write(folder: Path, count: int) -> list[str]:
    """Smooth pictures with some noise, whose files are as large as CelebA's (about 8 kB)."""
    random = np.random.default_rng(0)
    names = [f"{i:06d}.jpg" for i in range(count)]
    for name in names:
        coarse = Image.fromarray(random.integers(0, 256, (14, 11, 3), dtype=np.uint8))
        coarse.resize((178, 218), Image.Resampling.BICUBIC).save(folder / name, quality=90)
    return names


def cached(folder: Path, names: list[str]) -> Rows:
    """All of these images as rows to draw batches from."""
    images = decoded(folder, names, Decoding(64)).images
    rows, labels = torch.arange(len(images)), torch.zeros(len(images), 1)
    space = LabelSpace([Binary("None")])
    return Dataset("benchmark", images, labels, None, space, rows, rows[:0]).subset(rows)


def drain(batches: Iterable[Tensor]) -> Tensor:
    """Pass over all batches and touch each."""
    return torch.stack([batch[0, 0, 0, 0] for batch in batches])


def passes(folder: Path, names: list[str], rows: Rows) -> dict[str, Step]:
    """A pass over all images in each way."""
    files = Files([folder / name for name in names])

    def loader(workers: int) -> Step:
        batches = DataLoader(files, BATCH, shuffle=True, num_workers=workers)
        return lambda: drain(batches)

    return {
        "cache": lambda: drain(batch.x for batch in rows.batches(BATCH, seed=0)),
        "loader": loader(0),
        "loader, 2 workers": loader(2),
    }


def anonymous(folder: Path, count: int) -> float:
    """MiB of anonymous memory of a new process after a pass over so many images."""
    command = [sys.executable, "-m", "ccvae.benchmarks.data", "memory", str(folder), str(count)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def print_memory(folder: Path, count: int) -> None:
    """What :func:`anonymous` runs."""
    rows = cached(folder, sorted(path.name for path in folder.glob("*.jpg"))[:count])
    drain(batch.x for batch in rows.batches(BATCH, seed=0))
    status = Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) / 1024 for line in status if line.startswith("RssAnon")))


def main() -> None:
    """Measure and print the table."""
    if sys.argv[1:2] == ["memory"]:
        print_memory(Path(sys.argv[2]), int(sys.argv[3]))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CCVAE_CACHE"] = str(Path(folder, "cache"))
        names = write(Path(folder), COUNT)
        start = time.perf_counter()
        rows = cached(Path(folder), names)
        first = time.perf_counter() - start
        seconds = measure(passes(Path(folder), names, rows), 40)
        print(f"{COUNT} JPEGs of 178 × 218 pixels to batches of {BATCH} × 3 × 64 × 64 floats")
        print(f"{'':20}{'images/s':>10}{'cache is faster by':>20}")
        print(f"{'cache, first pass':20}{COUNT / first:10.0f}")
        for name, taken in seconds.items():
            faster = "" if name == "cache" else f"{ratio(taken, seconds['cache']):.0f} ×"
            print(f"{name:20}{COUNT / median(taken):10.0f}{faster:>20}")
        least = min(
            ratio(taken, seconds["cache"]) for name, taken in seconds.items() if name != "cache"
        )
        print(f"target: {TARGET:.0f} ×, {'reached' if least >= TARGET else 'missed'}")
        for count in (FEW, COUNT):
            anonymous(Path(folder), count)  # fills the cache, so that the next one only maps it
            memory = anonymous(Path(folder), count)
            print(f"RssAnon after a pass over {count} images: {memory:.0f} MiB")


if __name__ == "__main__":
    main()
