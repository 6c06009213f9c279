"""Checks of one program by itself."""

from __future__ import annotations

import torch
from pyro.poutine.util import site_is_factor
from torch import Tensor

from ..objectives.sites import Site, check_latent, plates
from .dry_run import Run
from .finite import check_finite
from .values import raw_density


def check_guide(q: Run) -> None:
    """Raise for what is wrong in a guide by itself."""
    if q.error is not None:
        raise q.error
    check_latent({name: site for name, site in q.sites.items() if not site_is_factor(site)})
    check_factors(q)
    check_enumerable("guide", q.sites)
    check_sized(q)
    check_densities(q)


def check_factors(q: Run) -> None:
    """Raise where a factor in the guide leaves open, or denies, that it is reparameterised.

    Raises:
        ValueError: naming the factor.
    """
    draws = {
        name: site["value"]
        for name, site in q.sites.items()
        if not site["is_observed"] and site["fn"].has_rsample and site["value"].requires_grad
    }
    for name, site in q.sites.items():
        if not site_is_factor(site):
            continue
        fn = site["fn"]
        if "has_rsample" not in vars(fn):
            raise ValueError(
                f"the guide's pyro.factor {name!r} does not say whether it comes from "
                "reparameterised draws; add has_rsample=True if it does, else has_rsample=False"
            )
        if fn.has_rsample or not fn.log_factor.requires_grad or not draws:
            continue
        slopes = torch.autograd.grad(
            fn.log_factor.sum(), list(draws.values()), retain_graph=True, allow_unused=True
        )
        for draw, slope in zip(draws, slopes, strict=True):
            if slope is not None:
                raise ValueError(
                    f"the guide's pyro.factor {name!r} has has_rsample=False but is computed from "
                    f"the reparameterised draw {draw!r}, so its gradient would be wrong; write "
                    "has_rsample=True"
                )


def check_enumerable(program: str, sites: dict[str, Site]) -> None:
    """Raise for a site that is to be enumerated and has no finite set of values.

    Raises:
        ValueError: naming the site.
    """
    for name, site in sites.items():
        infer = site["infer"]
        to_enumerate = infer.get("enumerate") and infer.get("num_samples") is None
        if to_enumerate and not site["is_observed"] and not site["fn"].has_enumerate_support:
            raise ValueError(
                f"{program} site {name!r} is marked for enumeration, but its distribution does not "
                "list its values; drop 'enumerate' from its infer, or choose a distribution with "
                "finitely many"
            )


def check_sized(run: Run) -> None:
    """Raise for one draw in a plate without a size, which all rows share.

    Raises:
        ValueError: naming plate and site.
    """
    for name, site in run.sites.items():
        for frame in plates(site):
            if frame.size < 0 and not site["is_observed"] and rows_of(site, frame.dim) == 1:
                raise ValueError(
                    f"expected a size of the plate {frame.name!r} around {run.name} site {name!r}, "
                    "got none: without it all rows share one draw; write "
                    f"pyro.plate({frame.name!r}, size)"
                )


def rows_of(site: Site, dim: int) -> int:
    """How many entries a site's distribution has in a batch dimension."""
    batch = tuple(site["fn"].batch_shape)
    return int(batch[dim]) if -dim <= len(batch) else 1


def check_densities(run: Run) -> None:
    """Raise where a site's log-density has another shape than its plates, or is not finite.

    Raises:
        ValueError: naming the first such site.
    """
    for name, site in run.sites.items():
        density = raw_density(run, name, site)
        check_covered(run, name, site, density)
        if run.numbers:
            check_finite(run.name, site, density)


def check_covered(run: Run, name: str, site: Site, density: Tensor) -> None:
    """Raise unless the batch dimensions of a site are those of its plates.

    Raises:
        ValueError: naming the site, the dimension and the plate, if there is one.
    """
    frames = {frame.dim: frame for frame in plates(site)}
    depth = max([density.dim(), *(-dim for dim in frames)])
    shape = (1,) * (depth - density.dim()) + tuple(density.shape)
    for dim in range(-depth, 0):
        if dim not in frames and shape[dim] != 1:
            raise ValueError(
                f"{run.name} site {name!r} has {shape[dim]} entries in the batch dimension {dim}, "
                f"which no plate covers; open pyro.plate(…, {shape[dim]}, dim={dim}) around it, or "
                "make the dimension part of the event with .to_event()"
            )
        if dim in frames and shape[dim] != frames[dim].size >= 0:
            raise ValueError(
                f"expected {frames[dim].size} entries of {run.name} site {name!r} in the batch "
                f"dimension {dim}, one for each row of its plate {frames[dim].name!r}, got "
                f"{shape[dim]}; reshape its value and parameters, or change the plate's dim"
            )
