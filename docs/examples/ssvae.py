"""The semi-supervised VAE of Kingma et al. (2014), their M2, as a pair of Pyro programs.

p(y) p(z) p(x|y,z) and q(y|x) q(z|x,y), with the classifier's weight on rows whose label is known.
They take what the suite's programs take: images x, labels y that are NaN where one is missing, the
rows' positions and how many there are. They are made for the embedded digits: one label, ten
classes.

    ccvae train ssvae:pair.model,pair.guide --data digits
"""

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from torch import nn
from torch.nn.functional import one_hot

CLASSES, LATENTS, SHAPE, HIDDEN = 10, 20, (1, 28, 28), 256
PIXELS = 28 * 28


def network(inputs, outputs):
    """One hidden layer."""
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.Softplus(), nn.Linear(HIDDEN, outputs))


def beside(*parts):
    """Tensors side by side, each repeated over the classes that another is summed over."""
    shape = torch.broadcast_shapes(*(part.shape[:-1] for part in parts))
    return torch.cat([part.expand(*shape, -1) for part in parts], -1)


class SemiSupervised(nn.Module):
    """Both programs.

    Args:
        weight: of log q(y|x) where the label is known; the paper's α for one row.
    """

    def __init__(self, weight=30.0):
        super().__init__()
        self.decoder = network(CLASSES + LATENTS, PIXELS)
        self.classifier = network(PIXELS, CLASSES)
        self.encoder = network(PIXELS + CLASSES, 2 * LATENTS)
        self.weight = weight

    def model(self, x, y, d=None, *, index, size):
        """p(y) p(z) p(x|y,z), and how likely the classifier finds a known label."""
        pyro.module("pair", self)  # for SVI; ccvae train finds it anyway
        label, known = y[:, 0].nan_to_num().long(), ~y[:, 0].isnan()
        with pyro.plate("data", size, subsample=index, dim=-1):
            even = dist.Categorical(logits=x.new_zeros(CLASSES))
            code = pyro.sample("y", even, obs=label, obs_mask=known)
            z = pyro.sample("z", dist.Normal(x.new_zeros(LATENTS), 1.0).to_event(1))
            logits = self.decoder(beside(one_hot(code, CLASSES).to(x), z)).unflatten(-1, SHAPE)
            pyro.sample("x", dist.Bernoulli(logits=logits).to_event(3), obs=(x > 0.5).to(x))
            with poutine.scale(scale=self.weight), poutine.mask(mask=known):
                pyro.sample("classified", self.q_y(x), obs=label)

    def guide(self, x, y, d=None, *, index, size):
        """q(y|x) for labels that are missing, and q(z|x,y)."""
        pyro.module("pair", self)
        label, missing = y[:, 0].nan_to_num().long(), y[:, 0].isnan()
        with pyro.plate("data", size, subsample=index, dim=-1):
            with poutine.mask(mask=missing):
                guess = pyro.sample("y_unobserved", self.q_y(x))
            code = one_hot(torch.where(missing, guess, label), CLASSES).to(x)
            loc, scale = self.encoder(beside(x.flatten(1), code)).chunk(2, -1)
            pyro.sample("z", dist.Normal(loc, scale.exp()).to_event(1))

    def q_y(self, x):
        """q(y|x)."""
        return dist.Categorical(logits=self.classifier(x.flatten(1)))

    def predict(self, x):
        """The likeliest class of each image, ``(B,)``."""
        return self.q_y(x).logits.argmax(-1)


pair = SemiSupervised()
