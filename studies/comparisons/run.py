"""Comparisons that two cores can rerun: ``ccvae table NAME``.

A table is made in two steps, so that either can be used alone: ``measure`` trains and yields one
measurement for everything that it found out, and ``arrange`` makes a table of such measurements.

All but ``multiclass`` are saved specifications of ``ccvae compare`` (the ``.toml`` files beside
this module), which trains them; what is here makes of its rows the table that is committed.

============== ====================================================================================
table          what it compares
============== ====================================================================================
``diva``       DIVA, a VAE with one latent space and a plain classifier on an angle left out
``m2``         M2 and a plain classifier on digits, of which 100 or 1 000 are labelled
``multiclass`` hair as one label of five classes or as five labels, and the poster's own choices
``objectives`` the five columns of the poster's Table 1 on the same rendered faces
============== ====================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from ...loading import choose
from ..drawing.tables import Table
from . import diva as table_diva
from . import m2 as table_m2
from . import multiclass as table_multiclass
from . import objectives as table_objectives

TABLES: dict[str, ModuleType] = {
    "diva": table_diva,
    "m2": table_m2,
    "multiclass": table_multiclass,
    "objectives": table_objectives,
}
"""For each table the module that measures and arranges it."""


def run_table(
    name: str,
    *,
    seeds: Sequence[int] = (0,),
    folder: Path | None = None,
    report: Callable[[str], None] = print,
    device: torch.device | str = "cpu",
    **options: Any,
) -> Table:
    """Measure a table, and write it as ``NAME.md`` and ``NAME.json`` where a folder is given.

    Args:
        name: one of :data:`TABLES`.
        seeds: each repeats all trainings.
        folder: where the files go; None for nowhere.
        report: told about every measurement as soon as it is made.
        device: where to train.
        options: passed on to the table's own measuring function.

    Raises:
        ValueError: for an unknown table, or no seeds.
    """
    choose("table", name, TABLES)
    if not seeds:
        raise ValueError("expected at least one seed, got none; give seeds=(0,) or more")
    module = TABLES[name]
    measurements = []
    for measurement in module.measure(seeds, device=device, **options):
        report(json.dumps(measurement))
        measurements.append(measurement)
    table = module.arrange(measurements)
    if folder is not None:
        table.write(folder)
    return table
