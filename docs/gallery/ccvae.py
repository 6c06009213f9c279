"""CC-VAE (Joy et al. 2021).

Each label y owns a block z_c of the code, and the style z_s is what no label speaks about. A label
is separated from the image by its own block, and so is one label from another's block. The guide's
classifiers see a block alone: q(y|z_c).
"""

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from torch import nn

LABELS, STYLES, PIXELS = 3, 2, 6
decoder = nn.Linear(LABELS + STYLES, PIXELS)
encoder = nn.Linear(PIXELS, LABELS + STYLES)


def model(x, y):
    """p(y) p(z_c|y) in each label, and p(z_s) p(x|z_c,z_s); NaN is a missing label."""
    pyro.module("decoder", decoder)
    with pyro.plate("images", len(x), dim=-2):
        with pyro.plate("labels", LABELS, dim=-1):
            known = ~y.isnan()
            label = pyro.sample("y", dist.Bernoulli(0.5), obs=y.nan_to_num(), obs_mask=known)
            z_c = pyro.sample("z_c", dist.Normal(2 * label - 1, 1.0))
        z_s = pyro.sample("z_s", dist.Normal(torch.zeros(1, STYLES), 1.0).to_event(1))
        code = torch.cat([z_c[:, None], z_s], -1)
        pyro.sample("x", dist.Normal(decoder(code), 1.0).to_event(1), obs=x)


def guide(x, y):
    """q(z_c|x) q(z_s|x), and q(y|z_c) where a label is missing."""
    pyro.module("encoder", encoder)
    block, style = encoder(x).split([LABELS, STYLES], -1)
    with pyro.plate("images", len(x), dim=-2):
        with pyro.plate("labels", LABELS, dim=-1):
            z_c = pyro.sample("z_c", dist.Normal(block[:, 0], 0.5))
            with poutine.mask(mask=y.isnan()):
                pyro.sample("y_unobserved", dist.Bernoulli(logits=2 * z_c))
        pyro.sample("z_s", dist.Normal(style, 0.5).to_event(1))


def inputs():
    """Four images, some of whose labels are missing."""
    y = torch.tensor([[0.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    return torch.randn(4, 1, PIXELS), y.masked_fill(torch.eye(4, 3) > 0, float("nan"))
