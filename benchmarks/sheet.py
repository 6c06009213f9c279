"""``python -m ccvae.benchmarks.sheet``: every figure of the corpus, on contact sheets to look at.

Writes ``build/inspection/sheet-1.png`` and so on, and prints what the layout's checks say.
"""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyro
from PIL import Image, ImageDraw

from ..inspection.figure import draw_graph
from ..inspection.graph import Graph
from ..inspection.layout import lay_out
from ..inspection.legibility import flaws
from .inspection import ROOT, load_corpus

CELL, COLUMNS, ROWS = (520, 420), 4, 4
"""Pixels of a figure on a sheet, and how many stand beside and below each other."""

CAPTION = 16


def pictures(names: Sequence[str]) -> Iterable[tuple[str, Graph]]:
    """The graph of every program of the corpus, or of those that are named."""
    corpus = load_corpus()
    for case in corpus.CASES:
        if not names or case.name in names:
            pyro.clear_param_store()
            pyro.set_rng_seed(0)
            with contextlib.redirect_stdout(io.StringIO()):
                found = corpus.look(case)
            yield case.name, found.graph


def picture(graph: Graph, size: tuple[int, int]) -> Image.Image:
    """A figure, at most of a size in pixels."""
    file = io.BytesIO()
    draw_graph(graph).savefig(file, format="png", dpi=100)
    image = Image.open(file).convert("RGB")
    image.thumbnail(size, Image.Resampling.LANCZOS)
    return image


def sheet(figures: Sequence[tuple[str, Graph]]) -> Image.Image:
    """Figures in rows, each with its name above it."""
    (wide, high), across = CELL, min(COLUMNS, len(figures))
    down = -(-len(figures) // COLUMNS)
    whole = Image.new("RGB", (wide * across, high * down), "white")
    pen = ImageDraw.Draw(whole)
    for position, (name, graph) in enumerate(figures):
        x, y = wide * (position % COLUMNS), high * (position // COLUMNS)
        pen.rectangle((x, y, x + wide - 1, y + high - 1), outline=(225, 225, 225))
        pen.text((x + 6, y + 3), name, fill=(0, 60, 140))
        whole.paste(picture(graph, (wide - 8, high - CAPTION - 6)), (x + 4, y + CAPTION))
    return whole


def main() -> None:
    """Draw, write, and say what is wrong with which figure."""
    parser = argparse.ArgumentParser(prog="python -m ccvae.benchmarks.sheet")
    parser.add_argument("names", nargs="*", help="programs of the corpus; all by default")
    parser.add_argument("--out", type=Path, default=ROOT / "build/inspection", help="a folder")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    figures = list(pictures(given.names))
    for number, group in enumerate(batched_lists(figures, COLUMNS * ROWS), start=1):
        sheet(group).save(given.out / f"sheet-{number}.png")
    for name, graph in figures:
        for said in flaws(lay_out(graph)):
            print(f"{name}: {said}")


def batched_lists(
    figures: Sequence[tuple[str, Graph]], size: int
) -> Iterable[list[tuple[str, Graph]]]:
    """The figures in groups."""
    for start in range(0, len(figures), size):
        yield list(figures[start : start + size])


if __name__ == "__main__":
    main()
