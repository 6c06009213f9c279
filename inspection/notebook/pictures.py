"""Pictures and tables in a notebook, bounded in size."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

CHART = "chart"
"""A PNG's title where it is lines and letters, whose light a dark page turns round."""

WIDEST = 1200
"""Pixels across of what a notebook keeps of a picture."""


def picture_html(png: bytes, alt: str, *, caption: str = "", share: int = 100) -> str:
    """A picture as a part of the page.

    Args:
        png: the picture. alt: what it shows. caption: below it.
        share: of the output's width that it takes at most, in per cent.
    """
    from PIL import Image

    image = Image.open(io.BytesIO(png))
    kind = ' class="chart"' if image.info.get("Title") == CHART else ""
    if image.width > WIDEST:
        size = WIDEST, max(1, image.height * WIDEST // image.width)
        png = encoded(image.resize(size), "PNG")
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    words = f'<figcaption class="note">{escape(caption)}</figcaption>' if caption else ""
    return (
        f'<figure style="display:inline-block;margin:.3rem .6rem .3rem 0;max-width:{share}%">'
        f'<img{kind} src="{source}" alt="{escape(alt)}" style="max-width:100%;max-height:34rem" />'
        f"{words}</figure>"
    )


def encoded(image: Image, form: str) -> bytes:
    """A picture in a format of Pillow's."""
    file = io.BytesIO()
    image.save(file, form)
    return file.getvalue()


def table_html(headings: Sequence[str], rows: Iterable[Sequence[str]], *, raw: int = -1) -> str:
    """A table that scrolls where it is too wide.

    Args:
        headings, rows: texts. raw: the column that holds HTML.
    """
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    lines = "".join(
        "<tr>"
        + "".join(f"<td>{text if i == raw else escape(text)}</td>" for i, text in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
        "</div>"
    )
