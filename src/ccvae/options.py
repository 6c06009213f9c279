"""What the options of a command ask for: a configuration, a data set, a device, a directory."""

from __future__ import annotations

import dataclasses
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from .config import FILES, SOURCE, Config
from .data import Dataset, Rows
from .data.spec import load as load_data
from .data.spec import with_options
from .data.summary import describe, kind_of, unshown
from .files import read_json
from .inference.foreign import Inputs
from .inference.objectives.pyros import WITHOUT_LOSS
from .inference.runs.checks import check_single
from .inference.runs.facts import CHECKPOINT, DEMO, modules_of, read_facts
from .inference.runs.facts import FILES as FILES_OF_RUNS
from .inference.runs.own import resume_or_create_own
from .inference.runs.run import Run, resume_or_create, training_rows
from .inference.runs.settling import settled_as
from .loading import choose
from .lock import holds_something
from .networks.build import chosen
from .texts import command_line, some
from .words import is_own

if TYPE_CHECKING:
    from .inference.training.engine import Engine


def config_of(options: Namespace) -> Config:
    """The configuration of a training."""
    names = [option.name for option in dataclasses.fields(Config)]
    return Config(**{name: getattr(options, name) for name in names} | {"data": source_of(options)})


def source_of(options: Namespace) -> str:
    """The specification of the data with the options that were given beside it."""
    if options.download:
        kind, _, rest = options.data.partition(":")
        if kind != "celeba" or not rest:
            raise ValueError(f"only celeba:ROOT can be downloaded, not {options.data!r}")
        from .data.celeba import download

        download(Path(rest.rpartition("?")[0] or rest))
    return with_options(options.data, {name: getattr(options, name) for name in SOURCE})


def frequencies_of(text: str, labels: Sequence[str]) -> list[float] | None:
    """p(y = 1) of the labels, written out by commas or kept in a JSON file by name."""
    if not text:
        return None
    if text.endswith(".json"):
        kept = read_json(Path(text)) or {}
        if not all(isinstance(kept.get(name), int | float) for name in labels):
            raise ValueError(
                f"{text}: expected an object with a number for each of {', '.join(labels)}, got "
                f"{', '.join(kept) or 'none'}; give --frequencies a file that has them"
            )
        return [float(kept[name]) for name in labels]
    try:
        return [float(number) for number in text.split(",")]
    except ValueError as error:
        raise ValueError(f"{error}; give --frequencies numbers by commas, or FILE.json") from error


def announce(dataset: Dataset, config: Config) -> None:
    """Say on standard error what labels were read from files, and what was wrong with these."""
    if config.data.partition(":")[0] not in FILES:
        return
    kinds = [f"{label.name} ({kind_of(label)})" for label in dataset.space]
    lines = [f"{dataset.name} with {', '.join(kinds)}"]
    problems = describe(dataset, config.batch_size)["problems"]
    if max(config.fractions) > 0:
        problems += unshown(dataset, training_rows(config, dataset).labels)
    more = f"see {command_line('data', config.data)}"
    lines += some([f"understood: {note}" for note in dataset.notes], more)
    lines += some([f"problem: {problem}" for problem in problems], more)
    print("\n".join(lines), file=sys.stderr)


def opened(
    config: Config, directory: Path, fabric: Engine, options: Namespace
) -> tuple[Run, Rows | Inputs, str]:
    """The run to train, what it is trained on, and a remark on it."""
    if config.inputs:
        check_single(config, fabric.world_size)
        inputs = Inputs.named(config.inputs, config.seed)
        run = resume_or_create_own(config, inputs, directory, fabric.device, resume=options.resume)
        return run, inputs, ""
    dataset = load_data(config.data, config.only)
    announce(dataset, config)
    run = resume_or_create(
        config,
        dataset,
        directory,
        fabric.device,
        resume=options.resume,
        other_data=options.changed_data,
        writes=fabric.is_global_zero,
    )
    if isinstance(run.objective, WITHOUT_LOSS):
        check_single(config, fabric.world_size)
    own_network = is_own(config.program) or config.network != "auto"
    remark = "" if own_network else chosen(config.network, dataset.shape)
    return run, training_rows(config, dataset), remark


def device_of(name: str) -> torch.device:
    """The device of a name: auto, cpu or cuda.

    Raises:
        ValueError: for another name, or a CUDA device that is not there.
    """
    choose("device", name, ("auto", "cpu", "cuda"))
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("no CUDA device is available here; choose the device auto or cpu")
    cuda = name == "cuda" or (name == "auto" and torch.cuda.is_available())
    return torch.device("cuda" if cuda else "cpu")


def resumes(directory: Path, config: Config, *, asked: bool) -> bool:
    """Whether a demo goes on where an earlier one stands: one that is not finished, or on request.

    Raises:
        ValueError: where the directory holds something that no demo made.
    """
    if not holds_something(directory):
        return False
    facts = read_facts(directory)
    if facts is None or facts.command != DEMO:
        raise ValueError(
            f"{directory} is not empty and holds {'no run' if facts is None else 'a run'} of "
            f"{'ccvae' if facts is None else 'ccvae ' + facts.command}, which a demo does not "
            "replace; give another --out"
        )
    from .studies.report.sliders import SLIDERS  # the last but the report, of which there are looks

    asked_for = settled_as(config, facts.config, other=True)
    same = (directory / CHECKPOINT).exists() and facts.config == asked_for
    return same and (asked or not (directory / SLIDERS).exists())


def evaluate_line(directory: Path, config: Config) -> str:
    """The command that evaluates a run, which trusts what its training was asked for."""
    trust = [word for module in sorted(modules_of(config)) for word in ("--trust", module)]
    return command_line("evaluate", directory, *trust)


def clear_demo(directory: Path) -> None:
    """Remove an earlier demo's own files, by name; its figures are replaced one by one."""
    from .studies.report.conduct import FOLDER, STUDIES
    from .studies.report.looks import LOOKS
    from .studies.report.report import REPORT
    from .studies.report.sliders import SLIDERS

    kept = [f"{FOLDER}/{name}.json" for name in STUDIES]
    for name in (*FILES_OF_RUNS, LOOKS, REPORT, SLIDERS, *kept):
        (directory / name).unlink(missing_ok=True)
