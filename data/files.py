"""Which files in a folder the rows of a table speak of, under whatever names the table has them.

A name is taken as it stands where the folder has such a file. Otherwise what all names of a table
have in common is tried: folders at the front that are not here (``CheXpert-v1.0/train/…``), a file
somewhere deeper in the folder, an ending that lacks or is another one (PNG where JPEG was
published), and zeros that a spreadsheet took from the front of a number.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from urllib.parse import unquote

from .carriers import ENDINGS
from .table import FILE_COLUMNS, Table, simplified

SAMPLE = 200
"""Names that are looked at to tell in which column they are."""


@dataclass
class Folder:
    """A folder of images, and how the names in a table lead to its files.

    Attributes:
        path: the folder.
        ways: how many names were found in another way than as they stand, by what was done.
    """

    path: Path
    ways: Counter[str] = field(default_factory=Counter)
    _files: dict[str, list[str]] | None = None

    def find(self, word: str) -> str | None:
        """The name of a file in the folder, or None where the word leads out of it.

        A name that leads nowhere is returned as it stands.
        """
        name = os.path.normpath(word.replace("\\", "/"))
        if _leads_out(name):
            inside = self._beneath(name)
            if inside is None:
                return self._of_address(word)
            return self._count("absolute names", inside)
        if os.path.isfile(os.path.join(self.path, name)):
            return name
        return self._otherwise(name) or self._of_address(word) or name

    def has(self, word: str) -> bool:
        """Whether a word leads to a file."""
        before = self.ways.copy()
        name = self.find(word) if word else None
        self.ways = before
        return name is not None and os.path.isfile(os.path.join(self.path, name))

    @property
    def notes(self) -> list[str]:
        """The ways in words."""
        return [f"{count} names: {way}" for way, count in self.ways.items()]

    def _of_address(self, word: str) -> str | None:
        """The file that ends an address, as annotation tools on the web write them."""
        if "://" not in word and "%" not in word:
            return None
        last = unquote(word.partition("?")[0]).rpartition("/")[2]
        if last and os.path.isfile(os.path.join(self.path, last)):
            return self._count("addresses, by their last part", last)
        return None

    def _count(self, way: str, name: str) -> str:
        self.ways[way] += 1
        return name

    def _beneath(self, name: str) -> str | None:
        """What a name that leads out of the folder is within it."""
        for folder in (os.path.abspath(self.path), os.path.realpath(self.path)):
            if name.startswith(folder + "/"):
                return name[len(folder) + 1 :]
        return self._after_own_name(name)

    def _after_own_name(self, name: str) -> str | None:
        """What follows the folder's own name, where that is a file."""
        parts = name.split("/")
        own = self.path.resolve().name
        for place in range(len(parts) - 2, -1, -1):
            rest = "/".join(parts[place + 1 :])
            if parts[place] == own and os.path.isfile(os.path.join(self.path, rest)):
                return rest
        return None

    def _otherwise(self, name: str) -> str | None:
        """A file that the name may mean, if there is exactly one."""
        spaced = name.replace(" ", "_")
        if os.path.isfile(os.path.join(self.path, spaced)):
            return self._count("with _ for blanks", spaced)
        inside = self._after_own_name(name)
        if inside is not None:
            own = self.path.resolve().name
            return self._count(f"without {own!r}, the folder's own name, at the front", inside)
        files, parts = self._by_key(), name.split("/")
        # A folder at the front that is here would have had the file.
        known = os.path.isdir(os.path.join(self.path, parts[0]))
        for place in range(1 if known else len(parts)):
            rest = "/".join(parts[place:])
            front = f"without {'/'.join(parts[:place])!r} at the front" if place else ""
            for key, way in self._keys(rest):
                found = files.get(key, [])
                if len(found) == 1:
                    return self._count(", ".join(filter(None, (front, way))), found[0])
        return None

    def _keys(self, name: str) -> Iterable[tuple[str, str]]:
        """What a name is looked up by, and what that is called."""
        stem, ending = os.path.splitext(name)
        yield f"=/{name}", ""
        yield f"i/{_same(name)}", "in other letters' case"
        deeper = "here" not in self._by_key()
        if deeper:
            yield f"=~{name}", "found deeper in the folder"
        if ending.casefold() not in ENDINGS:
            stem = name
        elif f"*{ending}" in self._by_key():  # then the folder's other endings are other images
            return
        way = f"found with another ending than {ending}" if stem != name else "with an ending added"
        yield f"./{stem}", way
        if deeper:
            yield f".~{stem}", f"{way}, deeper in the folder"
        if stem.isdecimal():
            yield f"0~{int(stem)}", "numbers with zeros at the front"

    def _by_key(self) -> dict[str, list[str]]:
        """Every file by its name, with and without folders and endings, and those at the top."""
        if self._files is None:
            self._files = {}
            for name in image_files(self.path):
                stem, ending = os.path.splitext(name)
                base, own = os.path.basename(name), os.path.basename(stem)
                keys = [f"=/{name}", f"=~{base}", f"./{stem}", f".~{own}", f"*{ending}"]
                keys += [f"i/{_same(name)}", *["here"] * (base == name)]
                for key in keys + ([f"0~{int(own)}"] if own.isdecimal() else []):
                    self._files.setdefault(key, []).append(name)
        return self._files


