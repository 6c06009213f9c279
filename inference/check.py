"""Checks of a model and its guide before anything is trained with them.

:func:`check_pair` runs both programs once on a batch and raises at the first mistake, most of which
Pyro would pass over in silence or show by a symptom alone. :func:`untouched` is how it runs them.
"""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import pyro
import torch
from pyro import poutine
from pyro.infer import ELBO, TraceEnum_ELBO
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from pyro.poutine.util import site_is_factor, site_is_subsample
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn.parameter import is_lazy

from .draw import DATA, Draw, log_density
from .fit import Site, check_fit, check_latent, sample_sites
from .objective import Objective

Program = Callable[..., Any]


def check_pair(
    model: Program, guide: Program, *args: Any, objective: ELBO | None = None, **kwargs: Any
) -> None:
    """Raise where a model and a guide do not fit together, or do not fit their batch.

    Checked are the devices of all tensors; the names of the sites; the plates, shapes, scales and
    masks of each site on both sides; ``pyro.factor`` and enumeration in the guide; and whether
    every distribution's parameters, value and log-density are finite. Programs on the ``meta``
    device are checked as far as that goes without numbers.

    Random state, Pyro's parameter store and the buffers of modules are left as they were.

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
    tensors = named_tensors(model, guide, args, kwargs)
    check_devices(tensors)
    numbers = not any(tensor.is_meta for tensor in tensors.values())
    as_run = objective.prepare(guide) if isinstance(objective, Objective) else guide
    with untouched(model, guide), torch.enable_grad(), pyro.validation_enabled(False):
        q = Run("guide", as_run, args, kwargs, numbers)
        check_guide(q)
        with torch.no_grad():
            p = Run("model", poutine.replay(model, trace=q.trace), args, kwargs, numbers)
            check_model(p, q)
            if can_be_summed(p, q, objective):
                check_sums(p, q, model, as_run, args, kwargs)
            # Pyro's own objectives read numbers back.
            if isinstance(objective, Objective) or (objective is not None and numbers):
                check_loss(objective, model, guide, args, kwargs, numbers)


# Running programs.


@contextmanager
def untouched(*programs: Program) -> Iterator[None]:
    """Run programs inside without leaving a trace.

    Afterwards random state, Pyro's parameter store and the buffers of the programs' modules (the
    running statistics of batch normalisation) are what they were, and handlers outside have seen
    nothing. Inside, the programs see the store's parameters. What builds itself at its first run,
    as Pyro's autoguides do, stays built.

    Args:
        programs: modules, methods of modules, or functions that refer to modules.
    """
    parts = {part for program in programs for found in modules(program) for part in found.modules()}
    buffers = [
        (part, name, buffer, buffer.clone())
        for part in parts
        for name, buffer in part.named_buffers(recurse=False)
        if not is_lazy(buffer)
    ]
    # Before CUDA is set up there is no tensor on it for which a program could draw.
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    store, state = pyro.get_param_store(), pyro.util.get_rng_state()
    try:
        with torch.random.fork_rng(devices), store.scope(store.get_state()), poutine.block():
            yield
    finally:
        pyro.util.set_rng_state(state)
        for part, name, buffer, value in buffers:
            setattr(part, name, buffer)
            buffer.data.copy_(value)  # by .data, for graphs made before stay valid so
        dict(store.items())  # Pyro's scope unlinks parameters from their unconstrained values


def modules(program: Program) -> list[nn.Module]:
    """The modules that a program is made of: itself, its method's, or those that it refers to."""
    found: list[nn.Module] = []
    pending: list[Any] = [program]
    seen: dict[int, Any] = {}  # keeps what it has seen alive, and so its id its own
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
            pending += [part.__self__, part.__func__]
        elif inspect.isfunction(part):
            names = inspect.getclosurevars(part)
            pending += names.nonlocals.values()
            pending += [v for v in names.globals.values() if isinstance(v, nn.Module)]
    return found


class NotFiniteError(ValueError):
    """A distribution has parameters that it cannot be drawn from."""


