"""What a pair of the user's is worth on minibatches of the user's."""

from __future__ import annotations

import inspect

import pyro
import torch
from pyro.infer import ELBO
from torch import Tensor, nn

from ..foreign import Inputs, Minibatch
from ..foreign.inputs import Extent
from ..foreign.program import ForeignClassifier
from ..objectives.base import Objective
from ..objectives.sites import Program
from ..objectives.unweighted import unweighted
from .evaluating import Figures

TRUTH = "y"
"""The argument that a guide's ``predict`` does not see, and is compared with."""


@torch.no_grad()
def evaluate_own(
    model: nn.Module,
    guide: nn.Module,
    objective: ELBO,
    inputs: Inputs,
    part: str,
    device: torch.device | str,
    draws: int = 1,
) -> Figures:
    """The bound on a part of the user's minibatches, and the accuracy where the guide predicts.

    Args:
        draws: how often latents are drawn for the bound. Those that all rows share, as a
            regression's, make it uncertain however many rows there are.

    Returns:
        ``bound``, nats per row of the plate of the rows, and ``bound_error``, its standard error
        over more than one draw; ``images``, how many rows these are;
        ``part``; and ``accuracy``, the share of rows with a known ``y`` whose ``predict`` is right.
        A guide that predicts does not see ``y``, which is NaN then, or −1 where it is of codes.
    """
    model.eval()
    guide.eval()
    bounds, rows, right, known = torch.zeros(draws, dtype=torch.float64), 0, 0, 0
    for batch in inputs.batches(part, 0):
        batch = batch.to(device)
        if isinstance(guide, ForeignClassifier):
            hits, there = answers(guide, batch)
            right, known = right + hits, known + there
            batch = hidden(guide, batch)
        each = [bound_of(model, guide, objective, batch) for _ in range(draws)]
        bounds += torch.tensor(each, dtype=torch.float64)
        rows += batch.rows
    bounds /= rows
    found: Figures = {"bound": bounds.mean().item(), "images": rows, "part": part}
    if draws > 1:
        found["bound_error"] = bounds.std().item() / draws**0.5
    return found | ({"accuracy": right / known} if known else {})


def bound_of(model: nn.Module, guide: nn.Module, objective: ELBO, batch: Minibatch) -> float:
    """The evidence bound within an objective, summed over the rows of a minibatch."""
    with pyro.get_param_store().scope(), pyro.validation_enabled(False), Extent(batch):
        if isinstance(objective, Objective):
            terms = objective.terms(model, guide, *batch.args, **batch.kwargs)
            return objective.evidence_bound(terms).sum().item()
        pair = unweighted(model), unweighted(guide)
        loss: float = objective.loss(*pair, *batch.args, **batch.kwargs)
    return -loss * batch.rows / batch.size


def answers(guide: ForeignClassifier, batch: Minibatch) -> tuple[int, int]:
    """How many rows' ``y`` a guide predicts rightly, and how many are known.

    ``predict`` is called with whatever of the batch's arguments it takes by name.
    """
    given = dict(bound_to(guide.program, batch).arguments)
    truth = given.pop(TRUTH, None)
    if not isinstance(truth, Tensor):
        return 0, 0
    wanted = inspect.signature(guide.asked).parameters
    said = guide.ask(**{name: value for name, value in given.items() if name in wanted})
    if said.dim() > truth.dim():
        said = said.argmax(-1)
    known = ~truth.isnan() & (truth >= 0) if truth.is_floating_point() else truth >= 0
    return int(((said == truth) & known).sum()), int(known.sum())


def hidden(guide: ForeignClassifier, batch: Minibatch) -> Minibatch:
    """A minibatch whose ``y`` is missing: NaN, or −1 where it is of codes."""
    bound = bound_to(guide.program, batch)
    truth = bound.arguments.get(TRUTH)
    if isinstance(truth, Tensor):
        missing = torch.nan if truth.is_floating_point() else -1
        bound.arguments[TRUTH] = torch.full_like(truth, missing)
    return Minibatch(bound.args, bound.kwargs)


def bound_to(program: Program, batch: Minibatch) -> inspect.BoundArguments:
    """The arguments of a batch by the names that a program gives them."""
    called = program.forward if isinstance(program, nn.Module) else program
    return inspect.signature(called).bind(*batch.args, **batch.kwargs)
