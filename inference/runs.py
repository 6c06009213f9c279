"""Run directories: what a training was asked for, where it stands, and what it measured.

===========================  ================================================================
``config.json``              the configuration, the labels and the images' shape
``checkpoint.safetensors``   weights, optimiser state and the step; replaced as a whole
``metrics.jsonl``            one JSON object for every epoch
``validation.jsonl``         what each epoch's weights did on rows that are not trained on
``steps.jsonl``              one for every logging interval
``not-finite.safetensors``   rows and weights of a step whose loss or gradient was not finite
``evaluation.json``          what ``ccvae evaluate`` found, with its baselines
===========================  ================================================================
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pyro.infer import ELBO
from torch import Tensor, nn

from ..config import Config
from ..data import Dataset, LabelSpace, Rows
from ..data.spec import load as load_data
from ..networks import Shape
from .alpha import measured_alpha
from .catalogue import build_objective, build_pair, choose, objective_class
from .checkpoint import load_checkpoint, save_checkpoint, write_atomically
from .engine import PRECISIONS
from .evaluation import baseline, evaluate, majority
from .logbook import METRICS, STEPS, VALIDATION
from .optimisation import SCHEDULES
from .sampling import LABELLED_SHARE
from .validation import split

CONFIG, CHECKPOINT, EVALUATION = "config.json", "checkpoint.safetensors", "evaluation.json"
NOT_FINITE = "not-finite.safetensors"

KEPT = ("best", "last")
"""Of which epoch the weights may be kept."""

ALPHA_RULES = ("measured", "paper")
"""How an objective's α may be chosen."""


