"""Deep generative models: autoencoders, flows, causal effects, attention by steps."""

import pyro
import pyro.distributions as dist
import torch
from pyro.distributions import transforms
from torch import nn

from .record import case, guided

IMAGES = torch.linspace(0.0, 1.0, 12).reshape(3, 4)
CLASSES = torch.tensor([0, 2, 1])


class Autoencoder(nn.Module):
    """The smallest there is."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(4, 4), nn.Linear(2, 4)

    def model(self, x):
        pyro.module("decoder", self.decoder)
        with pyro.plate("data", len(x)):
            z = pyro.sample("z", dist.Normal(x.new_zeros(len(x), 2), 1.0).to_event(1))
            pyro.sample("obs", dist.Bernoulli(logits=self.decoder(z)).to_event(1), obs=x.round())

    def guide(self, x):
        pyro.module("encoder", self.encoder)
        with pyro.plate("data", len(x)):
            loc, scale = self.encoder(x).chunk(2, -1)
            pyro.sample("z", dist.Normal(loc, scale.exp()).to_event(1))


autoencoder = Autoencoder()
case(
    "autoencoders",
    "p(z) p(obs|z)",
    name="autoencoder",
    observed="obs",
    plates="data 3: z obs",
    args=(IMAGES,),
    make_guide=lambda: autoencoder.guide,
    guide_density="q(z|obs)",
)(autoencoder.model)

to_x, to_y, to_z = nn.Linear(5, 4), nn.Linear(4, 3), nn.Linear(7, 4)


@case(
    "autoencoders",
    "p(z) p(y) p(x|z,y)",
    observed="x y",
    plates="data 3: z y x",
    args=(IMAGES, CLASSES),
)
def semi_supervised(x, y=None):
    with pyro.plate("data", len(x)):
        z = pyro.sample("z", dist.Normal(torch.zeros(len(x), 2), 1.0).to_event(1))
        y = pyro.sample("y", dist.OneHotCategorical(torch.ones(3)), obs=torch.eye(3)[y])
        pyro.sample("x", dist.Normal(to_x(torch.cat([z, y], -1)), 1.0).to_event(1), obs=x)


@guided("semi_supervised_and_guide", "semi_supervised", "q(z|x,y)")
def _():
    def guide(x, y=None):
        with pyro.plate("data", len(x)):
            loc, scale = to_z(torch.cat([x, torch.eye(3)[y]], -1)).chunk(2, -1)
            pyro.sample("z", dist.Normal(loc, scale.exp()).to_event(1))

    return guide


@case(
    "autoencoders",
    "p(z) p(y) p(x|z,y)",
    observed="x",
    plates="data 3: z y x",
    args=(IMAGES,),
    make_guide=lambda: _unlabelled,
    guide_density="q(y|x) q(z|x,y)",
)
def without_labels(x):
    with pyro.plate("data", len(x)):
        z = pyro.sample("z", dist.Normal(torch.zeros(len(x), 2), 1.0).to_event(1))
        y = pyro.sample("y", dist.OneHotCategorical(torch.ones(3)))
        pyro.sample("x", dist.Normal(to_x(torch.cat([z, y], -1)), 1.0).to_event(1), obs=x)


def _unlabelled(x):
    with pyro.plate("data", len(x)):
        y = pyro.sample("y", dist.OneHotCategorical(logits=to_y(x)))
        loc, scale = to_z(torch.cat([x, y], -1)).chunk(2, -1)
        pyro.sample("z", dist.Normal(loc, scale.exp()).to_event(1))


@case(
    "causes",
    "p(z) p(x|z) p(t|z) p(y|t,z)",
    observed="x t y",
    plates="data 3: z x t y",
    args=(IMAGES, torch.tensor([0.0, 1.0, 1.0]), torch.tensor([0.5, 1.0, 2.0])),
    make_guide=lambda: _effect_guide,
    guide_density="q(z|x,t,y)",
)
def treatment_effect(x, t, y):
    """A hidden confounder z, proxies x, treatment t, outcome y (Louizos et al. 2017)."""
    with pyro.plate("data", len(x)):
        z = pyro.sample("z", dist.Normal(torch.zeros(2), 1.0).to_event(1))
        x = pyro.sample("x", dist.Normal(z.repeat(1, 2), 1.0).to_event(1), obs=x)
        t = pyro.sample("t", dist.Bernoulli(logits=z.sum(-1)), obs=t)
        effect = torch.where(t == 1, z[:, 0], z[:, 1])
        pyro.sample("y", dist.Laplace(effect, 1.0), obs=y)


def _effect_guide(x, t, y):
    with pyro.plate("data", len(x)):
        loc = torch.where(t == 1, x[:, 0] + y, x[:, 1] - y)
        pyro.sample("z", dist.Normal(torch.stack([loc, loc], -1), 1.0).to_event(1))


spline = transforms.spline(1)


@case("flows", "p(x)", observed="x", plates="data 3: x")
def flow():
    base = dist.Normal(torch.zeros(1), 1.0).to_event(1)
    with pyro.plate("data", 3):
        pyro.sample("x", dist.TransformedDistribution(base, [spline]), obs=IMAGES[:, :1])


@case("flows", "p(shift) p(x|shift)", observed="x", plates="data 3: x")
def transformed():
    shift = pyro.sample("shift", dist.Normal(0.0, 1.0))
    moved = [transforms.ExpTransform(), transforms.AffineTransform(shift, 2.0)]
    with pyro.plate("data", 3):
        pyro.sample(
            "x", dist.TransformedDistribution(dist.Normal(0.0, 1.0), moved), obs=IMAGES[:, 3] + 9
        )


bent = transforms.conditional_spline(
    1, context_dim=1, hidden_dims=[4], count_bins=4, order="quadratic"
)


@case("flows", "p(a) p(b|a)", observed="b", plates="data 3: a b")
def conditional_flow():
    with pyro.plate("data", 3):
        a = pyro.sample("a", dist.Normal(torch.zeros(1), 1.0).to_event(1))
        base = dist.Normal(torch.zeros(1), 1.0).to_event(1)
        b = dist.conditional.ConditionalTransformedDistribution(base, [bent]).condition(a)
        pyro.sample("b", b, obs=IMAGES[:, :1])


@case(
    "attention",
    """p(pres_0) p(where_0) p(what_0) p(pres_1|pres_0) p(where_1) p(what_1)
    p(x|pres_0,where_0,what_0,pres_1,where_1,what_1)""",
    observed="x",
    plates="data 3: pres_0 where_0 what_0 pres_1 where_1 what_1 x",
)
def attend_infer_repeat():
    """Objects one after another: whether there is one more, where, what (Eslami et al. 2016)."""
    with pyro.plate("data", 3):
        canvas, there = torch.zeros(3, 4), torch.ones(3, 1)
        for step in range(2):
            there = pyro.sample(f"pres_{step}", dist.Bernoulli(0.5 * there).to_event(1))
            where = pyro.sample(f"where_{step}", dist.Normal(torch.zeros(1), 1.0).to_event(1))
            what = pyro.sample(f"what_{step}", dist.Normal(torch.zeros(4), 1.0).to_event(1))
            canvas = canvas + there * (where.sigmoid() * what)
        pyro.sample("x", dist.Normal(canvas, 0.3).to_event(1), obs=IMAGES)


@case(
    "attention",
    """p(pres_0) p(where_0) p(pres_1|pres_0) p(where_1|pres_1)
    p(x|pres_0,where_0,pres_1,where_1)""",
    observed="x",
    plates="data 3: pres_0 where_0 pres_1 where_1 x",
)
def attend_with_masked_sites():
    """A site that counts only where an object is there depends on its presence: by its mask."""
    with pyro.plate("data", 3):
        canvas, there = torch.zeros(3), torch.ones(3)
        for step in range(2):
            there = pyro.sample(f"pres_{step}", dist.Bernoulli(0.9 * there))
            where = dist.Normal(0.0, 1.0)
            if step:
                where = where.expand([3]).mask(there.bool())
            where = pyro.sample(f"where_{step}", where)
            canvas = canvas + there * where
        pyro.sample("x", dist.Normal(canvas, 0.3), obs=IMAGES[:, 0])


@case(
    "cells",
    """p(library) p(z) p(label|z) p(counts|library,z)""",
    observed="counts label",
    plates="cells 3: library z label counts",
    args=(IMAGES.round(), CLASSES),
    make_guide=lambda: _annotate,
    guide_density="q(z|counts) q(library|counts) f(classification_loss|z,label)",
)
def annotated_cells(counts, label):
    with pyro.plate("cells", 3):
        library = pyro.sample("library", dist.LogNormal(0.0, 1.0).expand([1]).to_event(1))
        z = pyro.sample("z", dist.Normal(torch.zeros(2), 1.0).to_event(1))
        pyro.sample("label", dist.Categorical(logits=z.repeat(1, 2)[:, :3]), obs=label)
        rate = library * z.repeat(1, 2).softmax(-1)
        pyro.sample("counts", dist.Poisson(rate).to_event(1), obs=counts)


def _annotate(counts, label):
    with pyro.plate("cells", 3):
        z = pyro.sample("z", dist.Normal(counts[:, :2], 1.0).to_event(1))
        total = counts.sum(-1, keepdim=True)
        pyro.sample("library", dist.LogNormal(total.log1p(), 1.0).to_event(1))
        loss = 50 * z.repeat(1, 2)[:, :3].log_softmax(-1)[torch.arange(3), label]
        pyro.factor("classification_loss", loss, has_rsample=True)


cell = nn.GRUCell(2, 3)


@case("deep", "p(z_0) p(z_1|z_0) p(z_2|z_0,z_1) p(x|z_2,z_0,z_1)", observed="x")
def recurrent_prior():
    """A hidden state that is no site carries all that came before."""
    hidden, z = torch.zeros(1, 3), torch.zeros(1, 2)
    for t in range(3):
        hidden = cell(z, hidden)
        z = pyro.sample(f"z_{t}", dist.Normal(hidden[:, :2], 1.0).to_event(2))
    hidden = cell(z, hidden)
    pyro.sample("x", dist.Normal(hidden, 1.0).to_event(2), obs=torch.zeros(1, 3))
