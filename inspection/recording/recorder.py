"""A handler of Pyro's that notes every sample site that passes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from pyro.poutine.util import site_is_subsample
from torch import Tensor
from torch.utils._pytree import tree_leaves

from ...models.joint import JointLabels
from .distributions import (
    contents,
    entries_are_independent,
    family,
    is_finite,
    masks,
    shape,
    unmasked,
    unwrapped,
)
from .provenance import NO_MARKS, Marks, Origin, Origins, Provenance, Reads
from .sites import Plate, Site, both
from .statements import current_statement

SITE, PART, INPUT = ":", "@", "="
"""What the origins of sites, of parts of the program and of arguments begin with."""

CONSTANT = "~"
"""What the names of tensors begin with that a program refers to without being called with them."""


class Recorder(Messenger):
    """Notes every sample site that passes, and gives its value a fresh origin: the site.

    Args:
        provenance: follows the values.
        deterministic: note ``pyro.deterministic`` as well, and sites that a reparameterisation
            computes; by default edges go through them.

    Attributes:
        sites, values: by name. halves: of sites that ``obs_mask`` made.
        observations: what observed sites were observed with.
        problems: what is wrong with the statements.
    """

    def __init__(self, provenance: Provenance, *, deterministic: bool = False) -> None:
        super().__init__()
        self.provenance, self.deterministic = provenance, deterministic
        self.reads = Reads(provenance)
        self.sites: dict[str, Site] = {}
        self.values: dict[str, Any] = {}
        self.halves: dict[str, str] = {}
        self.observations: dict[str, Any] = {}
        self.problems: list[str] = []
        self._sizes: dict[str, int] = {}

    @property
    def plate_names(self) -> list[str]:
        """The plates around the sites."""
        return list(self._sizes)

    def _pyro_post_param(self, msg: Message) -> None:
        if isinstance(msg["value"], Tensor):
            self.provenance.mark(msg["value"], f"{PART}{part_of(str(msg['name']))}")

    def _pyro_post_sample(self, msg: Message) -> None:
        name = str(msg["name"])
        if site_is_subsample(msg):
            self.values[name] = msg["value"]
        elif is_deterministic(msg):
            self._whole(name, msg)
        elif not is_computed(msg):
            self._note(name, msg, deterministic=False)
        elif self.deterministic:
            self._note(name, msg, deterministic=True)

    def _whole(self, name: str, msg: Message) -> None:
        """``pyro.deterministic``, which ``obs_mask`` puts behind the two sites that it makes."""
        last = list(self.sites.values())[-2:]
        if [site.name for site in last] == [f"{name}_observed", f"{name}_unobserved"] and [
            site.observed for site in last
        ] == [True, False]:
            self.halves |= {site.name: name for site in last}
            msg["value"] = msg["value"].clone()
            self.provenance.mark(msg["value"], *(f"{SITE}{site.name}" for site in last))
            self.values[name] = msg["value"]
        elif self.deterministic:
            self._note(name, msg, deterministic=True)

    def _note(self, name: str, msg: Message, *, deterministic: bool) -> None:
        if name in self.sites:
            self.problems.append(f"two sites are called {name!r}; give each its own name")
        value, fn = msg["value"], msg["fn"]
        fresh = value.clone() if isinstance(value, Tensor) else value
        own = self._marks(msg, fn, value, fresh, deterministic)
        data = self.provenance.marks(value) if msg["is_observed"] else NO_MARKS
        if msg["is_observed"] and not deterministic:
            self.observations[name] = value
            own = own | only_sites(data)
        own = own | only_sites(self.provenance.marks(msg["mask"], masks(fn)))
        site = self._site(name, msg, own, data, deterministic)
        self.sites[name] = both(self.sites[name], site) if name in self.sites else site
        self._mark_value(name, fresh, fn, auxiliary=self.sites[name].auxiliary)
        msg["value"] = self.values[name] = fresh

    def _marks(self, msg: Message, fn: Any, value: Any, fresh: Any, deterministic: bool) -> Marks:
        """What a site's density is computed from, its value and its masks left aside."""
        if deterministic:
            return self.provenance.marks(value)
        if isinstance(fresh, Tensor):
            self.provenance.mark(fresh)
        made_of = self.provenance.marks(list(contents(unmasked(fn))), msg["args"], msg["kwargs"])
        for at in (fresh,) if msg["is_observed"] else (fresh, value):
            try:
                density = self.provenance.marks(unmasked(fn).log_prob(at))
            except Exception:  # anybody's: without a density, or only for the very value drawn
                continue
            # A density's own comparisons, of its value with its support, make nothing flat.
            density = density._replace(kinked=made_of.kinked, truths=made_of.truths)
            tells = any(_is(o, SITE) or _is_argument(o) for o in density.origins)
            return density if tells else density | made_of
        return made_of if msg["is_observed"] else made_of | self.provenance.marks(value)

    def _mark_value(self, name: str, value: Any, fn: Any, *, auxiliary: bool) -> None:
        if auxiliary and isinstance(value, Tensor) and entries_are_independent(fn):
            self.provenance.mark_columns(value, f"{SITE}{name}")
            return
        for leaf in tree_leaves(value):
            if isinstance(leaf, Tensor):
                self.provenance.mark(leaf, f"{SITE}{name}")

    def _site(self, name: str, msg: Message, own: Marks, data: Marks, deterministic: bool) -> Site:
        fn, infer = msg["fn"], msg["infer"] or {}
        return Site(
            name=name,
            distribution="Delta" if deterministic else family(fn),
            plates=self._plates(name, msg),
            batch_shape=shape(fn, "batch_shape"),
            event_shape=shape(fn, "event_shape"),
            observed=bool(msg["is_observed"]) and not deterministic,
            counts=_counts(msg["mask"], fn.counted if isinstance(fn, JointLabels) else None),
            parents=tuple(n for n in self.sites if n != name and n in names_of(own, SITE)),
            inputs=inputs_of(own.origins),
            data=inputs_of(data.content) if not deterministic else frozenset(),
            networks=tuple(sorted(names_of(own, PART))),
            finite=is_finite(fn),
            enumerated=bool(infer.get("enumerate")),
            deterministic=deterministic,
            auxiliary=bool(infer.get("is_auxiliary")),
            point=family(fn) == "Delta",
            statement=current_statement(),
            entries=entries_of(own.origins),
            flat=frozenset(bare(origin) for origin in own.kinked if _is(origin, SITE)),
            masked_by=inputs_of(own.truths),
        )

    def _plates(self, name: str, msg: Message) -> tuple[Plate, ...]:
        return tuple(
            self._plate(name, frame, shape(msg["fn"], "batch_shape"))
            for frame in msg["cond_indep_stack"]
        )

    def _plate(self, site: str, frame: Any, batch: tuple[int, ...]) -> Plate:
        size = int(frame.size)
        if size < 0:  # a plate without a size has as many rows as what lies in it
            size = batch[frame.dim] if frame.dim is not None and -frame.dim <= len(batch) else 1
        full = int(frame.full_size or size)
        full = full if full >= 0 else size
        known = self._sizes.setdefault(frame.name, full)
        if known != full and 1 not in (known, full):
            self.problems.append(
                f"the plate {frame.name!r} has the size {known} around one site and {full} around "
                f"{site!r}; give every plate its own name"
            )
        return Plate(frame.name, frame.dim, size, full, int(frame.counter or 0))


