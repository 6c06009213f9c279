"""Processes that share a batch make the step that one process would make."""

import pyro
import pytest
import torch

from ccvae.inference import CCVAEAuthorsObjective
from ccvae.inference.catalogue import PROGRAMS
from ccvae.inference.training.noise import RowNoise

CASES = [
    pytest.param(program, objective, id=f"{program}-{name}")
    for program, objectives in PROGRAMS.items()
    for name, objective in objectives.items()
    if objective is not CCVAEAuthorsObjective  # its estimate of q(y|x) has draws beside the sites
]


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(("program", "objective"), CASES)
@pytest.mark.parametrize("processes", [2, 3])
def test_each_row_has_the_noise_that_it_has_in_one_process(
    make_pair, program, objective, processes
):
    pair, objective = make_pair(program=program), objective()
    rows = len(pair.args[0])

    def gradient(chosen):
        part = pair.rows(chosen)
        loss = objective.differentiable_loss(*part.programs, *part.args, **part.kwargs)
        return torch.autograd.grad(loss, pair.parameters, allow_unused=True, materialize_grads=True)

    pyro.set_rng_seed(5)
    one = gradient(torch.arange(rows))
    shared = []
    for rank in range(processes):
        part = slice(rank, None, processes)
        pyro.set_rng_seed(100 + rank)
        with RowNoise(5, rows, part):
            shared.append(gradient(torch.arange(rows)[part]))
    torch.testing.assert_close([sum(parts) for parts in zip(*shared, strict=True)], list(one))
