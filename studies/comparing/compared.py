"""What a comparison gives back: its frame, and its runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas
import torch

from ...inference.runs.run import Run, load


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
    """A comparison that is done.

    Attributes:
        frame: a row a run, as ``table.csv`` has it, with ``seconds`` and ``memory`` (MiB).
        runs: the trained runs by the frame's column ``run``; those of baselines are none.
    """

    frame: pandas.DataFrame
    runs: Runs
