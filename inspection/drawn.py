"""What a guide's density is a density of.

Pyro's automatic guides draw auxiliary sites and compute the model's latents from them as point
masses, with the density that the change of variables gives: ``a_unconstrained`` and then ``a``, or
one ``_latent`` and then all of them. To a reader that is a density of the latents alone:

- a latent that alone is computed from an auxiliary draw has a factor of its own, q(a | …);
- latents that are computed from one draw are drawn together, q(a, b | …), unless the entries of
  that draw are independent and each latent takes others of them;
- one that is computed from its own draw and from another latent's is given that latent, q(b | a).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .graph import Edge
from .sites import Record, Site
from .variables import Variables

Source = str | tuple[str, int]
"""An auxiliary site, or an entry of one whose entries are independent."""


@dataclass
class Drawn:
    """One side of a graph.

    Attributes:
        edges: of the guide. guided: what it has a density of, in the order of its run.
        auxiliary: its sites that are no variables of the model and that stay.
        blocks: variables that are drawn together.
    """

    edges: set[Edge] = field(default_factory=set)
    guided: list[str] = field(default_factory=list)
    auxiliary: list[str] = field(default_factory=list)
    blocks: tuple[tuple[str, ...], ...] = ()


def drawn(guide: Record, variables: Variables, nodes: set[str]) -> Drawn:
    """What a guide draws.

    Args:
        guide: its sites. variables: of the model. nodes: names of the model's.
    """
    sites = {
        name: site
        for name, site in guide.sites.items()
        if site.counts != "nowhere" or variables.of(name) == name
    }
    carriers = carriers_of(sites, variables, nodes)
    found, groups = Drawn(), Groups()
    owners: dict[Source, str] = {}
    for name, site in sites.items():
        child = variables.of(name)
        weighs = site.distribution == "Unit"
        if name in carriers or (site.observed and not (weighs or site.auxiliary)):
            continue  # what a guide observes it does not draw
        if child not in nodes:
            found.auxiliary.append(name)
        found.guided.append(child)
        sources = sources_of(site, carriers)
        own = sources - owners.keys()
        before = {owners[source] for source in sources & owners.keys()} - {child}
        if name in guide.stated:
            before = {variables.of(parent) for parent in guide.stated[name]}
        if sources and not own:
            groups.join(child, *before)
        else:
            found.edges |= {Edge(owner, child, "q", "missing") for owner in before}
        owners |= dict.fromkeys(own, child)
        starts = {s if isinstance(s, str) else s[0] for s in own or sources}
        for part in (site, *(sites[name] for name in behind_of(starts, carriers, sites))):
            found.edges |= {
                Edge(parent, child, "q", given)
                for parent, given in variables.parents(part, guide=True)
                if parent not in carriers and parent != child
            }
    found.guided = list(dict.fromkeys(found.guided))
    found.blocks = groups.blocks(found.guided)
    return found


class Groups:
    """Variables that belong together."""

    def __init__(self) -> None:
        self._of: dict[str, set[str]] = {}

    def join(self, *names: str) -> None:
        """State that these are drawn together."""
        together = set(names).union(*(self._of.get(name, ()) for name in names))
        self._of |= dict.fromkeys(together, together)

    def blocks(self, order: list[str]) -> tuple[tuple[str, ...], ...]:
        """All groups of more than one, in an order."""
        found = {tuple(name for name in order if name in group) for group in self._of.values()}
        return tuple(sorted((g for g in found if len(g) > 1), key=lambda g: order.index(g[0])))


def carriers_of(sites: dict[str, Site], variables: Variables, nodes: set[str]) -> set[str]:
    """Auxiliary sites that only carry the randomness of point masses at the model's variables."""
    outside = [name for name in sites if variables.of(name) not in nodes]
    carriers: set[str] = set()
    for name in outside[::-1]:
        below = [site for site in sites.values() if name in site.parents]
        if below and all(
            (site.point and variables.of(site.name) in nodes) or site.name in carriers
            for site in below
        ):
            carriers.add(name)
    return carriers


def sources_of(site: Site, carriers: set[str]) -> set[Source]:
    """What a site's randomness is from: auxiliary sites, or entries of them."""
    entries: set[Source] = {entry for entry in site.entries if entry[0] in carriers}
    whole = {entry[0] for entry in site.entries}
    return entries | {name for name in site.parents if name in carriers and name not in whole}


def behind_of(starts: set[str], carriers: set[str], sites: dict[str, Site]) -> list[str]:
    """Some auxiliary sites, and those behind them."""
    found: list[str] = []
    pending = sorted(starts)
    while pending:
        name = pending.pop()
        if name not in found:
            found.append(name)
            pending += [parent for parent in sites[name].parents if parent in carriers]
    return found
