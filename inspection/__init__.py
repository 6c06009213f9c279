"""What programs are, read off them as they run: sites, graph, factorisation, formulas, figures."""

from .example import inspect_program
from .factorisation import factorisation, guide_density, joint
from .graph import Edge, Graph, Node, Plate, build_graph
from .inspection import Inspection, inspect_pair
from .notation import LATEX, UNICODE, Notation
from .sites import Record, Site, record

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
    "build_graph",
    "factorisation",
    "guide_density",
    "inspect_pair",
    "inspect_program",
    "joint",
    "record",
]
