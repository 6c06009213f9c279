"""What one plays with: inspecting, training, fitting and loading in a word each.

``train`` begins with words: it makes the programs that they name, with initial weights that follow
from the seed, and fits them. ``fit`` begins with programs that are there, and changes their weights
in place. What comes of either is a :class:`~ccvae.trained.TrainedRun`, as of ``load``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from pathlib import Path
from reprlib import repr
from typing import Any

from pyro.infer import ELBO

from .bars import bar_of
from .config import Config
from .data import Dataset, Rows
from .data.spec import load as load_data
from .inference.foreign import Inputs
from .inference.foreign.inputs import Source
from .inference.foreign.pair import nothing
from .inference.objectives.sites import Program
from .inference.runs.fitting import fit as fit_run
from .inference.runs.own import resume_or_create_own
from .inference.runs.pairs import resume_or_create_given
from .inference.runs.run import Run, resume_or_create, training_rows
from .inference.runs.run import load as load_run
from .inference.training.engine import keep_freed_memory
from .inference.training.loop import Step
from .inspection import Inspection, inspect_pair, inspect_program
from .loading import near
from .lock import alone
from .options import device_of
from .texts import epoch_line
from .trained import Folder, TrainedRun

Data = Dataset | str | Source
"""What programs are trained on: a data set, its word, or minibatches and what gives them."""


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
    program: str | tuple[Program, Program | None] = Config.program,
    data: Data = Config.data,
    *,
    objective: ELBO | str = "",
    out: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    progress: bool = True,
    **options: Any,
) -> TrainedRun:
    """Train the programs that a word names, with a bar in a notebook or on a terminal.

    Args:
        program: a name that ``ccvae models`` lists, or ``"module:model,guide"`` of programs of
            your own. Two programs that are there are trained by :func:`fit`.
        data: a data set, or its word. Where programs of your own are called otherwise than the
            suite's, ``inputs="module:function"`` names their minibatches.
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
    if not isinstance(program, str):
        model, guide = _two(program)
        return fit(
            model, guide, data, objective=objective, out=out, resume=resume, device=device,
            progress=progress, **options,
        )  # fmt: skip
    if not isinstance(objective, str):
        raise ValueError(
            f"expected a word for the objective of {program!r}, got an instance of "
            f"{type(objective).__name__}; write 'module:Class(…)' or 'pyro:NAME(…)', or give "
            "ccvae.fit both programs"
        )
    if not isinstance(data, Dataset | str):
        raise ValueError(
            f"{program!r} is trained on a data set, or with inputs='module:function' on minibatches"
            " of your own; minibatches themselves are for ccvae.fit(model, guide, data)"
        )
    config = _config({"program": program, "objective": objective, "data": _word(data), **options})

    def opened(directory: Path) -> tuple[Run, Rows | Inputs]:
        where = device_of(device)
        if config.inputs:
            inputs = Inputs.named(config.inputs, config.seed)
            return resume_or_create_own(config, inputs, directory, where, resume=resume), inputs
        dataset = data if isinstance(data, Dataset) else load_data(data, config.only)
        run = resume_or_create(config, dataset, directory, where, resume=resume)
        rows = training_rows(run.config, dataset)
        if isinstance(data, Dataset):
            vars(run)["_rows"] = (training_rows(config, dataset), dataset.subset(dataset.test))
        return run, rows

    return _trained(opened, out, resume=resume, progress=progress)


def fit(
    model: Program,
    guide: Program | None,
    data: Data,
    *,
    objective: ELBO | str = "",
    out: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    progress: bool = True,
    **options: Any,
) -> TrainedRun:
    """Fit a pair of Pyro programs to data: train both in place, from the weights that they have.

    Args:
        model, guide: functions, methods or modules; no guide for a model whose latent sites are
            all summed over.
        data: a data set or its word, whose batches both are called with as the suite's programs
            are; or what they are called with, as ``(x, y)`` or a ``DataLoader``, or a function that
            returns it (:mod:`ccvae.inference.foreign.inputs`).
        objective: an instance, or a word for one; Pyro's that sums over what is discrete, if none.
        out, resume, device, progress: as of :func:`train`. The same call with ``resume`` reads a
            run that is done back into the two programs.
        options: what ``ccvae train`` takes besides, as ``epochs=5``.

    Raises:
        ValueError: where the pair does not fit together, or the directory holds something else.
    """
    for program in (model, guide):
        if program is not None and (isinstance(program, type) or not callable(program)):
            raise ValueError(
                f"expected programs to fit that can be called, got {repr(program)}; give "
                "functions, methods or modules, or ccvae.train the words for them"
            )
    for name in ("program", "inputs"):
        if name in options:
            raise ValueError(f"no option {name!r} goes with programs and data that are there")
    config = _config({"data": _word(data), **options})

    def opened(directory: Path) -> tuple[Run, Rows | Inputs]:
        found = load_data(data, config.only) if isinstance(data, str) else data
        return resume_or_create_given(
            model, guide or nothing, found, objective, config, directory, device_of(device),
            resume=resume,
        )  # fmt: skip

    return _trained(opened, out, resume=resume, progress=progress)


def load(
    directory: str | Path, *, device: str = "auto", trust: str | Collection[str] = (), **moved: str
) -> TrainedRun:
    """A trained run from its directory, of which nothing is executed.

    Args:
        directory: that ``ccvae train`` or :func:`train` made.
        device: auto, cpu or cuda.
        trust: modules that the run may name for its programs, minibatches, objective or network;
            one, or several.
        moved: ``data`` and ``labels``, where its images and their table lie now.

    Raises:
        ValueError: for a directory that is no run, or whose checkpoint is damaged.
    """
    known = (trust,) if isinstance(trust, str) else trust
    return TrainedRun(load_run(Path(directory), device_of(device), known, **moved))


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


def _word(data: Data) -> str:
    """What a configuration calls data; it reads none where these are minibatches."""
    return (
        data.name if isinstance(data, Dataset) else data if isinstance(data, str) else Config.data
    )


def _two(given: Any) -> tuple[Program, Program | None]:
    """Both programs of a pair.

    Raises:
        ValueError: where it is none.
    """
    if isinstance(given, tuple | list) and len(given) == 2:
        return given[0], given[1]
    raise ValueError(
        f"expected the name of a program, 'module:model,guide' or a pair (model, guide), got "
        f"{repr(given)}"
    )


def _trained(
    opened: Callable[[Path], tuple[Run, Rows | Inputs]],
    out: str | Path | None,
    *,
    resume: bool,
    progress: bool,
) -> TrainedRun:
    """What a training comes to, in the directory that was named or one that is gone with it.

    Args:
        opened: makes the run there, or resumes it, and gives what it is trained on.
    """
    folder = Folder() if out is None else None
    directory = Path(folder.path if folder else out or "")
    with alone(directory):
        run, rows = opened(directory)
        _fit(run, rows, resume=resume, progress=progress)
    for module in run.modules.values():
        module.eval()
    return TrainedRun(run, folder)


def _fit(run: Run, rows: Rows | Inputs, *, resume: bool, progress: bool) -> None:
    """Train a run to its end in sight of whoever looks on."""
    keep_freed_memory()
    epochs, last = run.config.epochs, ""
    with bar_of(epochs * len(rows), shows=progress) as bar:

        def watch(step: Step) -> None:
            seen = round((step.epoch + step.done / step.steps) * len(rows))
            bar.show(min(seen, epochs * len(rows) - 1), last or f"epoch 1 of {epochs}")

        for metrics in fit_run(run, rows, resume=resume, watch=watch):
            last = epoch_line(metrics)
        bar.show(epochs * len(rows), last)
