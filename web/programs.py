"""The room of programs: what an inspection found, ready to be written into the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

from ..config import Config
from ..inference.catalogue import ENTRIES, PROGRAMS
from ..inspection import Graph, Inspection
from ..inspection.drawing.svg import svg
from ..inspection.drawing.tikz import tikz
from ..inspection.example import PATTERNS, inspect_program
from ..inspection.graphs.source import Source, node_of, read_source
from ..inspection.writing.factorisation import factorisation
from ..inspection.writing.mathml import densities_of, terms
from ..inspection.writing.notation import LATEX
from ..loading import choose
from .called import symbols, written

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
        latex: densities and objective as LaTeX, by what they are of. tikz: the figure.
        sites: rows of the table; sizes: its symbols with their values.
        listings: of the model and of the guide, as far as they have a source.
        arrows: the kinds of arrows in the figure.
        notes, problems: what the inspection says of the pair.
        lacks: the guide beside the inverse of its model, a line each, where that was asked for.
        variables: sites of the figure. symbols: how it writes those that it calls otherwise.
    """

    program: str
    objective: str
    labels: str
    figure: str
    densities: dict[str, list[str]]
    objective_terms: list[str]
    latex: dict[str, str]
    tikz: str
    sites: list[dict[str, str]]
    sizes: dict[str, int]
    listings: tuple[Listing, ...]
    arrows: tuple[str, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    symbols: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """What its variables are called, as the figure writes them."""
        return [self.symbols.get(name, name) for name in self.variables]

    def latex_text(self) -> str:
        """Densities and objective for a LaTeX document, each under a comment."""
        parts = [f"% {name}\n\\[\n{formula}\n\\]\n" for name, formula in self.latex.items()]
        return "\n".join(parts)


class Shown(NamedTuple):
    """A view, and the graph that it is of: as it can be asked, and as it is drawn."""

    view: View
    graph: Graph
    drawn: Graph

    def with_lacks(self) -> Shown:
        """The same with what the guide lacks of the posterior: in words, and in the figure."""
        inverse = self.graph.inverse()
        drawn = inverse.added_to(self.graph).folded()
        text = written(inverse.to_text(), self.view.symbols)
        lines = tuple(line.strip() for line in text.split("\n"))
        view = replace(
            self.view, figure=svg(drawn), tikz=tikz(drawn), lacks=lines, arrows=_kinds(drawn)
        )
        return Shown(view, self.graph, drawn)


@lru_cache(maxsize=64)
def suite(program: str, objective: str, labels: str) -> Shown:
    """A program of the suite under one of its objectives, on rows with a pattern of known labels.

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
    return shown(inspect_program(config, labels), program, objective, labels)


def shown(found: Inspection, program: str, objective: str, labels: str) -> Shown:
    """What the room shows of an inspection; the names are for the page's choices."""
    document, drawn = found.to_json(), found.shown()
    densities = {name: written["latex"] for name, written in factorisation(drawn).items()}
    latex = {**densities, "objective": found.formula.write(LATEX) if found.formula else ""}
    view = View(
        program,
        objective,
        labels,
        svg(drawn),
        {name: [density] for name, density in densities_of(drawn).items() if density},
        [piece for _, piece in terms(found.formula)] if found.formula else [],
        {name: formula for name, formula in latex.items() if formula},
        tikz(drawn),
        [
            _row(name, site, found.graph)
            for name, rows in document["sites"].items()
            for site in rows
        ],
        document["sizes"],
        tuple(_listings(found)),
        _kinds(drawn),
        found.notes,
        found.problems,
        variables=tuple(drawn.nodes),
        symbols=symbols([*drawn.nodes, *found.graph.nodes]),
    )
    return Shown(view, found.graph, drawn)


def _kinds(graph: Graph) -> tuple[str, ...]:
    return tuple(dict.fromkeys(graph.kind(edge) for edge in sorted(graph.edges)))


def _row(program: str, site: Mapping[str, list[str] | str], graph: Graph) -> dict[str, str]:
    name = str(site["name"])
    return {
        "program": program,
        "site": name,
        "node": node_of(name, graph) or "",
        "role": str(site["role"]),
        "distribution": str(site["distribution"]),
        "plates": ", ".join(site["plates"]),
        "batch": "×".join(site["batch_sizes"]),
        "event": "×".join(site["event_sizes"]) or "1",
        "parents": ", ".join(site["parents"]),
    }


def _listings(found: Inspection) -> list[Listing]:
    listings = []
    for name, part, record in zip(
        ("model", "guide"), found.programs, (found.model, found.guide), strict=True
    ):
        try:
            source = None if part is None else read_source(part, record, found.graph)
        except ValueError:  # made by a call, or written in another language
            continue
        if source is not None:
            listings.append(_listing(name, source))
    return listings


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
