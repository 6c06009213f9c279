"""The command that holds methods against each other: compare."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import SOURCE, Config
from .options import announce, device_of, source_of
from .texts import Document, aligned

if TYPE_CHECKING:
    from .studies.comparing.estimate import Estimate
    from .studies.comparing.plan import Comparison


def compare(options: Namespace) -> tuple[Document, str]:
    """``ccvae compare``."""
    from .stopping import stop_requests
    from .studies.comparing.beginning import How
    from .studies.comparing.comparing import carry_out, foreseen

    given = vars(options)
    comparison = comparison_of(given)
    folder = given.get("out", Path("comparison"))
    device = str(device_of(given.get("device", "auto")))
    most = dataclasses.replace(comparison.base, labelled=max(comparison.labelled))
    with stop_requests() as stop:
        how = How(
            workers=given.get("workers", 1),
            scheduler=given.get("scheduler", ""),
            threads=given.get("threads", 0),
            device=device,
            command=shlex.join(["ccvae", *sys.argv[1:]]),
            told=lambda line: print(line, file=sys.stderr, flush=True),
            seen=lambda dataset: announce(dataset, most),
            stop=stop,
        )
        if given.get("dry_run"):
            return _estimated(foreseen(comparison, folder, how), how.workers)
        found = carry_out(comparison, folder, how)
    text = (folder / "table.md").read_text(encoding="utf-8")
    document = {
        "report": str(folder / "report.html"),
        "table": str(folder / "table.csv"),
        "rows": found.frame.to_dict("records"),
    }
    return document, f"{text}\nopen {folder / 'report.html'}"


def _estimated(found: Sequence[Estimate], workers: int) -> tuple[Document, str]:
    """``ccvae compare --dry-run``."""
    from .studies.comparing.estimate import span, summary

    rows = [["cell", "time", "MB"]]
    for each in found:
        said = "done" if each.is_done else f"fails: {each.failed}" if each.failed else ""
        size = "" if said else f"{each.size / 1e6:.1f}"
        rows.append([each.cell.name, said or span(each.seconds), size])
    cells = [
        {"run": e.cell.name, "seconds": e.seconds, "bytes": e.size, "done": e.is_done,
         "failed": e.failed} for e in found
    ]  # fmt: skip
    text = summary(found, workers)
    return {"cells": cells, "summary": text}, f"{aligned(rows)}\n\n{text}"


def comparison_of(given: dict[str, Any]) -> Comparison:
    """What a command line asks for, on top of what its specification says."""
    from .studies.comparing.plan import Comparison as Asked
    from .studies.comparing.spec import read_spec
    from .studies.comparing.words import fractions_of, grid_of, listed, programs_of, seeds_of

    before = read_spec(given["spec"], given.get("trust", ())) if "spec" in given else Asked()
    names = [option.name for option in dataclasses.fields(Config) if option.name in given]
    base = {name: given[name] for name in names if name != "labelled"}
    source = {**dict.fromkeys(SOURCE), "download": False, "data": before.base.data}
    base["data"] = source_of(Namespace(**{**source, **given}))
    asked: dict[str, Any] = {"base": dataclasses.replace(before.base, **base)}
    readers: dict[str, Callable[[str], list[Any]]] = {
        "programs": programs_of,
        "objectives": listed,
        "labelled": fractions_of,
        "seeds": seeds_of,
    }
    asked |= {name: tuple(read(given[name])) for name, read in readers.items() if name in given}
    if "grid" in given:
        asked["grid"] = grid_of(word for words in given["grid"] for word in words)
    asked |= {name: given[name] for name in ("reference", "criterion") if name in given}
    return dataclasses.replace(before, **asked)
