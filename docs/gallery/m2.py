"""M2 (Kingma et al. 2014).

A digit y and a style z make an image. Some digits are known; the guide's classifier q(y|x) fills in
the others, and its style depends on the digit too. A priori digit and style are independent; given
the image they are not, and the arrow from y to z in the guide is what that needs.
"""

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from torch import nn

DIGITS, STYLES, PIXELS = 3, 2, 6
decoder = nn.Linear(DIGITS + STYLES, PIXELS)
classifier = nn.Linear(PIXELS, DIGITS)
encoder = nn.Linear(PIXELS + DIGITS, STYLES)


def beside(y, other):
    """A digit's code in front of other numbers."""
    return torch.cat([torch.eye(DIGITS).to(other)[y], other], -1)


def model(x, y):
    """p(y) p(z) p(x|y,z); a digit of −1 is missing."""
    pyro.module("decoder", decoder)
    with pyro.plate("images", len(x)):
        prior = dist.Categorical(torch.ones(DIGITS) / DIGITS)
        digit = pyro.sample("y", prior, obs=y.clamp(min=0), obs_mask=y >= 0)
        z = pyro.sample("z", dist.Normal(torch.zeros(STYLES), 1.0).to_event(1))
        pyro.sample("x", dist.Bernoulli(logits=decoder(beside(digit, z))).to_event(1), obs=x)


def guide(x, y):
    """q(y|x) where the digit is missing, and q(z|x,y)."""
    pyro.module("classifier", classifier)
    pyro.module("encoder", encoder)
    with pyro.plate("images", len(x)):
        with poutine.mask(mask=y < 0):
            missing = pyro.sample("y_unobserved", dist.Categorical(logits=classifier(x)))
        digit = torch.where(y < 0, missing, y)
        pyro.sample("z", dist.Normal(encoder(beside(digit, x)), 0.5).to_event(1))


def inputs():
    """Four images, of which two have a digit."""
    return torch.randint(2, (4, PIXELS)).float(), torch.tensor([0, 2, -1, -1])
