"""The text of a file of labels, whatever program wrote it: CSV in any Unicode, JSON Lines, Parquet.

What is no text but is known is refused with what to do: a workbook, an archive, a JSON document.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_KNOWN = {
    b"PK\x03\x04": "a workbook or an archive; save its sheet as CSV in UTF-8",
    b"\xd0\xcf\x11\xe0": "a workbook of Excel; save its sheet as CSV in UTF-8",
    b"\x1f\x8b": "a compressed file; unpack it",
    b"\x89HDF": "an HDF5 file; save its table as CSV in UTF-8",
}
"""What a file begins with that holds no text."""


def text_of(path: Path) -> str:
    """The rows of a file as comma-separated values, or as the text that it is.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it is no text, or a kind of file that cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(4)
            if content == b"PAR1":
                return _parquet(path)
            content += file.read()
    except OSError as error:
        raise FileNotFoundError(
            f"cannot read the labels {path}: {error.strerror}; give --labels FILE.csv, a table "
            "with a column file and a column for each label"
        ) from error
    for start, advice in _KNOWN.items():
        if content.startswith(start):
            raise ValueError(f"{path} is {advice}")
    text = _decoded(path, content)
    return _json(path, text) if text.startswith(("{", "[")) else text


def _decoded(path: Path, content: bytes) -> str:
    encoding = "utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding).lstrip("\r\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{path}, line {line}: expected text in UTF-8, got the byte "
            f"0x{content[error.start]:02x}; save it as CSV in UTF-8"
        ) from error


def _parquet(path: Path) -> str:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{path} is a Parquet file, which needs pyarrow: pip install pyarrow, or save it as CSV"
        ) from error
    table = parquet.read_table(path)
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return _written(table.column_names, rows)


def _json(path: Path, text: str) -> str:
    """Objects one a line, or a list of objects: a row each."""
    try:
        if text.startswith("["):
            rows = json.loads(text)
        else:
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise ValueError(
            f"{path}: expected a table, got a document that is no JSON Lines ({error}); save it as "
            "CSV with a row for each image"
        ) from error
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"{path}: expected an object for each image; save it as CSV")
    names = list(dict.fromkeys(name for row in rows for name in row))
    return _written(names, ([row.get(name) for name in names] for row in rows))


def _written(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    writer.writerows([_word(value) for value in row] for row in rows)
    return file.getvalue()


def _word(value: object) -> str:
    """A value as a table has it; several words are joined by ``|``."""
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "|".join(value)
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
