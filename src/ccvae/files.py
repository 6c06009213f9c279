"""Files that are written whole or not at all, JSON that may be missing, and the cache's folder."""

from __future__ import annotations

import json
import os
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
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
