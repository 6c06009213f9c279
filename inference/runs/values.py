"""The values of a pair's parameters as its programs see them, each where its constraint puts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pyro.nn import PyroModule
from torch import Tensor, nn
from torch.distributions import transform_to

from ..foreign.program import Foreign, Loose


def values_of(programs: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """All parameters of some programs by name, apart from the graph.

    What stands in Pyro's store alone has the name that ``pyro.param`` gave it; what a module
    holds has the program's before it, as ``guide.locs.weight``.

    Args:
        programs: by what they are called, as ``{"model": model, "guide": guide}``.
    """
    found: dict[str, Tensor] = {}
    for name, program in programs.items():
        if not isinstance(program, Foreign):
            found |= {f"{name}.{key}": value for key, value in _held(program)}
            continue
        several = len(program.parts) > 1
        for place, part in enumerate(program.parts):
            stem = f"{name}.{place}" if several else name
            found |= {f"{stem}.{key}": value for key, value in _held(part)}
        found |= _stored(program.loose)
    return {name: value.detach() for name, value in found.items()}


def _stored(loose: Loose) -> dict[str, Tensor]:
    held = dict(zip(loose.names, loose.parameters(), strict=True))
    return {name: transform_to(loose.constraints[name])(held[name]) for name in held}


def _held(program: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The parameters of a module and those within it; Pyro's with a constraint as it has them."""
    for path, part in program.named_modules():
        stem = f"{path}." if path else ""
        own = dict(part.named_parameters(recurse=False))
        for name, value in own.items():
            bare = name.removesuffix("_unconstrained")
            bound = isinstance(part, PyroModule) and bare in part._pyro_params
            yield (f"{stem}{bare}", getattr(part, bare)) if bound else (f"{stem}{name}", value)
