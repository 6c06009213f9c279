"""Programs and minibatches of somebody's, as Pyro's documentation writes them."""

import math

import pyro
import torch
from pyro import distributions as dist
from pyro import poutine
from pyro.infer.autoguide import AutoNormal
from pyro.nn import PyroModule, PyroSample
from torch import nn
from torch.distributions import constraints
from torch.utils.data import DataLoader, TensorDataset


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.loc, self.scale = nn.Linear(64, 16), nn.Linear(16, 3), nn.Linear(16, 3)

    def forward(self, x):
        h = self.hidden(x).relu()
        return self.loc(h), self.scale(h).exp()


class VAE(nn.Module):
    """Pyro's own: networks told to the store by pyro.module, an unsized plate."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = nn.Sequential(nn.Linear(3, 16), nn.Softplus(), nn.Linear(16, 64))

    def model(self, x):
        pyro.module("decoder", self.decoder)
        with pyro.plate("data", x.shape[0]):
            z = pyro.sample("latent", dist.Normal(x.new_zeros(3), x.new_ones(3)).to_event(1))
            pyro.sample("obs", dist.Bernoulli(logits=self.decoder(z)).to_event(1), obs=x)

    def guide(self, x):
        pyro.module("encoder", self.encoder)
        with pyro.plate("data", x.shape[0]):
            pyro.sample("latent", dist.Normal(*self.encoder(x)).to_event(1))


vae = VAE()


def pictures(part="train"):
    own = torch.Generator().manual_seed(7)
    x = (torch.rand(60, 64, generator=own) < torch.rand(64, generator=own)).float()
    for index in torch.randperm(len(x)).split(25):
        yield x[index]


# A mixture of two normals: parameters by pyro.param alone, the assignments summed over.

POINTS = torch.cat([torch.full((20,), -2.0), torch.full((30,), 3.0)]) + 0.3 * torch.sin(
    torch.arange(50.0)
)


def mixture(data):
    weights = pyro.param("weights", torch.ones(2) / 2, constraint=constraints.simplex)
    scale = pyro.sample("scale", dist.LogNormal(0.0, 2.0))
    with pyro.plate("components", 2):
        locs = pyro.sample("locs", dist.Normal(0.0, 10.0))
    with pyro.plate("data", len(data)):
        kind = pyro.sample("kind", dist.Categorical(weights), infer={"enumerate": "parallel"})
        pyro.sample("obs", dist.Normal(locs[kind], scale), obs=data)


mixture_guide = AutoNormal(poutine.block(mixture, hide=["kind"]))


def points():
    return (POINTS,)


# Bayesian regression: a PyroModule with random weights, an automatic guide.


class Regression(PyroModule):
    def __init__(self):
        super().__init__()
        self.linear = PyroModule[nn.Linear](2, 1)
        self.linear.weight = PyroSample(dist.Normal(0.0, 1.0).expand([1, 2]).to_event(2))
        self.linear.bias = PyroSample(dist.Normal(0.0, 10.0).expand([1]).to_event(1))

    def forward(self, x, y=None):
        sigma = pyro.sample("sigma", dist.Uniform(0.0, 10.0))
        mean = self.linear(x).squeeze(-1)
        with pyro.plate("data", len(x)):
            pyro.sample("obs", dist.Normal(mean, sigma), obs=y)


regression = Regression()
regression_guide = AutoNormal(regression)


def table():
    x = torch.linspace(-1, 1, 40)
    x = torch.stack([x, x.square()], 1)
    return [x, 2 * x[:, 0] - x[:, 1] + 0.5], {}


# A hidden Markov model over sequences: no guide, states summed over in the model.


def hmm(sequences):
    transition = pyro.param(
        "transition", lambda: 0.5 * torch.eye(3) + 0.5 / 3, constraint=constraints.simplex
    )
    emission = pyro.param(
        "emission", lambda: torch.rand(3, 4) + 0.1, constraint=constraints.interval(0.01, 2.0)
    )
    with pyro.plate("sequences", len(sequences), dim=-2):
        state = 0
        for t in pyro.markov(range(sequences.shape[1])):
            state = pyro.sample(
                f"state_{t}", dist.Categorical(transition[state]), infer={"enumerate": "parallel"}
            )
            with pyro.plate(f"tones_{t}", 4, dim=-1):
                rate = emission[state.squeeze(-1)]
                pyro.sample(f"x_{t}", dist.Poisson(rate), obs=sequences[:, t])


def sequences(part="train", epoch=0):
    own = torch.Generator().manual_seed(len(part))
    every = torch.poisson(torch.rand(12, 5, 4, generator=own), generator=own)
    return iter(every.split(4)) if part != "validation" else None


# Weights on sites: a bound is the same whatever the training weighs by.


def weighed(x, weight=1.0):
    with poutine.scale(scale=weight):
        w = pyro.sample("w", dist.Normal(0.0, 1.0))
    with pyro.plate("data", len(x)):
        pyro.sample("x", dist.Normal(w, 1.0), obs=x)


def weighed_guide(x, weight=1.0):
    with poutine.scale(scale=weight):
        pyro.sample("w", dist.Normal(pyro.param("loc", torch.tensor(0.0)), 0.1))


def tempered(epoch=0):
    return (torch.linspace(1, 3, 20),), {"weight": 0.1 * (1 + epoch)}


def plain():
    return (torch.linspace(1, 3, 20),)


# A DataLoader, and minibatches of other sizes under a guide that has sizes of its own.

loader = DataLoader(TensorDataset(torch.linspace(1, 3, 20)), batch_size=5, shuffle=True)

latent_guide = AutoNormal(lambda x: latent(x))


def uneven():
    return iter([(torch.zeros(8),), (torch.zeros(8),), (torch.zeros(3),)])


# Mistakes.

once = iter([(torch.zeros(3),), (torch.zeros(3),)])

drawing = torch.Generator().manual_seed(0)


def used_up():
    return once


def drawn_elsewhere():
    yield torch.rand(3, generator=drawing)


def array():
    return torch.zeros(3).numpy()


def fixed(x):
    with pyro.plate("data", len(x)):
        pyro.sample("x", dist.Normal(0.0, 1.0), obs=x)


def detached(x):
    with pyro.plate("data", len(x)):
        loc = pyro.param("loc", torch.zeros(())).detach()
        pyro.sample("x", dist.Normal(loc, 1.0), obs=x)


def late(x):
    """A parameter that only some batches ask for."""
    with pyro.plate("data", len(x)):
        loc = pyro.param("loc", torch.zeros(()))
        if x.mean() > 0.5:
            loc = loc + pyro.param("more", torch.zeros(()))
        pyro.sample("x", dist.Normal(loc, 1.0), obs=x)


def late_batches():
    yield torch.zeros(3)
    yield torch.ones(3)


def nan_batches():
    yield torch.zeros(3)
    yield torch.full((3,), math.inf)


def failing():
    yield torch.zeros(3)
    raise RuntimeError("no more")


def nothing():
    return iter(())


def constant(x):
    with pyro.plate("data", len(x)):
        pyro.sample("x", dist.Normal(pyro.param("loc", torch.zeros(())), 1.0), obs=x)


def latent(x):
    with pyro.plate("data", len(x)):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        pyro.sample("x", dist.Normal(z, 1.0), obs=x)


def sloped(x):
    """The posterior of ``latent`` has the slope 1/2."""
    with pyro.plate("data", len(x)):
        slope = pyro.param("slope", torch.tensor(0.0))
        pyro.sample("z", dist.Normal(slope * x, 0.7))
