"""What a study hands to the report: pictures with their captions."""

from __future__ import annotations

import re
import struct
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal


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


@dataclass(frozen=True)
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

    def to_json(self) -> dict[str, Any]:
        """All but the pictures and files themselves, as plain data."""
        pictures = [
            {key: value for key, value in asdict(picture).items() if key not in ("png", "webp")}
            | ({"moves": True} if picture.webp else {})
            for picture in self.pictures
        ]
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
            ValueError: where a part is missing; the study has to be run again.
        """
        try:
            pictures = tuple(_picture(dict(entry), folder) for entry in facts["pictures"])
            text = tuple(facts["text"])
            return cls(facts["name"], facts["title"], text, pictures, facts["figures"])
        except (KeyError, TypeError, OSError) as error:
            raise ValueError(
                f"what is kept of a study beside {folder} is incomplete ({error}); run it again "
                "with ccvae study"
            ) from error


def _picture(entry: dict[str, Any], folder: Path) -> Picture:
    file = folder / entry["name"]
    webp = file.with_name(f"{file.name}.webp").read_bytes() if entry.pop("moves", False) else b""
    return Picture(png=file.with_name(f"{file.name}.png").read_bytes(), webp=webp, **entry)


def stem(study: str, number: int, name: str = "") -> str:
    """A file's stem: the study, a number that makes it unique, and what is readable of a name.

    >>> stem("traversal", 3, "Hair / colour")
    'traversal-03-Hair_colour'
    """
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip("_.")
    return f"{study}-{number:02d}" + (f"-{readable}" if readable else "")
