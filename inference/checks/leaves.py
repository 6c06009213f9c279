"""Whether a program computes with numbers that nothing would train."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import pyro
from torch import Tensor, nn

from ..objectives.sites import Program
from ..objectives.store import modules
from .devices import nested
from .dry_run import Run


def check_leaves(
    program: Program,
    run: Run,
    as_run: Program,
    args: tuple[object, ...],
    kwargs: dict[str, object],
    beside: Run | None = None,
) -> None:
    """Raise where a program computes with a tensor that asks for a gradient and gets no step.

    Steps are taken along the parameters of Pyro's store and of modules. What a program makes in its
    own run is no matter, so only what two runs have in common counts.

    Args:
        run: of the program, with gradients. as_run: what was run, which is run again where need be.
        args, kwargs: what it is called with, whose gradients are the caller's.
        beside: of the guide on whose draws a model is replayed; what they are computed from is said
            of the guide.

    Raises:
        ValueError: naming the program, the site and the tensor.
    """
    others = [leaf for _, leaf in _leaves(beside)] if beside is not None else []
    known = {id(tensor) for tensor in (*_known(program, args, kwargs), *others)}
    found = [(name, leaf) for name, leaf in _leaves(run) if id(leaf) not in known]
    if not found:
        return
    again = [leaf for _, leaf in _leaves(Run(run.name, as_run, args, kwargs, run.numbers))]
    for name, leaf in found:
        if any(leaf is other for other in again):
            raise ValueError(
                f"{run.name} site {name!r} is computed from {_named(program, leaf)}, which asks "
                "for a gradient and is a parameter neither of Pyro's store nor of the program's "
                "modules, so that nothing would train it; give it by pyro.param(name, tensor), as "
                "an nn.Parameter of a module, or by .detach() if it is to stay"
            )


def loose(program: nn.Module) -> bool:
    """Whether a module has, beside its parameters, a tensor that asks for a gradient."""
    return any(_is_leaf(value) for part in program.modules() for value in vars(part).values())


def _is_leaf(value: object) -> bool:
    return isinstance(value, Tensor) and value.requires_grad and value.is_leaf


def _known(program: Program, args: tuple[object, ...], kwargs: dict[str, object]) -> list[Tensor]:
    """What is trained, or is the caller's."""
    found = [tensor for _, tensor in pyro.get_param_store().named_parameters()]
    found += [parameter for part in modules(program) for parameter in part.parameters()]
    for _, value in nested(args, kwargs):
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, nn.Module):
            found += value.parameters()
    return found


def _leaves(run: Run) -> Iterator[tuple[str, Tensor]]:
    """The tensors that the gradients of a run's densities and draws end in, with their sites."""
    seen: set[Any] = set()
    for name, site in run.sites.items():
        for part in (site["fn"].log_prob(site["value"]), site["value"]):
            if not isinstance(part, Tensor) or not part.requires_grad:
                continue
            if part.is_leaf:
                yield name, part
            yield from ((name, leaf) for leaf in _ends(part.grad_fn, seen))


def _ends(node: Any, seen: set[Any]) -> Iterator[Tensor]:
    """The leaves of a graph that were not seen yet."""
    pending = [node]
    while pending:
        node = pending.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.name().endswith("AccumulateGrad"):
            yield node.variable
        pending += [following for following, _ in node.next_functions]


def _named(program: Program, leaf: Tensor) -> str:
    """A tensor by the name that the program has for it, or by its shape."""
    for names in _names(program):
        for name, value in names.items():
            if value is leaf:
                return f"the tensor {name!r}"
    return f"a tensor of shape {tuple(leaf.shape)}"


def _names(program: Program) -> Iterator[Mapping[str, object]]:
    """What a program can name: its modules' attributes, and what its function refers to."""
    for part in modules(program):
        yield from (vars(each) for each in part.modules())
    function = inspect.unwrap(program.__func__ if inspect.ismethod(program) else program)
    if inspect.isfunction(function):
        found = inspect.getclosurevars(function)
        yield from (found.nonlocals, found.globals)
