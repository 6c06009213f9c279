"""Images of the user's own: a folder, and a table that says what is on them.

The table has a column ``file``, and a column for each label. Two more columns are optional:
``domain`` names the condition that an image comes from, and ``split`` says ``train`` or ``test``
(``valid`` keeps an image out of both). Without it the fifth of the images whose names hash lowest
is for testing: which these are depends on the names and the seed, not on the order of the table,
and hardly on which other images there are.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from .cache import check_share, decoded
from .columns import Column, missing, parse_kinds, read_column
from .dataset import Dataset
from .decode import Decoding
from .labels import LabelSpace
from .symmetries import Symmetries
from .table import Table, read_table

FILE, DOMAIN, SPLIT = "file", "domain", "split"

TEST_SHARE = 0.2
"""Of the images, where the table does not split them."""

_SPLITS = {"train": 0, "training": 0, "valid": 1, "val": 1, "validation": 1, "test": 2}


def images(
    folder: Path,
    labels: Path | None = None,
    *,
    only: Sequence[str] = (),
    kinds: str = "",
    decoding: Decoding | None = None,
    seed: int = 0,
    sided: bool = False,
) -> Dataset:
    """A folder of images with a table of labels.

    Args:
        folder: where the images are.
        labels: the table, ``folder/labels.csv`` by default.
        only: names of the labels to keep; all by default.
        kinds: what labels are, where that is not to be inferred; see
            :func:`~ccvae.data.columns.parse_kinds`.
        decoding: the images' size.
        seed: of the split.
        sided: left and right matter, as in writing: what is said of an image does not hold of its
            mirror image.

    Returns:
        images ``(N, 3, size, size)`` of bytes, mapped from a cache; rows whose image is missing
        or cannot be read are left out and listed in ``problems``.

    Raises:
        OSError: where the folder or the table cannot be read, or the cache not be written.
        ValueError: where nothing useful is left, or more is wrong than is tolerable.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"expected a folder of images, got {folder}; give images:DIR")
    table = read_table(labels or folder / "labels.csv", FILE)
    names, rows, rejected = _usable(table)
    problems = table.problems + rejected
    check_share(problems, len(table) + len(table.problems))
    columns, left_out = _columns(table, only, parse_kinds(kinds))
    found = decoded(folder, names, decoding or Decoding())
    problems += left_out + [entry for column in columns for entry in column.problems]
    problems += found.problems
    kept = rows[found.rows]
    train, test, remarks = _split(table, kept, [names[row] for row in found.rows.tolist()], seed)
    domains, unseen = _domains(table, kept, train)
    return Dataset(
        f"images:{folder.resolve().name}",
        found.images,
        torch.stack([column.codes for column in columns], -1)[kept],
        domains,
        LabelSpace(column.label for column in columns),
        train,
        test,
        tuple(problems + remarks + unseen),
        Symmetries() if sided else Symmetries(mirrored=True),
    )


def _usable(table: Table) -> tuple[list[str], Tensor, list[str]]:
    """Names of the files in the folder, the rows they are named in, and what is wrong elsewhere."""
    first: dict[str, int] = {}
    problems = []
    for row, (word, line) in enumerate(zip(table.columns[FILE], table.lines, strict=True)):
        name = os.path.normpath(word.replace("\\", "/"))
        if not word:
            problems.append(f"line {line}: no file is named; left out")
        elif os.path.isabs(name) or name.split("/")[0] == ".." or ":" in name.split("/")[0][1:2]:
            problems.append(f"line {line}: {word!r} lies outside of the folder; left out")
        elif name in first:
            same = all(
                words[row] == words[first[name]]
                for column, words in table.columns.items()
                if column != FILE
            )
            other = table.lines[first[name]]
            kind = "repeats" if same else "contradicts"
            problems.append(f"line {line}: {word!r} {kind} line {other}; left out")
        else:
            first[name] = row
    return list(first), torch.tensor(list(first.values()), dtype=torch.long), problems


def _columns(
    table: Table, only: Sequence[str], kinds: dict[str, str]
) -> tuple[list[Column], list[str]]:
    """The labels that were asked for, or all that are labels, and why others are not."""
    names = [name for name in table.columns if name not in (FILE, DOMAIN, SPLIT)]
    for name in (*only, *kinds):
        if name not in names:
            raise ValueError(
                f"unknown label {name!r}; this table has {', '.join(names) or 'no labels'}"
            )
    columns, problems = [], []
    for name in only or names:
        try:
            kind = kinds.get(name, "")
            columns.append(read_column(name, table.columns[name], table.lines, kind))
        except ValueError as error:
            if name in (*only, *kinds):
                raise
            problems.append(f"left out: {error}")
    if not columns:
        raise ValueError(
            problems[0].removeprefix("left out: ")
            if problems
            else f"expected a column for each label beside {FILE!r}, got none; add one"
        )
    return columns, problems


def _split(
    table: Table, kept: Tensor, names: Sequence[str], seed: int
) -> tuple[Tensor, Tensor, list[str]]:
    """Rows to train on and rows to test on, as the table says or by the names."""
    words = table.columns.get(SPLIT, [])
    remarks = []
    if not any(words):
        train, test = split_by_name(names, TEST_SHARE, seed)
    else:
        parts = [_SPLITS.get(words[row].casefold(), -1) for row in kept.tolist()]
        codes = torch.tensor(parts)
        train, test = ((codes == part).nonzero()[:, 0] for part in (0, 2))
        for row in kept[codes == -1].tolist():
            remarks.append(
                f"line {table.lines[row]}: split is {words[row]!r}, expected train, valid or test; "
                "used for neither"
            )
        check_share(remarks, len(kept))
    for part, rows in (("train", train), ("test", test)):
        if len(rows) == 0:
            raise ValueError(
                f"expected rows to {part} on, got none of {len(kept)}; give more images, or a "
                f"column split with the word {part}"
            )
    return train, test, remarks


def split_by_name(names: Sequence[str], share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Rows to train on and ``round(share · n)`` rows to test on, in order.

    A name's place in the order that decides is a hash of the seed and the name. So the order of the
    rows does not matter, and a row that goes or comes moves no other row but those at the border.

    Args:
        names: of the rows, all different.
        share: of the rows to test on. seed: of the choice.
    """
    digests = [hashlib.sha256(f"{seed}/{n}".encode(errors="surrogatepass")).digest() for n in names]
    order = sorted(range(len(names)), key=lambda row: digests[row])
    count = round(share * len(names))
    train, test = (
        torch.tensor(sorted(o), dtype=torch.long) for o in (order[count:], order[:count])
    )
    return train, test


def _domains(table: Table, kept: Tensor, train: Tensor) -> tuple[Tensor | None, list[str]]:
    """Codes of the domains that training rows have; other rows' domains are missing."""
    words = table.columns.get(DOMAIN, [])
    if all(map(missing, words)):
        return None, []
    own = [words[row] for row in kept.tolist()]
    known = sorted({own[row] for row in train.tolist() if not missing(own[row])})
    if not known:
        return None, ["no training row has a domain; the column is left out"]
    unseen = sorted({word for word in own if not missing(word)} - set(known))
    codes = {word: code for code, word in enumerate(known)}
    remarks = [
        f"domain {word!r} occurs in no training row; taken as missing elsewhere" for word in unseen
    ]
    return torch.tensor([codes.get(word, -1) for word in own]), remarks
