"""A mixture of normals.

Each row has a component c of its own, and lies near that component's mean. Components are tied to
nothing but their row as long as weights and means are known; what is learned about a mean comes
from the rows, so the means and the weights depend on each other once these are seen.
"""

import pyro
import pyro.distributions as dist
import torch


def model(x):
    """Weights π and means μ of three components, and a component for each row."""
    pi = pyro.sample("pi", dist.Dirichlet(torch.ones(3)))
    with pyro.plate("components", 3):
        mu = pyro.sample("mu", dist.Normal(0.0, 3.0))
    with pyro.plate("rows", len(x)):
        c = pyro.sample("c", dist.Categorical(pi))
        pyro.sample("x", dist.Normal(mu[c], 1.0), obs=x)


def inputs():
    """Six rows."""
    return (torch.randn(6),)
