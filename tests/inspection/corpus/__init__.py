"""Programs written for this corpus from the topics of Pyro's documentation, each with its truth.

What is said of a program is derived by reading it, never from what a tool prints of it.
"""

from . import (
    chains,
    control,
    deep,
    extras,
    found,
    guides,
    hierarchies,
    mixtures,
    networks,
    regression,
    series,
    statements,
)
from .compare import difference, faults, look
from .record import CASES, Case, Factor, hide_deterministic, parse

__all__ = [
    "CASES",
    "Case",
    "Factor",
    "chains",
    "control",
    "deep",
    "difference",
    "extras",
    "faults",
    "found",
    "guides",
    "hide_deterministic",
    "hierarchies",
    "look",
    "mixtures",
    "networks",
    "parse",
    "regression",
    "series",
    "statements",
]
