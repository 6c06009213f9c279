"""How a comparison is carried out, and what its folder notes of it before anything is trained."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ...config import Config
from ...data import Dataset
from ...files import read_json, sealed, write_atomically
from ...lock import holds_something
from ...stopping import Request
from .plan import Comparison, to_json

COMPARISON = "comparison.json"


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


def check_folder(folder: Path) -> None:
    """Raise where a folder holds something else than a comparison; nothing is written there.

    Raises:
        ValueError: then.
    """
    if holds_something(folder) and read_json(folder / COMPARISON) is None:
        raise ValueError(
            f"{folder} is not empty and holds no comparison, so nothing was written there; give "
            "another --out"
        )


def begun(comparison: Comparison, folder: Path, data: Mapping[str, object], how: How) -> int:
    """Note what a folder's comparison is, or find that it is this one; how many threads it has.

    Raises:
        ValueError: where the folder holds something else.
    """
    path = folder / COMPARISON
    before = read_json(path)
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
