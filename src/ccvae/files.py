"""Files that are written whole or not at all, JSON that may be missing, and the cache's folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs


def cache_folder() -> Path:
    """What the environment variable ``CCVAE_CACHE`` names, else the user's folder for caches."""
    return Path(os.environ.get("CCVAE_CACHE") or platformdirs.user_cache_dir("ccvae"))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write a new version of a file, which takes the old one's place when the block ends.

    A reader finds the old content or the new, never a part; where the block fails, nothing is left
    of it. Each process writes in a place of its own, so several may write one file.

    Raises:
        OSError: where the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())  # the name must not be there before the content is
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


_HALF = re.compile(r"\..+\.(json|jsonl|safetensors|html|png|webp|nc|npz|bytes)\.(\d+)")


def is_half(path: Path) -> bool:
    """Whether a file is what :func:`replacing` was writing when its process was killed.

    >>> is_half(Path("run/.config.json.4242")), is_half(Path("run/config.json"))
    (True, False)
    """
    return _HALF.fullmatch(path.name) is not None


def clear_half(folder: Path) -> None:
    """Remove what killed processes left half written in a folder and in those within it."""
    for path in folder.rglob(".*"):
        found = _HALF.fullmatch(path.name)
        if found and not _runs(int(found[2])):
            path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's
        return True
    return True


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file by :func:`replacing`.

    Raises:
        OSError: where it cannot be written; says whether an older version is left.
    """
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        before = "what was there before is whole" if path.exists() else "nothing is left of it"
        raise OSError(
            f"cannot write {path} ({error.strerror or error}); {before}; make room or mend the "
            "directory, and repeat the command (ccvae train with --resume)"
        ) from error


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None where the file is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # the last for what is nested too deep
        return None
    return content if isinstance(content, dict) else None


SEAL = "digest"


def sealed(document: dict[str, Any]) -> dict[str, Any]:
    """A document with a digest of the rest of it, by which :func:`is_whole` knows it."""
    return {**document, SEAL: _digest(document)}


def is_whole(document: dict[str, Any]) -> bool:
    """Whether a document is as it was sealed; one without a seal is by an earlier version."""
    rest = {key: value for key, value in document.items() if key != SEAL}
    try:
        return SEAL not in document or document[SEAL] == _digest(rest)
    except (ValueError, RecursionError):
        return False


def _digest(document: dict[str, Any]) -> str:
    plain = json.loads(json.dumps(document))  # as it will be read
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:32]


def say(line: str) -> None:
    """Tell whoever runs the command, beside its results."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def keeping(what: str) -> Iterator[None]:
    """Go on where something cannot be kept, and say so.

    Args:
        what: is kept in the block, in words.
    """
    try:
        yield
    except OSError as error:
        say(f"{what} could not be kept: {' '.join(str(error).split())}")
