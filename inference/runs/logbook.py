"""What a training logs: JSON lines always, and TensorBoard where it is installed.

``metrics.jsonl`` and ``validation.jsonl`` have an object for every epoch, ``steps.jsonl`` one for
every logging interval.
Lines that a killed training wrote beyond its last checkpoint are dropped when it is taken up. Each
line ends in a sum over the rest of it, by which one that was changed since is known.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec

from ...files import write_atomically
from ..training.loop import Step

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

METRICS, VALIDATION, STEPS = "metrics.jsonl", "validation.jsonl", "steps.jsonl"

BOARD = "tensorboard"

SUM = "crc"
"""The name of a line's sum."""

Line = dict[str, Any]


class Logbook:
    """The logs of a run directory.

    Args:
        directory: of the run.
        epochs, steps: how many the training that is logged here has done already.
        board: write for TensorBoard as well, where it can be imported.
    """

    def __init__(self, directory: Path, epochs: int, steps: int, *, board: bool = False) -> None:
        self.directory = directory
        for name in (METRICS, VALIDATION):
            keep_lines(directory / name, lambda line: line.get("epoch", epochs) < epochs)
        keep_lines(directory / STEPS, lambda line: line.get("step", steps + 1) <= steps)
        self.rows, self.since = 0, time.monotonic()
        self.begun, self.board = steps, board and find_spec("tensorboard") is not None

    def log(self, step: Step, number: int) -> None:
        """Log what a step ended: a logging interval, an epoch, or neither.

        Args:
            number: of the step, in all epochs.
        """
        self.rows += step.rows
        if step.interval is not None:
            now = time.monotonic()
            line = {**step.interval, "rows_per_second": round(self.rows / (now - self.since), 1)}
            self.rows, self.since = 0, now
            self._append(STEPS, {"step": number, **line})
            self._draw(line, number)
        if step.metrics is not None:
            self._append(METRICS, step.metrics)
            self._draw({f"epoch/{name}": value for name, value in step.metrics.items()}, number)

    def log_validation(self, epoch: int, found: Line, number: int) -> None:
        """Log what an epoch's weights did on the validation rows, where there are any.

        Args:
            epoch: counted from 0. found: figures by name. number: of its last step.
        """
        if found:
            self._append(VALIDATION, {"epoch": epoch, **found})
            self._draw({f"validation/{name}": value for name, value in found.items()}, number)

    def close(self) -> None:
        """Let go of TensorBoard's file."""
        if "_writer" in vars(self):
            self._writer.close()

    @cached_property
    def _writer(self) -> SummaryWriter:
        from torch.utils.tensorboard import SummaryWriter  # no first step waits for it

        return SummaryWriter(self.directory / BOARD, purge_step=self.begun + 1)

    def _draw(self, values: Line, number: int) -> None:
        if self.board:
            for name, value in values.items():
                self._writer.add_scalar(name, value, number)

    def _append(self, name: str, line: Line) -> None:
        with (self.directory / name).open("a") as file:
            file.write(summed(line))


def summed(line: Line) -> str:
    """A line as it is written, with its sum."""
    return json.dumps({**line, SUM: crc32(json.dumps(line).encode())}) + "\n"


def read_lines(path: Path) -> list[Line]:
    """The whole lines of a log, numbers by name; none where there is no file.

    Logs of earlier versions have no sums. In one that has, a line without is not whole.
    """
    rows = [_read(line) for line in path.read_bytes().split(b"\n")] if path.is_file() else []
    has_sums = any(SUM in row for row in rows)
    return [
        {name: value for name, value in row.items() if name != SUM}
        for row in rows
        if row and (SUM in row or not has_sums)
    ]


def _read(text: bytes) -> Line:
    """The numbers of a line by name; empty for one that is not as it was written."""
    try:
        row: Line = json.loads(text)
        msgspec.convert(row, dict[str, float])
    except (ValueError, RecursionError):  # damaged, or what a killed training was writing
        return {}
    rest = {name: value for name, value in row.items() if name != SUM}
    return row if SUM not in row or summed(rest) == json.dumps(row) + "\n" else {}


def keep_lines(path: Path, keep: Callable[[Line], bool]) -> None:
    """Drop the lines that are not whole, and those that ``keep`` does not want."""
    if path.exists():
        lines = [summed(line) for line in read_lines(path) if keep(line)]
        write_atomically(path, "".join(lines).encode())
