"""An objective as a notebook shows it: its formula on rows with all labels and with none."""

from __future__ import annotations

import inspect
from html import escape
from typing import Any

from ..config import Config
from ..data.spec import load
from ..inference import Objective
from ..inference.catalogue import PROGRAMS, build_pair
from .example import FACES, LABELS, example_batch
from .formulas import Formula
from .inspection import inspect_pair
from .notation import LATEX
from .show import block, objective_html, shown

PATTERNS = {"all": "rows with all labels", "none": "rows without labels"}
"""The two sides of the poster's Table 1."""


def program_of(objective: Objective) -> str:
    """The suite's program that an objective, or what it extends, is of; ``""`` for none."""
    for kind in type(objective).__mro__:
        for program, known in PROGRAMS.items():
            if kind in known.values():
                return program
    return ""


def formulas_of(objective: Objective) -> dict[str, Formula]:
    """An objective's formulas, on a few faces; none where its program is not the suite's.

    Where both sides are one, as without labels they are, there is one.
    """
    program = program_of(objective)
    if not program:
        return {}
    dataset = load(FACES, LABELS)
    config = Config(program=program, network="mlp", style=2)
    pair = build_pair(config, dataset.space, dataset.shape, None, dataset.domain_count)
    found: dict[str, Formula] = {}
    for labels, heading in PATTERNS.items():
        batch = example_batch(dataset, labels)
        kwargs: dict[str, Any] = {**batch.kwargs, "objective": objective}
        formula = inspect_pair(*pair, *batch.args, **kwargs).formula
        if formula is not None and formula.terms not in [f.terms for f in found.values()]:
            found[heading] = formula
    if len(found) == 1:
        return dict(zip(["maximised"], found.values(), strict=True))
    return found


def objective_page(objective: Objective) -> str:
    """An objective for a notebook."""
    name = f"<h4>{escape(type(objective).__name__)}</h4>"
    summary = (inspect.getdoc(type(objective)) or "").partition("\n\n")[0]
    note = f'<p class="note">{escape(summary)}</p>' if summary else ""
    formulas = formulas_of(objective)
    if not formulas:
        note += (
            '<p class="note">Its formula is shown with its programs: '
            "inspect_pair(model, guide, …, objective=this).</p>"
        )
    return shown(name, note, objective_html(formulas))


def objective_latex(objective: Objective) -> str | None:
    """An objective's formulas as a block of LaTeX, or None where they are not known."""
    formulas = formulas_of(objective)
    return block(formula.write(LATEX) for formula in formulas.values()) or None
