"""scANVI (Xu et al. 2021).

A cell has a type y, a state u within it, and a depth l at which it was sequenced; y and u lead to a
code z, and z and l to the counts of genes. All that the counts say about the type they say through
z.
"""

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from torch import nn

TYPES, CODES, GENES = 3, 2, 5
place = nn.Linear(TYPES + CODES, CODES)
decoder = nn.Linear(CODES, GENES)
encoder, depth = nn.Linear(GENES, CODES), nn.Linear(GENES, 1)
classifier = nn.Linear(CODES, TYPES)
state = nn.Linear(TYPES + CODES, CODES)


def beside(y, other):
    """A type's code in front of other numbers."""
    return torch.cat([torch.eye(TYPES).to(other)[y], other], -1)


def model(x, y):
    """p(y) p(u) p(z|u,y) p(l) p(x|z,l); a type of −1 is missing."""
    for name, network in (("place", place), ("decoder", decoder)):
        pyro.module(name, network)
    with pyro.plate("cells", len(x)):
        prior = dist.Categorical(torch.ones(TYPES) / TYPES)
        kind = pyro.sample("y", prior, obs=y.clamp(min=0), obs_mask=y >= 0)
        u = pyro.sample("u", dist.Normal(torch.zeros(CODES), 1.0).to_event(1))
        z = pyro.sample("z", dist.Normal(place(beside(kind, u)), 1.0).to_event(1))
        size = pyro.sample("l", dist.LogNormal(torch.ones(1), 0.5).to_event(1))
        pyro.sample("x", dist.Poisson(size * decoder(z).softmax(-1)).to_event(1), obs=x)


def guide(x, y):
    """q(z|x) q(l|x) q(y|z) q(u|z,y)."""
    for name, network in (("e", encoder), ("d", depth), ("c", classifier), ("s", state)):
        pyro.module(name, network)
    with pyro.plate("cells", len(x)):
        z = pyro.sample("z", dist.Normal(encoder(x), 0.5).to_event(1))
        pyro.sample("l", dist.LogNormal(depth(x), 0.2).to_event(1))
        with poutine.mask(mask=y < 0):
            missing = pyro.sample("y_unobserved", dist.Categorical(logits=classifier(z)))
        kind = torch.where(y < 0, missing, y)
        pyro.sample("u", dist.Normal(state(beside(kind, z)), 0.5).to_event(1))


def inputs():
    """Four cells, of which two have a type."""
    return torch.poisson(torch.full((4, GENES), 2.0)), torch.tensor([0, 2, -1, -1])
