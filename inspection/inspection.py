"""Everything that can be read off a model and a guide by running them."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import pyro
import torch
from pyro.infer import ELBO

from ..inference import Draw, Objective, check_pair
from ..inference.checks.untouched import untouched
from .graph import Graph, build_graph
from .notebook.page import block, shown
from .recording.arguments import Program
from .recording.examining import examined, sealed
from .recording.runner import Runner
from .recording.sites import Record
from .writing.factorisation import factorisation
from .writing.formulas import Formula, present
from .writing.notation import LATEX, UNICODE, paragraph
from .writing.statements import statements_text
from .writing.table import SiteTable, graph_to_json


@dataclass(frozen=True, repr=False)
class Inspection:
    """What a run of both programs shows.

    Attributes:
        name: what was inspected, for headings.
        programs: the model and the guide themselves.
        model, guide: the sites of both programs.
        graph: the graphical model that they state.
        formula: the objective on the batch, where one was given that can name its terms.
        arguments: what the programs were called with, by position and by keyword.
        checks: what the checks of the pair refuse.
    """

    name: str
    programs: tuple[Program, Program | None]
    model: Record
    guide: Record
    graph: Graph
    formula: Formula | None
    arguments: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
    checks: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the programs, one sentence each; nothing where they are right."""
        return tuple(dict.fromkeys([*self.model.problems, *self.guide.problems, *self.checks]))

    @property
    def notes(self) -> tuple[str, ...]:
        """Where the two ways to find edges differ, and what neither can know."""
        notes = [*self.model.notes, *self.guide.notes]
        if read := sorted({*self.model.read, *self.guide.read}):
            notes.append(
                f"Read as Python numbers: {', '.join(read)}. What depends on them was found by "
                "drawing them anew; a branch that no draw took is not shown."
            )
        if not self.graph.nodes:
            notes.append(NOTHING)
        return tuple(dict.fromkeys(notes))

    def shown(self, few: int | None = None) -> Graph:
        """The graph as it is drawn and written: loops of many steps as one template.

        Args:
            few: steps up to which every one is shown; 1 folds every loop.
        """
        return self.graph.folded() if few is None else self.graph.folded(few)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        written = {"latex": LATEX, "unicode": UNICODE}
        table = SiteTable(self.model, self.guide)
        return {
            "name": self.name,
            "sites": table.to_json(),
            "sizes": table.sizes(),
            "graph": graph_to_json(self.graph),
            "factorisation": factorisation(self.shown()),
            "notes": list(self.notes),
            "problems": list(self.problems),
            "objective": self.formula
            and {
                "terms": list(self.formula.terms),
                **{key: self.formula.write(notation) for key, notation in written.items()},
            },
        }

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        # As in Graph: the commands do not wait for what draws.
        from .notebook.show import densities_html, figure_html, objective_html, table_html

        return shown(
            f"<h4>{escape(self.name)}</h4>" if self.name else "",
            figure_html(self.graph),
            densities_html(self.graph),
            objective_html({"objective": self.formula}) if self.formula else "",
            table_html(SiteTable(self.model, self.guide)),
            *(f'<p class="note">{escape(note)}</p>' for note in self.notes),
            *(f'<p class="note problem">{escape(problem)}</p>' for problem in self.problems),
        )

    def _repr_svg_(self) -> str:
        return self.graph._repr_svg_()

    def _repr_latex_(self) -> str:
        densities = [density["latex"] for density in factorisation(self.shown()).values()]
        return block([*densities, self.formula.write(LATEX) if self.formula else ""])

    def to_text(self, *, distributions: bool = False) -> str:
        """All of it for people.

        Args:
            distributions: below the densities, each variable's distribution in a line of its own.
        """
        densities = factorisation(self.shown())
        parts = [self.name] if self.name else []
        lines = [
            paragraph(program, density["unicode"])
            for program, density in densities.items()
            if density["unicode"]
        ]
        if self.formula:
            lines.append(paragraph("objective", self.formula.write(), solid=True))
        parts.append("\n".join(lines))
        parts += [statements_text(self.shown())] if distributions else []
        table = SiteTable(self.model, self.guide, self.shown())
        parts += [table.to_text()] if table.rows() else []
        parts += [paragraph("note", note) for note in self.notes]
        parts += [paragraph("problem", problem) for problem in self.problems]
        return "\n\n".join(filter(None, parts))


