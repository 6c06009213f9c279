"""What a training costs in seconds and memory, over all the times that it was taken up."""

from __future__ import annotations

import ctypes
import json
import math
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec
import torch

from ...files import is_whole, read_json, sealed, write_atomically

COST = "cost.json"

KEEP_SECONDS = 5.0
"""Between two times that the cost is written down."""


class Meter:
    """Counts a training's seconds, and the most memory that it had.

    The memory is that of the process, with torch and the data set in it, and on a CUDA device what
    the training holds there. It is counted for this training alone where the system can be asked
    to (Linux); elsewhere it is the most that the process ever had.

    Args:
        directory: of the run. device: where it trains. fresh: forget what an earlier one cost.
    """

    def __init__(self, directory: Path, device: torch.device, *, fresh: bool) -> None:
        self.path, self.device = directory / COST, device
        kept = (None if fresh else _read(directory)) or Cost(0.0, 0)
        self.seconds, self.peak = kept.seconds, kept.memory
        _forget_peak(device)
        self.since = self.written = time.monotonic()

    def tick(self) -> None:
        """Write down what was counted, now and then."""
        if time.monotonic() - self.written > KEEP_SECONDS:
            self.stop()

    def stop(self) -> None:
        """Write down what was counted."""
        now = time.monotonic()
        self.seconds, self.since = self.seconds + now - self.since, now
        self.peak, self.written = max(self.peak, _peak(self.device)), now
        cost = {"seconds": round(self.seconds, 3), "memory": self.peak}
        write_atomically(self.path, json.dumps(sealed(cost)).encode())


def cost_of(directory: Path | None) -> dict[str, float]:
    """``seconds`` and ``memory`` in MiB of the training in a directory, as far as it has come.

    Both are NaN where nothing was trained.
    """
    kept = _read(directory) if directory else None
    if kept is None:
        return {"seconds": math.nan, "memory": math.nan}
    return {"seconds": kept.seconds, "memory": round(kept.memory / 2**20, 1)}


class Cost(msgspec.Struct):
    """What is written down of a training: seconds, and bytes of memory."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]
    memory: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


def _read(directory: Path) -> Cost | None:
    """What a training cost, None where that is not there or not as it was written."""
    found = read_json(directory / COST)
    try:
        return msgspec.convert(found, Cost) if found is not None and is_whole(found) else None
    except msgspec.ValidationError:
        return None


def _forget_peak(device: torch.device) -> None:
    """Give freed memory back and count the most anew, as far as the system lets a process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")


def _peak(device: torch.device) -> int:
    """The most bytes since then."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
