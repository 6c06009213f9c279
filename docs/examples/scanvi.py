"""scANVI (Xu et al. 2021) as a pair of Pyro programs, on simulated counts.

A cell has a type y, of which some are known, a state u within its type, a state z in which types
lie apart, a depth l, and counts x of its genes:

p(y) p(u) p(z|u,y) p(l) p(x|z,l) and q(z|x) q(l|x) q(y|z) q(u|z,y).

Its minibatches are its own: ``inputs`` simulates cells of three types and shows the types of some.

    ccvae train scanvi:pair.model,pair.guide --inputs scanvi:inputs --epochs 20
"""

import math

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from torch import nn
from torch.nn.functional import one_hot, softplus

TYPES, GENES, CELLS, BATCH, LABELLED = 3, 40, 600, 50, 0.1
STATES, HIDDEN = 5, 32


def simulated(part):
    """Counts ``(n, GENES)`` of some cells and their types ``(n,)``; always of the same genes."""
    own = torch.Generator().manual_seed(1)
    profiles = (0.8 * torch.randn(TYPES, GENES, generator=own)).softmax(-1)
    own = torch.Generator().manual_seed({"train": 2, "validation": 3, "test": 4}[part])
    cells = CELLS if part == "train" else CELLS // 4
    types = torch.randint(TYPES, (cells,), generator=own)
    depth = (math.log(150.0) + 0.3 * torch.randn(cells, 1, generator=own)).exp()
    return torch.poisson(depth * profiles[types], generator=own), types


def inputs(part="train"):
    """Minibatches for a part, in a new order each time; −1 is a type that is not known."""
    counts, types = simulated(part)
    if part == "train":
        types = types.masked_fill(torch.arange(CELLS) >= LABELLED * CELLS, -1)
    for index in torch.randperm(len(counts)).split(BATCH):
        yield {"x": counts[index], "y": types[index], "index": index, "size": len(counts)}


def network(inputs, outputs):
    """One hidden layer."""
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, outputs))


def normal(numbers):
    """A normal for each state, its mean and deviation out of a network."""
    loc, scale = numbers.chunk(2, -1)
    return dist.Normal(loc, softplus(scale) + 1e-3).to_event(1)


def beside(*parts):
    """Tensors side by side, each repeated over the types that another is summed over."""
    shape = torch.broadcast_shapes(*(part.shape[:-1] for part in parts))
    return torch.cat([part.expand(*shape, -1) for part in parts], -1)


class SCANVI(nn.Module):
    """Both programs.

    Args:
        weight: of log q(y|z) where the type is known.
    """

    def __init__(self, weight=20.0):
        super().__init__()
        self.state = network(STATES + TYPES, 2 * STATES)
        self.rates = network(STATES, GENES)
        self.spread = nn.Parameter(torch.zeros(GENES))
        self.encoder = network(GENES, 2 * STATES + 2)
        self.classifier = network(STATES, TYPES)
        self.within = network(STATES + TYPES, 2 * STATES)
        self.weight = weight

    def model(self, x, y, *, index, size):
        """p(y) p(u) p(z|u,y) p(l) p(x|z,l)."""
        pyro.module("pair", self)  # for SVI; ccvae train finds it anyway
        known, zeros = y >= 0, x.new_zeros(STATES)
        with pyro.plate("cells", size, subsample=index):
            even = dist.Categorical(logits=x.new_zeros(TYPES))
            kind = pyro.sample("y", even, obs=y.clamp(min=0), obs_mask=known)
            u = pyro.sample("u", dist.Normal(zeros, 1.0).to_event(1))
            z = pyro.sample("z", normal(self.state(beside(u, one_hot(kind, TYPES).to(u)))))
            depth = pyro.sample("l", dist.LogNormal(x.new_tensor(5.0), 1.0))
            mean = depth[..., None] * self.rates(z).softmax(-1)
            shape = softplus(self.spread) + 1e-3
            counts = dist.GammaPoisson(shape, shape / (mean + 1e-6)).to_event(1)
            pyro.sample("x", counts, obs=x)
            with poutine.scale(scale=self.weight), poutine.mask(mask=known):
                types = dist.Categorical(logits=self.classifier(z))
                pyro.sample("classified", types, obs=y.clamp(min=0))

    def guide(self, x, y, *, index, size):
        """q(z|x) q(l|x), q(y|z) for types that are not known, and q(u|z,y)."""
        pyro.module("pair", self)
        missing = y < 0
        with pyro.plate("cells", size, subsample=index):
            z_numbers, l_numbers = self.encoded(x)
            z = pyro.sample("z", normal(z_numbers))
            loc, scale = l_numbers.unbind(-1)
            pyro.sample("l", dist.LogNormal(loc + 5.0, softplus(scale) + 1e-3))
            with poutine.mask(mask=missing):
                guess = pyro.sample("y_unobserved", dist.Categorical(logits=self.classifier(z)))
            kind = torch.where(missing, guess, y.clamp(min=0))
            pyro.sample("u", normal(self.within(beside(z, one_hot(kind, TYPES).to(z)))))

    def encoded(self, x):
        """What the encoder says of z and of l."""
        return self.encoder(x.log1p()).split([2 * STATES, 2], -1)

    def predict(self, x):
        """The likeliest type of each cell, ``(B,)``."""
        return self.classifier(self.encoded(x)[0].chunk(2, -1)[0]).argmax(-1)


pair = SCANVI()
