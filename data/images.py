"""Images of the user's own: a folder, and a table that says what is on them.

The table has a column that names the files, and a column for each label. Two more columns are
optional: ``domain`` names the condition that an image comes from, and ``split`` says ``train`` or
``test`` (``valid`` keeps an image out of both). Without it the fifth of the images whose names hash
lowest is for testing: which these are depends on the names and the seed, not on the order of the
table, and hardly on which other images there are.

In place of the table the names of files or folders may say what is on them, see :mod:`.naming`, and
in place of the folder a file may hold all images, see :mod:`.arrays`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ..specification import is_naming
from .arrays import ENDINGS, read_arrays, resized
from .cache import check_share, decoded
from .dataset import Dataset
from .decode import Decoding
from .files import Folder, file_words
from .labels import LabelSpace
from .marks import missing
from .naming import table_of_names
from .reading import Labels, Reading, read_labels
from .splits import split_by_name, split_column, split_rows
from .symmetries import Symmetries
from .table import FILE_COLUMNS, Table, read_table, simplified

__all__ = ["assembled", "images", "split_by_name"]

DOMAIN = "domain"


def images(
    folder: Path,
    labels: Path | str | None = None,
    *,
    only: Sequence[str] = (),
    kinds: str = "",
    decoding: Decoding | None = None,
    seed: int = 0,
    file_column: str = "",
    missing_marks: str | None = None,
    join: str = "",
    sided: bool | None = None,
) -> Dataset:
    """A folder of images with a table of labels.

    Args:
        folder: where the images are: a folder, or a file of arrays, see :mod:`.arrays`.
        labels: the table, ``folder/labels.csv`` by default; or ``"folders"``, or ``"pattern:…"``,
            see :mod:`.naming`.
        only: names of the labels to keep; all by default.
        kinds: what labels are, where that is not to be inferred; see
            :func:`~ccvae.data.kinds.parse_kinds`.
        decoding: the images' size; 64 pixels by default, and for arrays their own.
        seed: of the split.
        file_column: the column that names the files, see :func:`~ccvae.data.files.file_words`.
        missing_marks: what means missing, see :func:`~ccvae.data.marks.parse_marks`.
        join: labels to join, see :func:`~ccvae.data.groups.parse_join`.
        sided: left and right matter, as in writing: what is said of an image does not hold of its
            mirror image. By default they do in arrays, and not in files of images.

    Returns:
        images ``(N, 3, size, size)`` of bytes, mapped from a cache; rows whose image is missing
        or cannot be read are left out and listed in ``problems``. What was understood of the table
        is in ``notes``.

    Raises:
        OSError: where the folder or the table cannot be read, or the cache not be written.
        ValueError: where nothing useful is left, or more is wrong than is tolerable.
    """
    reading = Reading(only, kinds, missing_marks, join)
    if folder.suffix.casefold() in ENDINGS and not folder.is_dir():
        allowed = Symmetries(mirrored=sided is False)
        return _of_arrays(folder, labels, reading, decoding, seed, allowed)
    if not folder.is_dir():
        raise FileNotFoundError(f"expected a folder of images, got {folder}; give images:DIR")
    if is_naming(labels):
        table, stated = table_of_names(folder, str(labels))
        reading = replace(reading, kinds=",".join(filter(None, (stated, kinds))))
    else:
        table = read_table(Path(labels or folder / "labels.csv"))
    where = Path(labels or folder / "labels.csv")
    paths = Folder(folder)
    column, words = file_words(table, paths, file_column, where)
    names, rows, rejected = _usable(table, column, words, paths)
    problems = table.problems + rejected
    check_share(problems, len(table) + len(table.problems))
    split = split_column(table)
    beside = (column, DOMAIN, split)
    found_labels = read_labels(table, [n for n in table.columns if n not in beside], reading)
    found = decoded(folder, names, decoding or Decoding())
    problems += found_labels.problems + found.problems
    kept = rows[found.rows]
    own = [names[row] for row in found.rows.tolist()]
    notes = [*_notes(table, column), *paths.notes]
    dataset = assembled(
        f"images:{folder.resolve().name}",
        found.images,
        table,
        kept,
        replace(found_labels, problems=problems, notes=notes + found_labels.notes),
        split_rows(table, split, kept, own, seed),
        Symmetries(mirrored=not sided),
    )
    return replace(dataset, digest=found.digest)


def _of_arrays(
    path: Path,
    labels: Path | str | None,
    reading: Reading,
    decoding: Decoding | None,
    seed: int,
    symmetries: Symmetries,
) -> Dataset:
    """Images that are one array, with the labels beside them or a table in their order."""
    pictures, table = read_arrays(path)
    if labels is not None:
        table = read_table(Path(labels))
        if len(table) != len(pictures) or table.problems:
            raise ValueError(
                f"expected a row for each of {len(pictures)} images of {path}, in their order, got "
                f"{len(table)} usable ones in {labels}; correct the table"
            )
    if table is None:
        raise ValueError(
            f"{path}: expected an array of labels beside the images, got none; save one, or give a "
            "table with a row for each image as --labels"
        )
    if decoding and decoding.crop:
        raise ValueError(f"{path}: arrays are not cropped; drop --crop")
    side = decoding.size if decoding else max(pictures.shape[2:])
    rows, split = torch.arange(len(pictures)), split_column(table)
    names = [n for n in table.columns if n not in (DOMAIN, split)]
    names = [n for n in names if simplified(n) not in FILE_COLUMNS] or names
    found = read_labels(table, names, reading)
    parted = split_rows(table, split, rows, list(map(str, range(len(rows)))), seed)
    height, width = pictures.shape[2:]
    if (height, width) != (side, side):
        found.notes.append(f"images of {height}×{width} are resized to {side}×{side}")
    name = f"images:{path.resolve().name}"
    return assembled(name, resized(pictures, side), table, rows, found, parted, symmetries)


def assembled(
    name: str,
    pictures: Tensor,
    table: Table,
    kept: Tensor,
    labels: Labels,
    split: tuple[Tensor, Tensor, list[str]],
    symmetries: Symmetries,
) -> Dataset:
    """The data set of some images and the rows of a table that speak of them.

    Args:
        name: of the data set. pictures: ``(M, C, H, W)`` bytes.
        table: what was read. kept: the row ``(M,)`` of each image.
        labels: of all rows. split: rows to train and to test on, and remarks on them.
        symmetries: what may be done to the images.

    Raises:
        ValueError: for a real label without a spread, or where no label is left.
    """
    train, test, remarks = split
    columns = [replace(column, codes=column.codes[kept]) for column in labels.columns]
    labels = replace(labels, columns=columns).standardised(train)
    columns = labels.columns
    domains, unseen = _domains(table, kept, train)
    return Dataset(
        name,
        pictures,
        torch.stack([column.codes for column in columns], -1),
        domains,
        LabelSpace(column.label for column in columns),
        train,
        test,
        tuple(labels.problems + remarks + unseen),
        tuple(labels.notes),
        symmetries=symmetries,
    )


def _notes(table: Table, column: str) -> list[str]:
    """How the table was read, where it is not as the documentation has it."""
    named = [] if column == "file" else [f"files are named by {column or 'the first column'!r}"]
    return [*table.notes, *named]


def _usable(
    table: Table, column: str, words: Sequence[str], folder: Folder
) -> tuple[list[str], Tensor, list[str]]:
    """Names of the files in the folder, the rows they are named in, and what is wrong elsewhere."""
    first: dict[str, int] = {}
    problems = []
    for row, (word, line) in enumerate(zip(words, table.lines, strict=True)):
        name = folder.find(word) if word else None
        if not word:
            problems.append(f"line {line}: no file is named; left out")
        elif name is None:
            problems.append(f"line {line}: {word!r} lies outside of the folder; left out")
        elif name in first:
            same = all(
                entries[row] == entries[first[name]]
                for other, entries in table.columns.items()
                if other != column
            )
            line_before = table.lines[first[name]]
            kind = "repeats" if same else "contradicts"
            problems.append(f"line {line}: {word!r} {kind} line {line_before}; left out")
        else:
            first[name] = row
    _check_rows_per_image(column, len(first), problems)
    return list(first), torch.tensor(list(first.values()), dtype=torch.long), problems


def _check_rows_per_image(column: str, count: int, problems: Sequence[str]) -> None:
    repeated = sum(" contradicts " in problem for problem in problems)
    if 2 * repeated > count > 0:
        raise ValueError(
            f"expected one row for each image, got {count + repeated} for {count} images; make a "
            f"column of each label first, as pandas.crosstab(table[{column!r}], table[LABEL]) does"
        )


def _domains(table: Table, kept: Tensor, train: Tensor) -> tuple[Tensor | None, list[str]]:
    """Codes of the domains that training rows have; other rows' domains are missing."""
    words = table.columns.get(DOMAIN, [])
    if all(map(missing, words)):
        return None, []
    own = [words[row] for row in kept.tolist()]
    known = sorted({own[row] for row in train.tolist() if not missing(own[row])})
    if not known:
        return None, ["no training row has a domain; the column is left out"]
    marks = Counter(word for word in own if word and missing(word))
    remarks = [f"domain {word!r} is taken as missing in {n} rows" for word, n in marks.items()]
    unseen = sorted({word for word in own if not missing(word)} - set(known))
    codes = {word: code for code, word in enumerate(known)}
    remarks += [
        f"domain {word!r} occurs in no training row; taken as missing elsewhere" for word in unseen
    ]
    return torch.tensor([codes.get(word, -1) for word in own]), remarks
