"""Our posterior dependences beside those of ``pyro.infer.inspect.get_dependencies``.

Pyro's tool lists for each latent what shares a factor with it and comes after it in the model, or
is a co-parent of such: the moral graph, with its edges directed against the model's order. That is
the sparsity of a joint precision matrix. It is not a factorised guide: what is tied through a
latent that is drawn later is left out, observed parents are as well, and something observed is
supposed to depend on every latent. Both are set side by side here in Pyro's order, and every
difference is explained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyro
from pyro.infer.inspect import get_dependencies

from ..inference.checks.untouched import untouched
from .graph import Graph
from .inspection import Inspection
from .inverting import KNOWN, Dependence, posterior
from .sites import Record

Key = tuple[str, str, str, bool]
"""Parent, child, which entries of the parent, and whether in other cells of a plate."""


@dataclass(frozen=True)
class Difference:
    """A posterior dependence that one of the two lists alone.

    Attributes:
        arrow: the dependence. ours: whether it is we who list it. why: the reason.
    """

    arrow: Dependence
    ours: bool
    why: str

    def to_json(self) -> dict[str, Any]:
        """The difference as plain data."""
        return {**self.arrow.to_json(), "listed": "here" if self.ours else "Pyro", "why": self.why}


@dataclass(frozen=True)
class BesidePyro:
    """Both answers.

    Attributes:
        order: latents in the reverse order of the model, in which both are written.
        ours, pyros: the arrows that each lists.
        differences: between them.
        failure: what Pyro's tool raised, if it did.
    """

    order: tuple[str, ...]
    ours: tuple[Dependence, ...]
    pyros: tuple[Dependence, ...]
    differences: tuple[Difference, ...]
    failure: str = ""

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "version": pyro.__version__,
            "order": list(self.order),
            "ours": [arrow.to_json() for arrow in self.ours],
            "pyros": [arrow.to_json() for arrow in self.pyros],
            "differences": [difference.to_json() for difference in self.differences],
            "failure": self.failure,
        }

    def to_text(self) -> str:
        """All of it for people."""
        tool = f"get_dependencies of Pyro {pyro.__version__}"
        if self.failure:
            return f"{tool} ends with an error: {self.failure}"
        order = ", ".join(self.order)
        if not self.differences:
            return f"{tool} lists the same dependences in the order {order}."
        lines = [f"Beside {tool}, both in the order {order}:"]
        lines += [
            f"  {d.arrow}: {'here' if d.ours else 'Pyro'} alone; {d.why}" for d in self.differences
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from .show import text_html

        return text_html(self.to_text())


def beside_pyro(found: Inspection) -> BesidePyro:
    """Run Pyro's tool on an inspected model and explain where it and our answer differ.

    Args:
        found: the inspection; its model is run once more.
    """
    graph, (args, kwargs) = found.graph, found.arguments
    latent = [n.name for n in graph.nodes.values() if n.role in ("latent", "partly observed")]
    order = tuple(reversed(latent))
    ours = {_key(arrow): arrow for arrow in posterior(graph, order)}
    try:
        with untouched(found.programs[0]):
            listed = get_dependencies(found.programs[0], args, kwargs)
    except Exception as error:  # whatever a program does under a handler it was not written for
        words = " ".join(str(error).split())[:200]
        return BesidePyro(order, tuple(ours.values()), (), (), f"{type(error).__name__}: {words}")
    pyros = {_key(arrow): arrow for arrow in _read(listed, found.model, graph)}
    reasons = _Reasons(graph)
    alone = [Difference(a, True, reasons.ours(a)) for key, a in ours.items() if key not in pyros]
    alone += [Difference(a, False, reasons.pyros(a)) for key, a in pyros.items() if key not in ours]
    return BesidePyro(order, tuple(ours.values()), tuple(pyros.values()), tuple(alone))


def _key(arrow: Dependence) -> Key:
    return arrow.parent, arrow.child, arrow.given, bool(arrow.between)


def _read(listed: Mapping[str, Any], model: Record, graph: Graph) -> list[Dependence]:
    """Pyro's dictionary as arrows between the graph's variables."""
    found: dict[Dependence, None] = {}
    for child, parents in listed["posterior_dependencies"].items():
        for parent, plates in parents.items():
            ends = node_of(parent, model, graph), node_of(child, model, graph)
            part = ""
            if graph.nodes[ends[0]].role == "partly observed":
                part = "observed" if parent.endswith("_observed") else "missing"
            if ends[0] != ends[1]:
                found[Dependence(*ends, part)] = None
            if plates:
                found[Dependence(*ends, part, tuple(sorted(plates)))] = None
    return list(found)


def node_of(site: str, model: Record, graph: Graph) -> str:
    """The node of a graph that a site of the model belongs to."""
    name = model.halves.get(site, site)
    return name if name in graph.nodes else model.kinds.get(name, name)


class _Reasons:
    """Why one of the two lists an arrow that the other does not."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.edges = {(edge.parent, edge.child) for edge in graph.edges if edge.side == "p"}

    def ours(self, arrow: Dependence) -> str:
        way = f" ({arrow.path})" if arrow.path else ""
        if self.graph.nodes[arrow.parent].role in KNOWN or arrow.given == "observed":
            if (arrow.child, arrow.parent) in self.edges and not arrow.between:
                return f"Pyro loses track of {arrow.child} → {arrow.parent}"
            return f"of what is known Pyro lists the children of a latent alone{way}"
        if self._share_a_factor(arrow) and not arrow.between:
            return f"Pyro loses track of an edge on the way{way}"
        return f"tied through what is drawn later; Pyro looks at single factors{way}"

    def pyros(self, arrow: Dependence) -> str:
        if not self._share_a_factor(arrow):
            return "the model has no factor of both"
        if arrow.between:
            return "given the others, the cells are independent"
        return "independent given what is drawn before: nothing observed depends on both"

    def _share_a_factor(self, arrow: Dependence) -> bool:
        ends = {arrow.parent, arrow.child}
        families = [{child, *self._above(child)} for child in self.graph.nodes]
        return any(ends <= family for family in families)

    def _above(self, child: str) -> set[str]:
        return {parent for parent, other in self.edges if other == child}
