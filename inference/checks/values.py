"""Whether a site's value is one that its distribution can have: its shape, its type, its range."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.distributions import constraints

from ..objectives.sites import Site, mask_of
from .dry_run import Run, in_words
from .finite import rows_in_words


def raw_density(run: Run, name: str, site: Site) -> Tensor:
    """A site's log-density at its value, without its mask.

    Raises:
        ValueError: where the value has not the shape, the type or the range of the distribution's.
    """
    fn, value = site["fn"], site["value"]
    where = f"{run.name} site {name!r}"
    if reason := event_mismatch(fn, value):
        raise ValueError(shapes_differ(where, fn, value, reason))
    if run.numbers and site["is_observed"]:
        check_support(where, site)
    try:
        density: Tensor = fn.log_prob(value)
        return density
    except Exception as error:
        raise ValueError(why(where, fn, value, error)) from error


def event_mismatch(fn: Any, value: object) -> str:
    """Why a value has not a distribution's event shape, ``""`` where it has.

    One number for all entries is not taken for a mistake. A hidden Markov model without a duration
    takes series of any length.
    """
    if not isinstance(value, Tensor) or getattr(fn, "duration", fn) is None or not value.dim():
        return ""
    event = tuple(fn.event_shape)
    found = tuple(value.shape[max(0, value.dim() - len(event)) :])
    if hasattr(getattr(fn, "base_dist", fn), "transition_logits") and event[0] == 1:
        event = (*found[:1], *event[1:])
    return "" if found == event else "its last dimensions would be broadcast"


def why(where: str, fn: Any, value: object, error: Exception) -> str:
    """What is wrong with a value that has no density: its type, its range or its shape."""
    if isinstance(value, Tensor) and not value.is_floating_point():
        try:
            fn.log_prob(value.float())
        except Exception:  # its type is not what is wrong
            pass
        else:
            return (
                f"expected floating-point numbers at {where}, got {value.dtype}; give the value "
                "as floats, with .float()"
            )
    return shapes_differ(where, fn, value, in_words(error))


def shapes_differ(where: str, fn: Any, value: object, reason: str) -> str:
    """The message on a value of another shape."""
    if not isinstance(value, Tensor):
        return (
            f"expected a tensor at {where}, got {type(value).__name__}; make it one with "
            "torch.as_tensor()"
        )
    return (
        f"expected a value of batch shape {tuple(fn.batch_shape)} and event shape "
        f"{tuple(fn.event_shape)} at {where}, got the shape {tuple(value.shape)} ({reason}); "
        "reshape the value, or what the distribution's parameters are computed by"
    )


def check_support(where: str, site: Site) -> None:
    """Raise for an observation outside of its distribution's support, where no mask hides it.

    Under a Bernoulli a number between 0 and 1 counts in proportion, as grey pixels do. A class
    code that the distribution does not have is refused behind a mask as well: it has no density
    that a mask could hide.

    Raises:
        ValueError: naming the site, the support and the first number outside of it.
    """
    fn, value = site["fn"], site["value"]
    support = support_of(fn)
    if support is None or not isinstance(value, Tensor) or not value.dim():
        return
    try:
        inside = support.check(value)
    except Exception:  # a value of a shape that the support does not take: said elsewhere
        return
    wrong = ~inside & ~whole(value.isnan(), inside)
    if not isinstance(bare(support), constraints.integer_interval):
        mask = torch.as_tensor(mask_of(site), device=value.device)
        wrong = wrong & counted(mask, wrong, len(fn.event_shape))
    if not bool(wrong.any()):
        return
    first = value[tuple(wrong.nonzero()[0].tolist())].flatten()[0]
    rows = rows_in_words(wrong.flatten(1).any(-1) if wrong.dim() > 1 else wrong.reshape(-1))
    raise ValueError(
        f"expected {in_plain_words(support)} at {where}, got {first.item():g} {rows}; "
        f"{remedy(support, value)}"
    )


def support_of(fn: Any) -> constraints.Constraint | None:
    """The support to hold a value against, None where there is none to be had."""
    try:
        support: constraints.Constraint | None = fn.support
    except (NotImplementedError, AttributeError):
        return None
    if support is not None and isinstance(bare(support), type(constraints.boolean)):
        return constraints.independent(constraints.unit_interval, len(fn.event_shape))
    return support


def bare(support: constraints.Constraint) -> constraints.Constraint:
    """A support without the wrappers that say how many dimensions an event has."""
    while isinstance(support, constraints.independent | constraints.MixtureSameFamilyConstraint):
        support = support.base_constraint
    return support


def whole(entries: Tensor, like: Tensor) -> Tensor:
    """Whether any entry of an event holds, in the batch shape of ``like``."""
    extra = entries.dim() - like.dim()
    return entries.flatten(like.dim()).any(-1) if extra > 0 else entries


def counted(mask: Tensor, wrong: Tensor, event_dims: int) -> Tensor:
    """A site's mask in the shape of what is wrong, which may have the event's dimensions."""
    for _ in range(max(0, wrong.dim() - mask.dim()) and event_dims):
        if wrong.dim() > mask.dim() and mask.dim():
            mask = mask.unsqueeze(-1)
    try:
        return mask.expand(wrong.shape)
    except RuntimeError:
        return torch.ones_like(wrong)


def in_plain_words(support: constraints.Constraint) -> str:
    """What values a support has."""
    inner = bare(support)
    if isinstance(inner, constraints.integer_interval):
        return f"whole numbers from {_number(inner.lower_bound)} to {_number(inner.upper_bound)}"
    if isinstance(inner, constraints.interval):
        return f"numbers from {_number(inner.lower_bound)} to {_number(inner.upper_bound)}"
    return f"values within {support!r}"


def remedy(support: constraints.Constraint, value: Tensor) -> str:
    """What to do about a value outside of a support."""
    inner = bare(support)
    if isinstance(inner, constraints.integer_interval):
        return (
            "a class code lies between 0 and the number of classes less one, behind a mask as "
            "well: put a valid code there, or give the distribution that class"
        )
    if _is_unit_interval(inner):
        return "bring the values into that range: pixels from 0 to 255 are divided by 255"
    return "clean the data, or choose a distribution whose support has them"


def _is_unit_interval(inner: constraints.Constraint) -> bool:
    return isinstance(inner, constraints.interval) and (
        _number(inner.lower_bound),
        _number(inner.upper_bound),
    ) == ("0", "1")


def _number(bound: object) -> str:
    return f"{float(torch.as_tensor(bound).flatten()[0]):g}"