def is_deterministic(msg: Message) -> bool:
    """Whether a message is ``pyro.deterministic``'s."""
    return bool((msg["infer"] or {}).get("_deterministic"))


def is_computed(msg: Message) -> bool:
    """Whether a reparameterisation computes the site, which Pyro then calls observed."""
    fn, value = unwrapped(msg["fn"]), msg["value"]
    if not msg["is_observed"] or type(fn).__name__ != "Delta" or not isinstance(value, Tensor):
        return False
    return value is fn.v or (value.shape == fn.v.shape and torch.equal(value, fn.v))


def part_of(parameter: str) -> str:
    """The part of a program that a parameter belongs to; Pyro joins names by three dollars."""
    return parameter.partition("$$$")[0].partition(".")[0]


def bare(origin: Origin) -> str:
    """An origin's name without the sign before it and without columns."""
    return (origin if isinstance(origin, str) else origin[0])[1:]


def names_of(marks: Marks, sign: str) -> set[str]:
    """The names of the origins with a sign."""
    return {bare(origin) for origin in marks.origins if _is(origin, sign)}


def inputs_of(origins: Origins) -> Origins:
    """Those that are arguments."""
    return frozenset(origin for origin in origins if _is(origin, INPUT))


def entries_of(origins: Origins) -> frozenset[tuple[str, int]]:
    """Entries of sites."""
    return frozenset(
        (origin[0][1:], origin[1])
        for origin in origins
        if isinstance(origin, tuple) and _is(origin, SITE)
    )


def only_sites(marks: Marks) -> Marks:
    """The origins that are sites: an argument that masks a site is no cause of it."""
    sites = (frozenset(origin for origin in part if _is(origin, SITE)) for part in marks)
    return Marks(*sites)


def _is(origin: Origin, sign: str) -> bool:
    return (origin if isinstance(origin, str) else origin[0]).startswith(sign)


def _is_argument(origin: Origin) -> bool:
    return _is(origin, INPUT) and not _is(origin, f"{INPUT}{CONSTANT}")


def _counts(*entries: Any) -> str:
    # Numpy, as torch itself would note that the masks have been read.
    with torch._C.DisableTorchFunction():
        found = [
            np.asarray(mask.detach().cpu() if isinstance(mask, torch.Tensor) else mask)
            for mask in entries
            if mask is not None
        ]
    if not all(mask.any() for mask in found):
        return "nowhere"
    return "always" if all(mask.all() for mask in found) else "somewhere"
