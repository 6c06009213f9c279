"""Runs of a pair of programs that are objects in Python, kept in a directory like any run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from pyro.infer import ELBO
from pyro.util import set_rng_seed

from ...config import Config
from ...data import Dataset, Rows
from ...words import GIVEN
from ..catalogue import Signature, build_objective
from ..foreign import Inputs
from ..foreign.inputs import Source
from ..foreign.pair import SEEDS, wrapped
from ..objectives.pyros import WHOLE_ROWS
from ..objectives.sites import Program
from .checks import check_asked, check_free
from .facts import CHECKPOINT, FILES, NO_IMAGES, Facts, the_facts, write_facts
from .identity import Fingerprint, fingerprint_of, run_id
from .run import Run, training_rows
from .settling import check_words, settled

WORD = f"{GIVEN}:model,guide"
"""What stands for such programs in a run's directory."""


def given(config: Config, data: Dataset | Source, objective: ELBO | str) -> Config:
    """A configuration that says of objects what can be said of them."""
    word = objective if isinstance(objective, str) else f"{GIVEN}:{type(objective).__name__}"
    inputs = "" if isinstance(data, Dataset) else f"{GIVEN}:inputs"
    return replace(config, program=WORD, objective=word, inputs=inputs)


def resume_or_create_given(
    model: Program,
    guide: Program,
    data: Dataset | Source,
    objective: ELBO | str,
    config: Config,
    directory: Path,
    device: torch.device,
    *,
    resume: bool,
) -> tuple[Run, Rows | Inputs]:
    """The run to train and what it is trained on: a new one, or the one that the directory holds.

    Args:
        model, guide: functions, methods or modules. They are trained in place.
        data: a data set, whose batches they are called with as the suite's programs are; or a
            function that returns minibatches of their own (:mod:`ccvae.inference.foreign.inputs`).
        objective: an instance, or a word for one; Pyro's that sums over what is discrete, if none.
        config: the options of the training, with the name of the data set.

    Raises:
        ValueError: where the pair does not fit together, or the directory holds something else.
    """
    config = given(config, data, objective)
    elbo = build_objective(config) if isinstance(objective, str) else objective
    run = _opened(model, guide, data, config, elbo, directory, device, resume)
    return run, training_rows(run.config, data) if isinstance(data, Dataset) else run.inputs


def _settled(config: Config, rows: Rows, objective: ELBO) -> Config:
    """The configuration with what it leaves to the rows, whatever object the objective is."""
    if isinstance(objective, WHOLE_ROWS) and config.labelled_share is None:
        config = replace(config, labelled_share=0.0)
    return replace(settled(replace(config, objective=""), rows), objective=config.objective)


def _opened(
    model: Program,
    guide: Program,
    data: Dataset | Source,
    config: Config,
    objective: ELBO,
    directory: Path,
    device: torch.device,
    resume: bool,
) -> Run:
    """The run to train: a new one, or the one that the directory holds."""
    check_words(config)
    if isinstance(data, Dataset):
        rows = training_rows(config, data)
        config = _settled(config, rows, objective)
        signature, known = Signature.of(data), Fingerprint.of(data)
    else:
        inputs = Inputs(data, "data", config.seed)
        inputs.check_repeatable()
        signature, known = NO_IMAGES, fingerprint_of(inputs)
    facts = Facts(config, signature, "fit", run_id(config, signature, known), known)
    if resume and (directory / CHECKPOINT).exists():
        before = the_facts(directory)
        check_asked(directory, before.config, config)
        if before.data != known:
            raise ValueError(f"{directory} was trained on other data; give another out")
    else:
        check_free(directory)
        directory.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (directory / name).unlink(missing_ok=True)
    set_rng_seed(config.seed % SEEDS)  # of what is made on the first batch
    p, q = (program.to(device) for program in wrapped(model, guide, signature.space))
    run = Run(directory, config, facts, p, q, objective, device)
    if isinstance(data, Dataset):
        run.complete(rows, check=True)
        vars(run)["_rows"] = (rows, data.subset(data.test))
    else:
        vars(run)["inputs"] = inputs
        run.complete(check=True)
    write_facts(directory, facts)
    return run
