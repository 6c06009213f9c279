"""A file of rows and columns as a table of words, however it was saved.

A byte-order mark, any line ends, quotes, and commas, semicolons, tabs or blanks between the columns
are read; so are Excel's first line ``sep=;``, a first line with the number of rows, comments above
the names, and rows that begin with a number of their own which the first line does not name.
JSON Lines and, where pyarrow is installed, Parquet become the same words. Faults of single lines
are collected and do not stop the reading.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from .carriers import text_of

if TYPE_CHECKING:
    import _csv

SEPARATORS = (",", ";", "\t", "|")

FILE_COLUMNS = (
    *("file", "file_name", "filename", "file_path", "filepath", "image_path", "img_path"),
    *("image_id", "img_id", "image_file", "img_file", "image_name", "img_name", "path"),
    *("image", "img", "imageid", "image_index", "external_id", "isic_id", "dicom_id", "id_code"),
    *("full_path", "fname", "id"),
)
"""Names under which tables keep the names of files, those that are tried first at the front."""

_NUMBERED = re.compile(r"Unnamed: ?\d+|\.\.\.1|rownames")

_END = "\x03"
"""A last line of our own, which is not read as one where a quote before it is open."""


@dataclass(frozen=True)
class Table:
    """Words in rows and named columns.

    Attributes:
        columns: for every column its words, as many as there are rows.
        lines: the line of the file that each row ends in, counted from 1.
        problems: what was wrong with the lines that were left out.
        unnamed: the words of the first column, where it has no name: the rows' own names or
            numbers, as R and pandas write them.
        notes: how the file was understood, where that is not plain.
    """

    columns: dict[str, list[str]]
    lines: list[int]
    problems: list[str]
    unnamed: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)


def read_table(path: Path, needed: str = "") -> Table:
    """Read a table whose first line names the columns.

    Args:
        path: the file, in UTF-8, or in UTF-16 with a byte-order mark.
        needed: a column that must be there; by default any will do.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it is no text, has no rows, lacks the needed column, names one twice, or
            a quote in it is never closed.
    """
    text, start, separator, notes = _beginning(text_of(path), needed)
    reader = _reader(text + f"\n{_END}", separator)
    try:
        header = _names(next(reader, []))
        _check_header(path, header, needed)
        rows = [(reader.line_num + start, row) for row in reader]
    except csv.Error as error:
        line = reader.line_num + start
        raise ValueError(f"{path}, line {line}: {error}; quote its text anew") from error
    if not rows or rows[-1][1] != [_END]:
        first = rows[-2][0] + 1 if len(rows) > 1 else start + 1
        raise ValueError(
            f"{path}, line {first}: a quote is opened there and never closed; close or remove it"
        )
    del rows[-1]
    header = _with_rows_own_names(header, rows)
    return replace(_rows(path, header, rows), notes=notes)


def simplified(name: str) -> str:
    """A column's name as it is compared: small letters, and one mark between words.

    >>> simplified("Image Index"), simplified("External-ID")
    ('image_index', 'external_id')
    """
    return re.sub(r"[\s\-]+", "_", name.strip()).casefold()


def _beginning(text: str, needed: str) -> tuple[str, int, str, tuple[str, ...]]:
    """The text from the columns' names on, the lines before it, its separator, and remarks."""
    stated = re.match(r'"?sep=(.)"?\r?\n', text)
    if stated:
        return text[stated.end() :], 1, stated[1], (f"separated by {stated[1]!r}, as sep= says",)
    lines = text.splitlines(keepends=True)[:100]
    skipped = 0
    if len(lines) > 1 and lines[0].strip().isdecimal() and not lines[1].strip().isdecimal():
        skipped = 1
    while skipped < len(lines) and lines[skipped].startswith("#"):
        skipped += 1
    rest = text[sum(map(len, lines[:skipped])) :]
    if skipped and lines[skipped - 1].startswith("#"):
        names = lines[skipped - 1].lstrip("# \t")
        separator = _separator(names, needed)
        first = next(_reader(rest, separator), [])
        if 1 < len(next(_reader(names, separator), [])) == len(first):
            return names + rest, skipped - 1, separator, ("the columns' names are a comment",)
    separator = _separator(rest, needed)
    counted = skipped == 1 and lines[0].strip().isdecimal()
    if counted and separator != " ":
        return text, 0, _separator(text, needed), ()
    return rest, skipped, separator, ()


