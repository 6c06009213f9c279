"""What programs are, read off them as they run: sites, graph, factorisation, formulas, figures."""

from .example import inspect_program
from .graphs.building import build_graph
from .graphs.structure import Edge, Graph, Node, Plate
from .inspection import Inspection, inspect_pair
from .recording.runner import record
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
    "build_graph",
    "factorisation",
    "guide_density",
    "inspect_pair",
    "inspect_program",
    "joint",
    "record",
    "render",
]
