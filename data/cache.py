"""Decode once: a folder of image files as one array of bytes that is mapped into memory.

The first pass decodes in threads and writes a file under the user's cache directory. (Pillow lets
go of Python's lock while it decodes and resizes; on two cores threads did 1 500 to 2 000 images of
CelebA's size in a second and processes, which must send the pixels back, 1 200 to 1 300.) Later
passes map that file: the pages that a batch needs are read when it is drawn and belong to the
system's cache of files, not to the process.

========================  ========================================================================
``images-A-B.bytes``      the usable images one after the other, ``(M, 3, size, size)``
``images-A-B.json``       which files were left out and why, and a sum over every thousand of the
                          files; written last, so that it vouches for the bytes
``images-A.lock``         held while they are made
========================  ========================================================================

A names the folder, the files and the settings, B the files' sizes and dates: where B changes, the
array is made again and the old one removed. So it is where the sums do not agree, of all bytes or,
above :data:`CHECKED`, of as many evenly spaced ones.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec
import numpy as np
import torch
from filelock import FileLock, Timeout
from rich.console import Console
from torch import Tensor

from ..files import cache_folder, is_whole, read_json, replacing, sealed
from .decode import Decoding, UnusableImageError, decode, strict_pillow
from .progress import progress

VERSION = 1
"""Of the decoding; raise it with any change to the pixels, so that no cache outlives it."""

TOLERATED = 0.05
"""Above this share of unusable files or entries, and more than one of them, nothing goes on."""

CHUNK = 1024
"""Files decoded between two writes."""

CHECKED = 64 * 2**20
"""Bytes of an array that are compared with what was written, whenever it is opened."""

WORKERS: int | None = None
"""Threads that decode; Python's own choice, a few more than there are cores."""


class Decoded(NamedTuple):
    """The images of some files.

    Attributes:
        images: ``(M, 3, size, size)`` unsigned bytes, mapped read-only: do not write into them.
        rows: positions ``(M,)`` of their files among those asked for.
        skipped: for every file left out its name and the reason.
        converted: how many images were not plain colour, by what was done.
        digest: of the images.
    """

    images: Tensor
    rows: Tensor
    skipped: list[tuple[str, str]]
    converted: dict[str, int]
    digest: str

    @property
    def problems(self) -> list[str]:
        """The same in words."""
        skipped = [f"{name}: {reason}; left out" for name, reason in self.skipped]
        return skipped + [f"{what}: {count} images" for what, count in self.converted.items()]


def tolerable(count: int, total: int) -> bool:
    """Whether so few of a total may be left out: a single one, or a share of ``TOLERATED``."""
    return count <= max(1, TOLERATED * total) and count < total


def decoded(root: Path, names: Sequence[str], decoding: Decoding) -> Decoded:
    """The images of files, decoded now or earlier.

    Args:
        root: the folder they are in.
        names: their names in it, each once.
        decoding: the size wanted.

    Raises:
        ValueError: where more files than are tolerable give no image; the message has the first
            reasons.
        OSError: where the cache cannot be written, for want of space or permission.
    """
    source, state = _keys(root, names, decoding)
    folder = cache_folder()
    array, facts = (folder / f"images-{source}-{state}.{end}" for end in ("bytes", "json"))
    found = _read(array, facts, names, decoding)
    if found is not None:
        return found
    with _writing(folder, len(names), decoding), _alone(folder / f"images-{source}.lock"):
        found = _read(array, facts, names, decoding)  # somebody else may have made it meanwhile
        if found is None:
            _build(root, names, decoding, array, facts)
            stale = {*folder.glob(f"images-{source}-*"), *folder.glob(f".images-{source}-*")}
            for old in stale - {array, facts}:
                with suppress(OSError):  # some systems keep what another process has mapped
                    old.unlink()
            found = _read(array, facts, names, decoding)
    if found is None:
        raise OSError(f"{array} could not be read back; remove it, or set CCVAE_CACHE elsewhere")
    return found


def _keys(root: Path, names: Sequence[str], decoding: Decoding) -> tuple[str, str]:
    """What is decoded, and the state in which its files are."""
    source = hashlib.sha256(repr((VERSION, str(root.resolve()), decoding)).encode())
    state = hashlib.sha256()
    for name in names:
        source.update(f"{name}\0".encode(errors="surrogateescape"))
        try:
            facts = os.stat(os.path.join(root, name))
            state.update(b"%d %d\0" % (facts.st_size, facts.st_mtime_ns))
        except (OSError, ValueError):
            state.update(b"missing\0")
    return source.hexdigest()[:16], state.hexdigest()[:16]


