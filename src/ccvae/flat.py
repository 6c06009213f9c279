"""What one plays with: inspecting, training and loading in a word each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .bars import bar_of
from .config import Config
from .data import Dataset
from .data.spec import load as load_data
from .inference.runs.fitting import fit
from .inference.runs.run import Run, create, resume_or_create, training_rows
from .inference.runs.run import load as load_run
from .inference.training.engine import keep_freed_memory
from .inference.training.loop import Step
from .inspection import Inspection, inspect_pair, inspect_program
from .loading import near
from .lock import alone
from .options import device_of
from .texts import epoch_line
from .trained import Folder, TrainedRun

Program = Callable[..., Any]


def inspect(
    model: Program | str,
    guide: Program | None = None,
    *args: Any,
    objective: Any = None,
    labels: str = "some",
    **kwargs: Any,
) -> Inspection:
    """Sites, plates, densities and figure of a pair of programs; it shows itself in a notebook.

    Args:
        model, guide: Pyro programs, the guide None for a model alone; or a name of the suite's, as
            ``ccvae.inspect("diva")``.
        args, kwargs: what both programs are called with; of a name, further options of
            :class:`~ccvae.config.Config`.
        objective: where one of the suite's is given, the guide is shown as it runs it; of a name,
            a name too.
        labels: of a name, the labels that are known: none, all or some.

    Raises:
        ValueError: where a program fails, with its file and line, or a name is not known.
    """
    if isinstance(model, str):
        config = _config({"program": model, "objective": objective or "", **kwargs})
        return inspect_program(config, labels)
    return inspect_pair(model, guide, *args, objective=objective, **kwargs)


def dataset(spec: str = Config.data, only: str = "") -> Dataset:
    """A data set by its word; it shows itself in a notebook.

    Args:
        spec: as ``ccvae train --data`` takes it: faces:N, digits, images:DIR and the like.
        only: names of the labels to use, separated by commas; all by default.

    Raises:
        ValueError: for another word, or a label that it does not have.
    """
    return load_data(spec, only)


def train(
    program: str = Config.program,
    data: Dataset | str = Config.data,
    *,
    objective: str = "",
    out: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    progress: bool = True,
    **options: Any,
) -> TrainedRun:
    """Train a program, with a bar in a notebook or on a terminal.

    Args:
        program: a name that ``ccvae models`` lists.
        data: a data set, or its word.
        objective: a name of the program's; its own by default.
        out: the run directory; by default one that is gone with what is returned.
        resume: go on where the directory's checkpoint stands.
        device: auto, cpu or cuda.
        progress: False for no bar.
        options: what ``ccvae train`` takes besides, as ``epochs=5`` or ``labelled=0.1``; see
            :class:`~ccvae.config.Config`.

    Raises:
        ValueError: for an unknown word or option, or one that does not fit the data.
    """
    own = isinstance(data, Dataset)
    word = data.name if isinstance(data, Dataset) else data
    config = _config({"program": program, "objective": objective, "data": word, **options})
    dataset = data if isinstance(data, Dataset) else load_data(data, config.only)
    folder = Folder() if out is None else None
    directory = Path(folder.path if folder else out or "")
    with alone(directory):
        if resume:
            run = resume_or_create(config, dataset, directory, device_of(device), resume=True)
        else:
            run = create(config, dataset, directory, device_of(device))
        if own:
            run._rows = training_rows(config, dataset), dataset.subset(dataset.test)
        _fit(run, dataset, resume=resume, progress=progress)
    for module in run.modules.values():
        module.eval()
    return TrainedRun(run, folder)


def load(
    directory: str | Path, *, device: str = "auto", trust: tuple[str, ...] = (), **moved: str
) -> TrainedRun:
    """A trained run from its directory, of which nothing is executed.

    Args:
        directory: that ``ccvae train`` or :func:`train` made.
        device: auto, cpu or cuda.
        trust: modules that the run may name for its objective or its network.
        moved: ``data`` and ``labels``, where its images and their table lie now.

    Raises:
        ValueError: for a directory that is no run, or whose checkpoint is damaged.
    """
    return TrainedRun(load_run(Path(directory), device_of(device), trust, **moved))


def _config(options: dict[str, Any]) -> Config:
    """A configuration from keywords.

    Raises:
        ValueError: for a keyword that is no option, with the nearest that is one.
    """
    known = [option.name for option in dataclasses.fields(Config)]
    for name in options:
        if name not in known:
            raise ValueError(f"unknown option {name!r}{near(name, known)}; {', '.join(known)}")
    return Config.from_json({"version": Config.VERSION, **options})


def _fit(run: Run, dataset: Dataset, *, resume: bool, progress: bool) -> None:
    """Train a run to its end in sight of whoever looks on."""
    keep_freed_memory()
    rows = training_rows(run.config, dataset)
    epochs, last = run.config.epochs, ""
    with bar_of(epochs * len(rows), shows=progress) as bar:

        def watch(step: Step) -> None:
            seen = round((step.epoch + step.done / step.steps) * len(rows))
            bar.show(min(seen, epochs * len(rows) - 1), last or f"epoch 1 of {epochs}")

        for metrics in fit(run, rows, resume=resume, watch=watch):
            last = epoch_line(metrics)
        bar.show(epochs * len(rows), last)
