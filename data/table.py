"""A file of comma-separated values as a table of words, however it was saved.

A byte-order mark, any line ends, quotes, and commas, semicolons or tabs between the columns are all
read. Faults of single lines are collected and do not stop the reading.
"""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Table:
    """Words in rows and named columns.

    Attributes:
        columns: for every column its words, as many as there are rows.
        lines: the line of the file that each row ends in, counted from 1.
        problems: what was wrong with the lines that were left out.
    """

    columns: dict[str, list[str]]
    lines: list[int]
    problems: list[str]

    def __len__(self) -> int:
        return len(self.lines)


def read_table(path: Path, needed: str) -> Table:
    """Read a table whose first line names the columns.

    Args:
        path: the file, in UTF-8, or in UTF-16 with a byte-order mark.
        needed: a column that must be there.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it is no text, has no rows, lacks the needed column, or names one twice.
    """
    text = _text(path)
    separator = _separator(text, needed)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, needed)
        return _rows(path, header, ((reader.line_num, row) for row in reader))
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}; quote its text anew") from error


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileNotFoundError(
            f"cannot read the labels {path}: {error.strerror}; give --labels FILE.csv, a table "
            "with a column file and a column for each label"
        ) from error
    encoding = "utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding).lstrip("\r\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{path}, line {line}: expected text in UTF-8, got the byte "
            f"0x{content[error.start]:02x}; save it as CSV in UTF-8"
        ) from error


def _separator(text: str, needed: str) -> str:
    """The separator that yields the needed column and most others in the first line."""

    def fit(separator: str) -> tuple[bool, int]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        try:
            names = [name.strip() for name in next(reader, [])]
        except csv.Error:
            names = []
        return needed in names, len(names)

    return max(SEPARATORS, key=fit)


def _check_header(path: Path, header: Sequence[str], needed: str) -> None:
    if needed not in header:
        shown = ", ".join(header[:8]) or "nothing"
        raise ValueError(
            f"{path}: expected a first line with a column {needed!r}, got {shown}; name the "
            f"columns in the first line, separated by commas, semicolons or tabs"
        )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ValueError(f"{path}: the column {twice[0]!r} occurs twice; rename or remove one")


def _rows(path: Path, header: Sequence[str], entries: Iterable[tuple[int, list[str]]]) -> Table:
    rows, lines, problems = [], [], []
    for line, row in entries:
        words = [word.strip() for word in row]
        if not any(words):
            continue
        if len(words) != len(header):
            problems.append(
                f"line {line}: {len(words)} entries for {len(header)} columns; left out"
            )
            continue
        rows.append(words)
        lines.append(line)
    if not rows:
        raise ValueError(f"{path}: expected a row for each image, got none; add them")
    columns = {name: [row[column] for row in rows] for column, name in enumerate(header) if name}
    return Table(columns, lines, problems)
