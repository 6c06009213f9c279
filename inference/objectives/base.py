"""What every objective of the suite is: a Pyro ELBO that can name its terms."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from importlib import import_module
from types import ModuleType
from typing import NoReturn, TypedDict

import torch
from pyro import poutine
from pyro.infer import ELBO
from pyro.infer.elbo import ELBOModule
from torch import Tensor, nn

from .draw import Draw
from .sites import Program
from .store import check_store
from .terms import parse


class Options(TypedDict, total=False):
    """What every objective is made with; see :class:`Objective`."""

    num_particles: int
    max_plate_nesting: int


class ObjectiveModule(ELBOModule):
    """An objective of one model and guide as a torch module, whose call returns the loss.

    Attributes:
        terms: the named terms of the last call, ``(B,)`` each, detached.
    """

    def __init__(self, model: nn.Module, guide: nn.Module, objective: Objective) -> None:
        super().__init__(model, guide, objective)
        self.terms: dict[str, Tensor] = {}

    def forward(self, *args: object, weights: Tensor | None = None, **kwargs: object) -> Tensor:
        """The loss of a batch, as a differentiable scalar.

        Args:
            args, kwargs: what the programs are called with.
            weights: what each row counts for, ``(B,)``; 1 by default.
        """
        loss: Tensor
        loss, terms = self.elbo.loss_and_terms(self.model, self.guide, args, kwargs, weights)
        self.terms = {name: term.detach() for name, term in terms.items()}
        return loss


class Objective(ELBO):
    """An objective to be maximised, with a value and named terms for every data point.

    A subclass writes its formula in :meth:`formula`; everything else follows. All of these agree
    on the same random numbers::

        objective.terms(model, guide, *args, **kwargs)       # named, (B,) each, unscaled
        objective(model, guide)(*args, **kwargs)             # a torch module that returns the loss
        objective.differentiable_loss(model, guide, *args, **kwargs)
        objective.loss(model, guide, *args, **kwargs)        # a number, without gradients
        objective.loss_and_grads(model, guide, *args, **kwargs)
        pyro.infer.SVI(model, guide, optim, loss=objective).step(*args, **kwargs)

    The loss is −N/B · Σ over the batch of Σ over the terms, an unbiased estimate of the negative
    objective of all N rows. Where some rows are drawn more often than others, weights of the rows
    in that sum keep it unbiased; the terms themselves have none.

    Args:
        num_particles: P, draws of the guide that the terms are averaged over.
        max_plate_nesting: plates of the programs, counted from the right; labels are enumerated in
            the dimensions beyond.
    """

    def __init__(self, *, num_particles: int = 1, max_plate_nesting: int = 2) -> None:
        super().__init__(num_particles=num_particles, max_plate_nesting=max_plate_nesting)

    @abstractmethod
    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """The objective's named terms at one draw, ``(B,)`` each."""

    def prepare(self, guide: Program) -> Program:
        """The guide as this objective runs it; unchanged by default."""
        return guide

    enumerate_labels = True
    """Whether the guide's labels are summed over exactly, or sampled."""

    particles_at_once = 1
    """Options that one run of the programs makes, in a plate around them; they share what the guide
    computes from the data alone. 1 runs the programs anew for each."""

    evidence = ""
    """What the bound within the objective bounds, written as its terms are."""

    label_weight = 0.0
    """For an objective with an α: the c of its rule (:mod:`ccvae.inference.training.alpha`)."""

    beta = 1.0
    """Weight of the terms whose name says beta."""

    @staticmethod
    def suggested_alpha(rows: int, labelled: int) -> float | None:
        """The α of the paper, for so many rows of which some are labelled.

        None where the objective has no α, or is not to be given one.
        """
        return None

    @staticmethod
    def checked_beta(beta: float) -> float:
        """A weight of the KL divergences, which must be positive.

        Raises:
            ValueError: where it is not.
        """
        if not beta > 0:
            raise ValueError(
                f"expected a positive beta, got {beta}: with 0 the objective has no bound in it; "
                "give a small one, or let it warm up"
            )
        return beta

    def weighted_parts(self) -> list[tuple[float, Objective]]:
        """Itself with the weight 1; a sum has several (:mod:`.composed`)."""
        return [(1.0, self)]

    def __rmul__(self, weight: float) -> Objective:
        """A multiple of the objective, for a sum; see :mod:`.composed`."""
        return _composed([(weight * each, part) for each, part in self.weighted_parts()])

    def __add__(self, other: Objective) -> Objective:
        """The sum of two objectives, which draw for themselves; see :mod:`.composed`."""
        return _composed([*self.weighted_parts(), *other.weighted_parts()])

    def __repr__(self) -> str:
        name = type(self).__name__
        summary = (inspect.getdoc(type(self)) or "").partition("\n\n")[0]
        return f"{name}: {' '.join(summary.split())}" if summary else name

    def _repr_html_(self) -> str:
        html: str = _shown().objective_page(self)
        return html

    def _repr_latex_(self) -> str | None:
        latex: str | None = _shown().objective_latex(self)
        return latex

    def draw(self, model: Program, guide: Program, *args: object, **kwargs: object) -> Draw:
        """One joint draw of both programs, as this objective sees it."""
        return self._draw(model, guide, args, kwargs, 1)

    def __call__(self, model: nn.Module, guide: nn.Module) -> ObjectiveModule:
        """The objective of this pair as a module with the parameters of both."""
        return ObjectiveModule(model, guide, self)

    def terms(
        self, model: Program, guide: Program, *args: object, **kwargs: object
    ) -> dict[str, Tensor]:
        """The named terms, ``(B,)`` each, in nats; they add up to the objective of each row."""
        return self.loss_and_terms(model, guide, args, kwargs)[1]

    def differentiable_loss(
        self, model: Program, guide: Program, *args: object, **kwargs: object
    ) -> Tensor:
        """The negative objective of the whole data set, as a differentiable scalar."""
        return self.loss_and_terms(model, guide, args, kwargs)[0]

    def loss(self, model: Program, guide: Program, *args: object, **kwargs: object) -> float:
        """The same as a number, without gradients."""
        with torch.no_grad():
            return self.differentiable_loss(model, guide, *args, **kwargs).item()

    def loss_and_grads(
        self, model: Program, guide: Program, *args: object, **kwargs: object
    ) -> float:
        """The same as a number; gradients are added to the parameters' ``.grad``.

        Raises:
            ValueError: where Pyro's store, whose parameters ``SVI`` trains, holds another pair's.
        """
        with poutine.trace(param_only=True) as seen:
            loss = self.differentiable_loss(model, guide, *args, **kwargs)
        check_store(seen.trace, model, guide)
        if loss.requires_grad:
            loss.backward()
        return loss.item()

    def loss_and_terms(
        self,
        model: Program,
        guide: Program,
        args: tuple[object, ...],
        kwargs: dict[str, object],
        weights: Tensor | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The differentiable loss together with the terms that it was made of.

        Args:
            model, guide: a pair of programs. args, kwargs: what both are called with.
            weights: what each row counts for in the loss, ``(B,)``; 1 by default.

        Raises:
            ValueError: where the name of a term does not say what it is (see :mod:`.terms`), or a
                site of the programs has no term.
        """
        draws = []
        for done in range(0, self.num_particles, self.particles_at_once):
            particles = min(self.particles_at_once, self.num_particles - done)
            draw = self._draw(model, guide, args, kwargs, particles)
            draws.append(self.formula(draw))
            draw.check_all_read()
        terms = draws[0]
        for name in terms:
            parse(name)
        if self.num_particles > 1:
            terms = self.combine(
                {name: torch.cat([torch.atleast_2d(d[name]) for d in draws]) for name in terms}
            )
        values = torch.stack(list(terms.values()))
        if weights is not None:
            values = values * weights
        return -draw.scale * values.sum(), terms

    def combine(self, terms: dict[str, Tensor]) -> dict[str, Tensor]:
        """The terms of P draws, ``(P, B)`` each, as one estimate: their mean by default.

        Called where P is more than 1.
        """
        return {name: term.mean(0) for name, term in terms.items()}

    def begin_epoch(self, epoch: int) -> None:
        """Called by the training before each epoch, counted from 0; for weights that warm up."""

    def evidence_bound(self, terms: dict[str, Tensor]) -> Tensor:
        """The bound on the evidence within the objective, ``(B,)``: its terms without weights.

        Terms that begin with an α are a classifier's and belong to no bound; a leading β is
        divided out. The module of each objective says which evidence the rest bounds.

        Args:
            terms: what :meth:`terms` returned.
        """
        bound = [
            value / self.beta if term.weight == "beta" else value
            for term, value in ((parse(name), value) for name, value in terms.items())
            if term.in_bound
        ]
        return torch.stack(bound).sum(0)

    def _draw(
        self,
        model: Program,
        guide: Program,
        args: tuple[object, ...],
        kwargs: dict[str, object],
        particles: int,
    ) -> Draw:
        return Draw(
            model,
            self.prepare(guide),
            args,
            kwargs,
            particles=particles,
            enumerate_labels=self.enumerate_labels,
            max_plate_nesting=self.max_plate_nesting,
        )

    def _get_trace(self, *_: object) -> NoReturn:
        # Pyro's ELBOs are built around pairs of traces; this family is built around Draw.
        raise TypeError("an Objective draws through Objective.draw, not through Pyro's traces")


def _composed(pairs: list[tuple[float, Objective]]) -> Objective:
    weights, parts = zip(*pairs, strict=True)
    made: Objective = import_module(".composed", __package__).Sum(weights, parts)
    return made


def _shown() -> ModuleType:
    """What draws objectives in a notebook. It lies above this layer, and only a notebook asks."""
    return import_module("...inspection.show_objectives", __package__)