def image_files(folder: Path) -> list[str]:
    """The names of all image files in a folder and in those within it, in order."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = os.path.relpath(place, folder).replace(os.sep, "/")
        front = "" if inside == "." else f"{inside}/"
        found += [
            front + name
            for name in sorted(names)
            if os.path.splitext(name)[1].casefold() in ENDINGS and not name.startswith(".")
        ]
    return found


def _same(name: str) -> str:
    """A name in small letters, with its accents as one sign each: a Mac writes them as two."""
    return unicodedata.normalize("NFC", name).casefold()


def _leads_out(name: str) -> bool:
    first = name.split("/")[0]
    return os.path.isabs(name) or first == ".." or ":" in first[1:2]


def file_words(table: Table, folder: Folder, column: str, where: Path) -> tuple[str, list[str]]:
    """The column that names the files, and its words.

    Args:
        table: what to look in.
        folder: of the images.
        column: its name if the user states it; or a pattern of columns, as
            ``{person}_{number:04}.jpg``.
        where: the table's file, for messages.

    Raises:
        ValueError: where no column is known to name files; the message has those that may.
    """
    if "{" in column:
        return column, _filled(table, column, where)
    if column:
        if column not in table.columns:
            raise ValueError(
                f"{where}: expected a first line with a column {column!r}, got "
                f"{_shown(table)}; correct --file-column"
            )
        return column, table.columns[column]
    known = sorted(
        (name for name in table.columns if simplified(name) in FILE_COLUMNS),
        key=lambda name: FILE_COLUMNS.index(simplified(name)),
    )
    best = next((name for name in known if _names_files(table.columns[name], folder)), None)
    numbered = all(map(str.isdecimal, table.unnamed[:SAMPLE]))
    if best is None and not numbered and _names_files(table.unnamed, folder):
        return "", table.unnamed
    others = [] if best else [n for n, w in table.columns.items() if _names_files(w, folder)]
    if best or (known and not others):
        return best or known[0], table.columns[best or known[0]]
    raise ValueError(
        f"{where}: expected a first line with a column 'file' (or {', '.join(FILE_COLUMNS[1:8])}, "
        f"…), got {_shown(table)}; {_advice(table, folder, others)}"
    )


def _advice(table: Table, folder: Folder, others: Sequence[str]) -> str:
    """What to do about a table of which no column is known to name files."""
    if any(re.fullmatch(r"pixels|pixel_?\d+", name.casefold()) for name in table.columns):
        return (
            "its images are in its columns: save them as an array with numpy.savez(FILE, "
            "images=…, LABEL=…), and give images:FILE.npz"
        )
    images = [name for name in table.columns if name.casefold().endswith(ENDINGS)]
    if images or any(map(folder.has, table.columns)):
        return "its first line is a row: add a line above it that names the columns"
    if others:
        option = f"--file-column {quote(others[0])}"
        return f"{' and '.join(map(repr, others))} could be it: {option}"
    return (
        "name the columns in the first line, or give --file-column NAME or a pattern of columns "
        "such as '{person}/{number:04}.jpg'"
    )


def _names_files(words: Sequence[str], folder: Folder) -> bool:
    """Whether most of the first words are names of their own and lead to files."""
    some = {word for word in words[:SAMPLE] if word}
    return 2 * len(some) > len(words[:SAMPLE]) and 2 * sum(map(folder.has, some)) > len(some)


def _shown(table: Table) -> str:
    names = list(table.columns)
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


_PLACE = re.compile(r"\{([^{}:]+)(?::0?(\d+))?\}")


def _filled(table: Table, pattern: str, where: Path) -> list[str]:
    """The pattern with the words of every row in its places."""
    places = _PLACE.findall(pattern)
    unknown = [name for name, _ in places if name not in table.columns]
    if unknown or not places:
        raise ValueError(
            f"{where}: expected --file-column to name columns as {{NAME}} or {{NAME:04}}, got "
            f"{pattern!r}; the table has {_shown(table)}"
        )

    def name(row: int) -> str:
        def word(match: re.Match[str]) -> str:
            return table.columns[match[1]][row].zfill(int(match[2] or 0))

        return _PLACE.sub(word, pattern)

    return [name(row) for row in range(len(table))]
