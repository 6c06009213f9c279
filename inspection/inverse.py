"""What exact inference needs, in the order in which a guide draws, beside what the guide has.

The posterior of a model's latents, written as a product in a guide's order, needs certain arrows:
the minimal faithful inverse of the model (Webb et al. 2018, "Faithful inversion of generative
models for effective amortized inference"). It is found by elimination: from the last variable that
the guide draws to the first, a variable's neighbours in the moral graph become its parents and are
joined to each other. That may leave arrows too many, where nothing observed depends on a variable
for one, so each is kept only if d-separation needs it.

An arrow that the inverse has and the guide lacks is a dependence of the posterior that no setting
of the guide's parameters can express. One that the guide has and the inverse lacks is needless.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from .graph import MISSING, Edge, Graph
from .inverting import KNOWN, Both, Dependence


@dataclass(frozen=True)
class Inverse:
    """A guide beside the minimal faithful inverse of its model in the guide's order.

    Attributes:
        order: what the guide draws, in its order.
        needed: the inverse's arrows. stated: the guide's.
        missing: those of the inverse that the guide lacks, within a cell of every plate.
        between: the same between cells of a plate.
        needless: those of the guide that the inverse lacks.
        fitted: variables that the guide draws without reading data: their parameters are fitted to
            the data at hand, so that arrows from data are not missed.
    """

    order: tuple[str, ...]
    needed: tuple[Dependence, ...]
    stated: tuple[Dependence, ...]
    missing: tuple[Dependence, ...]
    between: tuple[Dependence, ...]
    needless: tuple[Dependence, ...]
    fitted: tuple[str, ...]

    @property
    def faithful(self) -> bool:
        """Whether the guide's arrows can express the posterior."""
        return not self.missing and not self.between

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        arrows = ("needed", "stated", "missing", "between", "needless")
        return {
            "order": list(self.order),
            "faithful": self.faithful,
            **{name: [arrow.to_json() for arrow in getattr(self, name)] for name in arrows},
            "fitted": list(self.fitted),
        }

    def to_text(self) -> str:
        """All of it for people."""
        if not self.order:
            return "The guide draws nothing."
        lines = [f"The guide draws {', '.join(self.order)} in this order. In this order"]
        if self.faithful:
            lines[0] += " its arrows can express the posterior."
        else:
            lines[0] += " the posterior depends on what the guide lacks:"
        lines += [f"  {arrow}: {arrow.path}" for arrow in (*self.missing, *self.between)]
        if self.needless:
            lines.append("The posterior does not need what the guide states:")
            lines += [f"  {arrow}" for arrow in self.needless]
        if self.fitted:
            lines.append(
                f"Drawn without reading data: {', '.join(self.fitted)}. The parameters are fitted "
                "to the data at hand; arrows from data are not counted."
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from .show import text_html

        return text_html(self.to_text())

    def added_to(self, graph: Graph) -> Graph:
        """The graph with the missing arrows within a cell as edges of the side ``"missing"``."""
        more = {Edge(a.parent, a.child, MISSING, a.given) for a in self.missing}
        return replace(graph, edges=graph.edges | more)


def inverse(graph: Graph) -> Inverse:
    """Set a guide beside the minimal faithful inverse of its model.

    Args:
        graph: of both programs.

    Raises:
        ValueError: for a graph that is folded over time.
    """
    both = Both(graph)
    order = both.cells(graph.guided)
    needed, stated = both.needed(order), both.stated(order)
    fitted = both.fitted(order)
    lacking = [
        arrow
        for arrow in _without(needed, stated)
        if not (arrow.child in fitted and _is_data(graph, arrow))
    ]
    return Inverse(
        order=tuple(dict.fromkeys(cell.name for cell in order)),
        needed=joined(needed),
        stated=joined(stated),
        missing=joined(arrow for arrow in lacking if not arrow.between),
        between=joined(arrow for arrow in lacking if arrow.between),
        needless=joined(_without(stated, needed)),
        fitted=fitted,
    )


def _without(arrows: Iterable[Dependence], others: Iterable[Dependence]) -> list[Dependence]:
    keys = {other.key for other in others}
    return [arrow for arrow in arrows if arrow.key not in keys]


def joined(arrows: Iterable[Dependence]) -> tuple[Dependence, ...]:
    """One arrow for the known and the missing entries of a parent where both are there."""
    arrows = list(arrows)
    keys = {arrow.key for arrow in arrows}
    found: dict[Any, Dependence] = {}
    for arrow in arrows:
        other = {"observed": "missing", "missing": "observed"}.get(arrow.given, "")
        whole = replace(arrow, given="") if replace(arrow, given=other).key in keys else arrow
        found.setdefault(whole.key, whole)
    return tuple(found.values())


def _is_data(graph: Graph, arrow: Dependence) -> bool:
    return graph.nodes[arrow.parent].role in KNOWN or arrow.given == "observed"