class Run:
    """One run of a program.

    Args:
        name: ``"model"`` or ``"guide"``.
        program, args, kwargs: what is run, and on what.
        numbers: whether its tensors have values that can be looked at.

    Attributes:
        trace: Pyro's, up to where the program failed, if it did.
        sites: those of the trace that have a density, by name.
        error: what it failed with, None if it did not.

    Raises:
        NotFiniteError: where a site's parameters are NaN.
    """

    def __init__(
        self,
        name: str,
        program: Program,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        numbers: bool,
    ) -> None:
        self.name, self.numbers = name, numbers
        self.error: ValueError | None = None
        with poutine.trace() as tracer, Guard(name, numbers) as guard:
            try:
                program(*args, **kwargs)
            except NotFiniteError:
                raise
            except Exception as error:
                place = f"after its site {guard.last!r}" if guard.last else "before its first site"
                self.error = ValueError(
                    f"the {name} failed {place} with {in_words(error)}; correct what it computes "
                    "there, or what it is called with"
                )
                self.error.__cause__ = error
        self.trace = tracer.trace
        self.sites = sample_sites(self.trace)


class Guard(Messenger):
    """Stops a program before it draws from NaN, and remembers the last site that it finished.

    On a GPU a draw from NaN probabilities would end the process.
    """

    def __init__(self, name: str, numbers: bool) -> None:
        super().__init__()
        self.name, self.numbers = name, numbers
        self.last = ""

    def _pyro_sample(self, msg: Message) -> None:
        if not self.numbers or site_is_subsample(msg):
            return
        for name, tensor in parameters(msg["fn"], stated=True):
            if tensor.isnan().any():
                raise NotFiniteError(not_finite(self.name, msg, "parameter", tensor.isnan(), name))

    def _pyro_post_sample(self, msg: Message) -> None:
        if not site_is_subsample(msg):
            self.last = msg["name"]


# Devices.


def named_tensors(
    model: Program, guide: Program, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Tensor]:
    """Parameters and buffers of both programs, then the tensors among the arguments."""
    found: dict[str, Tensor] = {}
    for side, program in (("model", model), ("guide", guide)):
        for module in modules(program):
            found |= {f"{side} parameter {name!r}": p for name, p in module.named_parameters()}
            found |= {f"{side} buffer {name!r}": b for name, b in module.named_buffers()}
    pending = [(f"args[{i}]", value) for i, value in enumerate(args)]
    pending += [(f"kwargs[{key!r}]", value) for key, value in kwargs.items()]
    while pending:
        name, value = pending.pop(0)
        if isinstance(value, Tensor):
            found[name] = value
        elif isinstance(value, dict):
            pending += [(f"{name}[{key!r}]", item) for key, item in value.items()]
        elif isinstance(value, list | tuple):
            pending += [(f"{name}[{i}]", item) for i, item in enumerate(value)]
    return found


def check_devices(tensors: dict[str, Tensor]) -> None:
    """Raise unless all tensors are on one device.

    Raises:
        ValueError: naming the first that is not where most are.
    """
    for device, _ in Counter(tensor.device for tensor in tensors.values()).most_common(1):
        first = next(name for name, tensor in tensors.items() if tensor.device == device)
        for name, tensor in tensors.items():
            if tensor.device != device:
                raise ValueError(
                    f"expected every tensor on {device}, as {first}, got {name} on "
                    f"{tensor.device}; move programs and batch there with .to({str(device)!r})"
                )


# One program by itself.


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
    """Raise for a draw in a plate without a size, which every row may share.

    Raises:
        ValueError: naming plate and site.
    """
    for name, site in run.sites.items():
        for frame in plates(site):
            if frame.size < 0 and not site["is_observed"]:
                raise ValueError(
                    f"expected a size of the plate {frame.name!r} around {run.name} site {name!r}, "
                    "got none: without it all rows may share one draw; write "
                    f"pyro.plate({frame.name!r}, size)"
                )


def check_densities(run: Run) -> None:
    """Raise where a site's log-density has another shape than its plates, or is not finite.

    Raises:
        ValueError: naming the first such site.
    """
    for name, site in run.sites.items():
        density = raw_density(run, name, site)
        check_covered(run, name, site, density)
        if run.numbers:
            check_finite(run, site, density)


