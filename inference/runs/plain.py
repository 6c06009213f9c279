"""The plain classifier beside a run: trained once for the same data, seed, network and training.

It depends neither on the program nor on the objective, so the runs of a comparison share it. Its
figures are kept in the user's cache as ``plain-ID.json``, where ID is a digest of all that it
depends on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ...config import Config
from ...data import Rows
from ...files import cache_folder, is_whole, keeping, read_json, sealed, write_atomically
from ..evaluation.evaluating import Figures
from ..training.baselines import baseline
from .run import Run

VERSION = 1
"""Of how a plain classifier is trained; raise it with any change, so that no cache outlives it."""

OF_PROGRAMS = (
    "program",
    "objective",
    "alpha",
    "alpha_rule",
    "alpha_d",
    "warm_up",
    "inputs",
    "by_class",
    "unweighted",
    "trunks",
    "heads",
    "taught_apart",
    "likelihood",
    "scale",
    "learn_scale",
    "link",
    "style",
    "clip",
    "precision",
    "patience",
    "data",
)
"""Options that a plain classifier does not depend on; of the data it knows the fingerprint."""


def plain_figures(
    run: Run, train: Rows, test: Rows, *, watch: Callable[[int, int], None] | None = None
) -> Figures:
    """The figures of the plain classifier that belongs to a run, made or found.

    Args:
        run: whose configuration and data. train, test: the run's rows.
        watch: told after every epoch of its training.
    """
    if ":" in run.config.network:  # whose code may be another the next time
        return baseline(run.config, train, test, run.device, watch=watch)
    path = cache_folder() / f"plain-{plain_id(run)}.json"
    kept = read_json(path)
    if kept is not None and is_whole(kept) and isinstance(kept.get("figures"), dict):
        return dict(kept["figures"])
    found = baseline(run.config, train, test, run.device, watch=watch)
    with keeping("the plain classifier's figures"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(sealed({"figures": found})).encode())
    return found


def plain_id(run: Run) -> str:
    """What tells a run's plain classifier from others."""
    facts = {
        "version": VERSION,
        "options": options_of(run.config),
        "data": run.fingerprint.to_json(),
    }
    words = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def options_of(config: Config) -> dict[str, Any]:
    """The options that a plain classifier depends on."""
    return {name: value for name, value in asdict(config).items() if name not in OF_PROGRAMS}
