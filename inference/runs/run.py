"""Run directories: what a training was asked for, where it stands, and what it measured.

===========================  ================================================================
``config.json``              the configuration, the labels and the images' shape
``checkpoint.safetensors``   weights, optimiser state and the step; replaced as a whole
``metrics.jsonl``            one JSON object for every epoch
``steps.jsonl``              one for every logging interval
``not-finite.safetensors``   rows and weights of a step whose loss or gradient was not finite
``evaluation.json``          what ``ccvae evaluate`` found, with its baselines
===========================  ================================================================
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from pyro.infer import ELBO
from torch import Tensor, nn

from ...config import Config
from ...data import Dataset, LabelSpace, Rows
from ...data.spec import load as load_data
from ...files import read_json, write_atomically
from ...loading import choose
from ...networks import Shape
from ..catalogue import ENTRIES, Signature, build_objective, build_pair, objective_class
from ..evaluation.evaluating import Figures, evaluate, majority
from ..objectives.base import Objective
from ..training.baselines import baseline
from ..training.checkpoint import load_checkpoint, save_checkpoint
from ..training.engine import PRECISIONS
from ..training.optimisation import SCHEDULES
from .facts import CONFIG, TRAIN, Facts, modules_of, read_facts, the_facts, write_facts
from .logbook import METRICS, STEPS

CHECKPOINT, EVALUATION = "checkpoint.safetensors", "evaluation.json"
NOT_FINITE = "not-finite.safetensors"
FILES = (CHECKPOINT, METRICS, STEPS, EVALUATION, NOT_FINITE)
"""What a new training removes of an earlier one; ``config.json`` it replaces."""


@dataclass
class Run:
    """A pair of programs, the objective that trains it, and the directory that keeps it.

    Attributes:
        directory: where the run lives.
        config: what it was asked for.
        signature: labels, image shape and number of domains of its data set.
        model, guide, objective: built from the configuration.
        device: where the programs are.
    """

    directory: Path
    config: Config
    signature: Signature
    model: nn.Module
    guide: nn.Module
    objective: ELBO
    device: torch.device

    @property
    def space(self) -> LabelSpace:
        """The labels."""
        return self.signature.space

    @property
    def shape(self) -> Shape:
        """An image's, (C, H, W)."""
        return self.signature.shape

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What a checkpoint holds."""
        return {"model": self.model, "guide": self.guide}

    def data(self) -> tuple[Rows, Rows]:
        """The training rows with the labels that the run may see, and the annotated test rows.

        They are loaded once.

        Raises:
            ValueError: where the data set has other labels or images than the run was made for.
        """
        return self._rows

    @cached_property
    def _rows(self) -> tuple[Rows, Rows]:
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
    config: Config,
    dataset: Dataset,
    directory: Path,
    device: torch.device,
    *,
    writes: bool = True,
    command: str = TRAIN,
) -> Run:
    """A new run with initial weights, written to its directory.

    Args:
        writes: False for a process that shares another's run.
        command: what made the run; kept in its directory.

    Raises:
        ValueError: where the directory already holds a run or something else, or the network does
            not fit the data.
    """
    check_free(directory)
    choose("program", config.program, ENTRIES)
    choose("schedule", config.schedule, SCHEDULES)
    choose("precision", config.precision, PRECISIONS)
    rows = training_rows(config, dataset)
    if len(rows.labelled) == 0 and ENTRIES[config.program].classifies:
        raise ValueError(
            f"no training row keeps a label at --labelled {max(config.fractions):g}, so there is "
            f"nothing to learn q(y|x) from; give at least {1 / len(rows):.2g}"
        )
    config = _with_alpha(config, rows)
    frequencies = dataset.space.frequencies(rows.labels)
    torch.manual_seed(config.seed)
    run = _build(config, directory, Signature.of(dataset), device, frequencies)
    if writes:
        directory.mkdir(parents=True, exist_ok=True)
        write_facts(directory, Facts(config, run.signature, command))
        for name in FILES:
            (directory / name).unlink(missing_ok=True)
    return run


def check_free(directory: Path) -> None:
    """Raise unless a new run may be written here: nothing but a run's own files is ever replaced.

    Raises:
        ValueError: where the directory holds a checkpoint, or anything beside a run that has none.
    """
    if (directory / CHECKPOINT).exists() and read_facts(directory) is not None:
        raise ValueError(
            f"{directory} already holds a trained run; give --resume to go on with it, or "
            "another --out"
        )
    if directory.exists() and any(directory.iterdir()) and read_facts(directory) is None:
        raise ValueError(
            f"{directory} is not empty and holds no run of ccvae, so nothing was written there; "
            "give another --out"
        )


def adopt(
    config: Config,
    signature: Signature,
    states: dict[str, dict[str, Tensor]],
    directory: Path,
) -> Run:
    """A run with weights that were trained elsewhere, written to its directory.

    Args:
        config, signature: what the run is to say of itself.
        states: the state dicts of ``model`` and ``guide``.
        directory: where it is kept; new or empty.

    Raises:
        ValueError: where the directory holds something.
    """
    if directory.exists() and any(directory.iterdir()):
        raise ValueError(f"{directory} is not empty; give another --out")
    run = _build(config, directory, signature, torch.device("cpu"))
    for name, module in run.modules.items():
        module.load_state_dict(states[name])
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / CHECKPOINT
    save_checkpoint(path, run.modules, None, epoch=config.epochs, done=0, total=0, totals={})
    write_facts(directory, Facts(config, signature, "import"))
    return run


def load(directory: Path, device: torch.device, trust: Collection[str] = ()) -> Run:
    """A trained run from its directory, of which nothing is executed.

    Args:
        trust: modules that the run may name for its objective or its network.

    Raises:
        ValueError: for a directory that is no run, whose checkpoint is damaged, or that names a
            module which is not trusted.
    """
    run = _from_facts(directory, the_facts(directory), device, trust)
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
    facts = the_facts(directory)
    config = _with_alpha(config, training_rows(config, dataset))
    if replace(facts.config, epochs=config.epochs) != config:
        before, now = facts.config.to_json(), config.to_json()
        changed = [f"{key} {before[key]} → {now[key]}" for key in now if before[key] != now[key]]
        raise ValueError(
            f"{directory} was trained with other options ({'; '.join(changed)}); repeat them as "
            "they were, or give another --out"
        )
    run = _from_facts(directory, facts, device, modules_of(config))
    run.config = config
    if writes:
        if config.epochs != facts.config.epochs:
            (directory / EVALUATION).unlink(missing_ok=True)
        write_facts(directory, replace(facts, config=config))
    return run


def training_rows(config: Config, dataset: Dataset) -> Rows:
    """The training rows with all labels that a configuration ever shows of them."""
    return dataset.training(max(config.fractions), config.seed, balanced=config.balanced)


def evaluate_run(run: Run) -> Figures:
    """Evaluate a run on its test rows, with the majority class and the plain classifier beside.

    The plain classifier does not depend on the run's weights; it is trained once and kept in
    ``evaluation.json``.
    """
    train_rows, test_rows = run.data()
    result = evaluate(run.model, run.guide, run.objective, test_rows, run.device)
    if "accuracy" in result or "error_by_label" in result:
        kept = read_json(run.directory / EVALUATION) or {}
        beside = {key: value for key, value in kept.items() if key.startswith("classifier")}
        if not beside:
            beside = baseline(run.config, train_rows, test_rows, run.device)
        result |= majority(train_rows, test_rows) | beside
    result["images"] = len(test_rows)
    write_atomically(run.directory / EVALUATION, json.dumps(result, indent=2).encode())
    return result


def _from_facts(directory: Path, facts: Facts, device: torch.device, trust: Collection[str]) -> Run:
    foreign = sorted(modules_of(facts.config) - set(trust))
    if foreign:
        raise ValueError(
            f"{directory} names code of its own, {', '.join(foreign)}, which reading it would run; "
            f"if you know it, repeat the command with --trust {' --trust '.join(foreign)}"
        )
    try:
        return _build(facts.config, directory, facts.signature, device)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{directory / CONFIG} does not describe a run ({error}); train it again"
        ) from error


def _with_alpha(config: Config, rows: Rows) -> Config:
    """The configuration with the objective's own rule for α where it has one and none was given."""
    kind = objective_class(config)
    if config.alpha is not None or not issubclass(kind, Objective):
        return config
    return replace(config, alpha=kind.suggested_alpha(len(rows), len(rows.labelled)))


def _build(
    config: Config,
    directory: Path,
    signature: Signature,
    device: torch.device,
    frequencies: Sequence[Tensor] | None = None,
) -> Run:
    space, shape, domains = signature.space, signature.shape, signature.domains
    model, guide = build_pair(config, space, shape, frequencies, domains)
    objective = build_objective(config)
    return Run(directory, config, signature, model.to(device), guide.to(device), objective, device)
