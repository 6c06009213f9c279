"""The sites of two programs as a table for people and as plain data."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console
from rich.table import Table

from ..graphs.structure import Structure
from ..graphs.variables import Variables
from ..recording.sites import Record, Site
from .factorisation import Writer
from .notation import EVENTS, LABELS, UNICODE

PROGRAMS = ("model", "guide")

HEADINGS = (
    "",
    "site",
    "role",
    "distribution",
    "plates",
    "batch",
    "event",
    "depends on",
    "parameters of",
)


class SiteTable:
    """The sites of a model and a guide, with names for their sizes.

    Args:
        model, guide: the sites.
        shown: the graph with its loops folded, of which one step has a row; every site by default.
    """

    def __init__(self, model: Record, guide: Record, shown: Structure | None = None) -> None:
        self.records = {"model": model, "guide": guide}
        self.steps = steps_of(shown) if shown else {}
        self.shown = shown
        self.variables = Variables(model)
        self.plates = {
            plate.name: plate
            for record in self.records.values()
            for site in record.sites.values()
            for plate in site.plates
        }

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        """Every site of both programs as plain data."""
        return {
            program: [self._document(program, site) for site in record.sites.values()]
            for program, record in self.records.items()
        }

    def to_text(self) -> str:
        """A line for every variable of the model and every site of the guide; sizes below."""
        table = Table(box=None, pad_edge=False, header_style="")
        for heading in HEADINGS:
            table.add_column(heading, no_wrap=True)
        for row in self.rows():
            table.add_row(*row)
        sizes = ", ".join(f"{name} = {size}" for name, size in self.sizes().items())
        return _render(table) + (f"\n\n{sizes}" if sizes else "")

    def rows(self) -> list[tuple[str, ...]]:
        """A row for every variable of the model and every site of the guide; see ``HEADINGS``."""
        rows = []
        for program, record in self.records.items():
            shown = [
                site
                for site in record.sites.values()
                if not self._is_second_half(program, site)
                and self.steps.get(self.variables.of(site.name), "t")
            ]
            rows += [self._row(program if not p else "", program, s) for p, s in enumerate(shown)]
        return rows

    def _row(self, heading: str, program: str, site: Site) -> tuple[str, ...]:
        return (
            heading,
            self.steps.get(variable := self.variables.of(site.name))
            or (variable if program == "model" else site.name),
            self.role(program, site),
            site.distribution,
            ", ".join(plate.name for plate in site.plates),
            "×".join(self.batch_sizes(site)),
            "×".join(self.event_sizes(site)) or "1",
            ", ".join(self._given(program, site)),
            ", ".join(site.networks),
        )

    def _given(self, program: str, site: Site) -> list[str]:
        """What a site depends on, of a step that stands for all in the notation of time."""
        variable = self.variables.of(site.name)
        if self.shown is None or variable not in self.steps:
            return self.depends(site)
        writer = Writer(self.shown, UNICODE, "pq"[PROGRAMS.index(program)])
        name = next(s for s, node in self.shown.nodes.items() if variable in node.steps)
        edges = self.shown.parents(name, writer.side)
        return [writer.reference(edge, ()) for edge in edges if edge.at != "first"]

    def role(self, program: str, site: Site) -> str:
        """What a site is in its program, in a few words."""
        if site.distribution == "Unit":
            return "factor"
        if site.deterministic:
            return "determined"
        if program == "model" and self.variables.of(site.name) != site.name:
            other = self.records["model"].sites[f"{self.variables.of(site.name)}_observed"]
            kinds = {"always": "observed", "somewhere": "observed where known", "nowhere": "latent"}
            return kinds[other.counts]
        if site.counts == "nowhere":
            return "in no row"
        kind = "observed" if site.observed else "enumerated" if site.enumerated else "latent"
        return kind if site.counts == "always" else f"{kind} where missing"

    def depends(self, site: Site) -> list[str]:
        """The variables that a site's distribution depends on, in the order of the model."""
        found = {name for name, _ in self.variables.parents(site)}
        order = [self.variables.of(name) for name in self.records["model"].sites]
        return sorted(found, key=lambda name: (order.index(name) if name in order else -1, name))

    def batch_sizes(self, site: Site) -> list[str]:
        """The batch shape in symbols; a plain number where no plate has the dimension."""
        sizes = [str(size) for size in site.batch_shape]
        for plate in site.plates:
            if plate.dim is not None and -plate.dim <= len(sizes) and sizes[plate.dim] != "1":
                sizes[plate.dim] = self.symbol(plate.name)
        return sizes

    def event_sizes(self, site: Site) -> list[str]:
        """The event shape as ``S=27``, in the contract's symbols where the site is of it."""
        names = EVENTS.get(self._base(site), ())
        ordered = (f"{LABELS}_ordinal", f"{LABELS}_real")  # whose block is a line
        if names and any(plate.name.startswith(ordered) for plate in site.plates):
            names = ("D",)
        if len(names) != len(site.event_shape):
            several = len(site.event_shape) > 1
            names = tuple(f"D_{i + 1}" if several else "D" for i in range(len(site.event_shape)))
        return [f"{name}={size}" for name, size in zip(names, site.event_shape, strict=True)]

    def symbol(self, plate: str) -> str:
        """The size of a plate: L, or L_2, L_5 … where there are several kinds of labels."""
        if self.plates[plate].size < self.plates[plate].full_size:
            return "B" if plate == "data" else f"B_{plate}"
        kinds = [name for name in self.plates if _is_labels(name)]
        if plate in kinds and len(kinds) > 1:
            return f"L_{plate.removeprefix(LABELS).removeprefix('_') or 2}"
        return UNICODE.plate(plate)

    def sizes(self) -> dict[str, int]:
        """Every size by its symbol, and the lengths of loops."""
        sizes = self._plate_sizes()
        if self.shown is not None:
            writer = Writer(self.shown, UNICODE, "p")
            sizes |= {writer.length(chain): chain.length for chain in self.shown.chains}
        return sizes

    def _plate_sizes(self) -> dict[str, int]:
        sizes = {self.symbol(name): plate.size for name, plate in self.plates.items()}
        for name, plate in self.plates.items():
            if plate.size < plate.full_size:
                sizes[UNICODE.plate(name)] = plate.full_size
        kinds = [name for name in self.plates if _is_labels(name)]
        if len(kinds) > 1:
            total = " + ".join(self.symbol(name) for name in kinds)
            sizes[f"L = {total}"] = sum(self.plates[name].size for name in kinds)
        return sizes

    def _base(self, site: Site) -> str:
        """A site's variable without the suffix of the kind of labels in whose plate it lies."""
        kinds = [plate.name.removeprefix(LABELS) for plate in site.plates if _is_labels(plate.name)]
        name = self.variables.of(site.name)
        return name.removesuffix(kinds[0]) if kinds else name

    def _is_second_half(self, program: str, site: Site) -> bool:
        whole = self.variables.of(site.name)
        return program == "model" and whole != site.name and site.name.endswith("_observed")

    def _document(self, program: str, site: Site) -> dict[str, Any]:
        return {
            "name": site.name,
            "variable": self.variables.of(site.name),
            "role": self.role(program, site),
            "distribution": site.distribution,
            "plates": [plate.name for plate in site.plates],
            "batch_shape": list(site.batch_shape),
            "event_shape": list(site.event_shape),
            "batch_sizes": self.batch_sizes(site),
            "event_sizes": self.event_sizes(site),
            "parents": self.depends(site),
            "networks": list(site.networks),
        }


