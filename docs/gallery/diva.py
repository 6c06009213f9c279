"""DIVA (Ilse et al. 2020).

An image comes from three codes: z_d of its domain d, say the hospital, z_y of its label y, and z_x
of all else. The guide draws the three from the image, each by itself. That they compete for it is
what the graph says and the guide leaves out.
"""

import pyro
import pyro.distributions as dist
import torch
from torch import nn

CODES, PIXELS, DOMAINS, LABELS = 2, 6, 3, 2
decoder = nn.Linear(3 * CODES, PIXELS)
encoders = nn.ModuleDict({name: nn.Linear(PIXELS, CODES) for name in ("z_d", "z_y", "z_x")})
places = nn.ModuleDict({"z_d": nn.Embedding(DOMAINS, CODES), "z_y": nn.Embedding(LABELS, CODES)})


def code(name, mean):
    """A code with a deviation of 1."""
    return pyro.sample(name, dist.Normal(mean, 1.0).to_event(1))


def model(x, y, d):
    """p(d) p(y) p(z_d|d) p(z_y|y) p(z_x) p(x|z_d,z_y,z_x)."""
    pyro.module("decoder", decoder)
    pyro.module("places", places)
    with pyro.plate("images", len(x)):
        domain = pyro.sample("d", dist.Categorical(torch.ones(DOMAINS) / DOMAINS), obs=d)
        label = pyro.sample("y", dist.Categorical(torch.ones(LABELS) / LABELS), obs=y)
        z_d = code("z_d", places["z_d"](domain))
        z_y = code("z_y", places["z_y"](label))
        z_x = code("z_x", torch.zeros(CODES))
        mean = decoder(torch.cat([z_d, z_y, z_x], -1))
        pyro.sample("x", dist.Normal(mean, 1.0).to_event(1), obs=x)


def guide(x, y, d):
    """q(z_d|x) q(z_y|x) q(z_x|x)."""
    pyro.module("encoders", encoders)
    with pyro.plate("images", len(x)):
        for name, encoder in encoders.items():
            code(name, encoder(x))


def inputs():
    """Four images with labels and domains."""
    return torch.randn(4, PIXELS), torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 2, 0])
