"""A program names its parameters to those who may want to know, and to nobody else."""

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.nn import PyroModule, PyroSample

from ccvae.guides import VAEGuide
from ccvae.inference import VAEObjective
from ccvae.inference.objectives.draw import Draw
from ccvae.models import VAE, Laplace
from ccvae.models.program import sites_alone
from ccvae.networks import MLPDecoder, MLPEncoder

SHAPE, ROWS = (1, 2, 2), 3


@pytest.fixture
def model():
    return VAE(MLPDecoder(2, SHAPE, (5,)), Laplace(), style=2)


def arguments():
    y = torch.zeros(ROWS, 0)
    return (torch.rand(ROWS, *SHAPE), y), {"index": torch.arange(ROWS), "size": ROWS}


def parameters_told(model):
    args, kwargs = arguments()
    with pyro.poutine.trace() as told:
        model(*args, **kwargs)
    return [name for name, site in told.trace.nodes.items() if site["type"] == "param"]


def test_parameters_are_announced(model):
    names = {f"decoder$$${name}" for name, _ in model.decoder.named_parameters()}
    assert set(parameters_told(model)) == names


def test_for_sites_alone_they_are_not(model):
    with sites_alone():
        assert parameters_told(model) == []
    assert parameters_told(model)


def test_around_an_objective_a_handler_hears_of_them(model):
    guide = VAEGuide(MLPEncoder(SHAPE, 2, (5,)))
    args, kwargs = arguments()
    with pyro.poutine.trace(param_only=True) as told:
        VAEObjective().loss(model, guide, *args, **kwargs)
    count = sum(1 for program in (model, guide) for _ in program.parameters())
    assert len(told.trace.nodes) == count


def test_random_weights_are_sites(model):
    weights = dist.Normal(torch.zeros(2, 4), 1.0).to_event(2)

    class Bayesian(PyroModule):
        def __init__(self):
            super().__init__()
            self.weight = PyroSample(weights)

        def forward(self, z):
            return (z[..., None, :] @ self.weight).unflatten(-1, SHAPE).squeeze(-4)

    def guide(x, y, d=None, *, index, size):
        with pyro.plate("data", size, subsample=index, dim=-2):
            pyro.sample("decoder.weight", weights)
            pyro.sample("z", dist.Normal(torch.zeros(ROWS, 1, 2), 1.0).to_event(1))

    model.decoder = Bayesian()
    draw = Draw(model, guide, *arguments())
    assert draw.p("decoder.weight").shape == (ROWS,)