def inspect_pair(
    model: Program,
    guide: Program | None = None,
    *args: Any,
    objective: ELBO | None = None,
    name: str = "",
    deterministic: bool = False,
    **kwargs: Any,
) -> Inspection:
    """Run a model and its guide and read off what they are.

    Nothing of the programs is changed by it, nor Pyro's parameter store, nor the random state.
    What :func:`~ccvae.inference.check_pair` would refuse is among the problems.

    With an objective both run once more, for its terms: its draw sums over labels, in dimensions of
    their own that no reader is to be shown. That takes 16 ms for CC-VAE and 59 for M2 on one core,
    beside 1.5 s of importing torch, Pyro and this package.

    Args:
        model, guide: Pyro programs, of the suite or of anybody; None for a model without a guide.
        args, kwargs: what both are called with.
        objective: where one of the suite's is given, the guide is shown as it runs it: under
            CC-VAE's objective, for one, z_c depends on the observed labels.
        name: for headings.
        deterministic: draw ``pyro.deterministic`` and what a reparameterisation computes as nodes;
            by default edges go through them.

    Raises:
        ValueError: where a program fails, with its file and line, or the objective does not fit.
    """
    return inspected(
        model, guide, args, kwargs, objective=objective, name=name, deterministic=deterministic
    )


def inspected(
    model: Program,
    guide: Program | None,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    objective: ELBO | None = None,
    name: str = "",
    deterministic: bool = False,
) -> Inspection:
    """As :func:`inspect_pair`, for programs whose keywords may have any names, ``name`` itself."""
    args, kwargs = tuple(args), dict(kwargs)
    runner = Runner(model, args, kwargs, name="model")
    try:
        model_sites = examined(runner, deterministic=deterministic)
    except ValueError as error:
        if guide is None or not isinstance(error.__cause__, KeyError):
            raise
        # In training the guide runs first, and may state parameters that the model takes by name.
        with sealed(model, guide):
            Runner(guide, args, kwargs, name="guide", like=runner).run()
            model_sites = examined(runner, deterministic=deterministic)
    guide_sites, terms = NO_GUIDE, None
    checks: tuple[str, ...] = ()
    if guide is not None and isinstance(objective, Objective):
        with untouched(model, guide), torch.no_grad(), pyro.validation_enabled(False):
            draw = objective.draw(model, guide, *args, **kwargs)
            terms = objective.formula(draw)
        prepared = Runner(objective.prepare(guide), args, kwargs, name="guide", like=runner)
        guide_sites = as_read(examined(prepared, deterministic=deterministic), draw)
    elif guide is not None:
        guides = Runner(guide, args, kwargs, name="guide", like=runner)
        guide_sites = examined(guides, deterministic=deterministic)
        checks = problems_of(model, guide, args, kwargs, objective)
    graph = build_graph(model_sites, guide_sites)
    formula = None if terms is None else Formula(present(terms, graph), graph)
    programs, called = (model, guide), (args, kwargs)
    return Inspection(name, programs, model_sites, guide_sites, graph, formula, called, checks)


NO_GUIDE = Record({}, ())

NOTHING = (
    "No sites: what was run has no pyro.sample statement that is drawn, and so there is nothing to "
    "draw; pyro.deterministic alone is drawn on request."
)


def problems_of(
    model: Program,
    guide: Program,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    objective: ELBO | None,
) -> tuple[str, ...]:
    """What the checks say of a pair; nothing where it is right."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            check_pair(model, guide, *args, objective=objective, **kwargs)
    except ValueError as error:
        return (" ".join(str(error).split()),)
    return ()


def as_read(guide: Record, draw: Draw) -> Record:
    """The guide's sites that an objective reads, with those marked that it sums over."""
    sites = {
        name: replace(site, enumerated="_enumerate_dim" in draw.guide[name]["infer"])
        for name, site in guide.sites.items()
        if ("q", name) not in draw.ignored
    }
    return replace(guide, sites=sites)
