"""The room of programs: what an inspection found, ready to be written into the page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

from ..config import Config
from ..inference.catalogue import ENTRIES, PROGRAMS
from ..inspection.example import PATTERNS, inspect_program
from ..inspection.factorisation import factorisation
from ..inspection.mathml import broken, terms
from ..inspection.source import Source, node_of, read_source
from ..inspection.svg import svg
from ..loading import choose

TITLES = {name: entry.heading for name, entry in ENTRIES.items()}

DEFAULTS = ("ccvae", "ccvae", "some")
"""Program, objective and pattern of labels that the room opens with."""


@dataclass(frozen=True)
class Line:
    """A line of a listing: its number, its source as HTML, and the nodes that it states."""

    number: int
    html: str
    nodes: str


@dataclass(frozen=True)
class Listing:
    """A program's source. ``path`` is the file's; ``program`` says which of the two it is."""

    program: str
    path: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class View:
    """What the room shows of a program.

    Attributes:
        program, objective, labels: what was asked for.
        figure: the plate diagram as SVG.
        densities: for model and guide, pieces of MathML.
        objective_terms: the objective as pieces of MathML.
        sites: rows of the table; sizes: its symbols with their values.
        listings: of the model and of the guide.
        arrows: the kinds of arrows in the figure.
    """

    program: str
    objective: str
    labels: str
    figure: str
    densities: dict[str, list[str]]
    objective_terms: list[str]
    sites: list[dict[str, str]]
    sizes: dict[str, int]
    listings: tuple[Listing, ...]
    arrows: tuple[str, ...]


@lru_cache(maxsize=64)
def view(program: str, objective: str, labels: str) -> View:
    """A program under one of its objectives, on rows with a pattern of known labels.

    Args:
        program: by name. objective: one of the program's; ``""`` for its own.
        labels: ``"none"``, ``"all"`` or ``"some"``.

    Raises:
        ValueError: for a name that is not known.
    """
    choose("program", program, PROGRAMS)
    objective = Config(program=program, objective=objective).objective_name
    choose(f"objective of {program}", objective, PROGRAMS[program])
    choose("pattern of labels", labels, PATTERNS)
    config = Config(program=program, objective=objective, style=8)
    found = inspect_program(config, labels)
    document, densities = found.to_json(), factorisation(found.graph)
    listings = [
        _listing(name, read_source(part, record, found.graph))
        for name, part, record in zip(
            ("model", "guide"), found.programs, (found.model, found.guide), strict=True
        )
        if part is not None
    ]
    sites = [
        {
            "program": name,
            "site": site["name"],
            "node": node_of(site["name"], found.graph) or "",
            "role": site["role"],
            "distribution": site["distribution"],
            "plates": ", ".join(site["plates"]),
            "batch": "×".join(site["batch_sizes"]),
            "event": "×".join(site["event_sizes"]) or "1",
            "parents": ", ".join(site["parents"]),
        }
        for name, rows in document["sites"].items()
        for site in rows
    ]
    return View(
        program,
        objective,
        labels,
        svg(found.graph),
        {name: broken(written["latex"]) for name, written in densities.items()},
        [piece for _, piece in terms(found.formula)] if found.formula else [],
        sites,
        document["sizes"],
        tuple(listings),
        tuple(dict.fromkeys(found.graph.kind(edge) for edge in sorted(found.graph.edges))),
    )


def _listing(program: str, source: Source) -> Listing:
    """A source with its syntax coloured, line by line."""
    text = "\n".join(source.lines)
    lexer = PythonLexer(stripnl=False, ensurenl=False)
    coloured = highlight(text, lexer, HtmlFormatter(nowrap=True)).split("\n")
    lines = tuple(
        Line(number, html, " ".join(source.nodes.get(number, ())))
        for number, html in enumerate(coloured[: len(source.lines)], source.start)
    )
    return Listing(program, source.path, lines)
