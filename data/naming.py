"""Labels that are in the names of files or of the folders they lie in, as a table.

``folders`` takes the folders between the image and the folder that is read, as torchvision's
``ImageFolder`` does; ``pattern:{Age:real}_{Male}_*`` takes what stands in the braces' places of the
files' names, as UTKFace keeps ages and sexes there; ``*`` is anything else and ``#`` a number.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..specification import PATTERN
from .files import image_files
from .table import Table

PARTS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("valid", "val", "validation", "dev", "publictest"), "valid"),
    **dict.fromkeys(("test", "testing", "tst", "eval", "privatetest"), "test"),
}
"""Folders and entries that say what images are for."""


_WILD = {"*": "[^/]*?", "…": "[^/]*?", "#": r"\d+"}
"""What stands in a pattern for no label: anything, or a number."""


class Named(NamedTuple):
    """A table made of names, and the kinds of its labels that a pattern states."""

    table: Table
    kinds: str


def table_of_names(folder: Path, labels: str) -> Named:
    """The table that the names of the images in a folder make.

    Args:
        folder: of the images.
        labels: ``folders``, ``folders:LABEL/LABEL`` to name the labels of folders within folders,
            or ``pattern:`` and a pattern.

    Raises:
        ValueError: where there is no image, no folder, or no name fits the pattern.
    """
    names = image_files(folder)
    if not names:
        raise ValueError(f"expected image files in {folder}, got none; give images:DIR with some")
    if labels.startswith(PATTERN):
        return _of_pattern(names, labels.removeprefix(PATTERN))
    return Named(_of_folders(folder, names, labels.partition(":")[2]), "")


def _of_folders(folder: Path, names: Sequence[str], titles: str) -> Table:
    paths = [name.split("/")[:-1] for name in names]
    columns: dict[str, list[str]] = {"file": list(names)}
    parts = [path[0].casefold() if path else "" for path in paths]
    if len(set(parts)) > 1 and all(part in PARTS for part in parts):
        columns["split"] = [PARTS[part] for part in parts]
        paths = [path[1:] for path in paths]
    depth = min(map(len, paths))
    if not depth:
        lone = next(name for name, path in zip(names, paths, strict=True) if not path)
        raise ValueError(
            f"expected every image of {folder} in a folder that is its class, got {lone}; sort "
            "them into folders, or give a table with --labels"
        )
    given = titles.split("/") if titles else []
    known = given or ["Class", *(f"Class_{level}" for level in range(2, depth + 1))]
    if len(known) != depth:
        raise ValueError(
            f"expected a name for each of {depth} folders above an image, got {titles!r}; give "
            f"--labels folders:{'/'.join(f'NAME{level}' for level in range(1, depth + 1))}"
        )
    columns |= {title: [path[level] for path in paths] for level, title in enumerate(known)}
    return _table(columns, [])


def _of_pattern(names: Sequence[str], pattern: str) -> Named:
    expression, kinds = _compiled(pattern)
    columns: dict[str, list[str]] = {name: [] for name in ("file", *kinds)}
    problems = []
    for name in names:
        match = expression.fullmatch(name if "/" in pattern else os.path.basename(name))
        if match is None:
            problems.append(f"{name}: its name does not fit {pattern!r}; left out")
            continue
        columns["file"].append(name)
        for label, word in zip(kinds, match.groups(), strict=True):
            columns[label].append(word)
    if not columns["file"]:
        raise ValueError(
            f"expected names of files that fit {pattern!r}, got {names[0]!r}; write {{NAME}} for "
            "a label, * for what is none and # for a number, as pattern:{Age:real}_{Male}_*"
        )
    stated = ",".join(f"{name}={kind}" for name, kind in kinds.items() if kind)
    return Named(_table(columns, problems), stated)


def _compiled(pattern: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """A pattern as a regular expression, and the kinds of its labels."""
    kinds: dict[str, str] = {}
    parts = []
    for piece in re.split(r"(\{[^{}]*\}|[*…#])", pattern):
        if piece.startswith("{"):
            name, _, kind = (part.strip() for part in piece[1:-1].partition(":"))
            if not name or name in kinds:
                raise ValueError(
                    f"expected a name of its own in each pair of braces of {pattern!r}, got "
                    f"{piece!r}; write * for what is no label"
                )
            kinds[name] = kind
            parts.append("([^/]+?)")
        else:
            parts.append(_WILD.get(piece, re.escape(piece)))
    if not kinds:
        raise ValueError(
            f"expected a label in the pattern {pattern!r}, got none; write {{NAME}} where it is"
        )
    return re.compile("".join(parts) + r"(?:\.[A-Za-z]+)*"), kinds


def _table(columns: dict[str, list[str]], problems: list[str]) -> Table:
    return Table(columns, list(range(1, len(columns["file"]) + 1)), problems)
