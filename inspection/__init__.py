"""What programs are, read off them as they run: sites, graph, factorisation, formulas, figures."""

from .dependences import beside_pyro
from .example import example_batch, inspect_program
from .graph import Graph, build_graph
from .graphs.structure import Edge, Node, Plate
from .inspection import Inspection, inspect_pair
from .recording.examining import record
from .recording.sites import Record, Site
from .rendering import render
from .writing.factorisation import factorisation, guide_density, joint
from .writing.notation import LATEX, UNICODE, Notation

__all__ = [
    "LATEX",
    "UNICODE",
    "Edge",
    "Graph",
    "Inspection",
    "Node",
    "Notation",
    "Plate",
    "Record",
    "Site",
    "beside_pyro",
    "build_graph",
    "example_batch",
    "factorisation",
    "guide_density",
    "inspect_pair",
    "inspect_program",
    "joint",
    "record",
    "render",
]
