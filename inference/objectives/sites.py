"""Whether the sites of a model and of its guide fit together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyro.poutine import Trace
from pyro.poutine.util import prune_subsample_sites
from torch import Tensor

Program = Callable[..., object]
"""A model or a guide: a function or a module that runs its sites."""

Site = dict[str, Any]


def sample_sites(trace: Trace) -> dict[str, Site]:
    """The sites of a trace that have a density, by name, in the order of the run."""
    nodes = prune_subsample_sites(trace).nodes
    return {
        name: site
        for name, site in nodes.items()
        if site["type"] == "sample" and not site["infer"].get("_deterministic")
    }


def check_latent(guide: dict[str, Site]) -> None:
    """Raise where a guide observes.

    Raises:
        ValueError: naming the first site that does.
    """
    for name, site in guide.items():
        if site["is_observed"]:
            raise ValueError(
                f"guide site {name!r} is observed, which adds log q to the objective; leave the "
                "observation to the model"
            )


def check_fit(model: dict[str, Site], guide: dict[str, Site]) -> None:
    """Raise where Pyro would warn: the two programs must have the same latent sites.

    Raises:
        ValueError: naming the first site that only one of them has.
    """
    for name in guide:
        if name not in model:
            raise ValueError(
                f"guide site {name!r} does not occur in the model, which has {', '.join(model)}; "
                "give both sites one name"
            )
    present = f"only {', '.join(guide)}" if guide else "no site"
    for name, site in model.items():
        if not site["is_observed"] and name not in guide:
            raise ValueError(
                f"model site {name!r} is latent but the guide has {present}; sample it in the "
                "guide or observe it in the model"
            )


def mask_of(site: Site) -> Tensor | bool:
    """Which entries of a site count."""
    return True if site["mask"] is None else site["mask"]


def plates(site: Any) -> list[Any]:
    """The vectorised plates around a site; those that are loops have no dimension."""
    return [frame for frame in site["cond_indep_stack"] if frame.vectorized]