def raw_density(run: Run, name: str, site: Site) -> Tensor:
    """A site's log-density at its value, without its mask.

    Raises:
        ValueError: where the value does not have the distribution's shape.
    """
    fn, value = site["fn"], site["value"]
    event = tuple(fn.event_shape)
    reason = ""
    # A hidden Markov model without a duration takes series of any length.
    if isinstance(value, Tensor) and getattr(fn, "duration", fn) is not None:
        found = tuple(value.shape[max(0, value.dim() - len(event)) :])
        if found != event:
            reason = "its last dimensions would be broadcast"
    if not reason:
        try:
            density: Tensor = fn.log_prob(value)
            return density
        except Exception as error:
            reason = in_words(error)
    raise ValueError(
        f"expected a value of batch shape {tuple(fn.batch_shape)} and event shape {event} at "
        f"{run.name} site {name!r}, got the shape {tuple(torch.as_tensor(value).shape)} "
        f"({reason}); reshape the value, or what the distribution's parameters are computed by"
    )


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


# Numbers that are not finite.


def check_finite(run: Run, site: Site, density: Tensor) -> None:
    """Raise where a site's value or its log-density is not finite.

    What the site's mask hides may be infinite but not NaN, which would come back in the gradient.

    Raises:
        NotFiniteError: naming the parameter, the value or the log-density that is to blame.
    """
    value = torch.as_tensor(site["value"])
    mask = torch.as_tensor(mask_of(site), device=density.device)
    wrong = density.isnan() | (mask & density.isinf())
    if value.isfinite().all() and not wrong.any():
        return
    for name, tensor in parameters(site["fn"]):
        if not tensor.isfinite().all():
            raise NotFiniteError(not_finite(run.name, site, "parameter", ~tensor.isfinite(), name))
    if not value.isfinite().all():
        kind = "observed value" if site["is_observed"] else "drawn value"
        raise NotFiniteError(not_finite(run.name, site, kind, ~value.isfinite()))
    raise NotFiniteError(not_finite(run.name, site, "log-density", wrong))


def parameters(fn: Distribution, *, stated: bool = False) -> Iterator[tuple[str, Tensor]]:
    """The tensors that a distribution is made of, within whatever wraps it.

    Args:
        fn: the distribution.
        stated: only those that its class states as parameters. By default a class that states
            none is taken to have all of its tensors as parameters.
    """
    try:
        names = fn.arg_constraints
    except (AttributeError, NotImplementedError):
        names = {}
    for name, value in vars(fn).items():
        if isinstance(value, Distribution):
            yield from parameters(value, stated=stated)
        elif isinstance(value, Tensor) and (
            name in names or not (stated or names or name.startswith("_"))
        ):
            yield name, value


REMEDIES = {
    "parameter": "follow it back through the network or table that puts it out, to {cause}",
    "observed value": "clean {cause}; a label that may be missing is observed with "
    "obs=y.nan_to_num(), obs_mask=~y.isnan()",
    "drawn value": "bound the parameters that it is drawn with; look at {cause}",
    "log-density": "bring the value into the distribution's support, or bound its parameters; "
    "look at {cause}",
}
"""For each kind of number what to do where it is not finite."""


def not_finite(program: str, site: Any, kind: str, wrong: Tensor, name: str = "") -> str:
    """The message on numbers of a site that are not finite, with the rows where they are.

    Args:
        program: the site's. site: Pyro's record of it.
        kind: of number, one of ``REMEDIES``. name: the parameter's.
        wrong: where, ``(*batch, …)``; tensors of other shapes belong to no row.
    """
    batch = site["fn"].batch_shape
    # Rows are those of the plate called data, or else of the outermost.
    frames = sorted(plates(site), key=lambda frame: (frame.name != DATA, frame.dim))
    if frames and wrong.shape[: len(batch)] == batch and len(batch) >= -frames[0].dim:
        moved = wrong.movedim(len(batch) + frames[0].dim, 0)
        by_row = moved.reshape(len(moved), -1).any(-1)
        where = rows_in_words(by_row)
    else:
        by_row, where = torch.ones(1), f"in {int(wrong.sum())} of {wrong.numel()} entries"
    cause = "the weights and the batch" if by_row.all() else "those rows of the batch"
    return (
        f"expected finite numbers at {program} site {site['name']!r}, got NaN or infinity in its "
        f"{kind}{f' {name!r}' if name else ''} {where}; {REMEDIES[kind].format(cause=cause)}"
    )


def rows_in_words(wrong: Tensor) -> str:
    """How many rows are wrong, and the first."""
    first = int(wrong.nonzero()[0])
    return f"in {int(wrong.sum())} of {len(wrong)} rows, the first of them row {first}"


