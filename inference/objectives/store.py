"""Whose parameters Pyro's store holds: those of a pair, or of one that was trained before it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Collection

import torch
from pyro.poutine import Trace
from torch import nn

from .sites import Program


def check_store(trace: Trace, *programs: Program, among: Collection[str] | None = None) -> None:
    """Raise where a run found the parameters of another pair in Pyro's store.

    Pyro keeps parameters by name for as long as the process lives. A second pair whose parts have
    the names of the first computes with its own parameters, while ``SVI`` steps along those of the
    first, which the store still holds: nothing of the second is trained. Nor is a parameter whose
    entries do not lie in order, of which the store keeps a copy.

    Args:
        trace: of a run, with its parameters. programs: what was run.
        among: names that the store held before the run; those of the run's own by default.

    Raises:
        ValueError: with how many there are and what to do.
    """
    given = {
        name: site["args"][1]
        for name, site in trace.nodes.items()
        if site["type"] == "param" and len(site["args"]) > 1
    }
    given = {name: own for name, own in given.items() if isinstance(own, nn.Parameter)}
    parts = [part for program in programs for part in modules(program)]
    owned = {id(parameter) for part in parts for parameter in part.parameters()}
    kept = {name: trace.nodes[name]["value"] for name in given}
    foreign = [
        name
        for name, own in given.items()
        if own is not kept[name] and id(own) in owned and (among is None or name in among)
    ]
    if not foreign:
        return
    name = foreign[0]
    if not given[name].is_contiguous() and torch.equal(given[name], kept[name]):
        raise ValueError(
            f"expected a contiguous parameter, got {name!r} with strides {given[name].stride()}, "
            "of which Pyro's store keeps a copy: SVI would train the copy; lay it out by "
            "network.to(memory_format=torch.contiguous_format), or train objective(model, guide)"
        )
    raise ValueError(
        "expected Pyro's parameter store to hold this pair's own parameters, got others' under "
        f"{len(foreign)} of {len(given)} names, as {name!r} (an earlier pair's, or those of "
        "another part of that name): SVI would train those and not the pair's; call "
        "pyro.clear_param_store() before a new pair, and give its parts different names"
    )


def modules(program: Program) -> list[nn.Module]:
    """The modules that a program is made of: itself, its method's, or those that it refers to."""
    found: list[nn.Module] = []
    pending: list[object] = [program]
    seen: dict[int, object] = {}  # keeps what it has seen alive, and so its id its own
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen[id(part)] = part
        if isinstance(part, nn.Module):
            found.append(part)
        elif isinstance(part, functools.partial):  # Pyro's handlers wrap programs in these
            pending += [part.func, *part.args, *part.keywords.values()]
        elif inspect.ismethod(part):
            owner = part.__self__
            pending += [owner, part.__func__]
            if not isinstance(owner, nn.Module | type):  # a plain object that holds networks
                pending += [value for value in attributes(owner) if isinstance(value, nn.Module)]
        elif inspect.isfunction(part):
            names = inspect.getclosurevars(part)
            pending += names.nonlocals.values()
            pending += [v for v in names.globals.values() if isinstance(v, nn.Module)]
    return found


def attributes(owner: object) -> list[object]:
    """What an object holds, without what its class does."""
    try:
        return list(vars(owner).values())
    except TypeError:  # an object with slots
        return []
