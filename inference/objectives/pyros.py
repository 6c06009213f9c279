"""Pyro's own objectives by name, with terms for each site and a loss that a torch optimiser takes.

=======================  ========================================================================
name                     what it is
=======================  ========================================================================
``Trace_ELBO``           the ELBO; what is discrete is drawn, with a score function
``TraceGraph_ELBO``      the same with less noise in the score function
``TraceMeanField_ELBO``  the ELBO with divergences in closed form, where there are any
``TraceEnum_ELBO``       the ELBO with the sum over what is discrete
``TraceTMC_ELBO``        a bound on the evidence that sums over what the guide lists
``RenyiELBO``            a power mean of particles' weights; α = 0 is the importance-weighted bound
``ReweightedWakeSleep``  that bound for the model, and the guide drawn to the posterior
=======================  ========================================================================

Each is Pyro's class with what the suite asks of an objective. Where it sums, sites of the guide
that have finitely many values are summed over without being marked. Terms are named as in every
objective, ``log p(x)`` and ``-log q(z)``; they are of the whole data set as the loss is, and add up
to it.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import pyro
import torch
from pyro.distributions.util import scale_and_mask
from pyro.infer import (
    ELBO,
    RenyiELBO,
    ReweightedWakeSleep,
    Trace_ELBO,
    TraceEnum_ELBO,
    TraceGraph_ELBO,
    TraceMeanField_ELBO,
    TraceTMC_ELBO,
)
from pyro.infer.elbo import ELBOModule
from pyro.poutine import Trace
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from pyro.poutine.util import site_is_subsample
from torch import Tensor, nn
from torch.distributions import kl_divergence

from ...guides.real import ThreeNodes
from .sites import Program, Site, sample_sites

SUMMING = (TraceEnum_ELBO, TraceTMC_ELBO)
"""Those that sum over what is discrete."""

WHOLE_ROWS = (RenyiELBO, ReweightedWakeSleep, TraceTMC_ELBO)
"""Those with a power or a logarithm around the plates, where a part of the rows, or rows of
different weights, cannot stand for all."""

WITHOUT_LOSS = (RenyiELBO, ReweightedWakeSleep, TraceGraph_ELBO)
"""Those that have gradients and no differentiable loss."""

MANY = 40
"""Sites beyond which those that differ in a number at their end share a term."""

REST = "sums and particles"
"""The term of what belongs to no site: a sum over several, and what particles gain together."""


class Summed(Messenger):
    """Marks a guide's sites with finitely many values to be summed over, where nothing else is
    said. The suite's nodes of a real label are weighed by a rule that Pyro does not know.
    """

    def _pyro_sample(self, msg: Message) -> None:
        fn: Any = msg["fn"]
        if msg["is_observed"] or site_is_subsample(msg) or "enumerate" in msg["infer"]:
            return
        if fn.has_enumerate_support and not (fn.has_rsample or isinstance(fn, ThreeNodes)):
            msg["infer"] = {**msg["infer"], "enumerate": "parallel", "expand": False}


class PyrosModule(ELBOModule):
    """One of Pyro's objectives of a model and a guide, as a module whose call returns the loss.

    Attributes:
        terms: the named terms of the last call, scalars, of the whole data set, detached.
    """

    def __init__(self, model: nn.Module, guide: nn.Module, objective: Pyros) -> None:
        super().__init__(model, guide, objective)
        self.terms: dict[str, Tensor] = {}

    def forward(self, *args: object, **kwargs: object) -> Tensor:
        """The loss of a batch; for those :data:`WITHOUT_LOSS` its gradients are there already."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pyro warns of is checked before the first step
            loss = self._loss(args, kwargs)
        self.terms = self.elbo.terms_of(loss.detach())
        return loss

    def _loss(self, args: tuple[object, ...], kwargs: dict[str, object]) -> Tensor:
        elbo: Any = self.elbo
        first: Tensor = next(p for p in self.parameters() if p.requires_grad)
        if not torch.is_grad_enabled():
            number: float = elbo.loss(self.model, self.guide, *args, **kwargs)
            return torch.as_tensor(number, dtype=first.dtype, device=first.device)
        if isinstance(elbo, WITHOUT_LOSS):
            value: float = elbo.loss_and_grads(_announced(self.model), self.guide, *args, **kwargs)
            return first.new_zeros((), requires_grad=True) + value
        loss: Tensor = elbo.differentiable_loss(self.model, self.guide, *args, **kwargs)
        return loss


