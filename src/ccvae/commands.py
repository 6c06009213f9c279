"""What the commands do. Each returns a JSON document and the same as text for people."""

from __future__ import annotations

import dataclasses
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.progress import TaskID

from .config import Config
from .data import Rows
from .data.progress import progress as show_progress
from .data.spec import load as load_data
from .files import keeping
from .inference.foreign import Inputs
from .inference.runs.checks import strange
from .inference.runs.evaluation import evaluate_run, evaluated, origin
from .inference.runs.facts import DEMO as DEMO_COMMAND
from .inference.runs.fitting import fit
from .inference.runs.run import (
    Run,
    create,
    load,
    resume_or_create,
    training_rows,
)
from .inference.training.engine import engine, keep_freed_memory
from .inference.training.loop import Metrics, Step
from .lock import alone
from .options import (
    clear_demo,
    config_of,
    device_of,
    evaluate_line,
    opened,
    resumes,
)
from .specification import is_naming
from .stopping import Stopped, stop_requests
from .texts import Document, epoch_line, evaluation_text, study_text

if TYPE_CHECKING:
    from .inference.training.engine import Engine
    from .studies.report.looks import Looks

DEMO = Config(
    network="local",
    likelihood="normal",
    scale=0.2,
    alpha=1000.0,
    batch_size=20,
    epochs=7,
    trunks=1,
    still=True,
)
"""What ``ccvae demo`` trains, sized for about three minutes on two cores.

Small batches: of as many faces, 500 steps of 20 teach more than 312 of 32, in as much time.

A normal likelihood draws small features such as a mouth sooner than Laplace, whose optimum for a
pixel that is one of two colours is the commoner one and not their mean.
"""


def train(options: Namespace) -> tuple[Document, str]:
    """``ccvae train``."""
    keep_freed_memory()
    config = config_of(options)
    device = device_of(options.device)
    directory = options.out
    fabric = engine(
        device, devices=options.devices, nodes=options.nodes, precision=config.precision
    )
    with ExitStack() as stack:
        if not strange(directory):
            stack.enter_context(alone(directory))
        fabric.launch()
        stack.enter_context(_first_speaks(fabric))
        run, rows, remark = opened(config, directory, fabric, options)
        metrics = _fit(
            run,
            rows,
            resume=options.resume,
            fabric=fabric,
            save_seconds=60 * options.save_minutes,
            log_every=options.log_every,
            board=True,
            compiled=options.compile,
            remark=remark,
        )
    document = {"run": str(directory), **metrics}
    nothing = "" if metrics else f"{epoch_line(metrics)}\n"
    return document, f"{nothing}{directory}: {evaluate_line(directory, config)}"


@contextmanager
def _first_speaks(fabric: Engine) -> Iterator[None]:
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
    run = _loaded(options, options.labels)
    with _shown_work() as watch:
        result = evaluate_run(run, watch=watch)
    return result, evaluation_text(result)


def _loaded(options: Namespace, table: str | None) -> Run:
    """The run of a command, with its images and their table where they lie now."""
    device = device_of(options.device)
    return load(options.directory, device, options.trust, data=options.data, labels=table)


def table(options: Namespace) -> tuple[Document, str]:
    """``ccvae table``."""
    from .studies.comparisons.run import run_table

    found = run_table(
        options.name,
        seeds=range(options.seeds),
        folder=options.out,  # nothing is written where nobody named a place
        report=lambda line: print(line, file=sys.stderr, flush=True),
        device=device_of(options.device),
    )
    return found.to_json(), found.to_markdown()


def demo(options: Namespace) -> tuple[Document, str]:
    """``ccvae demo``."""
    from .studies.report.conduct import QUICK, conduct
    from .studies.report.looks import Looks
    from .studies.report.report import write_report

    keep_freed_memory()
    start = time.monotonic()
    config = dataclasses.replace(DEMO, seed=options.seed)
    device = device_of(options.device)
    resume = resumes(options.out, config, asked=options.resume)
    with alone(options.out):
        dataset = load_data(config.data, config.only)
        if resume:
            run = resume_or_create(config, dataset, options.out, device, resume=True)
        else:
            clear_demo(options.out)
            run = create(config, dataset, options.out, device, command=DEMO_COMMAND)
        training, looks = time.monotonic(), Looks(run)
        _fit(run, training_rows(run.config, dataset), resume=resume, looks=looks)
        training = time.monotonic() - training
    result = evaluate_run(run)
    for name in QUICK:
        conduct(run, name)
    shape = [looks.section(run.config.epochs)]
    report = write_report(run, result, seconds=training, first=shape)
    document = {
        **result,
        "seconds": round(time.monotonic() - start, 1),
        "report": str(report),
        "first": msgspec.to_builtins(looks.found[0]) if looks.found else None,
    }
    last = "; ".join(filter(None, [f"{document['seconds']:.0f} seconds", looks.change(result)]))
    return document, f"{evaluation_text(result)}\n\n{last}; open {report}"


def study(options: Namespace) -> tuple[Document, str]:
    """``ccvae study``."""
    from .studies.reading.examples import Choice
    from .studies.report.conduct import conduct, names, subject_of
    from .studies.report.report import write_report

    # --labels chooses labels here, and is a table where it names one, as everywhere else.
    table = options.labels if Path(options.labels).is_file() or is_naming(options.labels) else ""
    choice = Choice.parse(options.images, "" if table else options.labels, options.matcher)
    run = _loaded(options, table)
    chosen = names(options.name, choice, run.config.program)
    evaluation = evaluated(run, origin(run))
    subject = subject_of(run, choice)
    sections = {name: conduct(run, name, subject) for name in chosen}
    report = None
    with keeping("the report"):
        report = write_report(run, evaluation)
    found = {n: None if section is None else section.to_json() for n, section in sections.items()}
    lines = [study_text(name, section) for name, section in found.items()]
    document = {"studies": found, "report": report and str(report)}
    return document, "\n\n".join([*lines, *([f"open {report}"] if report else [])])


@contextmanager
def _shown_work() -> Iterator[Callable[[str, int, int], None]]:
    """Bars on a terminal for work that says what it does, and how much of how much is done."""
    with show_progress(Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def watch(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done)

        yield watch


def _fit(
    run: Run,
    rows: Rows | Inputs,
    *,
    resume: bool,
    fabric: Engine | None = None,
    remark: str = "",
    looks: Looks | None = None,
    **options: Any,
) -> Metrics:
    """Train a run in sight of whoever looks on; see :func:`ccvae.inference.runs.fitting.fit`.

    ``remark`` is said once the first step is done; ``looks`` write reports between epochs.
    """
    epochs = run.config.epochs
    console = Console(stderr=True, quiet=fabric is not None and not fabric.is_global_zero)
    metrics: Metrics = {}
    remarks, first = [remark] if remark else [], True
    with stop_requests() as stop, show_progress(console) as progress:
        task = progress.add_task("", total=epochs * len(rows))

        def watch(step: Step) -> None:
            while remarks:
                console.print(remarks.pop(), markup=False, highlight=False, soft_wrap=True)
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
            lines = [epoch_line(metrics)]
            if looks is not None and (report := looks.after(int(metrics["epoch"]) + 1)):
                lines.append(f"a first look, renewed as it learns: open {report}" * first)
                first = False
            for line in filter(None, lines):
                console.print(line, markup=False, highlight=False, soft_wrap=True)
    return metrics
