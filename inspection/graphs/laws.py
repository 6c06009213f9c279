"""What the programs say of each variable's distribution: its family, and whose parameters it has.

A latent that an automatic guide of Pyro's computes from a draw of its own is a point mass to Pyro.
To a reader it has the distribution of that draw, transformed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..recording.sites import Record, Site
from .structure import Law, Node
from .variables import Variables

Laws = Mapping[str, Law]


def stated(
    nodes: Mapping[str, Node], model: Record, guide: Record, variables: Variables
) -> dict[str, Node]:
    """The nodes with what both programs say of their distributions."""
    found: dict[str, Laws] = {}
    for side, record in (("p", model), ("q", guide)):
        for site in record.sites.values():
            name, law = variables.of(site.name), _law(site, record)
            found[name] = united(found.get(name, {}), {side: law} if law.families else {})
    return {name: replace(node, laws=found.get(name, {})) for name, node in nodes.items()}


def united(one: Laws, two: Laws) -> Laws:
    """What two sites of one variable say together."""
    return {
        side: one.get(side, Law()) | two.get(side, Law()) for side in dict.fromkeys([*one, *two])
    }


def _law(site: Site, record: Record) -> Law:
    if site.deterministic or site.distribution == "Unit":
        return Law()
    behind = [record.sites[name] for name in site.parents if record.sites[name].auxiliary]
    if site.point and behind:
        parameters = dict.fromkeys(n for part in (*behind, site) for n in part.networks)
        return Law(tuple(f"transformed {s.distribution}" for s in behind), tuple(parameters))
    return Law((site.distribution,), site.networks)
