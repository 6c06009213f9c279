"""Digests of what every program computes, to the last bit, for comparing two commits.

    python -m ccvae.benchmarks.golden before.json
    git checkout OTHER && python -m ccvae.benchmarks.golden after.json --compare before.json

For every program, objective and pattern of missing labels: the loss and each of its terms, and the
parameters after 20 steps; and for a run of every program what the commands ``train``, ``evaluate``
and ``train --resume`` leave. Bits agree on one machine with one version of torch only, so nothing
of this is committed.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pyro
import torch
from torch import Tensor

from ..cli import main as ccvae
from ..config import Config
from ..data import Batch, Dataset
from ..data.spec import load
from ..inference.catalogue import PROGRAMS, build_objective, build_pair

STEPS, ROWS = 20, 24
PATTERNS = ("all", "none", "some")

Digests = dict[str, str]


def digest(values: Iterable[tuple[str, Tensor]]) -> str:
    """A digest of named tensors, to the last bit."""
    found = hashlib.sha256()
    for name, value in values:
        found.update(name.encode())
        found.update(value.detach().double().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def batch_of(dataset: Dataset, pattern: str) -> Batch:
    """The first rows with all of their labels, none, or every third entry missing."""
    rows = dataset.subset(dataset.train[:ROWS])
    batch = next(rows.batches(ROWS))
    y = batch.y.clone()
    if pattern == "none":
        y[:] = torch.nan
    elif pattern == "some":
        y.view(-1)[::3] = torch.nan
    return replace(batch, y=y)


def computed(config: Config, dataset: Dataset, pattern: str) -> Digests:
    """The loss and the terms of a batch, and the parameters after some steps on it."""
    batch = batch_of(dataset, pattern)
    torch.manual_seed(0)
    frequencies = dataset.space.frequencies(dataset.labels)
    pair = build_pair(
        config, dataset.space, dataset.shape, frequencies, domains=dataset.domain_count
    )
    module = build_objective(config)(*pair)
    optimizer = torch.optim.Adam(module.parameters(), 1e-4)
    found = {}
    for step in range(STEPS):
        with pyro.get_param_store().scope(), pyro.validation_enabled(False):
            torch.manual_seed(step)
            loss = module(*batch.args, **batch.kwargs)
        if step == 0:
            found["loss"] = digest([("loss", loss)])
            found |= {f"term {name}": digest([(name, t)]) for name, t in module.terms.items()}
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return found | {"parameters": digest(module.named_parameters())}


def of_pairs() -> Digests:
    """What every program computes under each of its objectives."""
    dataset = load("faces:60", "Smiling,Bangs,Hair")
    found: Digests = {}
    for program, objectives in PROGRAMS.items():
        for objective in objectives:
            for pattern in PATTERNS:
                config = Config(program=program, objective=objective, network="mlp", style=6)
                values = computed(config, dataset, pattern)
                found |= {f"{program} {objective} {pattern}: {k}": v for k, v in values.items()}
    return found


def of_runs(kept: Path | None) -> Digests:
    """What the commands leave; ``kept`` is a folder of runs that an earlier commit made."""
    found: Digests = {}
    with tempfile.TemporaryDirectory() as folder:
        for program in PROGRAMS:
            run = (kept or Path(folder)) / program
            options = ["--data", "faces:72", "--network", "mlp", "--batch-size", "30"]
            options += ["--only", "Smiling,Hair", "--style", "6", "--out", str(run)]
            if kept is None:
                found[f"{program} train"] = _said("train", program, *options, "--epochs", "2")
            found[f"{program} evaluate"] = _said("evaluate", str(run))
            resumed = ("train", program, *options, "--epochs", "3", "--resume")
            found[f"{program} resume"] = _said(*resumed)
            found[f"{program} checkpoint"] = _tensors(run / "checkpoint.safetensors")
    return found


def _tensors(path: Path) -> str:
    from safetensors.torch import load_file

    return digest(sorted(load_file(path).items()))


def _said(*arguments: str) -> str:
    """A digest of the figures that a command prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        status = ccvae([*arguments, "--json"])
    document = {k: v for k, v in json.loads(out.getvalue() or "{}").items() if k != "run"}
    if status:
        return f"status {status}"
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def main() -> int:
    """Measure, write, and compare where asked to; the status is 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("out", type=Path, help="where the digests are written, as JSON")
    parser.add_argument("--compare", type=Path, default=None, help="digests of another commit")
    parser.add_argument("--runs", type=Path, default=None, help="its runs, to be taken up here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = of_pairs() | of_runs(options.runs)
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    before = json.loads(options.compare.read_text()) if options.compare else {}
    changed = [name for name in before if name in found and found[name] != before[name]]
    gone = [name for name in before if name not in found and not name.endswith("train")]
    for name in changed + gone:
        print(f"{'differs' if name in found else 'gone'}: {name}")
    print(f"{len(found)} digests, {len(changed)} differ, {len(gone)} gone")
    return 1 if changed or gone else 0


if __name__ == "__main__":
    sys.exit(main())
