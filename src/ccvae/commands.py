"""What the commands do. Each returns a JSON document and the same as text for people."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from rich.console import Console

from .config import FILES, SOURCE, Config
from .data import Dataset
from .data.progress import progress as show_progress
from .data.spec import load as load_data
from .data.spec import short_name, with_options
from .data.summary import contact_sheet, describe, kind_of
from .inference.engine import engine, keep_freed_memory
from .inference.fitting import fit
from .inference.runs import (
    EVALUATION,
    Run,
    create,
    evaluate_run,
    load,
    read_json,
    resume_or_create,
    training_rows,
)
from .inference.stopping import Stopped, stop_requests
from .inference.training import Metrics, Step
from .texts import aligned, description_text, epoch_line, evaluation_text, some, study_text

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Document = dict[str, Any]

DEMO = Config(
    likelihood="normal",
    scale=0.2,
    alpha=1000.0,
    batch_size=50,
    epochs=20,
    trunks=1,
    still=True,
)
"""What ``ccvae demo`` trains, sized for about four minutes on two cores.

A normal likelihood draws small features such as a mouth sooner than Laplace, whose optimum for a
pixel that is one of two colours is the commoner one and not their mean.
"""


def train(options: Namespace) -> tuple[Document, str]:
    """``ccvae train``."""
    config = _config(options)
    device = _device(options.device)
    directory = options.out or _default_directory(config)
    fabric = engine(
        device, devices=options.devices, nodes=options.nodes, precision=config.precision
    )
    fabric.launch()
    with _first_speaks(fabric):
        dataset = load_data(config.data, config.only)
        _announce(dataset, config)
        run = resume_or_create(
            config,
            dataset,
            directory,
            fabric.device,
            resume=options.resume,
            writes=fabric.is_global_zero,
        )
        metrics = _fit(
            run,
            dataset,
            resume=options.resume,
            fabric=fabric,
            save_seconds=60 * options.save_minutes,
            log_every=options.log_every,
            board=True,
            compiled=options.compile,
        )
    document = {"run": str(directory), **metrics}
    return document, f"{epoch_line(metrics)}\n{directory}: ccvae evaluate {directory}"


@contextmanager
def _first_speaks(fabric: Fabric) -> Iterator[None]:
    """Of several processes that do the same, let the first alone say what came of it.

    Raises:
        ValueError: where another process was lost.
    """
    try:
        yield
    except (ValueError, OSError, Stopped):
        if not fabric.is_global_zero:
            raise SystemExit(2) from None
        raise
    except RuntimeError as error:
        if fabric.world_size == 1:
            raise
        raise ValueError(
            f"a process of this training failed or was lost ({str(error).splitlines()[0]}); repeat "
            "the command with --resume to go on from the last checkpoint"
        ) from error
    if not fabric.is_global_zero:
        raise SystemExit


def evaluate(options: Namespace) -> tuple[Document, str]:
    """``ccvae evaluate``."""
    result = evaluate_run(load(options.directory, _device(options.device)))
    return result, evaluation_text(result)


def import_(options: Namespace) -> tuple[Document, str]:
    """``ccvae import``."""
    from .data.celeba import PAPER
    from .inference.published import import_published

    labels = options.only.split(",") if options.only else PAPER
    directory = options.out or Path("runs") / options.source.resolve().name
    run = import_published(
        options.source,
        directory,
        data=_source(options),
        labels=labels,
        labelled=options.labelled,
        probabilities=_frequencies(options.frequencies, labels),
    )
    document = {"run": str(directory), "labels": list(run.space.names), "style": run.config.style}
    text = (
        f"{directory}: {len(run.space)} labels and {run.config.style} dimensions of style, to be "
        f"evaluated on {run.config.data}; p(y) {'as given' if options.frequencies else 'uniform'}\n"
        f"ccvae evaluate {directory}"
    )
    return document, text


def data(options: Namespace) -> tuple[Document, str]:
    """``ccvae data``."""
    dataset = load_data(_source(options), options.only)
    document = describe(dataset, Config.batch_size)
    text = description_text(document)
    if options.sheet is not None:
        contact_sheet(dataset, options.sheet)
        document["sheet"] = str(options.sheet)
        text += f"\ncontact sheet: {options.sheet}"
    return document, text


def table(options: Namespace) -> tuple[Document, str]:
    """``ccvae table``."""
    from .studies.comparisons import run_table

    found = run_table(
        options.name,
        seeds=range(options.seeds),
        folder=options.out,
        report=lambda line: print(line, file=sys.stderr, flush=True),
        device=_device(options.device),
    )
    return found.to_json(), found.to_markdown()


def demo(options: Namespace) -> tuple[Document, str]:
    """``ccvae demo``."""
    from .studies.conduct import QUICK, conduct
    from .studies.report import write_report

    start = time.monotonic()
    config = dataclasses.replace(DEMO, seed=options.seed)
    dataset = load_data(config.data)
    _clear_demo(options.out)
    run = create(config, dataset, options.out, _device(options.device))
    training = time.monotonic()
    _fit(run, dataset, resume=False)
    training = time.monotonic() - training
    result = evaluate_run(run)
    for name in QUICK:
        conduct(run, name)
    report = write_report(run, result, seconds=training)
    document = {
        **result,
        "seconds": round(time.monotonic() - start, 1),
        "report": str(report),
    }
    text = f"{evaluation_text(result)}\n\n{document['seconds']:.0f} seconds; open {report}"
    return document, text


def study(options: Namespace) -> tuple[Document, str]:
    """``ccvae study``."""
    from .studies.conduct import Aids, conduct, names
    from .studies.examples import Choice
    from .studies.report import write_report

    choice = Choice.parse(options.images, options.labels)
    run = load(options.directory, _device(options.device))
    chosen = names(options.name, choice, run.config.program)
    aids = Aids(run, choice)
    evaluation = read_json(run.directory / EVALUATION) or evaluate_run(run)
    sections = {name: conduct(run, name, aids) for name in chosen}
    report = write_report(run, evaluation)
    found = {n: None if section is None else section.to_json() for n, section in sections.items()}
    lines = [study_text(name, section) for name, section in found.items()]
    document = {"studies": found, "report": str(report)}
    return document, "\n\n".join([*lines, f"open {report}"])


def models(_: Namespace) -> tuple[Document, str]:
    """``ccvae models``."""
    from .inference.catalogue import PROGRAMS

    document = {
        "programs": [
            {"name": name, "objectives": list(objectives)} for name, objectives in PROGRAMS.items()
        ]
    }
    rows = [["program", "objectives, its own first"]]
    rows += [[name, ", ".join(objectives)] for name, objectives in PROGRAMS.items()]
    return document, aligned(rows, left=2)


def inspect(options: Namespace) -> tuple[Document, str]:
    """``ccvae inspect``."""
    from .inspection.example import inspect_own, inspect_program

    form = _format(options, ("text", "json", "svg", "png", "pdf", "tex"))
    config = Config(
        program=options.program,
        objective=options.objective,
        data=options.data,
        only=options.only,
        network=options.network,
    )
    if ":" in options.program:
        found = inspect_own(options.program, options.inputs, config, options.labels)
    else:
        found = inspect_program(config, options.labels)
    document = found.to_json()
    if form in ("svg", "png", "pdf"):
        from .inspection.figure import save_graph

        name = f"{config.program}-{config.objective or config.program}".replace(":", "_")
        path = options.out or Path(f"{name}.{form}")
        save_graph(found.graph, path, beside=options.beside)
        return {**document, "figure": str(path)}, str(path)
    if form == "tex":
        from .inspection.tikz import tikz

        return document, _written(options.out, tikz(found.graph, beside=options.beside))
    text = found.to_text() if form == "text" else json.dumps(document, indent=2)
    return document, _written(options.out, text)


def app(options: Namespace) -> tuple[Document, str, Callable[[], None]]:
    """``ccvae app``; the third is what serves the page, once its address has been printed."""
    try:
        from .web.serve import prepare
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the page needs {error.name}, which is not installed: pip install 'ccvae[app]'"
        ) from error
    url, run, serve = prepare(options.directory, options.port, _device(options.device))
    text = f"{url} shows {run.directory}; press Ctrl-C to end"
    return {"url": url, "run": str(run.directory)}, text, serve


def objectives(options: Namespace) -> tuple[Document, str]:
    """``ccvae objectives``."""
    from .inspection.objectives import entries, table_latex, table_text

    form = _format(options, ("text", "json", "tex"))
    table = entries()
    document = {"objectives": [entry.to_json() for entry in table]}
    if form == "json":
        return document, _written(options.out, json.dumps(document, indent=2))
    text = table_text(table) if form == "text" else table_latex(table)
    return document, _written(options.out, text)


def _format(options: Namespace, known: Sequence[str]) -> str:
    """The format that was asked for, by name or by the ending of the file."""
    asked: str = options.format or (options.out.suffix[1:] if options.out else known[0])
    asked = {"txt": "text"}.get(asked, asked)
    if asked not in known:
        raise ValueError(f"unknown format {asked!r}; choose one of {', '.join(known)}")
    return asked


def _written(path: Path | None, text: str) -> str:
    """The text, or where it was written to."""
    if path is None:
        return text
    path.write_text(text + "\n")
    return str(path)


def _config(options: Namespace) -> Config:
    names = [option.name for option in dataclasses.fields(Config)]
    return Config(**{name: getattr(options, name) for name in names} | {"data": _source(options)})


def _source(options: Namespace) -> str:
    """The specification of the data with the options that were given beside it."""
    if options.download:
        kind, _, rest = options.data.partition(":")
        if kind != "celeba" or not rest:
            raise ValueError(f"only celeba:ROOT can be downloaded, not {options.data!r}")
        from .data.celeba import download

        download(Path(rest.rpartition("?")[0] or rest))
    return with_options(options.data, {name: getattr(options, name) for name in SOURCE})


def _frequencies(text: str, labels: Sequence[str]) -> list[float] | None:
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


def _announce(dataset: Dataset, config: Config) -> None:
    """Say on standard error what labels were read from files, and what was wrong with these."""
    if config.data.partition(":")[0] not in FILES:
        return
    kinds = [f"{label.name} ({kind_of(label)})" for label in dataset.space]
    lines = [f"{dataset.name} with {', '.join(kinds)}"]
    problems = describe(dataset, config.batch_size)["problems"]
    lines += some([f"problem: {problem}" for problem in problems], "see ccvae data")
    print("\n".join(lines), file=sys.stderr)


def _default_directory(config: Config) -> Path:
    data = short_name(config.data)
    parts = (config.program, config.objective or config.program, data, str(config.seed))
    return Path("runs") / "-".join(part.replace(":", "_").replace("/", "_") for part in parts)


def _device(name: str) -> torch.device:
    if name not in ("auto", "cpu", "cuda"):
        raise ValueError(f"unknown device {name!r}; choose auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("no CUDA device is available here; choose the device auto or cpu")
    cuda = name == "cuda" or (name == "auto" and torch.cuda.is_available())
    return torch.device("cuda" if cuda else "cpu")


def _fit(
    run: Run,
    dataset: Dataset,
    *,
    resume: bool,
    fabric: Fabric | None = None,
    **options: Any,
) -> Metrics:
    """Train a run in sight of whoever looks on; see :func:`ccvae.inference.fitting.fit`."""
    keep_freed_memory()
    rows = training_rows(run.config, dataset)
    epochs = run.config.epochs
    console = Console(stderr=True, quiet=fabric is not None and not fabric.is_global_zero)
    metrics: Metrics = {}
    with stop_requests() as stop, show_progress(console) as progress:
        task = progress.add_task("", total=epochs * len(rows))

        def watch(step: Step) -> None:
            seen = round((step.epoch + step.done / step.steps) * len(rows))
            epoch = f"epoch {step.epoch + 1} of {epochs}"
            progress.update(task, completed=seen, description=epoch)

        for metrics in fit(
            run,
            rows,
            resume=resume,
            fabric=fabric,
            stop=stop,
            watch=watch,
            **options,
        ):
            console.print(epoch_line(metrics), markup=False, highlight=False, soft_wrap=True)
    return metrics


def _clear_demo(directory: Path) -> None:
    """Remove an earlier demo's files, and no others: refuse a directory that is something else."""
    if directory.exists() and any(directory.iterdir()):
        if not (directory / "config.json").exists():
            raise ValueError(f"{directory} is not empty and holds no run; give another --out")
        shutil.rmtree(directory)
