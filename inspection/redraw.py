"""Whose distribution changes when one site is drawn anew and all others are held.

This is the second way in which inspection knows what depends on what. Provenance follows tensors,
and sees nothing of what leaves torch: a Python ``if``, ``.item()``, NumPy, the length of a loop.
Here the program is run again with the values that its sites had, but for one site that gets a new
one; every site whose distribution is then made of other numbers, or that comes or goes, depends on
it. Neither way knows of a branch that no draw takes.

Sites whose children, as far as provenance knows them, have nothing in common are drawn anew in one
run; where something else changes, each of them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from pyro.poutine.util import site_is_subsample
from torch import Tensor
from torch.utils._pytree import tree_leaves

from .distributions import Numbers, contents, family, masks, same, shape, unmasked
from .recorder import is_computed, is_deterministic

ROUNDS = 6
"""Ways to draw a site anew: from its distribution, its ends, in another order, off its support."""

FAR = 64
"""Draws of which the smallest and the largest are the ends of a distribution."""


@dataclass
class Seen:
    """What a run with held values showed.

    Attributes:
        numbers: for each site what its distribution is made of. moved: sites with a new value.
        given: what it was observed with, or what its parents determine. masks: what counts of it.
        values: of all sites.
    """

    numbers: dict[str, Numbers] = field(default_factory=dict)
    given: dict[str, Numbers] = field(default_factory=dict)
    masks: dict[str, Numbers] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    values: dict[str, Any] = field(default_factory=dict)


class Held(Messenger):
    """Gives every site the value that it had, and some sites a new one.

    Args:
        values: that the sites had, those of subsampling plates included.
        redrawn: names of the sites to be drawn anew.
        turn: which of the ``ROUNDS`` ways.
        deterministic: whether ``pyro.deterministic`` counts as a site.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        redrawn: Iterable[str] = (),
        turn: int = 0,
        *,
        deterministic: bool = False,
    ) -> None:
        super().__init__()
        self.held, self.redrawn, self.turn = values, set(redrawn), turn
        self.deterministic = deterministic
        self.seen = Seen()

    def _pyro_sample(self, msg: Message) -> None:
        name = str(msg["name"])
        if name not in self.held or is_deterministic(msg) or msg["is_observed"]:
            return
        msg["value"] = self._value(name, msg)

    def _pyro_post_sample(self, msg: Message) -> None:
        name = str(msg["name"])
        if is_deterministic(msg) and name in self.held and not self._half_redrawn(name):
            msg["value"] = self.held[name]
        if not self.deterministic and (is_deterministic(msg) or is_computed(msg)):
            return
        if not site_is_subsample(msg):
            made_of = self._numbers(msg)
            self.seen.given[name] = tuple(tree_leaves(msg["value"])) if msg["is_observed"] else ()
            if msg["is_observed"] and name in self.held:
                msg["value"] = self._value(name, msg)
            self.seen.numbers[name] = self.seen.numbers.get(name, ()) + made_of
            self.seen.masks[name] = tuple(contents([msg["mask"], masks(msg["fn"])]))
        self.seen.values[name] = msg["value"]

    def _value(self, name: str, msg: Message) -> Any:
        held = self.held[name]
        if name not in self.redrawn:
            return held
        value = drawn_anew(msg["fn"], held, self.turn)
        if value is not held:
            self.seen.moved.add(name)
        return value

    def _numbers(self, msg: Message) -> Numbers:
        """What a site's density is made of."""
        fn = msg["fn"]
        plates = [(f.name, f.size, f.counter) for f in msg["cond_indep_stack"]]
        outside = [family(fn), str(plates), str(shape(fn, "batch_shape"))]
        return tuple(contents([outside, unmasked(fn), msg["args"], msg["kwargs"]]))

    def _half_redrawn(self, whole: str) -> bool:
        """Whether one of the two sites that ``obs_mask`` made of this one has a new value."""
        return bool({f"{whole}_observed", f"{whole}_unobserved"} & self.redrawn)


def drawn_anew(fn: Any, held: Any, turn: int) -> Any:
    """Another value of a site; the held one where there is none."""
    if not isinstance(held, Tensor):
        return _sampled(fn, held)
    state = torch.get_rng_state()
    torch.manual_seed(1 + turn)
    try:
        for way in (_listed, *WAYS[turn % ROUNDS :], *WAYS):
            value = way(fn, held, turn)
            if value is not None and value.shape == held.shape and not torch.equal(value, held):
                return value.to(held.dtype)
    finally:
        torch.set_rng_state(state)
    return held


def _sampled(fn: Any, held: Any) -> Any:
    try:
        value = fn()
        return held if value == held else value
    except Exception:  # a value of anybody's own kind
        return held


def _listed(fn: Any, held: Tensor, turn: int) -> Tensor | None:
    """Of finitely many values the next one, in each entry of a plate by chance."""
    try:
        support: Tensor = fn.enumerate_support(expand=False)
    except Exception:  # infinitely many, or a plate of its own that it cannot list
        return None
    if len(support) < 2:
        return None
    support = support.reshape(len(support), *shape(fn, "event_shape"))
    batch = shape(fn, "batch_shape")
    if not batch:
        place = [bool((value == held).all()) for value in support].index(True)
        return support[(place + 1 + turn) % len(support)] if turn + 1 < len(support) else None
    return support[torch.randint(len(support), batch)]


def _draw(fn: Any, held: Tensor, turn: int) -> Tensor | None:
    try:
        value: Tensor = fn.sample() if hasattr(fn, "sample") else fn()
        return value
    except Exception:  # a distribution that only has a density
        return None


def _end(fn: Any, largest: bool) -> Tensor | None:
    try:
        draws: Tensor = fn.sample((FAR,))
    except Exception:  # as above
        return None
    if shape(fn, "event_shape"):
        away = draws.flatten(1).float().norm(dim=1)
        return draws[away.argmax() if largest else away.argmin()]
    return draws.amax(0) if largest else draws.amin(0)


def _low(fn: Any, held: Tensor, turn: int) -> Tensor | None:
    return _end(fn, largest=False)


def _high(fn: Any, held: Tensor, turn: int) -> Tensor | None:
    return _end(fn, largest=True)


def _rolled(fn: Any, held: Tensor, turn: int) -> Tensor | None:
    """The same entries in another order, which a simplex or a count allows."""
    return held.roll(1, -1) if held.dim() else None


def _moved(fn: Any, held: Tensor, turn: int) -> Tensor | None:
    if held.is_floating_point():
        return held + 0.1 * torch.randn_like(held)
    return None if held.dtype is torch.bool else held + 1


WAYS: tuple[Callable[[Any, Tensor, int], Tensor | None], ...] = (
    _draw,
    _low,
    _high,
    _rolled,
    _draw,
    _moved,
)
"""How a site is drawn anew, from one round to the next."""


def changed(before: Seen, after: Seen) -> tuple[set[str], set[str], set[str]]:
    """Sites whose distribution changed, those that are gone and those that are new."""
    old, new = before.numbers, after.numbers
    differ = others(old, new) | others(before.given, after.given)
    differ |= others(before.masks, after.masks)
    return differ, old.keys() - new.keys(), new.keys() - old.keys()


def others(old: Mapping[str, Numbers], new: Mapping[str, Numbers]) -> set[str]:
    """Sites of which something is made of other numbers."""
    return {name for name in old if name in new and not same(old[name], new[name])}
