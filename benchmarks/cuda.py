"""``python -m ccvae.benchmarks.cuda``: everything that a first GPU is asked, in four minutes.

=================  ===============================================================================
``parity``         every program × objective × link × pattern of missing labels against the CPU
``reads``          training steps with torch's synchronisation check set to raise
``resumed``        a run of one device taken up on the other
``steps``          ms, images/s, peak memory and ratio to the bare networks of a step: eager, in
                   bfloat16, compiled, and as a CUDA graph
``trained``        a small training to its accuracy, in seconds
=================  ===============================================================================

Each part that fails says why in its place, and the others are still done; the exit status is then
1. Where there is no CUDA device, it is 2 and one line says so. ``--device cpu`` compares the CPU
with itself, for tests of what is done here.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from ..config import Config
from ..data import Dataset
from ..data.spec import load
from ..inference.runs.fitting import fit
from ..inference.runs.run import create, resume_or_create, training_rows
from ..inference.training.loop import Training
from ..inference.training.optimisation import adam
from .parity import compare
from .ways import SMALL, WAYS, Scale, module_of, timed, timed_config

Document = dict[str, Any]


PARTS: dict[str, Callable[[torch.device, Scale], Any]] = {}
"""What is measured, in order."""


def part(measure: Callable[[torch.device, Scale], Any]) -> Callable[[torch.device, Scale], Any]:
    """Enter a measurement under its function's name."""
    PARTS[measure.__name__] = measure
    return measure


@part
def parity(device: torch.device, scale: Scale) -> list[Document]:
    """Every cell in double and in single precision; see :mod:`ccvae.benchmarks.parity`."""
    data = load("faces:24", "Smiling,Bangs,Hair")
    rows = [
        {**asdict(found), "dtype": str(found.dtype).removeprefix("torch."), "holds": found.holds}
        for dtype in (torch.float64, torch.float32)
        for found in compare(data, min(scale.parity, 12), device, dtype)
    ]
    wrong = [row for row in rows if not row["holds"]]
    if wrong:
        worst = max(wrong, key=lambda row: row["values"])
        names = " ".join(str(worst[key]) for key in ("program", "objective", "link", "pattern"))
        raise ArithmeticError(
            f"{len(wrong)} of {len(rows)} cells differ, most {names} in {worst['dtype']}: "
            f"values {worst['values']:.1e}, gradient {worst['gradient']:.1e}"
        )
    return rows


@part
def reads(device: torch.device, scale: Scale) -> Document:
    """Steps between two logging intervals, in which nothing may wait for the device."""
    config, data = timed_config("ccvae", scale), load(f"faces:{4 * scale.batch}")
    training = _training(config, data, device, scale.batch)
    steps = training.run()
    next(steps)
    before = torch.cuda.get_sync_debug_mode() if device.type == "cuda" else 0
    try:
        if device.type == "cuda":
            torch.cuda.set_sync_debug_mode("error")
        taken = [next(steps).interval for _ in range(2)]
    finally:
        if device.type == "cuda":
            torch.cuda.set_sync_debug_mode(before)
    return {"steps": len(taken), "checked": device.type == "cuda"}


@part
def resumed(device: torch.device, scale: Scale) -> Document:
    """A run of the CPU taken up on the device, and the other way round."""
    host, found = torch.device("cpu"), {}
    config = Config(data="faces:60", network="mlp", style=6, batch_size=20, epochs=1)
    data = load(config.data)
    for name, first, second in (("from the CPU", host, device), ("to the CPU", device, host)):
        with tempfile.TemporaryDirectory() as folder:
            run = create(config, data, Path(folder), first)
            rows = training_rows(config, data)
            list(fit(run, rows, resume=False))
            longer = replace(run.config, epochs=2)
            again = resume_or_create(longer, data, Path(folder), second, resume=True)
            (metrics,) = fit(again, rows, resume=True)
            found[name] = {"epoch": metrics["epoch"], "bound": metrics["bound"]}
    return found


@part
def steps(device: torch.device, scale: Scale) -> list[Document]:
    """What steps cost: every way of running CC-VAE's, and the other programs' eager ones."""
    found = [timed("ccvae", way, device, scale) for way in WAYS]
    return found + [timed(name, "eager", device, scale) for name in ("vae", "diva", "m2")]


