"""Committed comparisons by the machine that everybody's are made with."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ...files import say
from ..comparing.beginning import How
from ..comparing.compared import Runs
from ..comparing.comparing import carry_out
from ..comparing.plan import Comparison
from ..comparing.rows import DONE, Row


def rows_of(
    comparison: Comparison, device: torch.device | str = "cpu", runs: Path | None = None
) -> list[Row]:
    """A row for every run of a comparison, with its seconds; see :func:`carried_out`."""
    with carried_out(comparison, device, runs) as (rows, _):
        return rows


@contextmanager
def carried_out(
    comparison: Comparison, device: torch.device | str = "cpu", runs: Path | None = None
) -> Iterator[tuple[list[Row], Runs]]:
    """A row for every run of a comparison, with its seconds, and the runs that were trained.

    Args:
        comparison: what to train. device: where.
        runs: the comparison's folder, in which it goes on; one that is gone afterwards by default.

    Raises:
        ValueError: where a run failed.
    """
    how = How(device=str(device), told=say)
    with tempfile.TemporaryDirectory() as folder:
        found = carry_out(comparison, runs or Path(folder) / "comparison", how)
        frame = found.frame.astype(object).where(found.frame.notna(), None)
        rows: list[Row] = frame.to_dict("records")
        failed = [f"{row['run']}: {row['failure']}" for row in rows if row["state"] != DONE]
        if failed:
            raise ValueError(f"of this table failed {'; '.join(failed)}")
        yield rows, found.runs


def percent(share: float) -> float:
    """A share in per cent, to four places."""
    return round(100 * share, 4)


def percents(row: Row, table: str) -> dict[str, Any]:
    """A row's figures by label in per cent, of those that it has."""
    start = f"{table}["
    found = {key[len(start) : -1]: value for key, value in row.items() if key.startswith(start)}
    return {name: percent(value) for name, value in found.items() if value is not None}
