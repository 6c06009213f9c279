"""Which variable of a model a site, or an argument that its data are read from, belongs to."""

from __future__ import annotations

from collections.abc import Mapping

from .provenance import Origins
from .recorder import CONSTANT
from .sites import Record, Site

Reach = dict[int | None, set[int]]
"""Positions along the axes of an argument; all of it where an axis is not named."""

COLUMNS = (None, 1)
"""Axes along which an argument may hold several variables; rows are those of one."""


class Variables:
    """Which variable of a model a site or an argument belongs to.

    Args:
        model: its sites.
    """

    def __init__(self, model: Record) -> None:
        self._sites = set(model.sites)
        self._halves = dict(model.halves)
        self._names = {*model.sites, *model.halves.values()}
        self._data: dict[str, dict[str, Reach]] = {}
        for site in model.sites.values():
            for argument, reach in reaches(site.data).items():
                known = self._data.setdefault(argument, {})
                merge(known.setdefault(self.of(site.name), {}), reach)

    def of(self, site: str) -> str:
        """The variable that a site is a half of, or the site itself."""
        return self._halves.get(site, site)

    def parents(self, site: Site, *, guide: bool = False) -> set[tuple[str, str]]:
        """What a site depends on: variables, or arguments that are none, and which part of them.

        Args:
            site: of either program.
            guide: whether it is the guide's. To a guide the tensors that the model observes are
                data; in the model those that it refers to without being given them are constants.
        """
        found = {(self.of(name), "missing") for name in site.parents}
        masking = reaches(site.masked_by)
        for argument, reach in reaches(site.inputs).items():
            named = self._named(argument, reach)
            if not guide and argument in masking:  # what was observed only says what counts
                named -= self._names
            if guide or not argument.startswith(CONSTANT):
                found |= {(name, "observed") for name in named}
        return {(name, given) for name, given in found if name != self.of(site.name)}

    def _named(self, argument: str, reach: Reach) -> set[str]:
        """The variables that a part of an argument holds, and itself where it holds no variable."""
        held = self._data.get(argument, {})
        over = {name: other for name, other in held.items() if overlap(reach, other)}
        names = set(over)
        if not argument.startswith(CONSTANT) and (not over or left_over(reach, over)):
            names.add(f"{argument}_input" if argument in self._names else argument)
        return names


def reaches(origins: Origins) -> dict[str, Reach]:
    """The arguments among some origins, with the positions that are named."""
    found: dict[str, Reach] = {}
    for origin in origins:
        if isinstance(origin, str):
            found[origin[1:]] = {}
    for origin in origins:
        if isinstance(origin, tuple):
            name = origin[0][1:]
            axis = None if len(origin) == 2 else origin[1]
            found.setdefault(name, {}).setdefault(axis, set()).add(origin[-1])
    return found


def merge(into: Reach, reach: Reach) -> None:
    """Widen a reach by another."""
    for axis, positions in reach.items():
        into.setdefault(axis, set()).update(positions)


def overlap(one: Reach, two: Reach) -> bool:
    """Whether two parts of an argument have entries in common."""
    return all(one[axis] & two[axis] for axis in one.keys() & two.keys())


def left_over(reach: Reach, over: Mapping[str, Reach]) -> bool:
    """Whether a part of an argument has columns that no variable holds."""
    held: Reach = {}
    for other in over.values():
        merge(held, other)
    return any(reach[axis] - held[axis] for axis in COLUMNS if axis in reach and axis in held)
