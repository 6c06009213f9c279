"""Which images are for training and which for testing, as a table says or by their names."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from .cache import check_share
from .naming import PARTS
from .table import Table, simplified

SPLIT = "split"

TEST_SHARE = 0.2
"""Of the images, where the table does not split them."""

_SPLIT_COLUMNS = ("split", "subset", "partition", "usage", "set", "fold")
"""Names of columns that split the images, if all their entries are known words."""

_CODES = {"train": 0, "valid": 1, "test": 2}


def split_column(table: Table) -> str:
    """The name of the column that splits the images, ``""`` where there is none."""
    if SPLIT in table.columns:
        return SPLIT
    for name in table.columns:
        if simplified(name) in _SPLIT_COLUMNS and all(map(_part, table.columns[name])):
            return name
    return ""


def _part(word: str) -> str:
    """The part of a data set that an entry names, ``""`` if it names none."""
    return PARTS.get(word.casefold(), "")


def split_rows(
    table: Table, column: str, kept: Tensor, names: Sequence[str], seed: int
) -> tuple[Tensor, Tensor, list[str]]:
    """Rows to train on and rows to test on, as the table says or by the names.

    Args:
        table: what was read. column: of it that splits the images, or ``""``.
        kept: the row of each image. names: of the images. seed: of a split by their names.
    """
    words = table.columns.get(column, [])
    remarks = []
    if not any(words):
        train, test = split_by_name(names, TEST_SHARE, seed)
    else:
        codes = torch.tensor([_CODES.get(_part(words[row]), -1) for row in kept.tolist()])
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
