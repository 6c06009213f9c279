"""What an objective asks of a pair beside what the pair is: sums, scales, parameters, rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pyro
import torch
from pyro import poutine
from pyro.distributions import Delta, Independent, MaskedDistribution
from pyro.distributions.torch_distribution import ExpandedDistribution
from pyro.infer import (
    ELBO,
    JitTrace_ELBO,
    RenyiELBO,
    ReweightedWakeSleep,
    Trace_ELBO,
    TraceGraph_ELBO,
    TraceMeanField_ELBO,
    TraceTMC_ELBO,
)
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from pyro.poutine.util import site_is_subsample
from torch import Tensor, nn

from ..objectives.pyros import Pyros
from ..objectives.sites import Program, Site, mask_of, plates
from .dry_run import Run
from .untouched import modules

SAMPLING = (
    JitTrace_ELBO,
    RenyiELBO,
    ReweightedWakeSleep,
    Trace_ELBO,
    TraceGraph_ELBO,
    TraceMeanField_ELBO,
)
"""Objectives of Pyro's that draw what is marked for enumeration in a model."""


def kind_of(objective: ELBO | None) -> type:
    """The class of Pyro's that an objective is of, or its own."""
    kind = type(objective)
    return kind.__bases__[-1] if isinstance(objective, Pyros) else kind


def check_summed(sites: list[str], objective: ELBO | None) -> None:
    """Raise where a model's sites are to be summed over by an objective that does not.

    Raises:
        ValueError: naming the first.
    """
    if sites and kind_of(objective) in SAMPLING:
        raise ValueError(
            f"model site {sites[0]!r} is marked for enumeration and the guide lacks it, but "
            f"{type(objective).__name__} sums over nothing: it would draw the site from its prior "
            "at every step; use TraceEnum_ELBO, or sample the site in the guide"
        )


def check_scaled(p: Run, objective: ELBO | None) -> None:
    """Raise for a bound with a power under which a part of the rows does not stand for all.

    Raises:
        ValueError: naming the plate.
    """
    if not isinstance(objective, RenyiELBO | ReweightedWakeSleep | TraceTMC_ELBO):
        return
    for site in p.sites.values():
        for frame in plates(site):
            if 0 < frame.size < frame.full_size:
                raise ValueError(
                    f"expected all {frame.full_size} rows of the plate {frame.name!r} under "
                    f"{type(objective).__name__}, got {frame.size}: their scale goes into its "
                    "exponent, so the value is no bound; give all rows, or use Trace_ELBO"
                )


def check_hidden(name: str, p: Site, q: Site, guide: Run) -> None:
    """Raise where an automatic guide draws entries that the model's mask hides.

    What hides them in the model leaves their entropy in the guide, so that the bound rises without
    end. A point estimate has none.

    Raises:
        ValueError: naming the site.
    """
    hides = not bool(torch.as_tensor(mask_of(p)).all())
    drawn = [s for s in guide.sites.values() if s["infer"].get("is_auxiliary")]
    fn = q["fn"]
    while isinstance(fn, Independent | MaskedDistribution | ExpandedDistribution):
        fn = fn.base_dist
    is_point = isinstance(fn, Delta)
    if hides and drawn and is_point and bool(torch.as_tensor(mask_of(q)).all()):
        raise ValueError(
            f"the guide draws all entries of {name!r}, of which the model's mask hides some, so "
            "the bound would rise without end with the entropy of those; write a guide that draws "
            "the site under poutine.mask with the model's mask, or use AutoDelta"
        )


