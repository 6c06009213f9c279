"""The sample sites of a program, as they are when it runs: what each is, where, and from what."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyro
import torch
from pyro.distributions import Independent, MaskedDistribution
from pyro.distributions.torch_distribution import ExpandedDistribution
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from pyro.poutine.util import site_is_subsample
from torch import Tensor, nn

from ..inference.checks.untouched import untouched
from .provenance import Origin, Origins, Provenance

Program = Callable[..., Any]

LABEL_TABLE_WIDTH = 256
"""Up to how many columns a table among the arguments has each column followed apart."""


@dataclass(frozen=True)
class Plate:
    """A plate around a site.

    Attributes:
        name: the plate's. dim: its batch dimension, None for a loop.
        size: rows in this run. full_size: rows of the population that they are drawn from.
    """

    name: str
    dim: int | None
    size: int
    full_size: int


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
        parents: earlier sites that its distribution is computed from.
        inputs: arguments that its distribution is computed from; of a table, its columns.
        data: arguments that its value was computed from, where it is observed.
        networks: parts of the program whose parameters its distribution is computed from.
        finite: whether it has finitely many values, so that they can be summed over.
        enumerated: whether they are, in this run.
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


@dataclass(frozen=True)
class Record:
    """A program's sites in the order of its run, and what could not be followed.

    Attributes:
        sites: by name.
        read: arguments and sites that the program read as Python numbers.
    """

    sites: dict[str, Site]
    read: tuple[str, ...]


def record(program: Program, *args: Any, **kwargs: Any) -> Record:
    """Run a program once and note its sites.

    The program's parameters, Pyro's parameter store and the random state are left as they were.

    Args:
        program: with Pyro's sample statements.
        args, kwargs: what it is called with. A missing entry (NaN, or −1 in a vector of codes) is
            no origin: what is all missing does not count as an input.
    """
    provenance = Provenance()
    _mark_arguments(provenance, program, args, kwargs)
    module = innermost(program)
    if isinstance(module, nn.Module):
        for name, parameter in module.named_parameters():
            provenance.mark(parameter, f"@{_part(name)}")
    recorder = Recorder(provenance)
    quiet = pyro.validation_enabled(False)
    with untouched(program), torch.no_grad(), quiet, provenance, recorder:
        program(*args, **kwargs)
    read = sorted({_name(origin) for origin in provenance.read})
    return Record(recorder.sites, tuple(n.removeprefix("=") for n in read if n[0] != "@"))


class Recorder(Messenger):
    """Notes every sample site that passes, and gives its value a fresh origin: the site."""

    def __init__(self, provenance: Provenance) -> None:
        super().__init__()
        self.provenance = provenance
        self.sites: dict[str, Site] = {}

    def _pyro_post_param(self, msg: Message) -> None:
        if isinstance(msg["value"], Tensor):
            self.provenance.mark(msg["value"], f"@{_part(msg['name'])}")

    def _pyro_post_sample(self, msg: Message) -> None:
        if site_is_subsample(msg) or (msg["infer"] or {}).get("_deterministic"):
            return
        value = msg["value"].clone()
        self.provenance.mark(value)
        origins = self._origins(msg["fn"], value)
        names = {origin for origin in origins if isinstance(origin, str)}
        self.sites[msg["name"]] = Site(
            name=msg["name"],
            distribution=family(msg["fn"]),
            plates=tuple(
                Plate(frame.name, frame.dim, frame.size, frame.full_size or frame.size)
                for frame in msg["cond_indep_stack"]
            ),
            batch_shape=tuple(msg["fn"].batch_shape),
            event_shape=tuple(msg["fn"].event_shape),
            observed=bool(msg["is_observed"]),
            counts=_counts(msg["mask"], getattr(msg["fn"], "counted", None)),
            parents=tuple(name for name in self.sites if name in names),
            inputs=frozenset(o for o in origins if _name(o)[0] == "="),
            data=self.provenance.of(msg["value"]) if msg["is_observed"] else frozenset(),
            networks=tuple(sorted(name[1:] for name in names if name[0] == "@")),
            finite=bool(msg["fn"].has_enumerate_support) and family(msg["fn"]) != "Delta",
            enumerated=bool((msg["infer"] or {}).get("enumerate")),
        )
        self.provenance.mark(value, msg["name"])
        msg["value"] = value

    def _origins(self, fn: Any, value: Any) -> Origins:
        try:
            return self.provenance.of(fn.log_prob(value))
        except NotImplementedError:
            return self.provenance.of(vars(fn))


def innermost(program: Program) -> Program:
    """The program that Pyro's handlers were wrapped around."""
    while isinstance(program, functools.partial):
        wrapped = program.func
        if not isinstance(wrapped, functools.partial) or len(wrapped.args) != 2:
            return program
        handler, inside = wrapped.args
        if not isinstance(handler, Messenger):
            return program
        program = inside
    return program


def family(fn: Any) -> str:
    """The name of a distribution's family, without the wrappers that shape it."""
    while isinstance(fn, Independent | MaskedDistribution | ExpandedDistribution):
        fn = fn.base_dist
    return type(fn).__name__


def _part(parameter: str) -> str:
    """The part of a program that a parameter belongs to; Pyro joins names by three dollars."""
    return parameter.partition("$$$")[0].partition(".")[0]


def _counts(*masks: Any) -> str:
    # Numpy, as torch itself would note that the masks have been read.
    entries = [np.asarray(mask) for mask in masks if mask is not None]
    if not all(mask.any() for mask in entries):
        return "nowhere"
    return "always" if all(mask.all() for mask in entries) else "somewhere"


def _mark_arguments(provenance: Provenance, program: Program, args: Any, kwargs: Any) -> None:
    program = innermost(program)
    function = program.forward if isinstance(program, nn.Module) else program
    given = inspect.signature(function).bind(*args, **kwargs).arguments
    for name, value in _flat(given):
        if not isinstance(value, Tensor):
            continue
        missing = value.isnan() if value.is_floating_point() else value < 0
        table = value.dim() == 2 and value.shape[1] <= LABEL_TABLE_WIDTH
        if table and value.is_floating_point():
            provenance.mark_columns(value, f"={name}", absent=missing.all(0))
        elif not (value.dim() == 1 and bool(missing.all())):
            provenance.mark(value, f"={name}")


def _flat(arguments: dict[str, Any]) -> list[tuple[str, Any]]:
    """Arguments by name, those behind ``*`` and ``**`` with names of their own."""
    flat: list[tuple[str, Any]] = []
    for name, value in arguments.items():
        if isinstance(value, dict):
            flat += [(str(key), item) for key, item in value.items()]
        elif isinstance(value, list | tuple):
            flat += [(f"{name}{position}", item) for position, item in enumerate(value)]
        else:
            flat.append((name, value))
    return flat


def _name(origin: Origin) -> str:
    return origin if isinstance(origin, str) else origin[0]
