"""Redraws the sites of a program one by one: the runs behind :mod:`.evidence`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...inference.checks.untouched import modules
from .recorder import INPUT, SITE, Recorder, bare
from .redraw import ROUNDS, Held, Seen, changed, others
from .runner import Runner, referred_tensors
from .sites import both

STATEMENTS = 8000
"""Sites that all runs of redrawing meet at most, together; some runs are always made."""

SOME = 60

SECONDS = 5.0
"""Of work after which no further site is drawn anew, however busy the machine is with others."""

ALONE = 50
"""Sites up to which each is drawn anew by itself."""

MANY = 10
"""Sites that leave torch beyond which each is drawn anew in two ways alone."""

OTHER_RUNS = 8
"""Runs with other sites that are noted, beside the first; half as many of those with the same."""


@dataclass
class Findings:
    """What redrawing showed.

    Attributes:
        distribution: for each site those that its distribution changed with.
        existence: for each site those that it came or went with.
        tried: how often each site had a new value.
        stopped: sites that were not drawn anew, for time.
    """

    distribution: dict[str, set[str]] = field(default_factory=dict)
    existence: dict[str, set[str]] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)

    def parents(self, site: str) -> set[str]:
        """All that a site changed with."""
        return self.distribution.get(site, set()) | self.existence.get(site, set())


class Experiment:
    """Redraws the sites of one program.

    Args:
        runner: runs it. first: its first run. deterministic: whether such sites are noted.
    """

    def __init__(self, runner: Runner, first: Recorder, *, deterministic: bool = False) -> None:
        self.runner, self.deterministic = runner, deterministic
        self.sites = dict(first.sites)
        self.values = dict(first.values)
        self.found = Findings()
        self.stated = frozenset(first.sites)
        self.unstable: set[str] = set()
        self.runs, self.recorded = 0, 0
        self._left = first.provenance.left
        self.read = _read(first)
        self.inputs: dict[str, tuple[set[str], set[str]]] = {}
        self._until = time.thread_time() + SECONDS

    def perform(self) -> Findings:
        """Draw every site anew, those that leave torch in all ways, and what is in doubt again."""
        base = self._held(())
        if base is None or (again := self._held(())) is None:
            return self.found
        self.unstable = set().union(*changed(base, again))
        for group in self._groups([name for name in self.sites if name not in self.read]):
            self._redraw(base, group, 0)
        left = [name for name in self.sites if name in self.read]
        for turn in range(ROUNDS if len(left) <= MANY else 2):
            for name in left:
                self._redraw(base, [name], turn)
        self._exchange_inputs(base)
        for turn in range(1, ROUNDS + 1):
            if not (doubtful := self.doubtful()):
                break
            self._again(doubtful, turn)
        return self.found

    def _exchange_inputs(self, base: Seen) -> None:
        """Other numbers in the place of arguments that torch does not follow."""
        names = {bare(o) for o in self._left if not isinstance(o, str) or o.startswith(INPUT)}
        outside = {n: t for n, t in self.runner.inputs.items() if n in names}
        for name, value in {**outside, **self.runner.arrays}.items():
            handler = Held(self.values, deterministic=self.deterministic)
            try:
                self.runner.run_with(value, exchanged(value), handler)
            except ValueError:
                continue
            differ = others(base.numbers, handler.seen.numbers) - self.unstable
            self.inputs[name] = (differ, others(base.given, handler.seen.given))

    def doubtful(self) -> list[str]:
        """Sites that another is computed from which has not changed with them yet."""
        pairs = {
            parent
            for name, site in self.sites.items()
            for parent in site.parents
            if parent not in self.found.parents(name) and parent not in site.flat
        }
        return [name for name in self.sites if name in pairs]

    def _again(self, names: list[str], turn: int) -> None:
        """From another draw of all sites, and with zeros of parameters and data replaced."""
        with without_zeros(self.runner):
            other = self._first_again(turn)
            if other is not None:
                for group in self._groups(names):
                    self._redraw(other[1], group, turn, other[0])

    def _first_again(self, turn: int) -> tuple[dict[str, Any], Seen] | None:
        seen = self._held((), values={}, seed=turn)
        if seen is None:
            return None
        again = self._held((), values=seen.values)
        return None if again is None else (seen.values, again)

    def _groups(self, names: list[str]) -> list[list[str]]:
        """Sites that have no child in common, as far as provenance knows."""
        if len(self.sites) <= ALONE:
            return [[name] for name in names]
        groups: list[tuple[list[str], set[str]]] = []
        childless = [
            name for name in names if not any(name in s.parents for s in self.sites.values())
        ]
        for name in (name for name in names if name not in childless):
            below = {child for child, site in self.sites.items() if name in site.parents}
            for members, children in groups:
                if not below & children:
                    members.append(name)
                    children |= below
                    break
            else:
                groups.append(([name], set(below)))
        return [members for members, _ in groups] + [[name] for name in childless]

    def _redraw(
        self, base: Seen, names: list[str], turn: int, values: dict[str, Any] | None = None
    ) -> None:
        if time.thread_time() > self._until or self.runs > max(
            SOME, STATEMENTS // max(1, len(self.stated))
        ):
            self.found.stopped += names
            return
        after = self._held(names, turn, values)
        differ, gone, new = (set(), set(), set()) if after is None else changed(base, after)
        differ, gone, new = (part - self.unstable for part in (differ, gone, new))
        moved = set() if after is None else after.moved
        alone = len(names) == 1
        odd = {c for c in differ if not set(self.sites[c].parents) & moved} if not alone else set()
        if not alone and (after is None or gone or new or odd):
            for name in names:
                self._redraw(base, [name], turn, values)
            return
        for name in moved:
            self.found.tried[name] = self.found.tried.get(name, 0) + 1
        for child in differ & self.sites.keys():
            parents = moved if alone else set(self.sites[child].parents) & moved
            self.found.distribution.setdefault(child, set()).update(parents)
        elsewhere = bool(differ) and names[0] in self.read and self.recorded < OTHER_RUNS // 2
        if after is not None and (gone or new or elsewhere):
            self._look(after)
        for site in (gone | new) & self.sites.keys():
            self.found.existence.setdefault(site, set()).add(names[0])

    def _look(self, after: Seen) -> None:
        """Note the sites of a run that took another way, and what they were computed from there."""
        if self.recorded >= OTHER_RUNS:
            return
        self.recorded += 1
        held = Held(after.values, deterministic=self.deterministic)
        try:
            there = self.runner.record(held, deterministic=self.deterministic).sites
        except ValueError:
            return
        self.sites |= {
            name: both(self.sites[name], site) if name in self.sites else site
            for name, site in there.items()
        }

    def _held(
        self,
        redrawn: Any,
        turn: int = 0,
        values: dict[str, Any] | None = None,
        seed: int = 0,
    ) -> Seen | None:
        """A run with held values; None where the program cannot be run with them."""
        self.runs += 1
        handler = Held(
            self.values if values is None else values,
            redrawn,
            turn,
            deterministic=self.deterministic,
        )
        try:
            self.runner.run(handler, seed=seed)
        except ValueError:
            return None
        return handler.seen


def exchanged(value: Any) -> Any:
    """An argument with other numbers: its rows in another order, or a little noise."""
    numbers = np.asarray(value)
    generator = np.random.default_rng(0)
    if np.issubdtype(numbers.dtype, np.floating):
        other = numbers + 0.1 * generator.standard_normal(numbers.shape)
    else:
        other = generator.permutation(numbers) if numbers.ndim else numbers
    other = other.astype(numbers.dtype)
    return torch.as_tensor(other) if isinstance(value, Tensor) else other


@contextmanager
def without_zeros(runner: Runner) -> Iterator[None]:
    """Other numbers in the place of zeros in parameters and data, which may be there by chance."""
    inner = [p for module in modules(runner.program) for p in module.parameters()]
    data = [tensor for _, tensor in referred_tensors(runner.program)]
    kept: list[tuple[Tensor, Tensor]] = []
    generator = torch.Generator().manual_seed(0)
    for tensor in {id(t): t for t in [*inner, *data, *runner.inputs.values()]}.values():
        if isinstance(tensor, nn.UninitializedParameter) or tensor.layout != torch.strided:
            continue
        zeros = tensor.detach() == 0
        if tensor.device.type == "cpu" and bool(zeros.any()):
            kept.append((tensor, tensor.data))
            chance = torch.rand(tensor.shape, generator=generator)
            other = 0.1 * chance + 0.05 if tensor.is_floating_point() else chance > 0.5
            tensor.data = torch.where(zeros, other.to(tensor.dtype), tensor.data)
    try:
        yield
    finally:
        for tensor, before in kept:
            tensor.data = before


def _read(first: Recorder) -> set[str]:
    names = set()
    for origin in first.provenance.left:
        if (origin if isinstance(origin, str) else origin[0]).startswith(SITE):
            names.add(bare(origin))
    return names
