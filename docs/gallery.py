"""The page of the gallery: known programs with figure, densities and what each graph states.

Everything but the words that introduce a program is read off its run; ``conf.py`` writes it
into ``gallery.md`` as the page is read. The programs lie in the folder ``gallery``, each with
``model``, maybe ``guide``, and ``inputs``.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pyro

from ccvae.inspection import Graph, Inspection, inspect_pair
from ccvae.inspection.asking.blankets import variables
from ccvae.inspection.asking.independence import Independence
from ccvae.inspection.asking.unroll import select
from ccvae.inspection.notebook.page import shown
from ccvae.inspection.notebook.show import densities_html, figure_html
from ccvae.inspection.writing.mathml import MATHML

FOLDER = Path(__file__).parent / "gallery"

GROUPS = {
    "Lines and tables": (
        "linear_regression",
        "eight_schools",
        "change_point",
        "item_response",
        "matrix_factorisation",
    ),
    "Hidden classes and codes": ("naive_bayes", "mixture", "factor_analysis", "lda"),
    "Time": ("hmm", "kalman"),
    "Causes": ("alarm", "front_door", "instrument", "collider"),
    "Autoencoders": ("vae", "m2", "diva", "ccvae", "scanvi"),
}
"""The programs by name, in the order of the page."""

STEPS = 3
"""Steps of a loop that statements are shown of; those of later ones are alike."""

CELLS = "[1]", "[2]"
"""What is written behind a variable that two cells of a plate hold."""


class Portrait(NamedTuple):
    """A program of the gallery, and what was seen in its run."""

    name: str
    program: ModuleType
    found: Inspection

    @property
    def title(self) -> str:
        """The first line of the program's docstring."""
        return (self.program.__doc__ or "").partition("\n")[0].rstrip(".")

    @property
    def text(self) -> str:
        """What its docstring says besides."""
        return (self.program.__doc__ or "").partition("\n")[2].strip()


def portrait(name: str) -> Portrait:
    """A program by its name, inspected.

    Raises:
        ValueError: where the program fails.
    """
    spec = importlib.util.spec_from_file_location(f"gallery_{name}", FOLDER / f"{name}.py")
    program = importlib.util.module_from_spec(spec)
    pyro.set_rng_seed(0)
    spec.loader.exec_module(program)
    guide = getattr(program, "guide", None)
    return Portrait(name, program, inspect_pair(program.model, guide, *program.inputs()))


def page() -> str:
    """All portraits, as Markdown."""
    parts = []
    for group, names in GROUPS.items():
        parts += [f"## {group}", *(section(portrait(name)) for name in names)]
    return "\n\n".join(parts) + "\n"


def section(of: Portrait) -> str:
    """One portrait: words, figure, densities, statements, and the program."""
    graph = of.found.graph
    box = shown(figure_html(graph), densities_html(graph), statements_html(graph))
    return f"""\
### {of.title}

{of.text}

{raw(box)}

{raw("<details><summary>The program</summary>")}

```{{literalinclude}} gallery/{of.name}.py
:language: python
```

{raw("</details>")}"""


def raw(html: str) -> str:
    """HTML that passes through Markdown as it is."""
    return f"```{{raw}} html\n{html}\n```"


def statements_html(graph: Graph) -> str:
    """What the graph states, in lines with headings."""
    pairs, cells = [], {}
    for answer in early(graph, independences(graph)):
        plates = [*select(graph, answer.first[0]).at]
        own = cells.setdefault(plates[0], []) if plates else pairs
        own.append(answer)
    lines = {"independent": [written(graph, answer) for answer in pairs]}
    for plate, answers in cells.items():
        lines[f"two cells of {plate}"] = [written(graph, answer) for answer in answers]
    lines["tied by what is seen"] = [written(graph, a) for a in early(graph, explained(graph))]
    return "".join(
        f'<div class="side">{heading}</div><div class="formula">{enumerated(statements)}</div>'
        for heading, statements in lines.items()
        if statements
    ) + left_out(graph)


def enumerated(statements: Sequence[str]) -> str:
    """Statements with commas, between which a line may end, and not before a comma."""
    kept = [f"{each}," for each in statements[:-1]] + [*statements[-1:]]
    return "&emsp; ".join(f'<span style="white-space: nowrap">{each}</span>' for each in kept)


def left_out(graph: Graph) -> str:
    """A sentence about the steps whose statements are not shown; none where all are."""
    late = max((len(series.nodes) for series in graph.series), default=0)
    if late <= STEPS:
        return ""
    steps = " and ".join(map(str, range(STEPS + 1, late + 1)))
    return (
        f'<div class="side">Statements about the times {steps} are left out: they are like those '
        f"about the times before. What is seen is given at all {late} times.</div>"
    )


def independences(graph: Graph) -> list[Independence]:
    """The pairs that the graph says are independent, given the fewest that separate them."""
    return [answer for answer in graph.independences() if answer]


def early(graph: Graph, answers: Iterable[Independence]) -> Iterator[Independence]:
    """Those answers that are about no step of a loop after the third."""
    late = {node for series in graph.series for node in series.nodes[STEPS:]}
    for answer in answers:
        names = {select(graph, text).name for text in (*answer.first, *answer.second)}
        if not late & names:
            yield answer


def explained(graph: Graph) -> Iterator[Independence]:
    """Pairs that are independent of each other, and not once the data are given."""
    data = [node.name for node in graph.nodes.values() if node.role == "observed"]
    hidden = [name for name in variables(graph) if name not in data]
    for pair in itertools.combinations(hidden, 2):
        answer = graph.independent(*pair, given=data)
        if not answer and graph.independent(*pair):
            yield answer


def written(graph: Graph, answer: Independence) -> str:
    """A statement as MathML; two cells of one variable are numbered."""
    first, second = (symbol(graph, names) for names in (answer.first, answer.second))
    if select(graph, answer.first[0]).at:
        first, second = (s + MATHML.plain(c) for s, c in zip((first, second), CELLS, strict=True))
    sign = MATHML.plain("⊥") if answer else "<mo>⊥̸</mo>"
    known = MATHML.plain(" | ") + symbol(graph, answer.given) if answer.given else ""
    return MATHML.math(f"{first}{sign}{second}{known}")


def symbol(graph: Graph, names: Sequence[str]) -> str:
    """Variables, whatever cells of them are meant."""
    return MATHML.plain(",").join(MATHML.symbol(select(graph, name).name) for name in names)