def _reader(text: str, separator: str) -> _csv.Reader:
    if separator == " ":  # a blank at the end of a line separates nothing
        text = re.sub(r"[ \t]+(?=\r?\n|\r|$)", "", text.replace("\t", " "))
    return csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=separator != "\t"
    )


def _names(row: Sequence[str]) -> list[str]:
    """The columns' names; those that programs give to a column without one count as none."""
    return ["" if _NUMBERED.fullmatch(name.strip()) else name.strip() for name in row]


def _separator(text: str, needed: str) -> str:
    """The separator that yields the needed column and most others in the first line."""

    def names(separator: str) -> list[str]:
        try:
            return [name.strip() for name in next(_reader(text, separator), [])]
        except csv.Error:
            return []

    def fit(separator: str) -> tuple[bool, int]:
        found = names(separator)
        known = needed in found if needed else any(simplified(n) in FILE_COLUMNS for n in found)
        return known, len(found)

    best = max(SEPARATORS, key=fit)
    blanks = fit(best)[1] <= 1 and (not needed or needed in names(" ")) and len(names(" ")) > 1
    return " " if blanks else best


def _check_header(path: Path, header: Sequence[str], needed: str) -> None:
    if (needed and needed not in header) or not any(header):
        shown = ", ".join(header[:8]) or "nothing"
        expected = needed or FILE_COLUMNS[0]
        raise ValueError(
            f"{path}: expected a first line with a column {expected!r}, got {shown}; name the "
            f"columns in the first line, separated by commas, semicolons or tabs"
        )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice and not any(re.search("[^\\W\\d_]", name) for name in header):
        raise ValueError(
            f"{path}: expected a first line that names the columns, got {', '.join(header[:8])}; "
            "add one, as 'file,NAME,NAME', and give each image a row"
        )
    if twice:
        raise ValueError(f"{path}: the column {twice[0]!r} occurs twice; rename or remove one")


def _with_rows_own_names(
    header: list[str], rows: Sequence[tuple[int, list[str]]], sample: int = 20
) -> list[str]:
    """The header, with room for a column that rows have beyond those that it names."""
    some = [row for _, row in islice(rows, sample) if any(row)]
    if not some or any(len(row) != len(header) + 1 for row in some):
        return header
    return [*header, ""] if not any(row[-1] for row in some) else ["", *header]


def _rows(path: Path, header: Sequence[str], entries: Iterable[tuple[int, list[str]]]) -> Table:
    rows, lines, problems = [], [], []
    for line, words in entries:
        if not "".join(words).strip():
            continue
        if words == header:
            problems.append(f"line {line}: the columns' names once more; left out")
            continue
        if len(words) != len(header):
            problems.append(
                f"line {line}: {len(words)} entries for {len(header)} columns; left out"
            )
            continue
        rows.append(words)
        lines.append(line)
    if not rows:
        why = f"; {len(problems)} lines do not fit, the first is {problems[0]}" if problems else ""
        raise ValueError(f"{path}: expected a row for each image, got none; add them{why}")
    stripped = [_stripped(words) for words in zip(*rows, strict=True)]
    columns = {name: words for name, words in zip(header, stripped, strict=True) if name}
    return Table(columns, lines, problems, stripped[0] if not header[0] else [])


def _stripped(words: Sequence[str]) -> list[str]:
    """The words without blanks around them; each different word is looked at once."""
    bare = {word: word.strip() for word in set(words)}
    if all(word == short for word, short in bare.items()):
        return list(words)
    return [bare[word] for word in words]