def steps_of(shown: Structure) -> dict[str, str]:
    """The nodes of a loop that is folded: the second step as x_t, the others as ``""``."""
    writer = Writer(shown, UNICODE, "p")
    steps: dict[str, str] = {}
    for chain in shown.chains:
        for name in chain.nodes:
            nodes = shown.nodes[name].steps
            steps |= dict.fromkeys(nodes, "") | {nodes[1]: writer.step(name)}
    return steps


def graph_to_json(graph: Structure) -> dict[str, Any]:
    """Nodes, edges and plates as plain data."""
    return {
        "nodes": [
            {
                "name": node.name,
                "role": node.role,
                "plates": list(node.plates),
                "finite": node.finite,
                "sites": node.copies,
            }
            for node in graph.nodes.values()
        ],
        "edges": [
            {
                "parent": edge.parent,
                "child": edge.child,
                "program": PROGRAMS["pq".index(edge.side)],
                "kind": graph.kind(edge),
                "given": edge.given,
            }
            for edge in sorted(graph.edges)
        ],
        "plates": [
            {"name": plate.name, "sizes": list(plate.sizes)} for plate in graph.plates.values()
        ],
    }


def _is_labels(plate: str) -> bool:
    return plate == LABELS or plate.startswith(f"{LABELS}_")


def _render(table: Table) -> str:
    text = io.StringIO()
    # In a notebook rich would write to the page, and into no file.
    Console(file=text, width=400, color_system=None, force_jupyter=False).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
