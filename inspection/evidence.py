"""What provenance and redrawing say together, and where they differ.

==========  =========  ==============================================================
provenance  redrawing  what is reported
==========  =========  ==============================================================
depends     changes    an edge
—           changes    an edge, which left torch on its way: said
depends     nothing    no edge where all that lies between is smooth, so that a
                       change would show (``z * zeros``): said. An edge where it is
                       flat in places (a comparison, a choice), or where the same
                       statement changes in another step of its loop
==========  =========  ==============================================================

Neither knows of a branch that no draw took; what a program reads as Python numbers is therefore
named.
"""

from __future__ import annotations

from dataclasses import replace

from .experiment import Experiment, Findings
from .provenance import Origins
from .recorder import INPUT
from .sites import Record, Site

ENOUGH = 4
"""New values after which a smooth dependence would have shown."""


def weigh(record: Record, experiment: Experiment) -> Record:
    """A record with the edges that both ways together speak for, and notes where they differ."""
    found, sites = experiment.found, experiment.sites
    order = list(sites)
    added: dict[str, list[str]] = {}
    dropped: list[tuple[str, str]] = []
    weighed: dict[str, Site] = {}
    for name, site in sites.items():
        existence = direct(name, found)
        redrawn = found.distribution.get(name, set()) | existence
        out = {
            p
            for p in site.parents
            if p not in found.parents(name) and droppable(p, site, experiment)
        }
        for parent in sorted(redrawn - set(site.parents) - {name}, key=order.index):
            if order.index(parent) < order.index(name):
                added.setdefault(parent, []).append(name)
        new = {p for p, children in added.items() if name in children}
        kept = (set(site.parents) - out) | new
        dropped += [(p, name) for p in site.parents if p in out]
        weighed[name] = replace(
            site,
            parents=tuple(n for n in order if n in kept),
            inputs=site.inputs | inputs_found(experiment, name, 0),
            data=site.data | inputs_found(experiment, name, 1),
        )
    return replace(record, sites=weighed, notes=notes(added, dropped, experiment))


def inputs_found(experiment: Experiment, site: str, which: int) -> Origins:
    """Arguments that a site changed with, or that its observation did."""
    found = [name for name, sites in experiment.inputs.items() if site in sites[which]]
    return frozenset(f"{INPUT}{name}" for name in found)


def direct(name: str, found: Findings) -> set[str]:
    """What a site comes and goes with, without what comes and goes itself in between."""
    causes = found.existence.get(name, set())
    return {
        cause
        for cause in causes
        if not any(cause in found.existence.get(other, ()) for other in causes if other != cause)
    }


def droppable(parent: str, site: Site, experiment: Experiment) -> bool:
    """Whether a dependence that provenance states and no redraw shows is none."""
    unseen = site.name not in experiment.stated or site.name in experiment.unstable
    if unseen or parent in site.flat or experiment.found.tried.get(parent, 0) < ENOUGH:
        return False
    statement = experiment.sites[parent].statement
    return not any(
        other.statement == site.statement
        and any(
            experiment.sites[p].statement == statement
            for p in experiment.found.distribution.get(name, ())
            if p in experiment.sites
        )
        for name, other in experiment.sites.items()
    )


def notes(
    added: dict[str, list[str]], dropped: list[tuple[str, str]], experiment: Experiment
) -> tuple[str, ...]:
    """Where provenance and redrawing differ, in sentences."""
    lines = [
        f"Found by drawing {parent} anew, as its value leaves torch: {', '.join(children)}."
        for parent, children in added.items()
    ]
    lines += [
        f"Not drawn: {child} is computed from {parent}, but {experiment.found.tried[parent]} other "
        f"values of {parent} change nothing in it."
        for parent, child in dropped
    ]
    if unstable := experiment.unstable & experiment.sites.keys():
        names = ", ".join(name for name in experiment.sites if name in unstable)
        lines.append(f"Another in every run, with the same draws, so not redrawn: {names}.")
    if experiment.found.stopped:
        names = ", ".join(dict.fromkeys(experiment.found.stopped))
        lines.append(f"Not drawn anew, or not in all ways, for time: {names}.")
    return tuple(lines)
