"""Numbers of the command line within their ranges, and sizes that a machine can hold."""

from __future__ import annotations

import math
import os
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number of a range."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise ArgumentTypeError(
                f"expected a whole number from {least} to {most}, got {text[:40]!r}"
            )
        return number

    return read


def above(least: float, most: float) -> Callable[[str], float]:
    """Reads a number above one and at most another."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not least < number <= most:
            raise ArgumentTypeError(
                f"expected a number above {least:g} and at most {most:g}, got {text[:40]!r}"
            )
        return number

    return read


def memory() -> int:
    """Bytes that this process may have: the machine's, or less where it is confined."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        most = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        most = "max"
    return min(there, int(most)) if most.isdecimal() else there


def check_fits(size: int, what: str, advice: str) -> None:
    """Raise where something cannot be held in memory, before it is tried.

    Args:
        size: bytes. what: needs them, in words. advice: what to do.

    Raises:
        ValueError: where it cannot.
    """
    there = memory()
    if size > there:
        raise ValueError(
            f"{what} would take {_bytes(size)}, and this machine has {_bytes(there)}; {advice}"
        )


def _bytes(size: int) -> str:
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size = size // 1000
    return f"{size} PB"
