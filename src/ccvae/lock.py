"""One training at a time writes into a directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .files import clear_half, is_half

LOCK = ".lock"

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
"""What launchers tell the processes of one training; the first of these is 0 in all of them."""


def check_alone(directory: Path) -> None:
    """Raise where another training is writing into a directory, before anything is imported for it.

    Nothing is made or changed; :func:`alone` is what holds the directory.

    Raises:
        ValueError: where one is.
    """
    try:
        import fcntl

        with (directory / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not _is_another():
            raise _taken(directory) from None
    except (ImportError, OSError):  # no lock, or a system without such locks
        return


def _is_another() -> bool:
    """Whether this process is one of a training for which its first process speaks."""
    return any(os.environ.get(name, "0") != "0" for name in RANKS)


def _taken(directory: Path) -> ValueError:
    return ValueError(
        f"another training is writing into {directory}; wait for its end, or give another --out"
    )


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Be the one that writes into a run's directory, which is made where there is none.

    Of several processes of one training the first speaks for all. What was made here and stayed
    empty is removed again.

    Raises:
        ValueError: where another training is writing into it.
        OSError: where it cannot be made.
    """
    from filelock import FileLock, Timeout

    if _is_another():
        yield
        return
    made = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(directory / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise _taken(directory) from None
    except NotImplementedError:  # a file system without locks
        pass
    try:
        clear_half(directory)
        yield
    finally:
        lock.release()
        if made:
            _clear(directory, made)


def holds_something(directory: Path) -> bool:
    """Whether a directory is there and has more in it than the lock and what is half written."""
    return directory.exists() and any(
        path.name != LOCK and not is_half(path) for path in directory.iterdir()
    )


def _clear(directory: Path, made: list[Path]) -> None:
    """Remove an empty directory that was made for nothing, and its parents that were."""
    if not holds_something(directory):
        with suppress(OSError):
            (directory / LOCK).unlink(missing_ok=True)
            for path in made:
                path.rmdir()
