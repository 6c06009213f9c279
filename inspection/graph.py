"""The graphical model that two programs state together, with all that can be asked of it."""

from __future__ import annotations

from dataclasses import dataclass

from .asking.blankets import Blanket, blanket, independences
from .asking.independence import Independence, Names, independent
from .asking.inverse import Inverse, inverse
from .asking.mutilation import mutilated
from .graphs.building import structure_of
from .graphs.folding import FEW, folded
from .graphs.structure import Structure
from .recording.sites import Record
from .writing.factorisation import factorisation


@dataclass(frozen=True, repr=False)
class Graph(Structure):
    """Nodes in the order of the model's run, edges, plates by name, and questions to them.

    Attributes:
        nodes, plates: by name. edges: of both programs.
        guided: nodes that the guide has a distribution for, in the order of its run.
        blocks: nodes that the guide draws together, with one density, as q(a, b).
        series: for each statement that a loop runs again and again its nodes in the order of time.
        chains: in a folded graph, what each loop has become.
    """

    def independent(
        self, first: Names, second: Names, given: Names = (), *, do: Names = (), side: str = "p"
    ) -> Independence:
        """Whether variables are independent of others, given further ones.

        See :func:`ccvae.inspection.asking.independence.independent`.
        """
        return independent(self, first, second, given, do=do, side=side)

    def blanket(self, name: str) -> Blanket:
        """A variable's Markov blanket; see :func:`ccvae.inspection.asking.blankets.blanket`."""
        return blanket(self, name)

    def independences(self, given: Names | None = None) -> list[Independence]:
        """All pairs; see :func:`ccvae.inspection.asking.blankets.independences`."""
        return independences(self, given)

    def do(self, *names: str) -> Graph:
        """The graph after an intervention; see :mod:`ccvae.inspection.asking.mutilation`."""
        return mutilated(self, names)

    def inverse(self) -> Inverse:
        """What exact inference needs and the guide has or lacks.

        See :mod:`ccvae.inspection.asking.inverse`.
        """
        return inverse(self)

    def folded(self, few: int = FEW) -> Graph:
        """The graph with a template for every loop of more than ``few`` steps.

        See :func:`ccvae.inspection.graphs.folding.folded`; 1 folds every loop.
        """
        return folded(self, few)

    def __repr__(self) -> str:
        densities = factorisation(self.folded()).values()
        return "\n".join(found["unicode"] for found in densities if found["unicode"])

    # A notebook asks for these; what draws is loaded then, so that the commands start sooner.

    def _repr_html_(self) -> str:
        from .notebook.show import graph_html

        return graph_html(self)

    def _repr_svg_(self) -> str:
        from .notebook.show import graph_svg

        return graph_svg(self)

    def _repr_latex_(self) -> str:
        from .notebook.show import graph_latex

        return graph_latex(self)


def build_graph(model: Record, guide: Record) -> Graph:
    """The graph of a model and a guide that were run on the same arguments.

    Args:
        model, guide: as :func:`ccvae.inspection.record` returns them.
    """
    return Graph(**vars(structure_of(model, guide)))
