"""Sections in as many slides as they need: how tall a cell will be is estimated, in pixels.

A figure stays whole: where it does not fit below its code, it stands on the next slide.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator
from copy import deepcopy
from math import ceil
from typing import Any

import nbformat

WIDTH, HEIGHT = 1280, 800
"""Of a slide; browsers magnify it to the window's size."""

ROOM = HEIGHT - 40
"""What the cells of a slide may fill."""

FIGURE = 400
"""The most that a figure is tall."""

TEXT, CODE = 29, 20
"""Lines of texts and of code."""

SIGNS, COLUMNS = 118, 118
"""Letters that a line of a text holds, and a line of code."""

GAP = 26
"""Between blocks."""


def fitted(notebook: Any) -> Any:
    """A copy of a notebook whose slides are no taller than the room, where cells allow it."""
    copy = deepcopy(notebook)
    copy.cells = list(_placed(copy.cells))
    return copy


def _placed(cells: list[Any]) -> Iterator[Any]:
    filled, name = 0, ""
    for cell in cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
        if kind == "skip":
            yield cell
            continue
        if kind == "slide":
            filled, name = 0, _name(cell)
        for part, tall in _parts(cell, ROOM - filled):
            if filled and filled + tall > ROOM:
                filled = TEXT + GAP
                yield _going_on(name)
            filled += tall
            yield part


def _parts(cell: Any, left: int) -> Iterator[tuple[Any, int]]:
    """A cell, or its code and what it put out where both are too tall for what is left."""
    if cell.cell_type == "markdown":
        yield cell, text_height(cell.source)
        return
    code, out = code_height(cell.source), sum(map(output_height, cell.get("outputs", [])))
    if code + out <= max(left, ROOM - TEXT - GAP):
        yield cell, code + out
        return
    for source in _chunks(cell.source):
        yield nbformat.v4.new_code_cell(source), code_height(source)
    for outputs in _grouped(cell.get("outputs", [])):
        part = nbformat.v4.new_code_cell(cell.source, outputs=outputs)
        part.metadata["transient"] = {"remove_source": True}
        yield part, sum(map(output_height, outputs))


def _grouped(outputs: list[Any]) -> list[list[Any]]:
    """Outputs in as few groups as have room on a slide."""
    groups: list[list[Any]] = []
    for output in outputs:
        if groups and sum(map(output_height, [*groups[-1], output])) <= ROOM - TEXT - GAP:
            groups[-1].append(output)
        else:
            groups.append([output])
    return groups


def _chunks(source: str) -> list[str]:
    """Code in as few pieces as have room on a slide, parted between definitions."""
    pieces = [""]
    for part in source.split("\n\n\n"):
        longer = f"{pieces[-1]}\n\n\n{part}".lstrip("\n")
        if pieces[-1] and code_height(longer) > ROOM - TEXT - GAP:
            pieces.append(part)
        else:
            pieces[-1] = longer
    return pieces


def _name(cell: Any) -> str:
    """What a slide is called: its heading, or the number of its exercise."""
    found = re.match(r"##? (.*)|\*\*(\d\.\d)", cell.source)
    return (found[1] or found[2]) if found else ""


def _going_on(name: str) -> Any:
    """The first line of a slide that goes on with a section."""
    cell = nbformat.v4.new_markdown_cell(f"*{name} (continued)*")
    cell.metadata["slideshow"] = {"slide_type": "slide"}
    return cell


def text_height(text: str) -> int:
    """Of a text in Markdown."""
    total = 0
    for block in re.split(r"\n\s*\n", re.sub(r"<!--.*?-->", "", text, flags=re.S).strip()):
        lines = block.splitlines()
        formulas = block.count("$$") // 2
        listed = sum(bool(re.match(r"\s*[-*|] ?", line)) for line in lines)
        if block.startswith("#"):
            total += 2 * TEXT + GAP
        elif listed:
            total += TEXT * max(listed, ceil(len(block) / SIGNS)) + 8 * listed + GAP
        else:
            total += TEXT * ceil(len(block) / SIGNS) + 40 * formulas + GAP
    return total


def code_height(code: str) -> int:
    """Of code or of a text that was put out."""
    lines = code.rstrip("\n").splitlines()
    return CODE * sum(max(1, ceil(len(line) / COLUMNS)) for line in lines) + GAP


def output_height(output: Any) -> int:
    """Of what a cell put out."""
    data = output.get("data", {})
    if "image/png" in data:
        return min(FIGURE, _png_height(data["image/png"])) + 3 * GAP
    html = data.get("text/html", "")
    if html:
        figures = [int(tall) for tall in re.findall(r'<svg [^>]*height="(\d+)"', html)]
        rows = html.count("<tr") + html.count('class="formula"') + html.count('class="side"')
        drawn = sum(min(tall, FIGURE) + TEXT for tall in figures if tall > TEXT)
        return drawn + rows * TEXT + 2 * GAP
    return code_height(output.get("text") or data.get("text/plain", ""))


def _png_height(encoded: str) -> int:
    """Height of a picture, from its file's first bytes."""
    start = base64.b64decode(encoded[:64])
    return int(struct.unpack(">I", start[20:24])[0])
