"""What programs are, read off them as they run: sites, graph, factorisation, formulas, figures."""

from .building import build_graph
from .example import inspect_program
from .factorisation import factorisation, guide_density, joint
from .graph import Edge, Graph, Node, Plate
from .inspection import Inspection, inspect_pair
from .notation import LATEX, UNICODE, Notation
from .recording import record
from .rendering import render
from .sites import Record, Site

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
    "render",
]
