"""Checks of a model and its guide before anything is trained with them.

:func:`check_pair` runs both programs once on a batch and raises at the first mistake, most of which
Pyro would pass over in silence or show by a symptom alone.
"""

from __future__ import annotations

import pyro
import torch
from pyro import poutine
from pyro.infer import ELBO, TraceEnum_ELBO
from torch import Tensor

from ...models.program import NetworkProgram
from ..objectives.base import Objective
from ..objectives.draw import DATA, Draw, log_density
from ..objectives.pyros import Pyros
from ..objectives.sites import Program, Site, check_fit, mask_of, plates
from ..objectives.store import check_store
from .batch import check_images, check_labels
from .devices import check_devices, named_tensors
from .dry_run import Run, in_words
from .leaves import check_leaves, loose
from .loss import check_loss
from .objective import (
    Asked,
    check_hidden,
    check_rows,
    check_scaled,
    check_summed,
    check_trained,
)
from .program import check_densities, check_enumerable, check_guide, check_sized, rows_of
from .untouched import untouched


def check_pair(
    model: Program, guide: Program, *args: object, objective: ELBO | None = None, **kwargs: object
) -> None:
    """Raise where a model and a guide do not fit together, or do not fit their batch.

    Checked are the devices of all tensors; the names of the sites; the plates, shapes, scales and
    masks of each site on both sides; ``pyro.factor`` and enumeration in the guide; whether every
    distribution's parameters, value and log-density are finite; whether Pyro's store holds the
    parameters of an earlier pair, so that ``SVI`` would train those; and whether a tensor asks for
    a gradient that nobody would step along. Programs on the ``meta``
    device are checked as far as that goes without numbers.

    Random state, Pyro's parameter store and the programs' modules are left as they were: an
    automatic guide is not built by it.

    Args:
        model, guide: any Pyro programs, modules or functions.
        args, kwargs: what both are called with; labels may be missing (NaN).
        objective: where given, the guide is checked as this objective runs it, and the objective
            is run once with Pyro's validation on. Without one, discrete sites of a guide whose
            sites all lie in a plate ``data`` must be such that they can be summed over exactly:
            name the objective where it samples them.

    Raises:
        ValueError: saying what was expected, what came, and what to do.
    """
    check_labels(model, args, kwargs)
    tensors = named_tensors(model, guide, args, kwargs)
    check_devices(tensors)
    numbers = not any(tensor.is_meta for tensor in tensors.values())
    as_run = objective.prepare(guide) if isinstance(objective, Objective | Pyros) else guide
    kept = set(pyro.get_param_store().keys())
    with untouched(model, guide), torch.enable_grad(), pyro.validation_enabled(False):
        q = Run("guide", as_run, args, kwargs, numbers)
        check_images(model, q, args, kwargs)
        check_guide(q)
        check_store(q.trace, guide, among=kept)
        asked = Asked()
        replayed = poutine.replay(asked(model), trace=q.trace)
        with torch.no_grad():
            p = Run("model", replayed, args, kwargs, numbers)
            check_model(p, q, objective)
            check_store(p.trace, model, among=kept)
            check_scaled(p, objective)
            if numbers:
                check_rows(model, asked, q, args, kwargs)
            if can_be_summed(p, q, objective):
                check_sums(p, q, model, as_run, args, kwargs)
            # Pyro's own objectives read numbers back.
            if isinstance(objective, Objective) or (objective is not None and numbers):
                check_loss(objective, model, guide, args, kwargs, numbers)
        if numbers and objective is not None and not isinstance(objective, Objective):
            check_trained(model, guide, q, lambda: Run("model", replayed, args, kwargs, numbers))
        if numbers:
            check_leaves(guide, q, as_run, args, kwargs)
        if numbers and (not isinstance(model, NetworkProgram) or loose(model)):
            p = Run("model", replayed, args, kwargs, numbers)  # with gradients
            check_leaves(model, p, replayed, args, kwargs, beside=q)


def check_model(p: Run, q: Run, objective: ELBO | None = None) -> None:
    """Raise for what is wrong in a model that was replayed on its guide's draw."""
    shared = [name for name in p.sites if name in q.sites]
    check_sized(p)
    for name in shared:
        check_same_place(name, p.sites[name], q.sites[name])
    if p.error is not None:
        raise p.error
    only_model = {name: site for name, site in p.sites.items() if name not in q.sites}
    check_enumerable("model", only_model)
    summed = [
        name
        for name, site in only_model.items()
        if site["infer"].get("enumerate") and not site["is_observed"]
    ]
    check_summed(summed, objective)
    check_fit(
        {name: site for name, site in p.sites.items() if name not in summed},
        {name: site for name, site in q.sites.items() if not site["infer"].get("is_auxiliary")},
    )
    check_densities(p)
    if p.numbers:
        for name in shared:
            check_hidden(name, p.sites[name], q.sites[name], q)
            check_same_weight(name, p.sites[name], q.sites[name])


