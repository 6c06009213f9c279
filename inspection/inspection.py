"""Everything that can be read off a model and a guide by running them once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pyro
import torch
from pyro.infer import ELBO

from ..inference import Draw, Objective
from ..inference.untouched import untouched
from .factorisation import factorisation
from .formulas import Formula, present
from .building import build_graph
from .graph import Graph
from .notation import LATEX, UNICODE, paragraph
from .recording import record
from .sites import Record
from .table import SiteTable, graph_to_json

Program = Callable[..., Any]


@dataclass(frozen=True)
class Inspection:
    """What a run of both programs shows.

    Attributes:
        name: what was inspected, for headings.
        programs: the model and the guide themselves.
        model, guide: the sites of both programs.
        graph: the graphical model that they state.
        formula: the objective on the batch, where one was given that can name its terms.
        arguments: what the programs were called with, by position and by keyword.
    """

    name: str
    programs: tuple[Program, Program]
    model: Record
    guide: Record
    graph: Graph
    formula: Formula | None
    arguments: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        written = {"latex": LATEX, "unicode": UNICODE}
        table = SiteTable(self.model, self.guide)
        return {
            "name": self.name,
            "sites": table.to_json(),
            "sizes": table.sizes(),
            "graph": graph_to_json(self.graph),
            "factorisation": factorisation(self.graph),
            "objective": self.formula
            and {
                "terms": list(self.formula.terms),
                **{key: self.formula.write(notation) for key, notation in written.items()},
            },
        }

    def to_text(self) -> str:
        """All of it for people."""
        densities = factorisation(self.graph)
        parts = [self.name] if self.name else []
        lines = [
            paragraph("model", densities["model"]["unicode"]),
            paragraph("guide", densities["guide"]["unicode"]),
        ]
        if self.formula:
            lines.append(paragraph("objective", self.formula.write(), solid=True))
        parts.append("\n".join(lines))
        parts.append(SiteTable(self.model, self.guide).to_text())
        read = sorted({*self.model.read, *self.guide.read})
        if read:
            parts.append(
                f"Read as Python numbers: {', '.join(read)}. What depends on them only in this way "
                "is not shown."
            )
        return "\n\n".join(parts)


def inspect_pair(
    model: Program,
    guide: Program,
    *args: Any,
    objective: ELBO | None = None,
    name: str = "",
    **kwargs: Any,
) -> Inspection:
    """Run a model and its guide once and read off what they are.

    Nothing of the programs is changed by it, nor Pyro's parameter store, nor the random state.

    Args:
        model, guide: Pyro programs, of the suite or of anybody.
        args, kwargs: what both are called with.
        objective: where one of the suite's is given, the guide is shown as it runs it: under
            CC-VAE's objective, for one, z_c depends on the observed labels.
        name: for headings.

    Raises:
        ValueError: where the objective does not fit the pair.
    """
    model_sites = record(model, *args, **kwargs)
    if not isinstance(objective, Objective):
        guide_sites = record(guide, *args, **kwargs)
        graph = build_graph(model_sites, guide_sites)
        return Inspection(
            name, (model, guide), model_sites, guide_sites, graph, None, (args, kwargs)
        )
    with untouched(model, guide), torch.no_grad(), pyro.validation_enabled(False):
        draw = objective.draw(model, guide, *args, **kwargs)
        terms = objective.formula(draw)
    guide_sites = as_read(record(objective.prepare(guide), *args, **kwargs), draw)
    graph = build_graph(model_sites, guide_sites)
    formula = Formula(present(terms, graph), graph)
    return Inspection(
        name, (model, guide), model_sites, guide_sites, graph, formula, (args, kwargs)
    )


def as_read(guide: Record, draw: Draw) -> Record:
    """The guide's sites that an objective reads, with those marked that it sums over."""
    sites = {
        name: replace(site, enumerated="_enumerate_dim" in draw.guide[name]["infer"])
        for name, site in guide.sites.items()
        if ("q", name) not in draw.ignored
    }
    return replace(guide, sites=sites)
