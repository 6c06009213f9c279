"""Interventions on a program: whole sites, or one label of a site that holds many.

``pyro.poutine.do`` sets a site as a whole. Labels of one kind share a site, so setting one of them
needs a handler that reaches into it. Under :func:`do` what comes after the site sees the value
that was set, and what was set has no density any more: the trace of the program is the truncated
factorisation of Pearl (2009, "Causality", equation 3.10),

.. math::

    p(v \\mid do(y^i = a)) = \\prod_{v_j \\neq y^i} p(v_j \\mid pa_j)\\,[y^i = a].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, runtime_checkable

from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from pyro.poutine.util import site_is_subsample
from torch import Tensor

from ..data import Kind, LabelSpace
from .intervened import Entry, Intervened

Value = Tensor | float | int | bool | str
"""What a variable is set to: a number, a class by name, or a tensor with a value for every row."""

ENTRY = re.compile(r"(?P<site>.+)\[(?P<entry>[^\[\]]+)\]")

HALVES = ("_observed", "_unobserved")
"""The sites that a partly observed one is made of."""


@runtime_checkable
class Labelled(Protocol):
    """A program that knows its labels."""

    space: LabelSpace


def do(
    program: Callable[..., Any], settings: Mapping[str, Value], *, space: LabelSpace | None = None
) -> Callable[..., Any]:
    """A program with variables set from outside.

    Args:
        program: with Pyro's sample statements.
        settings: values by name. ``"z_style"`` is a whole site; ``"y[Smiling]"`` one label of the
            site of its kind, as is ``"z_c[Smiling]"`` its block; ``"y[2]"`` the second cell of the
            site's innermost plate, or of its event where it lies in none.
        space: the labels, for programs that have no attribute of this name.

    Returns:
        A program with the same arguments. It can be run, replayed and traced like any other.

    Raises:
        ValueError: for a label or a class that the space does not have; and when it runs, for a
            setting that fits no site, or reaches into a site whose entries are not independent.
    """
    if space is None and isinstance(program, Labelled):
        space = program.space
    return Intervention(settings, space)(program)


@dataclass(frozen=True, eq=False)
class Setting:
    """One variable that is set.

    Attributes:
        text: as it was written. site: name of the site, without a kind's suffix.
        value: what it is set to.
        label: a label's name, or ``""``. number: the cell, from 1; 0 for the whole site.
    """

    text: str
    site: str
    value: Tensor | float | int | bool
    label: str = ""
    number: int = 0

    @classmethod
    def parse(cls, text: str, value: Value, space: LabelSpace | None) -> Setting:
        """Read ``y``, ``y[2]`` or ``y[Smiling]``."""
        match = ENTRY.fullmatch(text)
        label = "" if match is None or match["entry"].isdecimal() else match["entry"]
        if label and space is None:
            raise ValueError(
                f"{text!r} names a label, but the program has no label space; give space=, or the "
                "cell's number as in y[2]"
            )
        if isinstance(value, str):
            value = _code(space, label, value, text)
        if label and space is not None:
            space.index(label)
        if match is None:
            return cls(text, text, value)
        return cls(text, match["site"], value, label, 0 if label else int(match["entry"]))


def _code(space: LabelSpace | None, label: str, value: str, text: str) -> int:
    """The code of a class by name."""
    if space is None or not label:
        raise ValueError(f"{text!r}: expected a number, got {value!r}; classes belong to labels")
    classes = list(space)[space.index(label)].classes
    if value not in classes:
        raise ValueError(f"{label} has no class {value!r}; choose one of {', '.join(classes)}")
    return classes.index(value)


class Intervention(Messenger):
    """The handler behind :func:`do`.

    Args:
        settings: values by name. space: the labels, where settings name any.
    """

    def __init__(self, settings: Mapping[str, Value], space: LabelSpace | None = None) -> None:
        super().__init__()
        self.space = space
        self.settings = [Setting.parse(text, value, space) for text, value in settings.items()]
        self.met: set[str] = set()

    def __enter__(self) -> Any:
        self.met = set()
        return super().__enter__()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        ended: bool | None = super().__exit__(exc_type, exc_value, traceback)
        if exc_type is None and (lost := [s.text for s in self.settings if s.text not in self.met]):
            raise ValueError(
                f"the program has no site for {', '.join(lost)}; name a site that it draws, or an "
                "entry of one as in y[2] or y[Smiling]"
            )
        return ended

    def _pyro_sample(self, msg: Message) -> None:
        entries = self._entries(msg)
        for entry in entries if msg["is_observed"] else ():
            msg["value"] = entry.put(msg["value"])
        if entries and not (msg["infer"] or {}).get("_deterministic"):
            fn: Any = Intervened(msg["fn"], tuple(entries))
            msg["fn"] = fn

    def _pyro_post_sample(self, msg: Message) -> None:
        if isinstance(msg["fn"], Intervened):
            msg["fn"].enumerated = "_enumerate_dim" in (msg["infer"] or {})
        # What another handler drew or replayed reaches the program only as it is set.
        for entry in self._entries(msg):
            msg["value"] = entry.put(msg["value"])

    def _entries(self, msg: Message) -> list[Entry]:
        if site_is_subsample(msg):
            return []
        name = msg["name"] or ""
        whole = next((name.removesuffix(h) for h in HALVES if name.endswith(h)), name)
        found = []
        for setting in self.settings:
            entry = self._entry(setting, name if setting.site == name else whole, msg)
            if entry is not None:
                self.met.add(setting.text)
                found.append(entry)
        return found

    def _entry(self, setting: Setting, name: str, msg: Message) -> Entry | None:
        """Where in a site a setting lies, or None where it is of another."""
        fn: Any = msg["fn"]
        event = len(fn.event_shape)
        if setting.label:
            assert self.space is not None
            column = self.space.index(setting.label)
            kind = next(kind for kind in self.space.kinds if column in kind.columns)
            dim = _plate_of(kind, msg)
            if dim is not None and name == f"{setting.site}{kind.suffix}":
                position = kind.columns.index(column)
                return Entry(setting.text, setting.value, event, dim - event, position, len(kind))
            if name == setting.site and tuple(fn.event_shape) == (len(self.space),):
                return Entry(setting.text, setting.value, event, -1, column, len(self.space))
            return None
        if name != setting.site:
            return None
        if not setting.number:
            return Entry(setting.text, setting.value, event)
        frames = [f for f in msg["cond_indep_stack"] if f.vectorized and f.dim is not None]
        if frames:
            return Entry(
                setting.text,
                setting.value,
                event,
                frames[-1].dim - event,
                setting.number - 1,
                frames[-1].size,
            )
        if not event:
            raise ValueError(f"{name} is one number outside of plates, got {setting.text!r}")
        return Entry(setting.text, setting.value, event, -1, setting.number - 1, fn.event_shape[-1])


def _plate_of(kind: Kind, msg: Message) -> int | None:
    """The dimension of a plate over the labels of a kind."""
    frames = [f for f in msg["cond_indep_stack"] if f.dim is not None]
    return frames[-1].dim if frames and frames[-1].size == len(kind) else None
