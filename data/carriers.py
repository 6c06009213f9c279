"""The text of a file of labels, whatever program wrote it: CSV in any Unicode, JSON Lines, Parquet.

What is no text but is known is refused with what to do: a workbook, an archive, a JSON document.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp")
"""How the names of image files end."""

DEEP = 4
"""Objects within objects of which the names are joined."""

_SAVE = "save its table as CSV in UTF-8"

_KNOWN = {
    b"PK\x03\x04": "a workbook or an archive; save its sheet as CSV in UTF-8",
    b"\xd0\xcf\x11\xe0": "a workbook of Excel; save its sheet as CSV in UTF-8",
    b"\x1f\x8b": "a compressed file; unpack it",
    b"BZh": "a compressed file; unpack it",
    b"\xfd7zXZ": "a compressed file; unpack it",
    b"\x28\xb5\x2f\xfd": "a compressed file; unpack it",
    b"\x89HDF": f"an HDF5 file; {_SAVE}",
    b"SQLite format 3": f"a database of SQLite; {_SAVE}, as sqlite3 -csv -header FILE QUERY does",
    b"MATLAB 5.0": f"a file of MATLAB; {_SAVE}, with scipy.io.loadmat or writetable",
    b"ARROW1": f"a Feather file; {_SAVE}, or as Parquet",
    b"$FL2": f"a file of SPSS; {_SAVE}",
    b"<stata_dta>": f"a file of Stata; {_SAVE}",
    b"\x93NUMPY": "an array of NumPy; numpy.savez it with its images, and give images:FILE.npz",
    b"\x80": f"a pickled object, which reading would run; {_SAVE}",
    b"%PDF": f"a PDF; {_SAVE}",
    b"<": f"a page of HTML or XML; {_SAVE}",
    b"@relation": f"a file of Weka; {_SAVE}",
    b"@RELATION": f"a file of Weka; {_SAVE}",
}
"""What a file begins with that holds no table in plain text."""


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
    if "\0" in text:
        raise ValueError(f"{path} is no text; save it as CSV in UTF-8")
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
    """Objects one a line, or a document: a list of objects, or what :func:`_rows_of` knows."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            raise ValueError(
                f"{path}: expected a table, got a document that is no JSON Lines ({error}); save "
                "it as CSV with a row for each image"
            ) from error
    rows = _rows_of(found) if isinstance(found, dict) else found
    if rows is None and {"images", "annotations"} <= set(found):
        raise ValueError(
            f"{path}: expected a table, got COCO's lists of images and annotations; save a row "
            "for each image as CSV, with its file_name and a column for each category"
        )
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"{path}: expected an object for each image; save it as CSV")
    flat = [dict(_flat(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    return _written(names, ([row.get(name) for name in names] for row in flat))


def _rows_of(found: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """The rows of one object, as pandas' ``to_json`` orients them, or by files; None for others.

    >>> _rows_of({"file": {"0": "a.png"}, "A": {"0": 1}})
    [{'file': 'a.png', 'A': 1}]
    >>> _rows_of({"a.png": {"A": 1}, "b.png": {"A": 0}})
    [{'file': 'a.png', 'A': 1}, {'file': 'b.png', 'A': 0}]
    >>> _rows_of({"a.png": "cat", "b.png": "dog"})
    [{'file': 'a.png', 'label': 'cat'}, {'file': 'b.png', 'label': 'dog'}]
    """
    columns, data = found.get("columns"), found.get("data")
    if isinstance(columns, list) and isinstance(data, list):  # split
        if all(isinstance(row, list) and len(row) == len(columns) for row in data):
            return [dict(zip(map(str, columns), row, strict=True)) for row in data]
        return None
    values, names_files = list(found.values()), any(map(_is_image, found))
    if all(isinstance(value, list) for value in values) and not names_files:
        if len(values) == 1:  # as StyleGAN's dataset.json has it
            pairs = [pair for pair in values[0] if isinstance(pair, list) and len(pair) == 2]
            whole = pairs and len(pairs) == len(values[0]) and _is_image(pairs[0][0])
            return [{"file": a, "label": b} for a, b in pairs] if whole else None
        if len({len(value) for value in values}) > 1:
            return None
        return [dict(zip(found, row, strict=True)) for row in zip(*values, strict=True)]
    if all(isinstance(value, Mapping) for value in values):
        if names_files:
            return [{"file": name, **value} for name, value in found.items()]
        keys = [tuple(value) for value in values]
        if len(set(keys)) == 1:
            return [{name: found[name][key] for name in found} for key in keys[0]]
        return None
    if names_files and not any(isinstance(value, Mapping) for value in values):
        return [{"file": name, "label": value} for name, value in found.items()]
    return [found] if not any(isinstance(value, Mapping | list) for value in values) else None


def _is_image(name: object) -> bool:
    return isinstance(name, str) and name.casefold().endswith(ENDINGS)


def _flat(row: Mapping[str, Any], front: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values of an object, those of objects in it behind its name and a dot."""
    for name, value in row.items():
        if isinstance(value, Mapping) and value and front.count(".") < DEEP:
            yield from _flat(value, f"{front}{name}.")
        else:
            yield f"{front}{name}", value


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
