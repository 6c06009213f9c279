"""A variational autoencoder (Kingma and Welling 2014).

A code z and a network that turns it into an image; the guide's network goes the other way. Rows
have nothing in common but the networks' weights, which are no variables here.
"""

import pyro
import pyro.distributions as dist
import torch
from torch import nn

CODES, PIXELS = 2, 6
decoder, encoder = nn.Linear(CODES, PIXELS), nn.Linear(PIXELS, CODES)


def model(x):
    """p(z) p(x|z)."""
    pyro.module("decoder", decoder)
    with pyro.plate("images", len(x)):
        z = pyro.sample("z", dist.Normal(torch.zeros(CODES), 1.0).to_event(1))
        pyro.sample("x", dist.Bernoulli(logits=decoder(z)).to_event(1), obs=x)


def guide(x):
    """q(z|x)."""
    pyro.module("encoder", encoder)
    with pyro.plate("images", len(x)):
        pyro.sample("z", dist.Normal(encoder(x), 0.5).to_event(1))


def inputs():
    """Four images."""
    return (torch.randint(2, (4, PIXELS)).float(),)