# Both programs.


def check_model(p: Run, q: Run) -> None:
    """Raise for what is wrong in a model that was replayed on its guide's draw."""
    shared = [name for name in p.sites if name in q.sites]
    check_sized(p)
    for name in shared:
        check_same_place(name, p.sites[name], q.sites[name])
    if p.error is not None:
        raise p.error
    only_model = {name: site for name, site in p.sites.items() if name not in q.sites}
    check_enumerable("model", only_model)
    summed = [name for name, site in only_model.items() if site["infer"].get("enumerate")]
    check_fit(
        {name: site for name, site in p.sites.items() if name not in summed},
        {name: site for name, site in q.sites.items() if not site["infer"].get("is_auxiliary")},
    )
    check_densities(p)
    if p.numbers:
        for name in shared:
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


def mask_of(site: Site) -> Tensor | bool:
    """Which entries of a site count."""
    return True if site["mask"] is None else site["mask"]


def plates(site: Any) -> list[Any]:
    """The vectorised plates around a site; those that are loops have no dimension."""
    return [frame for frame in site["cond_indep_stack"] if frame.vectorized]


def plates_in_words(site: Site) -> str:
    """The plates around a site, from the outermost dimension to the innermost."""
    frames = sorted(plates(site), key=lambda frame: frame.dim)
    described = [f"{f.name!r} (dim {f.dim}, {f.size} of {f.full_size})" for f in frames]
    return f"plates {', '.join(described)}" if frames else "no plate"


def shapes_in_words(site: Site) -> str:
    """A site's shapes; leading batch dimensions of one entry do not count."""
    batch = list(site["fn"].batch_shape)
    while batch and batch[0] == 1:
        del batch[0]
    return f"batch shape {tuple(batch)} and event shape {tuple(site['fn'].event_shape)}"


# Sums over labels, and the objective.


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
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    """Raise where the guide's labels cannot be summed over exactly.

    Raises:
        ValueError: as :class:`Draw` words it, or the programs.
    """
    every = [*p.sites.values(), *q.sites.values()]
    depth = max(-frame.dim for site in every for frame in plates(site))
    try:
        draw = Draw(model, guide, args, kwargs, first_enum_dim=-1 - depth)
        for site in (*draw.model.values(), *draw.guide.values()):
            draw.per_row(log_density(site), site)
    except Exception as error:
        reason = str(error) if isinstance(error, ValueError) else in_words(error)
        raise ValueError(
            f"the guide's labels cannot be summed over: {reason}; or let both programs take labels "
            "with more dimensions to the left, or name an objective that samples the labels: "
            "check_pair(…, objective=…)"
        ) from error


def check_loss(
    objective: ELBO,
    model: Program,
    guide: Program,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    numbers: bool,
) -> None:
    """Run the objective once, with Pyro's validation on where there are numbers to validate.

    Raises:
        ValueError: as Pyro words it, or naming a term that is not finite.
    """
    objective = copy(objective)  # Pyro's note the depth of the plates that they see first
    name = type(objective).__name__
    try:
        with pyro.validation_enabled(numbers):
            if isinstance(objective, Objective):
                _, terms = objective.loss_and_terms(model, guide, args, kwargs)
            else:
                terms = {"loss": loss_of(objective, model, guide, *args, **kwargs)}
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(
            f"the objective {name} failed on this pair with {in_words(error)}; choose one that "
            "applies to the programs, or correct them"
        ) from error
    for term, value in terms.items():
        if numbers and not value.isfinite().all():
            where = f" {rows_in_words(~value.isfinite())}" if value.dim() else ""
            raise ValueError(
                f"expected finite terms of {name}, got NaN or infinity in {term!r}{where}; look at "
                "the sites in the term and at those rows of the batch"
            )


def loss_of(objective: ELBO, *args: Any, **kwargs: Any) -> Tensor:
    """The loss of an objective that is not the suite's; some have it in one of two ways alone."""
    try:
        return torch.as_tensor(objective.loss(*args, **kwargs))
    except (AttributeError, NotImplementedError):
        with torch.enable_grad():
            return objective.differentiable_loss(*args, **kwargs)


def in_words(error: Exception) -> str:
    """An exception's type and message, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