@dataclass
class Run:
    """A pair of programs, the objective that trains it, and the directory that keeps it.

    Attributes:
        directory: where the run lives.
        config: what it was asked for.
        space, shape, domains: labels, image shape and number of domains of its data set.
        model, guide, objective: built from the configuration.
        device: where the programs are.
    """

    directory: Path
    config: Config
    space: LabelSpace
    shape: Shape
    domains: int
    model: nn.Module
    guide: nn.Module
    objective: ELBO
    device: torch.device

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What a checkpoint holds."""
        return {"model": self.model, "guide": self.guide}

    def data(self) -> tuple[Rows, Rows]:
        """The training rows with the labels that the run may see, and the annotated test rows.

        Raises:
            ValueError: where the data set has other labels or images than the run was made for.
        """
        dataset = load_data(self.config.data, self.config.only)
        if dataset.space != self.space or dataset.shape != self.shape:
            raise ValueError(
                f"{self.directory} was trained on images of {self.shape} with the labels "
                f"{', '.join(self.space.names)}; {self.config.data!r} now has {dataset.shape} and "
                f"{', '.join(dataset.space.names)}"
            )
        train_rows = training_rows(self.config, dataset)
        return train_rows, dataset.subset(dataset.test)


def create(
    config: Config, dataset: Dataset, directory: Path, device: torch.device, *, writes: bool = True
) -> Run:
    """A new run with initial weights, written to its directory.

    Args:
        writes: False for a process that shares another's run.

    Raises:
        ValueError: where the directory already holds a run, or the network does not fit the data.
    """
    if (directory / CHECKPOINT).exists():
        raise ValueError(
            f"{directory} already holds a trained run; give --resume to go on with it, or "
            "another --out"
        )
    choose("schedule", config.schedule, SCHEDULES)
    choose("precision", config.precision, PRECISIONS)
    choose("keep", config.keep, KEPT)
    choose("alpha rule", config.alpha_rule, ALPHA_RULES)
    rows = training_rows(config, dataset)
    if len(rows.labelled) == 0 and config.program != "vae":
        raise ValueError(
            f"no training row keeps a label at --labelled {max(config.fractions):g}, so there is "
            f"nothing to learn q(y|x) from; give at least {1 / len(rows):.2g}"
        )
    config = _settled(config, rows)
    frequencies = dataset.space.frequencies(rows.labels)
    torch.manual_seed(config.seed)
    run = _build(
        config, directory, dataset.space, dataset.shape, dataset.domain_count, device, frequencies
    )
    if writes:
        directory.mkdir(parents=True, exist_ok=True)
        _write_config(run)
        for name in (METRICS, VALIDATION, STEPS, EVALUATION, NOT_FINITE):
            (directory / name).unlink(missing_ok=True)
    return run


def adopt(
    config: Config,
    space: LabelSpace,
    shape: Shape,
    states: dict[str, dict[str, Tensor]],
    directory: Path,
) -> Run:
    """A run with weights that were trained elsewhere, written to its directory.

    Args:
        config, space, shape: what the run is to say of itself.
        states: the state dicts of ``model`` and ``guide``.
        directory: where it is kept; new or empty.

    Raises:
        ValueError: where the directory holds something.
    """
    if directory.exists() and any(directory.iterdir()):
        raise ValueError(f"{directory} is not empty; give another --out")
    run = _build(config, directory, space, shape, 0, torch.device("cpu"))
    for name, module in run.modules.items():
        module.load_state_dict(states[name])
    directory.mkdir(parents=True, exist_ok=True)
    facts: dict[str, Any] = {"epoch": config.epochs, "done": 0, "total": 0, "totals": {}}
    save_checkpoint(directory / CHECKPOINT, run.modules, None, **facts)
    _write_config(run)
    return run


def load(directory: Path, device: torch.device) -> Run:
    """A trained run from its directory.

    Raises:
        ValueError: for a directory that is no run, or whose checkpoint is damaged.
    """
    run = _from_config(directory, device)
    load_checkpoint(directory / CHECKPOINT, run.modules)
    for module in run.modules.values():
        module.eval()
    return run


def resume_or_create(
    config: Config,
    dataset: Dataset,
    directory: Path,
    device: torch.device,
    *,
    resume: bool,
    writes: bool = True,
) -> Run:
    """The run to train: a new one, or with ``resume`` the one that the directory holds.

    Raises:
        ValueError: where the directory's run was asked for something else than ``config``.
    """
    if not resume or not (directory / CHECKPOINT).exists():
        return create(config, dataset, directory, device, writes=writes)
    run = _from_config(directory, device)
    config = _settled(config, training_rows(config, dataset))
    if replace(run.config, epochs=config.epochs) != config:
        before, now = run.config.to_json(), config.to_json()
        changed = [f"{key} {before[key]} → {now[key]}" for key in now if before[key] != now[key]]
        raise ValueError(
            f"{directory} was trained with other options ({'; '.join(changed)}); repeat them as "
            "they were, or give another --out"
        )
    changed_epochs = config.epochs != run.config.epochs
    run.config = config
    if writes:
        if changed_epochs:
            (directory / EVALUATION).unlink(missing_ok=True)
        _write_config(run)
    return run


def training_rows(config: Config, dataset: Dataset) -> Rows:
    """The training rows with all labels that a configuration ever shows of them.

    Those that validate are among them; :func:`~ccvae.inference.validation.split` tells which.
    """
    return dataset.training(max(config.fractions), config.seed, balanced=config.balanced)


def evaluate_run(run: Run) -> dict[str, Any]:
    """Evaluate a run on its test rows, with the majority class and the plain classifier beside.

    The plain classifier does not depend on the run's weights; it is trained once and kept in
    ``evaluation.json``.
    """
    train_rows, test_rows = run.data()
    result = evaluate(run.model, run.guide, run.objective, test_rows, run.device)
    if "accuracy" in result:
        kept = read_json(run.directory / EVALUATION) or {}
        beside = {key: value for key, value in kept.items() if key.startswith("classifier")}
        if not beside:
            beside = baseline(run.config, train_rows, test_rows, run.device)
        result |= majority(train_rows, test_rows) | beside
    result["images"] = len(test_rows)
    write_atomically(run.directory / EVALUATION, json.dumps(result, indent=2).encode())
    return result


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None where the file is missing or damaged."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _from_config(directory: Path, device: torch.device) -> Run:
    facts = read_json(directory / CONFIG)
    if facts is None:
        raise ValueError(
            f"{directory} is not a run directory (no readable {CONFIG}); give one that "
            "'ccvae train' or 'ccvae demo' made"
        )
    try:
        config = Config.from_json(facts["config"])
        space = LabelSpace.from_json(facts["labels"])
        channels, height, width = facts["shape"]
        shape = (channels, height, width)
        return _build(config, directory, space, shape, facts["domains"], device)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{directory / CONFIG} does not describe a run ({error}); train it again"
        ) from error


def _settled(config: Config, rows: Rows) -> Config:
    """The configuration with what it leaves to the rows: α and the share of labelled rows."""
    rows = split(config, rows).train
    return _with_share(_with_alpha(config, rows), rows)


def _with_share(config: Config, rows: Rows) -> Config:
    """The configuration with the share of labelled rows in a batch, 0 where enough have labels."""
    if config.labelled_share is not None:
        return config
    few = 0 < rows.labelled_share < LABELLED_SHARE
    return replace(config, labelled_share=LABELLED_SHARE if few else 0.0)


def _with_alpha(config: Config, rows: Rows) -> Config:
    """The configuration with an α by its rule, for an objective with one where none was given."""
    kind = objective_class(config)
    weight, paper = (getattr(kind, name, None) for name in ("label_weight", "suggested_alpha"))
    if config.alpha is not None or paper is None:
        return config
    if config.alpha_rule == "paper" or not weight:
        return replace(config, alpha=paper(len(rows), len(rows.labelled)))
    return replace(config, alpha=measured_alpha(config, weight, rows))


def _write_config(run: Run) -> None:
    facts = {
        "config": run.config.to_json(),
        "labels": run.space.to_json(),
        "shape": run.shape,
        "domains": run.domains,
    }
    write_atomically(run.directory / CONFIG, json.dumps(facts, indent=2).encode())


def _build(
    config: Config,
    directory: Path,
    space: LabelSpace,
    shape: Shape,
    domains: int,
    device: torch.device,
    frequencies: Any = None,
) -> Run:
    model, guide = build_pair(config, space, shape, frequencies, domains)
    return Run(
        directory,
        config,
        space,
        shape,
        domains,
        model.to(device),
        guide.to(device),
        build_objective(config),
        device,
    )
