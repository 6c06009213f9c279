"""Why a step was not finite: the first site, term or gradient that was not."""

from __future__ import annotations

from pathlib import Path

from pyro.infer.elbo import ELBOModule
from torch import Tensor, nn

from ..checks.pair import check_pair
from ..objectives.base import ObjectiveModule
from .checkpoint import save_checkpoint
from .feed import Called


class NotFiniteStepError(ValueError):
    """A training met a loss or a gradient that is not finite, and left the parameters alone.

    Attributes:
        batch: the step's rows. epoch, step: of the step, counted from 0.
    """

    def __init__(self, reason: str, batch: Called, epoch: int, step: int) -> None:
        self.batch, self.epoch, self.step = batch, epoch, step
        super().__init__(
            f"step {step + 1} of epoch {epoch + 1} was not finite: {reason}; lower --lr, or limit "
            "the gradient with --clip"
        )

    def save(self, path: Path, modules: dict[str, nn.Module]) -> None:
        """Write the batch's tensors with the weights that met it."""
        save_checkpoint(path, modules, None, self.batch.tensors, epoch=self.epoch, step=self.step)


def diagnose(module: ELBOModule, batch: Called) -> str:
    """What is not finite first: a site, else a term, else a parameter's gradient.

    Args:
        module: with the parameters of the step. batch: its rows. The generator stands where the
            step found it, so that the draws are the same.
    """
    try:
        check_pair(module.model, module.guide, *batch.args, objective=module.elbo, **batch.kwargs)
    except ValueError as error:
        return str(error)
    module.zero_grad()
    loss = module(*batch.args, **batch.kwargs)
    terms = module.terms if isinstance(module, ObjectiveModule) else {}
    for name, term in terms.items():
        if count := _wrong(term):
            return f"the term {name!r} in {count} of {len(term)} rows"
    loss.backward()
    for name, parameter in module.named_parameters():
        if parameter.grad is not None and (count := _wrong(parameter.grad)):
            return f"the gradient of {name!r} in {count} of {parameter.numel()} entries"
    return "the gradient's norm, whose square is beyond the range of its type"


def _wrong(values: Tensor) -> int:
    return int((~values.isfinite()).sum())
