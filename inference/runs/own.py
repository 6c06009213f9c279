"""Runs whose minibatches are the user's own: without data set, labels or images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from ...config import Config
from ...words import is_own
from ..evaluation.evaluating import Figures
from ..evaluation.own import evaluate_own
from ..foreign import Inputs
from .checks import check_asked, check_free
from .facts import CHECKPOINT, EVALUATION, FILES, NO_IMAGES, TRAIN, Facts, modules_of, the_facts
from .facts import write_facts as write
from .identity import fingerprint_of, run_id
from .run import Run, build, from_facts
from .settling import check_words

DRAWS = 10
"""For the bound of a training that is done."""


def create_own(
    config: Config,
    inputs: Inputs,
    directory: Path,
    device: torch.device,
    *,
    command: str = TRAIN,
    run: Run | None = None,
) -> Run:
    """A new run on the user's own minibatches, written to its directory.

    Args:
        command: what made the run; kept in its directory.
        run: with programs that are there already, as objects in Python are.

    Raises:
        ValueError: where the directory holds something already, or an option would not be read.
    """
    check_free(directory)
    check_words(config)
    if not is_own(config.program):
        raise ValueError(
            f"the program {config.program!r} is called with images and labels of a data set; leave "
            "--inputs out, or name programs of your own as module:model,guide"
        )
    inputs.check_repeatable()
    known = fingerprint_of(inputs)
    facts = Facts(config, NO_IMAGES, command, run_id(config, NO_IMAGES, known), known)
    run = run or build(facts, directory, device)
    run.facts = facts
    vars(run)["inputs"] = inputs
    run.complete(check=True)
    directory.mkdir(parents=True, exist_ok=True)
    write(directory, facts)
    for name in FILES:
        (directory / name).unlink(missing_ok=True)
    return run


def resume_or_create_own(
    config: Config, inputs: Inputs, directory: Path, device: torch.device, *, resume: bool
) -> Run:
    """The run to train: a new one, or with ``resume`` the one that the directory holds.

    Raises:
        ValueError: where the directory's run was asked for something else, or on others.
    """
    if not resume or not (directory / CHECKPOINT).exists():
        return create_own(config, inputs, directory, device)
    facts = the_facts(directory)
    check_asked(directory, facts.config, config)
    if facts.data != fingerprint_of(inputs):
        raise ValueError(
            f"{config.inputs} gives other minibatches than {directory} was trained on; give back "
            "what they were, or give another --out"
        )
    run = from_facts(directory, facts, device, modules_of(config))
    run.config = config
    vars(run)["inputs"] = inputs
    run.complete()
    if config.epochs != facts.config.epochs:
        (directory / EVALUATION).unlink(missing_ok=True)
    write(directory, replace(facts, config=config))
    return run


def figures_of(run: Run, part: str = "test") -> Figures:
    """What a run on the user's own minibatches is worth, on those of a part.

    Those for training stand in where there are none for it.
    """
    inputs = run.inputs
    part = part if inputs.has(part) else "train"
    return evaluate_own(run.model, run.guide, run.objective, inputs, part, run.device, DRAWS)
