"""What was measured of a run, kept for the checkpoint that it was measured of and for no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import torch

from ...data import LabelSpace
from ...files import is_whole, keeping, read_json, sealed, write_atomically
from ...seeds import seed_of
from ..evaluation.evaluating import Figures, evaluate, majority
from ..training.checkpoint import read_standing, weights_digest
from .facts import CHECKPOINT, EVALUATION
from .identity import run_id
from .own import figures_of
from .plain import plain_figures
from .run import Run

TESTED = 4
"""What tells the seed of the last measurements from those of a training."""

OF = "of"
"""Where a file says what it was found of."""

Origin = dict[str, Any]
"""What something was found of, as plain data: run, step, weights and data."""

_Shares = dict[str, float | None]


class _Figures(msgspec.Struct):
    """The types of an evaluation."""

    bound: float
    images: Annotated[int, msgspec.Meta(ge=0)]
    bound_error: float | None = None
    reconstruction_l1: float | None = None
    part: str = ""
    accuracy: float | None = None
    majority: float | None = None
    classifier: float | None = None
    accuracy_by_label: _Shares = {}
    balanced_by_label: _Shares = {}
    majority_by_label: _Shares = {}
    classifier_by_label: _Shares = {}
    error_by_label: _Shares = {}
    majority_error_by_label: _Shares = {}
    classifier_error_by_label: _Shares = {}
    r2_by_label: _Shares = {}
    majority_r2_by_label: _Shares = {}
    classifier_r2_by_label: _Shares = {}


def origin(run: Run) -> Origin:
    """What is found of a run now is found of this."""
    weights = weights_digest(run.modules)
    standing = read_standing(run.directory / CHECKPOINT)
    step = standing.total if standing is not None and standing.weights == weights else None
    return {
        "run": run_id(run.config, run.signature, run.fingerprint),
        "epochs": run.config.epochs,
        "step": step,
        "weights": weights,
    }


Watch = Callable[[str, int, int], None]
"""Told what is being done, and how much of how much is done."""


def evaluate_run(run: Run, of: Origin | None = None, *, watch: Watch | None = None) -> Figures:
    """Evaluate a run on its test rows, with the majority class and the plain classifier beside.

    The plain classifier does not depend on the run's weights; it is trained once for the same data,
    seed, network and training, whatever the program and objective, and kept in the user's cache
    (:mod:`.plain`). Where ``evaluation.json`` cannot be written, a line says so.

    What is drawn follows from the run's seed, and the caller's own draws go on as they were.

    Args:
        of: what :func:`origin` says, where it is known.
        watch: told how far it is.
    """
    of = of or origin(run)
    with torch.random.fork_rng([run.device] if run.device.type == "cuda" else []):
        torch.manual_seed(seed_of(run.config.seed, TESTED))
        found = figures_of(run) if run.config.inputs else _measured(run, of, watch)
    return _kept(run, found, of)


def _measured(run: Run, of: Origin, watch: Watch | None) -> Figures:
    train_rows, test_rows = run.data()
    seen = None if watch is None else partial(watch, "test images")
    result = evaluate(run.model, run.guide, run.objective, test_rows, run.device, watch=seen)
    if "accuracy" in result or "error_by_label" in result:
        kept = _read(run.directory / EVALUATION, run.space)
        beside = {key: value for key, value in kept.items() if key.startswith("classifier")}
        if not beside or not _same(kept, of, ("run", "epochs")):
            trained = None if watch is None else partial(watch, "plain classifier")
            beside = plain_figures(run, train_rows, test_rows, watch=trained)
        result |= majority(train_rows, test_rows) | beside
    result["images"] = len(test_rows)
    return result


def _kept(run: Run, result: Figures, of: Origin) -> Figures:
    """An evaluation, kept in the run's directory where it can be."""
    with keeping("this evaluation"):
        text = json.dumps(sealed({**result, OF: of}), indent=2)
        write_atomically(run.directory / EVALUATION, text.encode())
    return result


def evaluated(run: Run, of: Origin) -> Figures:
    """The evaluation of a run as it stands: what is kept of it, or made anew."""
    kept = _read(run.directory / EVALUATION, run.space)
    if not _same(kept, of, ("run", "epochs", "weights")):
        return evaluate_run(run, of)
    return {key: value for key, value in kept.items() if key not in (OF, "digest")}


def is_of(kept: Origin, of: Origin) -> bool:
    """Whether something kept was found of this; what says nothing is by an earlier version."""
    return OF not in kept or _same(kept, of, ("run", "weights"))


def _same(kept: Origin, of: Origin, parts: tuple[str, ...]) -> bool:
    found = kept.get(OF)
    return isinstance(found, dict) and all(found.get(part) == of[part] for part in parts)


def _read(path: Path, space: LabelSpace) -> Origin:
    """What is kept of an evaluation with these labels; nothing where it is not whole."""
    kept = read_json(path)
    if kept is None or not is_whole(kept):
        return {}
    try:
        found = msgspec.convert(kept, _Figures)
    except msgspec.ValidationError:
        return {}
    tables = [value for value in msgspec.to_builtins(found).values() if isinstance(value, dict)]
    return kept if all(table.keys() <= set(space.names) for table in tables) else {}
