"""What a study hands to the report: pictures with their captions."""

from __future__ import annotations

import re
import struct
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Annotated, Any, Literal
from zlib import crc32

import msgspec

from ...files import is_whole
from ...inspection.notebook.page import shown
from ...inspection.notebook.pictures import picture_html


@dataclass(frozen=True)
class Picture:
    """One picture of a report.

    Attributes:
        name: stem of its file, unique in the report; see :func:`stem`.
        png: the picture itself.
        alt: what it shows, for those who do not see it.
        caption: what to see in it, with the numbers.
        title: a heading above it; empty for none.
        span: how much of the page's width it takes on a wide screen.
        webp: the same picture in motion, an animated WebP of the same size; empty for none. It is
            shown to those who do not ask for less motion.
    """

    name: str
    png: bytes
    alt: str
    caption: str = ""
    title: str = ""
    span: Literal["full", "half", "third"] = "full"
    webp: bytes = b""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, from the PNG's header."""
        width, height = struct.unpack(">II", self.png[16:24])
        return width, height


@dataclass(frozen=True, repr=False)
class Section:
    """One study in a report.

    Attributes:
        name: its anchor.
        title: its heading.
        text: paragraphs that say how to read the pictures and what was found.
        pictures: the pictures, in order.
        figures: what was measured, as plain data.
        files: further files by name, such as draws for other programs.
    """

    name: str
    title: str
    text: tuple[str, ...]
    pictures: tuple[Picture, ...] = field(repr=False)
    figures: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        captions = [f"[{picture.alt}]  {picture.caption}".rstrip() for picture in self.pictures]
        return "\n".join([self.title, *self.text, *captions])

    def _repr_html_(self) -> str:
        return shown(*section_parts(self))

    def to_json(self) -> dict[str, Any]:
        """All but the pictures and files themselves, as plain data."""
        pictures = [_facts(picture) for picture in self.pictures]
        return {
            "name": self.name,
            "title": self.title,
            "text": list(self.text),
            "pictures": pictures,
            "figures": self.figures,
        }

    @classmethod
    def from_json(cls, facts: dict[str, Any], folder: Path) -> Section:
        """Read what :meth:`to_json` wrote, with the pictures from a folder and without the files.

        Raises:
            ValueError: where a part is missing, of another type or not as it was written; the study
                has to be run again.
        """
        try:
            if not is_whole(facts):
                raise ValueError("it is not as it was written")
            found = msgspec.convert(facts, _Kept)
            pictures = tuple(_picture(entry, folder) for entry in found.pictures)
            return cls(found.name, found.title, tuple(found.text), pictures, found.figures)
        except (ValueError, OSError) as error:
            raise ValueError(
                f"what is kept of a study beside {folder} is incomplete ({error}); run it again "
                "with ccvae study"
            ) from error


SHARES = {"full": 100, "half": 48, "third": 31}
"""Per cent of a page's width for each span."""


def section_parts(section: Section, *, captions: bool = True) -> list[str]:
    """A section for a notebook: its heading, its text, then its pictures."""
    pictures = [
        picture_html(
            picture.png,
            picture.alt,
            caption=picture.caption if captions else "",
            share=SHARES[picture.span],
        )
        for picture in section.pictures
    ]
    texts = [f"<p>{escape(text)}</p>" for text in section.text if captions]
    heading = [f"<h4>{escape(section.title)}</h4>"] if captions else []
    return [*heading, *texts, *pictures]


class _Entry(msgspec.Struct):
    """The types of a picture's entry; ``sums`` are of its files."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+$")]
    alt: str
    caption: str = ""
    title: str = ""
    span: Literal["full", "half", "third"] = "full"
    moves: bool = False
    sums: list[int] | None = None


class _Kept(msgspec.Struct):
    """The types of what is kept of a section."""

    name: str
    title: str
    text: list[str]
    pictures: list[_Entry]
    figures: dict[str, Any]


def _facts(picture: Picture) -> dict[str, Any]:
    """A picture without its content, whose sums stand for it."""
    known = {key: value for key, value in asdict(picture).items() if key not in ("png", "webp")}
    moves = {"moves": True} if picture.webp else {}
    return known | moves | {"sums": [crc32(picture.png), crc32(picture.webp)]}


def _picture(entry: _Entry, folder: Path) -> Picture:
    png = (folder / f"{entry.name}.png").read_bytes()
    webp = (folder / f"{entry.name}.webp").read_bytes() if entry.moves else b""
    if entry.sums is not None and entry.sums != [crc32(png), crc32(webp)]:
        raise ValueError(f"the picture {entry.name} is not as it was written")
    return Picture(entry.name, png, entry.alt, entry.caption, entry.title, entry.span, webp)


def stem(study: str, number: int, name: str = "") -> str:
    """A file's stem: the study, a number that makes it unique, and what is readable of a name.

    >>> stem("traversal", 3, "Hair / colour")
    'traversal-03-Hair_colour'
    """
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip("_.")
    return f"{study}-{number:02d}" + (f"-{readable}" if readable else "")