@part
def trained(device: torch.device, scale: Scale) -> Document:
    """A small training from nothing to its accuracy on labelled training rows."""
    data = load(f"faces:{scale.rows}")
    config = replace(timed_config("ccvae", scale), epochs=scale.epochs, batch_size=50)
    config = replace(config, data=data.name, likelihood="normal", scale=0.2, alpha=1000.0)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = create(config, data, Path(folder), device)
        lines = list(fit(run, training_rows(config, data), resume=False))
    return {"seconds": round(time.perf_counter() - start, 1), **lines[-1]}


def _training(config: Config, data: Dataset, device: torch.device, size: int) -> Training:
    module = module_of(config, data, device)
    return Training(
        module,
        adam(module, config.lr),
        data.training(0.5, 0),
        epochs=1,
        batch_size=size,
        seed=0,
        rate=lambda _: config.lr,
        log_every=10**6,
    )


def measure(device: torch.device, scale: Scale) -> Document:
    """All parts, each with its seconds; one that fails says why and leaves the others alone."""
    found: Document = {"device": _name(device), "torch": torch.__version__}
    for name, part in PARTS.items():
        start = time.perf_counter()
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            result = {"found": part(device, scale)}
        except (RuntimeError, ValueError, ArithmeticError) as error:
            result = {"failed": str(error).splitlines()[0]}
        found[name] = {**result, "seconds": round(time.perf_counter() - start, 1)}
    return found


def failures(found: Document) -> list[str]:
    """What did not hold, a line each."""
    wrong = [f"{name}: {found[name]['failed']}" for name in PARTS if "failed" in found[name]]
    rows = found["steps"].get("found", [])
    return wrong + [
        f"{row['program']}, {row['way']}: {row['failed']}" for row in rows if "failed" in row
    ]


def to_markdown(found: Document) -> str:
    """The tables for ``docs/speed.md``."""
    lines = [f"{found['device']}, torch {found['torch']}, CC-VAE unless said otherwise.", ""]
    lines += ["| program | way | ms | beside bare networks | images/s | peak MiB |"]
    lines += ["|---|---|---|---|---|---|"]
    for row in found["steps"].get("found", []):
        figures = ("ms", "ratio", "images_per_second", "peak_mib")
        cells = [row["failed"]] if "failed" in row else [f"{row[key]:g}" for key in figures]
        lines.append(f"| {row['program']} | {row['way']} | {' | '.join(cells)} |")
    lines += ["", "| what must hold | found | seconds |", "|---|---|---|"]
    for name in PARTS:
        said = found[name].get("failed") or _said(name, found[name]["found"])
        lines.append(f"| {name} | {said} | {found[name]['seconds']:g} |")
    return "\n".join(lines) + "\n"


def _said(name: str, found: Any) -> str:
    """What a part found, in a few words."""
    if name == "parity":
        worst = {dtype: 0.0 for dtype in ("float64", "float32")}
        for row in found:
            worst[row["dtype"]] = max(worst[row["dtype"]], row["values"])
        pairs = ", ".join(f"{dtype} {value:.1e}" for dtype, value in worst.items())
        return f"{len(found)} cells; largest relative difference {pairs}"
    if name == "steps":
        return f"{len(found)} ways of running a step"
    if name == "resumed":
        found = {key: f"bound {metrics['bound']:.1f}" for key, metrics in found.items()}
    if name == "trained":
        found = {key: f"{found[key]:.3g}" for key in ("accuracy", "bound", "seconds")}
    return ", ".join(f"{key} {value}" for key, value in found.items())


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and write them where asked to."""
    parser = argparse.ArgumentParser(
        prog="python -m ccvae.benchmarks.cuda", description="Everything that a first GPU is asked."
    )
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"], help="(cuda)")
    parser.add_argument("--json", type=Path, default=None, help="where the document goes (nowhere)")
    parser.add_argument("--markdown", type=Path, default=None, help="where the tables go (nowhere)")
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        print(
            "python -m ccvae.benchmarks.cuda: expected a CUDA device and found none; run it where "
            "torch.cuda.is_available() is true, or compare the CPU with itself by --device cpu",
            file=sys.stderr,
        )
        return 2
    scale = Scale() if options.device == "cuda" else SMALL
    found = measure(torch.device(options.device), scale)
    print(to_markdown(found))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.markdown is not None:
        options.markdown.write_text(to_markdown(found))
    for wrong in failures(found):
        print(wrong, file=sys.stderr)
    return 1 if failures(found) else 0


if __name__ == "__main__":
    sys.exit(main())
