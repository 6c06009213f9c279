"""Training a pair of programs that are objects in Python, kept in a directory like any run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pyro.infer import ELBO
from pyro.util import set_rng_seed

from ...config import Config
from ...data import Dataset, Rows
from ...lock import alone
from ...words import GIVEN
from ..catalogue import Signature, build_objective
from ..foreign import Inputs
from ..foreign.pair import SEEDS, wrapped
from ..objectives.pyros import WHOLE_ROWS
from ..objectives.sites import Program
from ..training.loop import Metrics
from .checks import check_asked, check_free
from .facts import CHECKPOINT, FILES, NO_IMAGES, Facts, the_facts, write_facts
from .fitting import fit
from .identity import Fingerprint, fingerprint_of, run_id
from .run import Run, training_rows
from .settling import check_words, settled

WORD = f"{GIVEN}:model,guide"
"""What stands for such programs in a run's directory."""


def fit_pair(
    model: Program,
    guide: Program,
    data: Dataset | Callable[..., Any],
    *,
    objective: ELBO | str = "",
    out: Path | str | None = None,
    resume: bool = False,
    device: torch.device | str = "cpu",
    watch: Callable[[Metrics], None] | None = None,
    **options: Any,
) -> Run:
    """Train any pair of Pyro programs, as ``ccvae train module:model,guide`` does.

    The programs are trained in place, from the weights that they have.

    Args:
        model, guide: functions, methods or modules.
        data: a data set, whose batches they are called with as the suite's programs are; or a
            function that returns minibatches of their own (:mod:`ccvae.inference.foreign.inputs`).
        objective: an instance, or a word for one; Pyro's that sums over what is discrete, if none.
        out: a directory for the run; by default one that is gone afterwards.
        resume: go on where the directory's checkpoint stands.
        device: where they are trained. watch: is told what each epoch logs.
        options: as of ``ccvae train``: ``epochs``, ``lr``, ``seed``, ``labelled``, ``batch_size`` …

    Returns:
        the run, with the weights that are kept. ``run.directory`` has its logs and checkpoint;
        ``ccvae.inference.runs.evaluate_run(run)`` evaluates it.

    Raises:
        ValueError: where the pair does not fit together, or the directory holds something else.
    """
    word = objective if isinstance(objective, str) else f"{GIVEN}:{type(objective).__name__}"
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            there = Path(folder) / "run"
            return fit_pair(
                model, guide, data, objective=objective, out=there, watch=watch, device=device,
                **options,
            )  # fmt: skip
    inputs = "" if isinstance(data, Dataset) else f"{GIVEN}:inputs"
    config = Config(program=WORD, objective=word, inputs=inputs, **options)
    if isinstance(data, Dataset):
        config = replace(config, data=data.name)
    elbo = build_objective(config) if isinstance(objective, str) else objective
    with alone(Path(out)):
        run = _opened(model, guide, data, config, elbo, Path(out), torch.device(device), resume)
        rows = training_rows(run.config, data) if isinstance(data, Dataset) else run.inputs
        for metrics in fit(run, rows, resume=resume):
            if watch is not None:
                watch(metrics)
    return run


def _settled(config: Config, rows: Rows, objective: ELBO) -> Config:
    """The configuration with what it leaves to the rows, whatever object the objective is."""
    if isinstance(objective, WHOLE_ROWS) and config.labelled_share is None:
        config = replace(config, labelled_share=0.0)
    return replace(settled(replace(config, objective=""), rows), objective=config.objective)


def _opened(
    model: Program,
    guide: Program,
    data: Dataset | Callable[..., Any],
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
        inputs = Inputs(data, config.inputs, config.seed)
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
