"""Comparisons that are written down: ``ccvae compare --spec FILE``, a TOML or JSON file.

=============== ==================================================================================
key             what it says
=============== ==================================================================================
``programs``    a list, as ``--programs``; likewise ``objectives``, ``labelled``
``seeds``       how many, or a list of which
``[grid]``      lists of values by option
``reference``   a method; ``criterion`` likewise
``[options]``   options of every training by name, ``data`` among them
=============== ==================================================================================

A comparison's own ``comparison.json`` is such a file.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from ...config import Config
from ...files import is_whole, say
from .plan import Comparison
from .words import OWN

SAVED = "ccvae.studies.comparisons"
"""The package whose files may be named without their folder and ending."""


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    """The types of a specification; what a comparison notes of itself beside it is passed over."""

    programs: tuple[str, ...] = Comparison.programs
    objectives: tuple[str, ...] = ()
    labelled: tuple[float, ...] = Comparison.labelled
    seeds: int | tuple[int, ...] = Comparison.seeds
    grid: dict[str, tuple[Any, ...]] = {}
    reference: str = ""
    criterion: str = ""
    options: dict[str, Any] = {}
    data: dict[str, Any] = {}
    threads: int = 0
    digest: str = ""


def read_spec(name: str, trust: Collection[str] = ()) -> Comparison:
    """The comparison that a file says, or one of the saved ones by its name.

    Args:
        name: of a file, or of a saved comparison. trust: modules that the file may name.

    Raises:
        OSError: where it cannot be read.
        ValueError: for a file that says something else, or names a module that is not trusted.
    """
    found = from_json(_read(name), name)
    ours = {module for module in found.modules() if module.startswith(f"{SAVED}.")}
    foreign = sorted(found.modules() - ours - set(trust))
    if foreign:
        raise ValueError(
            f"{name} names code of its own, {', '.join(foreign)}, which the comparison would run; "
            f"if you know it, repeat the command with --trust {' --trust '.join(foreign)}"
        )
    return found


def saved() -> list[str]:
    """The names of the saved comparisons."""
    names = [entry.name for entry in files(SAVED).iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def _read(name: str) -> dict[str, Any]:
    if name in saved():
        return tomllib.loads(files(SAVED).joinpath(f"{name}.toml").read_text("utf-8"))
    path = Path(name)
    if not path.exists():
        raise ValueError(
            f"there is no specification {name!r}; give a TOML or JSON file, or one of "
            f"{', '.join(saved())}"
        )
    try:
        text = path.read_text("utf-8")
        found = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} cannot be read ({error}); correct it") from error
    if not isinstance(found, dict):
        raise ValueError(f"{name}: expected an object, got {type(found).__name__}")
    if not is_whole(found):
        say(f"{name} is not as it was written; it is read as it is now")
    return found


def from_json(document: dict[str, Any], name: str = "the specification") -> Comparison:
    """A comparison from plain data.

    Args:
        name: where it comes from, for complaints.

    Raises:
        ValueError: for keys or values that no comparison has.
    """
    try:
        written = msgspec.convert(document, _Written)
        own = sorted({*OWN} & written.options.keys())
        if own:
            raise ValueError(f"{', '.join(own)} among the options; there are lists of these")
        base = Config.from_json({"version": Config.VERSION, **written.options})
        seeds = written.seeds
        return Comparison(
            base,
            written.programs,
            written.objectives,
            written.labelled,
            tuple(range(seeds)) if isinstance(seeds, int) else seeds,
            written.grid,
            written.reference,
            written.criterion,
        )
    except ValueError as error:
        raise ValueError(f"{name} says no comparison: {error}") from error
