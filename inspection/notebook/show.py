"""What shows itself in a notebook: inspections, graphs and objectives, on light and dark pages.

The outputs are HTML with the figure as SVG and formulas as MathML: they need neither graphviz nor
a script, and keep their look wherever the notebook is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ..drawing.layout import lay_out
from ..drawing.legend import Entry, entries, sentences
from ..drawing.shapes import Drawing
from ..drawing.svg import drawn_svg
from ..graphs.folding import folded
from ..graphs.structure import Structure
from ..writing.factorisation import factorisation
from ..writing.formulas import Formula
from ..writing.mathml import MATHML, densities_of, terms
from ..writing.table import HEADINGS, SiteTable
from .page import block, shown
from .theme import figure_style

BUTTON = ' tabindex="0" role="button" aria-pressed="false"'
"""What the page of the suite needs of a node; a notebook has nothing to press."""

SIDES = {"p": "model", "q": "guide"}


def graph_svg(graph: Structure) -> str:
    """A figure that stands alone, in the colours that the reader's system asks for."""
    figure = _still(lay_out(folded(graph)))
    start = figure.index(">") + 1
    opened = figure[:start].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return f"{opened}{figure_style()}{figure[start:]}"


def graph_html(graph: Structure) -> str:
    """A graph as a notebook shows it: its figure, a legend, and the densities."""
    return shown(figure_html(graph), densities_html(graph))


def graph_latex(graph: Structure) -> str:
    """The densities as a block of LaTeX."""
    return block(density["latex"] for density in factorisation(folded(graph)).values())


def figure_html(graph: Structure, sides: str = "pq") -> str:
    """The plate diagram with its legend."""
    drawing = lay_out(folded(graph), sides)
    lines = "".join(_legend(entry) for entry in entries([drawing], MATHML))
    legend = f'<ul class="legend">{lines}</ul>' if lines else ""
    said = "".join(f'<p class="note">{line}</p>' for line in sentences(graph, MATHML))
    return f'<div class="figure">{_still(drawing)}</div>{legend}{said}'


def _still(drawing: Drawing) -> str:
    return drawn_svg(drawing).replace(BUTTON, ' role="img"')


def _legend(entry: Entry) -> str:
    what = entry.what.replace(" ", "-")
    if entry.is_line:
        inside = f'<g class="arrow {what}"><path d="M2 8H38"></path></g>'
    else:
        half = '<path class="shade" d="M20 1.6 A6.4 6.4 0 0 0 20 14.4 Z"></path>'
        inside = (
            f'<g class="node {what}"><circle class="body" cx="20" cy="8" r="6.4"></circle>'
            f"{half if entry.what == 'partly observed' else ''}"
            '<circle class="outline" cx="20" cy="8" r="6.4"></circle></g>'
        )
    picture = f'<svg class="plates" width="40" height="16" aria-hidden="true">{inside}</svg>'
    return f"<li>{picture}<span>{entry.words}</span></li>"


def densities_html(graph: Structure) -> str:
    """The densities of model and guide."""
    parts = [
        f'<div class="side">{program}</div><div class="formula">{density}</div>'
        for program, density in densities_of(folded(graph)).items()
        if density
    ]
    return "".join(parts)


def objective_html(formulas: Mapping[str, Formula]) -> str:
    """Formulas, each below its heading."""
    return "".join(
        f'<div class="side">{escape(heading)}</div><div class="formula">'
        f"{' '.join(piece for _, piece in terms(formula))}</div>"
        for heading, formula in formulas.items()
    )


def table_html(table: SiteTable) -> str:
    """The sites of both programs, and their sizes."""
    head = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows()
    )
    sizes = ", ".join(f"{name} = {size}" for name, size in table.sizes().items())
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f'</div><p class="note">{escape(sizes)}</p>'
    )
