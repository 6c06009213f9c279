"""What shows itself in a notebook: inspections, graphs and objectives, on light and dark pages.

The outputs are HTML with the figure as SVG and formulas as MathML: they need neither graphviz nor
a script, and keep their look wherever the notebook is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

from .drawing import Drawing
from .factorisation import factorisation
from .formulas import Formula
from .graph import Graph
from .layout import lay_out
from .legend import Entry, entries
from .mathml import broken, mathml, terms
from .notation import LATEX
from .svg import drawn_svg
from .table import HEADINGS, SiteTable
from .theme import SHOWN, figure_style, page_style

if TYPE_CHECKING:
    from .inspection import Inspection

BUTTON = ' tabindex="0" role="button" aria-pressed="false"'
"""What the page of the suite needs of a node; a notebook has nothing to press."""

SIDES = {"p": "model", "q": "guide"}


def graph_svg(graph: Graph) -> str:
    """A figure that stands alone, in the colours that the reader's system asks for."""
    figure = _still(lay_out(graph.folded()))
    start = figure.index(">") + 1
    opened = figure[:start].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return f"{opened}{figure_style()}{figure[start:]}"


def graph_html(graph: Graph) -> str:
    """A graph as a notebook shows it: its figure, a legend, and the densities."""
    return shown(figure_html(graph), densities_html(graph))


def graph_latex(graph: Graph) -> str:
    """The densities as a block of LaTeX."""
    return block(density["latex"] for density in factorisation(graph.folded()).values())


def inspection_html(found: Inspection) -> str:
    """An inspection as a notebook shows it: figure, densities, objective, sites, problems."""
    formula = found.formula
    return shown(
        f"<h4>{escape(found.name)}</h4>" if found.name else "",
        figure_html(found.graph),
        densities_html(found.graph),
        objective_html({"objective": formula}) if formula else "",
        table_html(SiteTable(found.model, found.guide)),
        *(f'<p class="note">{escape(note)}</p>' for note in found.notes),
        *(f'<p class="note problem">{escape(problem)}</p>' for problem in found.problems),
    )


def inspection_latex(found: Inspection) -> str:
    """The densities, and the objective where there is one, as a block of LaTeX."""
    densities = [d["latex"] for d in factorisation(found.shown()).values()]
    return block([*densities, found.formula.write(LATEX) if found.formula else ""])


def figure_html(graph: Graph, sides: str = "pq") -> str:
    """The plate diagram with its legend."""
    drawing = lay_out(graph.folded(), sides)
    lines = "".join(_legend(entry) for entry in entries([drawing]))
    legend = f'<ul class="legend">{lines}</ul>' if lines else ""
    return f'<div class="figure">{_still(drawing)}</div>{legend}'


def _still(drawing: Drawing) -> str:
    return drawn_svg(drawing).replace(BUTTON, ' role="img"')


def _legend(entry: Entry) -> str:
    words = re.sub(r"\$(.+?)\$", lambda match: mathml(match[1]), entry.words)
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
    return f"<li>{picture}<span>{words}</span></li>"


def densities_html(graph: Graph) -> str:
    """The densities of model and guide."""
    parts = [
        f'<div class="side">{program}</div>'
        f'<div class="formula">{_lines(density["latex"], density["unicode"])}</div>'
        for program, density in factorisation(graph.folded()).items()
        if density["latex"]
    ]
    return "".join(parts)


def _lines(latex: str, plain: str) -> str:
    """A formula as MathML; in signs where it holds what MathML is not written for."""
    try:
        return " ".join(broken(latex))
    except ValueError:
        return escape(plain)


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


def text_html(text: str) -> str:
    """Lines of text as a notebook shows them."""
    return shown(f"<pre>{escape(text)}</pre>")


def shown(*parts: str) -> str:
    """An output of several parts with its style."""
    return f'{page_style()}<div class="{SHOWN}">{"".join(parts)}</div>'


def block(formulas: Iterable[str]) -> str:
    """Displayed formulas below each other, aligned at the left."""
    lines = [formula for formula in formulas if formula]
    return "$$\\begin{array}{l}" + r" \\ ".join(lines) + "\\end{array}$$" if lines else ""
