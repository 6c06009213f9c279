"""What a comparison gives back: its frame, and its runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import pandas
import torch

from ...inference.runs.run import Run, load
from ...inspection.notebook.page import shown
from ...inspection.notebook.pictures import table_html


class Runs(Mapping[str, Run]):
    """The runs of a comparison by name, each read from its directory when it is asked for."""

    def __init__(self, folder: Path, names: Sequence[str], device: str, trust: set[str]) -> None:
        self.folder, self.device, self.trust = folder, torch.device(device), trust
        self.names = list(names)

    def __getitem__(self, name: str) -> Run:
        if name not in self.names:
            raise KeyError(name)
        return load(self.folder / name, self.device, self.trust)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Compared(NamedTuple):
    """A comparison that is done; it shows its tables in a notebook, and as text elsewhere.

    Attributes:
        frame: a row a run, as ``table.csv`` has it, with ``seconds`` and ``memory`` (MiB).
        runs: the trained runs by the frame's column ``run``; those of baselines are none.
    """

    frame: pandas.DataFrame
    runs: Runs

    @property
    def folder(self) -> Path:
        """Where the comparison is kept, with its report."""
        return self.runs.folder.parent

    def __repr__(self) -> str:
        return (self.folder / "table.md").read_text(encoding="utf-8")

    def _repr_html_(self) -> str:
        where = (self.folder / "report.html").resolve()
        link = f'<p>The report: <a href="{where.as_uri()}">{escape(str(where))}</a></p>'
        return shown(*map(_html, repr(self).strip().split("\n\n")), link)


def _html(part: str) -> str:
    """A paragraph of a table's file as HTML: a heading, a table, or words."""
    if part.startswith("#"):
        return f"<h4>{escape(part.lstrip('# '))}</h4>"
    if not part.startswith("|"):
        words = re.sub(r"\*(.+?)\*", r"<em>\1</em>", escape(part))
        return f'<p class="note">{words}</p>'
    head, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in part.split("\n"))
    return table_html(head, rows)
