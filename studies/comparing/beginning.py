"""How a comparison is carried out, and what its folder notes of it before anything is trained."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import torch

from ...config import Config
from ...data import Dataset
from ...files import SEAL, is_whole, read_json, say, sealed, write_atomically
from ...inference.runs.facts import read_facts
from ...lock import holds_something
from ...stopping import Request
from .plan import Comparison, to_json
from .training import MEASURED

COMPARISON, RUNS = "comparison.json", "runs"


@dataclass(frozen=True)
class How:
    """How a comparison is carried out, which has no part in what it finds.

    Attributes:
        workers: processes. scheduler: address of a Dask cluster's in their place.
        threads: of torch in each; by default torch's own shared by the workers, or what
            the comparison was begun with, for another number rounds otherwise.
        device: where each trains. command: that repeats the comparison.
        told: called with a line for every cell that ends. seen: with the data set.
        stop: where somebody may ask for an end.
    """

    workers: int = 1
    scheduler: str = ""
    threads: int = 0
    device: str = "cpu"
    command: str = ""
    told: Callable[[str], None] = lambda line: None
    seen: Callable[[Dataset], None] = lambda dataset: None
    stop: Request = Request()  # noqa: RUF009, shared by those who never ask


def threads_of(how: How, before: Mapping[str, Any]) -> int:
    """As many as were asked for, as before, or a worker's share of torch's own."""
    there = torch.get_num_threads()  # the cores, or what the environment says
    return how.threads or int(before.get("threads", 0)) or max(1, there // max(1, how.workers))


class _Noted(msgspec.Struct):
    """The types and ranges of what a folder notes of its comparison."""

    options: dict[str, Any]
    data: dict[str, Any]
    threads: Annotated[int, msgspec.Meta(ge=0, le=2**16)] = 0


def noted(folder: Path) -> dict[str, Any] | None:
    """What a folder notes of its comparison; None where that is not as it was written."""
    found = read_json(folder / COMPARISON)
    if found is None or not is_whole(found):
        return None
    try:
        msgspec.convert(found, _Noted)
    except msgspec.ValidationError:
        return None
    return found


def check_folder(folder: Path) -> None:
    """Raise where a folder holds something else than a comparison; nothing is written there.

    Where runs of one are there, a line says that what is noted of it will be noted again.

    Raises:
        ValueError: then.
    """
    if not holds_something(folder) or noted(folder) is not None:
        return
    path = folder / COMPARISON
    if not path.exists() or not any(map(_is_run, (folder / RUNS).glob("*"))):
        raise ValueError(
            f"{folder} is not empty and holds no comparison, so nothing was written there; give "
            "another --out"
        )
    say(f"{path} is not as it was written; it is made anew, and what was asked for alike is kept")


def _is_run(directory: Path) -> bool:
    found = read_json(directory / MEASURED) or {}
    return (SEAL in found and is_whole(found)) or read_facts(directory) is not None


def begun(comparison: Comparison, folder: Path, data: Mapping[str, object], how: How) -> int:
    """Note what a folder's comparison is, or find that it is this one; how many threads it has.

    Raises:
        ValueError: where the folder holds something else.
    """
    path = folder / COMPARISON
    before = noted(folder)
    threads = threads_of(how, before or {})
    now = {**to_json(comparison), "data": dict(data), "threads": threads}
    if before is not None:
        changed = _changed(before, now)
        if changed:
            raise ValueError(
                f"{folder} holds a comparison with other {changed}; repeat it as it was, or give "
                "another --out"
            )
    write_atomically(path, json.dumps(sealed(now), indent=2).encode())
    return threads


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What all cells share and is other than it was, in words."""
    old, new = before.get("options", {}), now["options"]
    names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    if names:
        default = vars(Config())
        said = [f"{n} {old.get(n, default[n])} → {new.get(n, default[n])}" for n in names]
        return f"options ({'; '.join(said)})"
    return "data" if before.get("data") != now["data"] else ""