def _read(array: Path, facts: Path, names: Sequence[str], decoding: Decoding) -> Decoded | None:
    """What the two files hold, or None where they are not there or not whole."""
    content = read_json(facts)
    if content is None or not is_whole(content):
        return None
    try:
        found = msgspec.convert(content, _Facts, strict=False)
        skipped = {row: reason for row, reason in found.skipped.items() if 0 <= row < len(names)}
        shape = _shape(len(names) - len(skipped), decoding)
        if len(skipped) < len(found.skipped) or array.stat().st_size != math.prod(shape):
            return None
        images = np.memmap(array, np.uint8, "r", shape=shape)
    except (OSError, ValueError):
        return None
    if not _agree(images, found.sums):
        return None
    keep = torch.ones(len(names), dtype=torch.bool)
    keep[list(skipped)] = False
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        tensor = torch.from_numpy(images)
    reasons = [(names[row], reason) for row, reason in skipped.items()]
    digest = f"{crc32(json.dumps(found.sums).encode()):08x}"
    return Decoded(tensor, keep.nonzero()[:, 0], reasons, found.converted, digest)


class _Facts(msgspec.Struct):
    """The types of an array's facts; ``sums`` has rows and sum of every part that was written."""

    skipped: dict[int, str]
    converted: dict[str, int]
    sums: list[tuple[int, int]] = []


def _agree(images: np.ndarray, sums: list[tuple[int, int]]) -> bool:
    """Whether the parts of an array are what was written, some of them where there are many."""
    if not sums:  # by an earlier version, which did not know what it wrote
        return False
    rows = [count for count, _ in sums]
    if min(rows) < 0 or sum(rows) != len(images):
        return False
    ends = np.cumsum(rows)
    every = max(1, math.ceil(images.nbytes / CHECKED))
    for part in range(0, len(sums), every):
        some = np.ascontiguousarray(images[ends[part] - rows[part] : ends[part]])
        if crc32(some.data) != sums[part][1]:
            return False
    return True


def _shape(count: int, decoding: Decoding) -> tuple[int, int, int, int]:
    return count, 3, decoding.size, decoding.size


def _build(root: Path, names: Sequence[str], decoding: Decoding, array: Path, facts: Path) -> None:
    """Decode the files and put the array and its facts in place, each as a whole."""
    skipped: dict[int, str] = {}
    converted: Counter[str] = Counter()
    sums: list[tuple[int, int]] = []
    console = Console(stderr=True)
    with replacing(facts) as note:
        with replacing(array) as part, part.open("wb") as file:
            for start, results in _chunks(root, names, decoding, console):
                for row, result in enumerate(results, start):
                    if isinstance(result, str):
                        skipped[row] = result
                _stop_above_share(names, skipped)
                if start == 0:
                    _state_size(len(names), decoding, array.parent, console)
                good = [result for result in results if not isinstance(result, str)]
                content = b"".join(image.tobytes() for image, _ in good)
                file.write(content)
                sums.append((len(good), crc32(content)))
                converted.update(what for _, what in good if what)
        found = {"skipped": skipped, "converted": converted, "sums": sums}
        note.write_text(json.dumps(sealed(found)))


Result = tuple[np.ndarray, str] | str
"""What :func:`decode` gave, or the reason why it did not."""


def _chunks(
    root: Path, names: Sequence[str], decoding: Decoding, console: Console
) -> Iterator[tuple[int, list[Result]]]:
    """The files' images in order, some at a time, with a bar on a terminal."""

    def attempt(name: str) -> Result:
        try:
            return decode(Path(root, name), decoding)
        except UnusableImageError as error:
            return str(error)

    with strict_pillow(), ThreadPoolExecutor(WORKERS) as pool, progress(console) as bars:
        task = bars.add_task("decoding", total=len(names))
        for start in range(0, len(names), CHUNK):
            results: list[Result] = []
            for result in pool.map(attempt, names[start : start + CHUNK]):
                results.append(result)
                bars.advance(task)
            yield start, results


def _stop_above_share(names: Sequence[str], skipped: dict[int, str]) -> None:
    if not tolerable(len(skipped), len(names)):
        check_share([f"{names[row]}: {reason}" for row, reason in skipped.items()], len(names))


def check_share(faults: Sequence[str], total: int) -> None:
    """Go on only where few images are lost.

    Raises:
        ValueError: with the first faults, where more than is tolerable of a total has one.
    """
    if not tolerable(len(faults), total):
        raise ValueError(
            f"expected at most {TOLERATED:.0%} of {total} images to be unusable, got "
            f"{len(faults)} so far; mend or remove them, the first are {'; '.join(faults[:3])}"
        )


def _state_size(count: int, decoding: Decoding, folder: Path, console: Console) -> None:
    size = math.prod(_shape(count, decoding))
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OSError(f"only {free / 1e6:.1f} MB are free")
    text = f"{count} images are decoded once into {size / 1e6:.1f} MB in {folder}"
    console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _writing(folder: Path, count: int, decoding: Decoding) -> Iterator[None]:
    """Say in one line what could not be written, and what to do."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        size = math.prod(_shape(count, decoding))
        raise OSError(
            f"cannot write the {size / 1e6:.1f} MB of {count} decoded images to {folder}: "
            f"{error.strerror or error}; make room there, or name another folder in CCVAE_CACHE"
        ) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process makes the same array."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except NotImplementedError as error:
        raise OSError("its file system has no locks") from error
    except Timeout:
        text = "another process decodes the same images; waiting for it"
        Console(stderr=True).print(text, highlight=False)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
