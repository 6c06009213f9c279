"""A trained run as a notebook has it: its history, what it is worth, its studies, its report."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pandas
from pyro.infer import ELBO
from torch import Tensor, nn

from .config import Config
from .inference.runs.evaluation import evaluated, origin
from .inference.runs.logbook import METRICS, VALIDATION, read_lines
from .inference.runs.run import Run
from .inference.runs.values import values_of
from .inspection.notebook.page import shown
from .inspection.notebook.pictures import table_html
from .studies.drawing.section import Section, section_parts
from .studies.report.conduct import conduct, names
from .studies.report.curves import section as curves
from .studies.report.report import write_report
from .texts import evaluation_text
from .words import GIVEN


class Folder:
    """A directory that is gone with what holds it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="ccvae-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True)
class TrainedRun:
    """A trained pair with its directory; it shows itself in a notebook.

    Attributes:
        run: as :mod:`ccvae.inference.runs` has it.
        folder: what removes the directory with the run, where nobody named one.
    """

    run: Run
    folder: Folder | None = field(default=None, repr=False)

    @property
    def directory(self) -> Path:
        """Where the run is kept."""
        return self.run.directory

    @property
    def config(self) -> Config:
        """What the training was asked for, α and all that was settled by the data among it."""
        return self.run.config

    @property
    def model(self) -> nn.Module:
        """The model with its trained weights."""
        return self.run.model

    @property
    def guide(self) -> nn.Module:
        """The guide with its trained weights."""
        return self.run.guide

    @property
    def objective(self) -> ELBO:
        """What it was trained by."""
        return self.run.objective

    def values(self) -> dict[str, Tensor]:
        """The trained parameters by name, each where its constraint puts it.

        Those that a program asks Pyro for by ``pyro.param`` have the names there, those of its
        modules ``model.`` or ``guide.`` before theirs. Pyro's own store is left empty.
        """
        return values_of({"model": self.model, "guide": self.guide})

    @property
    def history(self) -> pandas.DataFrame:
        """A line an epoch, counted from 1: the objective, its terms, the bound, the accuracy.

        What was found on the validation rows has names that begin with ``validation_``.
        """
        lines = {int(line["epoch"]): dict(line) for line in read_lines(self.directory / METRICS)}
        for line in read_lines(self.directory / VALIDATION):
            found = {f"validation_{name}": value for name, value in line.items() if name != "epoch"}
            lines.setdefault(int(line["epoch"]), {}).update(found)
        frame = pandas.DataFrame.from_dict(lines, orient="index").drop(
            columns="epoch", errors="ignore"
        )
        frame.index = pandas.Index([epoch + 1 for epoch in frame.index], name="epoch")
        return frame

    @property
    def curves(self) -> Section | None:
        """The history as pictures; None before the first epoch is through."""
        return curves(self.directory)

    def evaluate(self) -> Evaluation:
        """Accuracy with the labels hidden beside its baselines, bound and reconstruction."""
        return Evaluation(evaluated(self.run, origin(self.run)))

    def study(self, name: str) -> Section:
        """One study of the run, kept in its directory; ``ccvae study --help`` lists them.

        Raises:
            ValueError: for a study that is not known, needs another program, or finds nothing here.
        """
        names(name, program=self.config.program)
        found = conduct(self.run, name)
        if found is None:
            raise ValueError(f"the study {name!r} finds nothing to show in this run; try another")
        return found

    def report(self, out: str | Path | None = None) -> Report:
        """The report of the run, with the studies that were made of it.

        Args:
            out: where the one file is copied to; it lies in the run's directory.

        Raises:
            ValueError: for programs of the user's, whose sites it does not know.
        """
        names("all", program=self.config.program)  # its parts are of the suite's programs
        evaluation = evaluated(self.run, origin(self.run))
        path = write_report(self.run, evaluation)
        if out is not None:
            path = Path(shutil.copyfile(path, out))
        return Report(path, Evaluation(evaluation), self)

    def __repr__(self) -> str:
        config = self.config
        done = len(self.history)
        given = f"{GIVEN}:"
        program = "a pair from Python" if config.program.startswith(given) else config.program
        inputs = "minibatches from Python" if config.inputs.startswith(given) else config.inputs
        objective = config.objective_name.removeprefix(given)
        return (
            f"{program} with the objective {objective} on {inputs or config.data}: "
            f"{done} of {config.epochs} epochs, kept in {self.directory}"
        )

    def _repr_html_(self) -> str:
        section = self.curves
        parts = section_parts(section, captions=False) if section else []
        history = self.history
        few = history[[name for name in SHOWN if name in history]].tail(3)
        rows = [(str(epoch), *(f"{v:.5g}" for v in line)) for epoch, *line in few.itertuples()]
        table = table_html(("epoch", *few.columns), rows)
        return shown(
            f"<h4>{escape(repr(self))}</h4>", *parts[:4], table, f'<p class="note">{MORE}</p>'
        )


SHOWN = ("objective", "bound", "accuracy", "r2", "validation_bound", "validation_accuracy")
"""Columns of the history that the last lines are shown of."""

MORE = (
    "<code>.history</code> has every epoch, <code>.evaluate()</code> the test rows, "
    "<code>.study(name)</code> and <code>.report()</code> the pictures."
)


@dataclass(frozen=True)
class Evaluation:
    """What a run is worth on its test rows, labels hidden; it shows itself in a notebook.

    Attributes:
        figures: all of it by name, as ``ccvae evaluate --json`` prints it.
    """

    figures: dict[str, Any] = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.figures[name]

    @property
    def table(self) -> pandas.DataFrame:
        """A line a label: the model's accuracy, the plain classifier's, the majority class's."""
        columns = {
            "model": self.figures.get("accuracy_by_label", {}),
            "classifier": self.figures.get("classifier_by_label", {}),
            "majority": self.figures.get("majority_by_label", {}),
            "balanced": self.figures.get("balanced_by_label", {}),
        }
        return pandas.DataFrame(columns).rename_axis("label")

    def __repr__(self) -> str:
        return evaluation_text(self.figures)

    def _repr_html_(self) -> str:
        rows = [(str(name), *(f"{v:.3f}" for v in line)) for name, *line in self.table.itertuples()]
        if rows:
            means = self.table.mean()
            rows.append(("mean", *(f"{value:.3f}" for value in means[:3]), ""))
        words = repr(self).split("\n\n")[1 if rows else 0 :]
        table = table_html(("label", *self.table.columns), rows) if rows else ""
        return shown(table, *(f"<pre>{escape(part)}</pre>" for part in words))


@dataclass(frozen=True)
class Report:
    """A report that was written.

    Attributes:
        path: of the file. evaluation: what it says first. of: the run, which keeps the file there.
    """

    path: Path
    evaluation: Evaluation
    of: TrainedRun = field(repr=False)

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return f"open {self.path}"

    def _repr_html_(self) -> str:
        where = self.path.resolve()
        link = f'<p>The report: <a href="{where.as_uri()}">{escape(str(where))}</a></p>'
        return shown(link) + self.evaluation._repr_html_()