def check_same_place(name: str, p: Site, q: Site) -> None:
    """Raise unless a site has the same plates and the same shapes in model and guide.

    Raises:
        ValueError: naming the site, with the plates or shapes of both.
    """
    here, there = plates_in_words(p), plates_in_words(q)
    if here != there:
        raise ValueError(
            f"site {name!r} lies in {here} in the model but in {there} in the guide; open the same "
            "plates with the same size and dim around both"
        )
    here, there = shapes_in_words(p), shapes_in_words(q)
    if here != there:
        raise ValueError(
            f"site {name!r} has {here} in the model but {there} in the guide; make them equal, "
            "with .to_event() for the dimensions that no plate covers"
        )


def check_same_weight(name: str, p: Site, q: Site) -> None:
    """Raise unless a site's density counts alike in model and guide.

    Raises:
        ValueError: naming the site.
    """
    log_q = q["fn"].log_prob(q["value"])
    if differ(p["scale"], q["scale"], log_q):
        here, there = ("a tensor" if isinstance(s["scale"], Tensor) else s["scale"] for s in (p, q))
        raise ValueError(
            f"site {name!r} is scaled by {here} in the model but by {there} in the guide; put the "
            "same poutine.scale around both (a β weighs log p and log q alike)"
        )
    if differ(mask_of(p), mask_of(q), log_q):
        raise ValueError(
            f"site {name!r} is masked in other entries in the model than in the guide; put the "
            "same poutine.mask around both (a site of obs_mask is masked where it is observed)"
        )


def differ(p: Tensor | float, q: Tensor | float, log_q: Tensor) -> bool:
    """Whether two scales or masks differ where it matters: a point estimate has log q = 0."""
    here, there = (torch.as_tensor(t, device=log_q.device).float() for t in (p, q))
    return bool((~torch.isclose(here, there) & (log_q != 0)).any())


def plates_in_words(site: Site) -> str:
    """The plates around a site, from the outermost dimension to the innermost.

    One without a size, as Pyro's ``EasyGuide`` opens it, has as many rows as what lies in it.
    """
    frames = sorted(plates(site), key=lambda frame: frame.dim)
    described = []
    for frame in frames:
        size, full = frame.size, frame.full_size
        if size < 0:
            size = full = rows_of(site, frame.dim)
        described.append(f"{frame.name!r} (dim {frame.dim}, {size} of {full})")
    return f"plates {', '.join(described)}" if frames else "no plate"


def shapes_in_words(site: Site) -> str:
    """A site's shapes; leading batch dimensions of one entry do not count."""
    batch = list(site["fn"].batch_shape)
    while batch and batch[0] == 1:
        del batch[0]
    return f"batch shape {tuple(batch)} and event shape {tuple(site['fn'].event_shape)}"


def can_be_summed(p: Run, q: Run, objective: ELBO | None) -> bool:
    """Whether the guide has labels over which a :class:`Draw` of this pair sums."""
    every = [*p.sites.values(), *q.sites.values()]
    labels = [
        site
        for site in q.sites.values()
        if site["fn"].has_enumerate_support
        and not site["fn"].has_rsample  # a Delta has one value to list
        and (objective is None or site["infer"].get("enumerate") == "parallel")
    ]
    # Objectives of the suite make their own draw; a Draw knows latent sites of both programs only.
    asked = objective is None or isinstance(objective, TraceEnum_ELBO)
    latent = {name for name, site in p.sites.items() if not site["is_observed"]}
    in_data = all(any(frame.name == DATA for frame in plates(site)) for site in every)
    return asked and bool(labels) and in_data and latent == set(q.sites)


def check_sums(
    p: Run,
    q: Run,
    model: Program,
    guide: Program,
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> None:
    """Raise where the guide's labels cannot be summed over exactly.

    Raises:
        ValueError: as :class:`Draw` words it, or the programs.
    """
    every = [*p.sites.values(), *q.sites.values()]
    depth = max(-frame.dim for site in every for frame in plates(site))
    try:
        draw = Draw(model, guide, args, kwargs, max_plate_nesting=depth)
        for site in (*draw.model.values(), *draw.guide.values()):
            draw.per_row(log_density(site), site)
    except Exception as error:
        reason = str(error) if isinstance(error, ValueError) else in_words(error)
        raise ValueError(
            f"the guide's labels cannot be summed over: {reason}; or let both programs take labels "
            "with more dimensions to the left, or name an objective that samples the labels: "
            "check_pair(…, objective=…)"
        ) from error
