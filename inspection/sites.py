"""The sample sites of a program, as they are when it runs: what each is, where, and from what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .provenance import Origins


@dataclass(frozen=True)
class Plate:
    """A plate around a site.

    Attributes:
        name: the plate's. dim: its batch dimension, None for a loop.
        size: rows in this run. full_size: rows of the population that they are drawn from.
        cell: of a loop, the cell that the site is in.
    """

    name: str
    dim: int | None
    size: int
    full_size: int
    cell: int = 0


@dataclass(frozen=True)
class Site:
    """A sample statement of a program, as one run met it.

    Attributes:
        name: the site's.
        distribution: the name of its family.
        plates: from the outermost to the innermost.
        batch_shape, event_shape: of its distribution.
        observed: whether the program gave it a value.
        counts: ``"always"``, ``"somewhere"`` or ``"nowhere"``: where its mask lets it, and the
            entries that its distribution says are ``counted``.
        parents: earlier sites that its distribution is computed from, or its observed value.
        inputs: arguments that its distribution is computed from; of a table, its columns.
        data: arguments that its value was computed from, where it is observed.
        networks: parts of the program whose parameters its distribution is computed from.
        finite: whether it has finitely many values, so that they can be summed over.
        enumerated: whether they are, in this run.
        deterministic: whether its parents determine it: ``pyro.deterministic``, or a site that a
            reparameterisation computes.
        auxiliary: whether the program says that it is no variable of the model.
        point: whether it is a point mass.
        statement: the line of the program that states it, as ``file:line``.
        entries: of parents whose entries are independent, those that it is computed from.
        flat: parents that reach it through a comparison or a choice alone or among others.
        masked_by: inputs that reach it through a truth value, as a mask does.
    """

    name: str
    distribution: str
    plates: tuple[Plate, ...]
    batch_shape: tuple[int, ...]
    event_shape: tuple[int, ...]
    observed: bool
    counts: str
    parents: tuple[str, ...]
    inputs: Origins
    data: Origins
    networks: tuple[str, ...]
    finite: bool
    enumerated: bool = False
    deterministic: bool = False
    auxiliary: bool = False
    point: bool = False
    statement: str = ""
    entries: frozenset[tuple[str, int]] = frozenset()
    flat: frozenset[str] = frozenset()
    masked_by: Origins = frozenset()


@dataclass(frozen=True)
class Record:
    """A program's sites in the order of its run, and what could not be followed.

    Attributes:
        sites: by name.
        read: arguments and sites that the program read as Python numbers.
        halves: sites that ``obs_mask`` made of one, each with the name of the whole.
        kinds: sites and plates that stand for one kind of labels of a declared space, with the
            name that stands for all kinds.
        notes: what redrawing showed, for people: see :mod:`ccvae.inspection.evidence`.
        problems: what the program states wrongly, for people.
        stated: of a guide that states what it draws its sites given, for each of them what.
        observations: for each observed site, the tensor that it was observed with.
    """

    sites: dict[str, Site]
    read: tuple[str, ...]
    halves: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    stated: Mapping[str, frozenset[str]] = field(default_factory=dict)
    observations: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def both(site: Site, there: Site) -> Site:
    """A site as two runs met it that took different ways."""
    more = tuple(name for name in there.parents if name not in site.parents)
    return replace(
        site,
        parents=(*site.parents, *more),
        inputs=site.inputs | there.inputs,
        networks=tuple(sorted({*site.networks, *there.networks})),
        flat=site.flat | there.flat | frozenset(more),
    )