class Pyros(ELBO):
    """What is added to each of Pyro's objectives; see the module.

    Attributes:
        word: as on the command line.
    """

    word = ""

    def prepare(self, guide: Program) -> Program:
        """The guide as this objective runs it."""
        if not isinstance(self, SUMMING):
            return guide
        summed: Program = Summed()(guide)
        return summed

    def __call__(self, model: nn.Module, guide: nn.Module) -> PyrosModule:
        """The objective of this pair as a module with the parameters of both."""
        return PyrosModule(model, guide, self)

    def loss(self, model: Program, guide: Program, *args: object, **kwargs: object) -> float:
        """The loss as a number; of wake-sleep, which has two, the model's."""
        return _first(super().loss(model, guide, *args, **kwargs))

    def loss_and_grads(
        self, model: Program, guide: Program, *args: object, **kwargs: object
    ) -> float:
        """The same; gradients are added to the parameters' ``.grad``."""
        return _first(super().loss_and_grads(model, guide, *args, **kwargs))

    def terms_of(self, loss: Tensor) -> dict[str, Tensor]:
        """The terms of what was computed last, scalars that add up to minus its loss."""
        named = {name: total / self._weight for name, total in self._seen.items()}
        if len(named) > MANY:
            named = _folded(named)
        if self._has_rest:
            known = torch.stack(list(named.values())).sum() if named else 0.0
            named[REST] = -loss - known
        return named

    def _guess_max_plate_nesting(
        self, model: Program, guide: Program, args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> None:
        log = logging.getLogger("pyro.infer.elbo")
        level = log.level
        log.setLevel(logging.WARNING)  # what was guessed is of no use to whoever trains
        devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
        try:
            # A training that is taken up guesses anew, and its step must draw what it drew before.
            with torch.random.fork_rng(devices):
                super()._guess_max_plate_nesting(model, guide, args, kwargs)
        finally:
            log.setLevel(level)

    def _get_traces(
        self, model: Program, guide: Program, args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> Iterator[tuple[Trace, Trace]]:
        self._seen: dict[str, Tensor] = {}
        self._has_rest = isinstance(self, WHOLE_ROWS)
        self._weight = self.num_particles
        for pair in super()._get_traces(model, self.prepare(guide), args, kwargs):
            self._note(*(sample_sites(trace) for trace in pair))
            yield pair

    def _note(self, model: dict[str, Site], guide: dict[str, Site]) -> None:
        """Take in the densities of one run of both programs."""
        every = (*model.values(), *guide.values())
        if any("_enum_total" in site["infer"] for site in every):  # one run of several, weighed
            self._has_rest, self._seen = True, {}
            return
        closed = isinstance(self, TraceMeanField_ELBO)
        for name, site in guide.items():
            divergence = _divergence(site, model[name]) if closed and name in model else None
            if divergence is not None:
                self._add(f"-divergence of {name}", -divergence)
                continue
            self._add(f"-log q({name})", site, -1)
            if name in model:
                self._add(f"log p({name})", model[name])
        for name, site in model.items():
            if name not in guide:
                self._add(f"log p({name})", site)

    def _add(self, name: str, part: Site | Tensor, sign: int = 1) -> None:
        if not isinstance(part, Tensor):
            density = torch.as_tensor(part["log_prob"])
            left = density.shape[: max(0, density.dim() - int(self._depth))]
            if any(size > 1 for size in left):  # one entry for each setting of what is summed over
                self._has_rest = True
                return
            part = density.sum() * sign
        self._seen[name] = self._seen.get(name, 0.0) + part.detach()

    @property
    def _depth(self) -> float:
        """Dimensions of plates; what lies beyond is summed over."""
        return min(self.max_plate_nesting, 1000) if isinstance(self, SUMMING) else 1000


OBJECTIVES: dict[str, type[ELBO]] = {
    kind.__name__: type(kind.__name__, (Pyros, kind), {"__doc__": kind.__doc__})
    for kind in (
        TraceEnum_ELBO,
        Trace_ELBO,
        TraceMeanField_ELBO,
        TraceGraph_ELBO,
        RenyiELBO,
        TraceTMC_ELBO,
        ReweightedWakeSleep,
    )
}
"""Pyro's objectives by their names there, the most useful first."""


def _first(found: Any) -> float:
    return float(found[0] if isinstance(found, tuple) else found)


def _announced(program: nn.Module) -> Program:
    """A program that says that it has parameters, without which RenyiELBO has no gradients."""

    def run(*args: object, **kwargs: object) -> object:
        pyro.param("has_parameters", torch.zeros(()))
        return program(*args, **kwargs)

    return run


def _divergence(q: Site, p: Site) -> Tensor | None:
    """KL(q‖p) of a site as Pyro takes it, or None where it has no closed form."""
    try:
        found = kl_divergence(q["fn"], p["fn"])
    except NotImplementedError:
        return None
    total = torch.as_tensor(scale_and_mask(found, scale=q["scale"], mask=q["mask"]))
    return total.expand(q["fn"].batch_shape).sum()


def _folded(named: dict[str, Tensor]) -> dict[str, Tensor]:
    """Terms of sites that differ in a number at their end, as of a loop, added up."""
    found: dict[str, Tensor] = {}
    for name, total in named.items():
        short = re.sub(r"_\d+\)$", ")", name)
        found[short] = found[short] + total if short in found else total
    return found
