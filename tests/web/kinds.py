"""Pairs of many kinds, each with what both programs are called with."""

import pyro
import pyro.distributions as dist
import torch
from pyro.infer import config_enumerate
from pyro.ops.indexing import Vindex
from torch import nn
from torch.distributions import constraints

TABLE = torch.linspace(-1, 1, 24).reshape(4, 6)
POSITIVE = {"constraint": constraints.positive}


class Wetter:
    """A rate that all rows share, a class of each row that is summed over, two things observed."""

    @staticmethod
    def model(x, fever):
        rate = pyro.sample("rate", dist.Beta(2.0, 2.0))
        with pyro.plate("patients", len(x)):
            ill = pyro.sample("ill", dist.Bernoulli(rate), infer={"enumerate": "parallel"})
            pyro.sample("fever", dist.Bernoulli(0.1 + 0.7 * ill), obs=fever)
            pyro.sample("x", dist.Normal(ill, 1.0), obs=x)

    line = nn.Linear(2, 1)

    @staticmethod
    def guide(x, fever):
        pyro.module("line", Wetter.line)
        a = pyro.param("a", torch.tensor(2.0), **POSITIVE)
        pyro.sample("rate", dist.Beta(a, 2.0))
        with pyro.plate("patients", len(x)):
            logits = Wetter.line(torch.stack([x, fever], -1))[:, 0]
            pyro.sample("ill", dist.Bernoulli(logits=logits), infer={"enumerate": "parallel"})

    inputs = (torch.linspace(-1, 1, 50), (torch.arange(50) % 3 == 0).float())


class Scalar:
    """One number, observed once."""

    @staticmethod
    def model(x):
        w = pyro.sample("w", dist.Normal(0.0, 1.0))
        pyro.sample("x", dist.Normal(w, 1.0), obs=torch.as_tensor(x))

    @staticmethod
    def guide(x):
        pyro.sample("w", dist.Normal(pyro.param("loc", torch.tensor(0.0)), 1.0))

    inputs = (1.5,)


class Counts:
    """Whole numbers, with a count behind each that has no gradient."""

    @staticmethod
    def model(n):
        with pyro.plate("days", len(n)):
            k = pyro.sample("k", dist.Poisson(3.0))
            pyro.sample("n", dist.Poisson(k + 0.1), obs=n)

    @staticmethod
    def guide(n):
        rate = pyro.param("rate", torch.ones(len(n)), **POSITIVE)
        with pyro.plate("days", len(n)):
            pyro.sample("k", dist.Poisson(rate))

    inputs = (torch.arange(8),)


class Mixture:
    """A component of each row that only the model has."""

    @staticmethod
    @config_enumerate
    def model(x):
        weights = pyro.sample("weights", dist.Dirichlet(torch.ones(2)))
        with pyro.plate("rows", len(x)):
            k = pyro.sample("k", dist.Categorical(weights))
            pyro.sample("x", dist.Normal(2.0 * k - 1.0, 1.0), obs=x)

    @staticmethod
    def guide(x):
        pyro.sample("weights", dist.Dirichlet(pyro.param("c", torch.ones(2), **POSITIVE)))

    inputs = (torch.linspace(-1, 1, 12),)


class Hidden:
    """A sequence of states that are summed over."""

    @staticmethod
    @config_enumerate
    def model(seq):
        change = pyro.sample("change", dist.Dirichlet(torch.ones(2, 2)).to_event(1))
        with pyro.plate("sequences", len(seq)):
            k = torch.tensor(0)
            for i in pyro.markov(range(seq.shape[1])):
                k = pyro.sample(f"k_{i}", dist.Categorical(Vindex(change)[..., k, :]))
                pyro.sample(f"x_{i}", dist.Normal(2.0 * k - 1.0, 1.0), obs=seq[:, i])

    @staticmethod
    def guide(seq):
        concentration = pyro.param("c", torch.ones(2, 2), **POSITIVE)
        pyro.sample("change", dist.Dirichlet(concentration).to_event(1))

    inputs = (TABLE,)


class Walk:
    """A sequence of numbers, one of every row at a time."""

    @staticmethod
    def model(seq):
        z = torch.zeros(len(seq))
        with pyro.plate("sequences", len(seq)):
            for i in pyro.markov(range(seq.shape[1])):
                z = pyro.sample(f"z_{i}", dist.Normal(z, 1.0))
                pyro.sample(f"x_{i}", dist.Normal(z, 0.5), obs=seq[:, i])

    @staticmethod
    def guide(seq):
        share = pyro.param("share", torch.tensor(0.5))
        with pyro.plate("sequences", len(seq)):
            for i in pyro.markov(range(seq.shape[1])):
                pyro.sample(f"z_{i}", dist.Normal(share * seq[:, i], 1.0))

    inputs = (TABLE,)


class Meanless:
    """A latent without a mean."""

    @staticmethod
    def model(x):
        with pyro.plate("rows", len(x)):
            z = pyro.sample("z", dist.Cauchy(0.0, 1.0))
            pyro.sample("x", dist.Normal(z, 1.0), obs=x)

    @staticmethod
    def guide(x):
        with pyro.plate("rows", len(x)):
            pyro.sample("z", dist.Cauchy(pyro.param("k", torch.tensor(0.3)) * x, 1.0))

    inputs = (torch.linspace(-1, 1, 5),)
