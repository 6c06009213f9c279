"""One side of a training on the page: an objective with its own pair of programs."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from pyro.infer.elbo import ELBOModule
from torch.optim import Optimizer

from ..config import Config
from ..faults import words_of
from ..inference import Objective
from ..inference.catalogue import build_objective, build_pair
from ..inference.foreign import Foreign, complete
from ..inference.objectives.pyros import Pyros
from ..inference.training.optimisation import adam, descend, set_rate
from ..models.likelihoods import Laplace
from .grounds import Faces, Ground, extent
from .looking import OWN, Theirs
from .sketching import unseen
from .steering import Side, Start
from .weights import weights

RATE, WARM_UP = 1e-3, 15
"""The step size, and the steps over which it rises: Adam's first throw a new pair far off."""


@runtime_checkable
class WithAlpha(Protocol):
    """An objective whose classifier has a weight."""

    alpha: float


def config_of(side: Side, ground: Ground, start: Start, theirs: Theirs) -> Config:
    """A side as it would be asked for on the command line."""
    if side.program == OWN:
        return Config(program=theirs.path, objective=side.objective, seed=start.seed)
    return Config(
        program=side.program,
        objective=side.objective,
        network=f"conv{ground.signature.shape[-1]}",
        likelihood="normal",
        scale=start.scale,
        style=8,
    )


class Pupil:
    """One side.

    Args:
        side: what it is. ground: what it learns from. start: of the training.
        theirs: what somebody named, where the side is of it.

    Raises:
        ValueError: for a name that is not known, or programs that cannot be trained.
    """

    def __init__(self, side: Side, ground: Ground, start: Start, theirs: Theirs) -> None:
        config, made_for = config_of(side, ground, start, theirs), ground.signature
        torch.manual_seed(start.seed)
        pair = build_pair(config, made_for.space, made_for.shape, None, made_for.domains)
        objective = build_objective(config)
        if isinstance(pair[0], Foreign) and isinstance(pair[1], Foreign):
            complete(pair[0], pair[1], ground.now.args, ground.now.kwargs, objective)
        self.side, self.ground, self.weights = side, ground, weights(config)
        self.module: ELBOModule = objective(*pair)
        self.is_theirs, self.doubt = isinstance(pair[1], Foreign), ""
        self.optimizer: Optimizer = adam(self.module, RATE)
        self.looking = ground.looking(pair)
        self.weigh(side.alpha, side.beta)

    def opening(self) -> dict[str, Any]:
        """What the side is, and the weights that its objective takes."""
        given = {"alpha": self.side.alpha, "beta": self.side.beta}
        known = self.weights.items()
        set_ = {n: default if given[n] is None else given[n] for n, default in known}
        own = {} if isinstance(self.ground, Faces) else {"originals": self._originals()}
        named = {"program": self.side.program, "objective": self.side.objective}
        return {**named, "weights": set_, **own}

    def weigh(self, alpha: float | None, beta: float | None) -> None:
        """Set the objective's weights, where it has them."""
        objective = self.module.elbo
        if alpha is not None and "alpha" in self.weights and isinstance(objective, WithAlpha):
            objective.alpha = alpha
        if beta is not None and "beta" in self.weights and isinstance(objective, Objective):
            objective.beta = beta

    def widen(self, scale: float) -> None:
        """Set the likelihood's scale."""
        for part in self.module.model.modules():
            if isinstance(part, Laplace):
                part.fixed = scale

    def step(self, step: int, judged: bool, noise: int) -> dict[str, float]:
        """One step of the optimiser on what the ground gives now.

        Args:
            step: its number, from 1. judged: whether the accuracy is measured.
            noise: seed of the draws.

        Returns:
            the terms by name, the objective, and the bound in it, all means over the rows; and the
            accuracy, labels hidden, where it was measured.
        """
        called, module, objective = self.ground.now, self.module, self.module.elbo
        torch.manual_seed(noise)
        module.train()
        set_rate(self.optimizer, RATE * min(1.0, step / WARM_UP))
        with extent(called):
            loss = descend(self.optimizer, lambda: module(*called.args, **called.kwargs))
        ledger = module.terms
        size = called.size if isinstance(objective, Pyros) else 1  # Pyro's are of the whole set
        found = {name: term.mean().item() / size for name, term in ledger.items()}
        found["objective"] = -loss.item() / called.size
        if isinstance(objective, Objective):
            found["bound"] = objective.evidence_bound(ledger).mean().item()
        if judged:
            module.eval()
            accuracy = self._accuracy()
            found |= {} if accuracy is None else {"accuracy": accuracy}
        return found

    def frame(self) -> dict[str, Any]:
        """What is seen of this side now; what cannot be seen of somebody's is said."""
        self.module.eval()
        try:
            found = self.looking.frame()
        except Exception as error:  # whatever their programs do when they are only looked at
            if not self.is_theirs:
                raise
            found = unseen(error)
        if self.doubt:
            found["said"] = "; ".join(filter(None, (found["said"], self.doubt)))
        return found

    def _originals(self) -> str:
        try:
            return self.ground.originals()
        except Exception:  # a frame says why
            return ""

    def _accuracy(self) -> float | None:
        try:
            return self.ground.accuracy(self.module.guide)
        except Exception as error:
            if not self.is_theirs:
                raise
            self.doubt = f"the accuracy is not known, as predict failed: {words_of(error)}"
            return None