class Asked(Messenger):
    """Notes which rows of its plates a program takes by itself, whatever it is replayed on.

    Attributes:
        rows: by plate, None where they are all or drawn.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, object] = {}

    def _pyro_sample(self, msg: Message) -> None:
        if site_is_subsample(msg):
            self.rows[str(msg["name"])] = msg["value"]


def check_rows(
    model: Program, asked: Asked, q: Run, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> None:
    """Raise where a guide draws rows for itself that the model takes from its arguments.

    Replayed on the guide's trace the model would pair those rows' latents with other rows' data. A
    model that alone would take all rows takes the guide's.

    Args:
        asked: what the replayed model asked for.

    Raises:
        ValueError: naming the plate.
    """
    given = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]
    for name, site in q.trace.nodes.items():
        if site["type"] != "sample" or not site_is_subsample(site):
            continue
        rows = site["value"]
        if asked.rows.get(name) is None or not isinstance(rows, Tensor):
            continue
        if any(same(rows, value) for value in given):
            continue
        own = [rows_of(model, name, seed, args, kwargs) for seed in (0, 1)]
        fixed = own[0] is not None and own[1] is not None and same(own[0], own[1])
        whole = same(own[0], torch.arange(site["fn"].size, device=rows.device))
        if fixed and not whole and not same(own[0], rows):
            raise ValueError(
                f"the guide draws its own rows of the plate {name!r}, but the model takes them "
                "from what it is called with, so latents would meet the data of other rows; open "
                f"the guide's plate with the same subsample=…, for an automatic guide by "
                f"create_plates=lambda …: pyro.plate({name!r}, size, subsample=…)"
            )


def rows_of(
    model: Program, plate: str, seed: int, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> Tensor | None:
    """The rows of a plate in a run of the model alone."""
    pyro.set_rng_seed(seed)
    try:
        trace = poutine.trace(model).get_trace(*args, **kwargs)
    except Exception:  # what is wrong with the model is said of the model
        return None
    rows = trace.nodes[plate]["value"] if plate in trace.nodes else None
    return rows if isinstance(rows, Tensor) else None


def same(one: Tensor | None, two: Tensor | None) -> bool:
    """Whether two tensors hold the same numbers."""
    return (
        one is not None and two is not None and one.shape == two.shape and bool((one == two).all())
    )


def check_trained(model: Program, guide: Program, q: Run, run_model: Callable[[], Run]) -> None:
    """Raise where networks are used that neither Pyro's store nor a module's caller would train.

    Of a pair of modules everything is trained, by ``objective(model, guide)``.

    Raises:
        ValueError: naming the network.
    """
    if isinstance(model, nn.Module) and isinstance(guide, nn.Module):
        return
    for name, program, run in (("guide", guide, lambda: q), ("model", model, run_model)):
        if isinstance(program, nn.Module) or not (found := list(_networks(program))):
            continue
        made = run()
        known = {id(site["value"]) for site in made.trace.nodes.values() if site["type"] == "param"}
        unknown = [(net, p) for net in found for p in net.parameters() if id(p) not in known]
        unknown = [(net, p) for net, p in unknown if p.requires_grad]
        if unknown and (net := _used(made, unknown)) is not None:
            raise ValueError(
                f"the {name} uses the network {type(net).__name__}, whose parameters are not in "
                "Pyro's store, so that SVI would not train them; write pyro.module(name, network) "
                f"in the {name}, or requires_grad_(False) if they are to stay"
            )


def _networks(program: Program) -> Iterator[nn.Module]:
    yield from modules(program)


def _used(run: Run, parameters: list[tuple[nn.Module, nn.Parameter]]) -> nn.Module | None:
    """The first network of which a density or a draw of a run is computed."""
    parts = [
        part
        for site in run.sites.values()
        for part in (site["fn"].log_prob(site["value"]), site["value"])
        if isinstance(part, Tensor) and part.requires_grad
    ]
    if not parts:
        return None
    slopes = torch.autograd.grad(
        torch.stack([part.sum() for part in parts]).sum(),
        [p for _, p in parameters],
        retain_graph=True,
        allow_unused=True,
    )
    used = (net for (net, _), slope in zip(parameters, slopes, strict=True) if slope is not None)
    return next(used, None)
