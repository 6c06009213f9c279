"""Numbers of a site that are not finite: whether there are any, and what to do about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from ..objectives.draw import DATA
from ..objectives.sites import Site, mask_of, plates


class NotFiniteError(ValueError):
    """A distribution has parameters that it cannot be drawn from."""


def check_finite(program: str, site: Site, density: Tensor) -> None:
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
            raise NotFiniteError(not_finite(program, site, "parameter", ~tensor.isfinite(), name))
    if not value.isfinite().all():
        kind = "observed value" if site["is_observed"] else "drawn value"
        raise NotFiniteError(not_finite(program, site, kind, ~value.isfinite()))
    raise NotFiniteError(not_finite(program, site, "log-density", wrong))


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
