"""Programs whose Python hides or feigns a dependence: branches, noise of their own, constants."""

import functools
import math

import numpy as np
import pyro
import pyro.distributions as dist
import torch
from torch import nn

from .record import case

ZERO = torch.tensor(0.0)


@case("leaving torch", "p(more) p(extra|more) p(y|more,extra)", observed="y")
def site_that_may_not_be():
    """Whether a site exists depends on a draw."""
    more = pyro.sample("more", dist.Bernoulli(0.5))
    extra = pyro.sample("extra", dist.Normal(0.0, 1.0)) if more else ZERO
    pyro.sample("y", dist.Normal(extra, 1.0), obs=ZERO)


@case("leaving torch", "p(kind) p(x|kind)", observed="x")
def family_by_a_word():
    """A dictionary of families, whose key is drawn."""
    kind = pyro.sample("kind", dist.Categorical(torch.ones(2)))
    families = {"heavy": dist.StudentT(2.0), "light": dist.Normal(0.0, 1.0)}
    name = ["heavy", "light"][int(kind)]
    pyro.sample("x", families[name], obs=ZERO)


@case("leaving torch", "p(speed) p(hits|speed)", observed="hits")
def while_loop():
    """As many steps as it takes to get to the wall."""
    speed = pyro.sample("speed", dist.Uniform(0.5, 3.0))
    place, steps = 0.0, 0
    while place < 10.0:
        place, steps = place + float(speed), steps + 1
    pyro.sample("hits", dist.Poisson(float(steps)), obs=torch.tensor(5.0))


@case("leaving torch", "p(a) p(b) p(winner|a,b)", observed="winner")
def largest_by_python():
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    b = pyro.sample("b", dist.Normal(0.0, 1.0))
    pyro.sample("winner", dist.Normal(max(float(a), float(b)), 1.0), obs=torch.tensor(1.0))


@case("leaving torch", "p(z) p(sign|z) p(y|sign)", observed="y")
def thresholds():
    z = pyro.sample("z", dist.Normal(0.0, 1.0))
    sign = pyro.sample("sign", dist.Bernoulli(0.1 + 0.8 * (z > 0).float()))
    pyro.sample("y", dist.Bernoulli(torch.tensor([0.2, 0.7])[sign.long()]), obs=ZERO)


@case("leaving torch", "p(z) p(y|z)", observed="y")
def rounded_by_math():
    z = pyro.sample("z", dist.Uniform(0.0, 10.0))
    pyro.sample("y", dist.Normal(float(math.floor(z)), 1.0), obs=torch.tensor(3.0))


@case("leaving torch", "p(z) p(y|z)", observed="y")
def gradient_inside():
    """A force is the gradient of a potential at the draw."""
    z = pyro.sample("z", dist.Normal(0.0, 1.0))
    with torch.enable_grad():
        place = z.detach().clone().requires_grad_()
        (force,) = torch.autograd.grad((place**3).sum(), place)
    pyro.sample("y", dist.Normal(force, 1.0), obs=ZERO)


@case("leaving torch", "p(z) p(y|z)", observed="y")
def detached():
    """No gradient passes, and the distribution still depends on it."""
    z = pyro.sample("z", dist.Normal(0.0, 1.0))
    pyro.sample("y", dist.Normal(z.detach(), 1.0), obs=ZERO)


@case("leaving torch", "p(z) p(y|z)", observed="y", plates="data 4: z y")
def mapped():
    with pyro.plate("data", 4):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        loc = torch.zeros(4)
        loc[:2] = z[:2]
        loc[2:] = torch.vmap(torch.sin)(z[2:])
        pyro.sample("y", dist.Normal(loc, 1.0), obs=torch.zeros(4))


@case("nothing passes", "p(z) p(a) p(y|z)", observed="y")
def noise_of_its_own():
    """Noise that is no site: drawing another site anew must not shift it."""
    z = pyro.sample("z", dist.Normal(0.0, 1.0))
    pyro.sample("a", dist.Normal(0.0, 1.0))
    pyro.sample("y", dist.Normal(z + 0.1 * torch.randn(()), 1.0), obs=ZERO)


network = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.Linear(8, 1))


@case("nothing passes", "p(a) p(z) p(y|z)", observed="y")
def dropout():
    pyro.sample("a", dist.Gamma(2.0, 1.0))
    z = pyro.sample("z", dist.Normal(torch.zeros(2), 1.0).to_event(1))
    pyro.sample("y", dist.Normal(network(z), 1.0).to_event(1), obs=torch.zeros(1))


@case("nothing passes", "p(a) p(b) p(y|a)", observed="y")
def fixed_choice():
    """A constant mask keeps one of two."""
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    b = pyro.sample("b", dist.Normal(0.0, 1.0))
    pyro.sample("y", dist.Normal(torch.where(torch.tensor(True), a, b), 1.0), obs=ZERO)


@case("nothing passes", "p(a) p(b) p(y|a)", observed="y")
def one_hot_choice():
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    b = pyro.sample("b", dist.Normal(0.0, 1.0))
    chosen = (torch.stack([a, b]) * torch.tensor([1.0, 0.0])).sum()
    pyro.sample("y", dist.Normal(chosen, 1.0), obs=ZERO)


@case("nothing passes", "p(z) p(y)", observed="y")
def minus_itself():
    z = pyro.sample("z", dist.Normal(0.0, 1.0))
    pyro.sample("y", dist.Normal(z - z, 1.0), obs=ZERO)


@case("nothing passes", "p(z) p(y)", observed="y")
def empty_slice():
    z = pyro.sample("z", dist.Normal(torch.zeros(3), 1.0).to_event(1))
    pyro.sample("y", dist.Normal(z[3:].sum(), 1.0), obs=ZERO)


@case("nothing passes", "p(z) p(y)", observed="y")
def sorted_out():
    """A draw decides in which of two equal ways the same is said."""
    z = pyro.sample("z", dist.Bernoulli(0.5))
    if z:
        loc, scale = 1.0, 2.0
    else:
        scale, loc = 2.0, 1.0
    pyro.sample("y", dist.Normal(loc, scale), obs=ZERO)


@case("nothing passes", "p(z) p(y|z) p(w)", observed="y")
def used_by_one_only():
    """A tensor is changed in place after it has been used."""
    z = pyro.sample("z", dist.Normal(0.0, 1.0))
    loc = torch.zeros(2)
    loc[0] = z
    pyro.sample("y", dist.Normal(loc.clone(), 1.0).to_event(1), obs=torch.zeros(2))
    loc.fill_(0.0)
    pyro.sample("w", dist.Normal(loc, 1.0).to_event(1))


@case("calls", "p(w) p(y|w,design)", observed="y", args=(np.ones((4, 2)), np.zeros(4)))
def arrays(design, targets):
    """NumPy arrays as arguments."""
    w = pyro.sample("w", dist.Normal(torch.zeros(2, dtype=torch.float64), 1.0).to_event(1))
    mean = torch.as_tensor(design) @ w
    pyro.sample("y", dist.Normal(mean, 1.0).to_event(1), obs=torch.as_tensor(targets))


@case(
    "calls",
    "p(w) p(y|w,ages)",
    observed="y",
    plates="people 3: y",
    args=({"ages": torch.tensor([1.0, 2.0, 3.0]), "heights": torch.zeros(3)},),
)
def a_dictionary(batch):
    w = pyro.sample("w", dist.Normal(0.0, 1.0))
    with pyro.plate("people", 3):
        pyro.sample("y", dist.Normal(w * batch["ages"], 1.0), obs=batch["heights"])


@case(
    "calls",
    "p(a) p(y|a,county)",
    observed="y",
    plates="counties 3: a; houses 4: y",
    args=(torch.tensor([0, 2, 1, 1]), torch.zeros(4)),
)
def indices_as_arguments(county, y):
    with pyro.plate("counties", 3):
        a = pyro.sample("a", dist.Normal(0.0, 1.0))
    with pyro.plate("houses", 4):
        pyro.sample("y", dist.Normal(a[county], 1.0), obs=y)


def _scaled(scale, data):
    z = pyro.sample("z", dist.Normal(0.0, scale))
    pyro.sample("x", dist.Normal(z, 1.0), obs=data)


case("calls", "p(z) p(x|z)", name="partial", observed="x", args=(ZERO,))(
    functools.partial(_scaled, 2.0)
)

case("calls", "p(z) p(x|z)", name="scaled", observed="x", args=(2.0, ZERO))(
    pyro.poutine.scale(_scaled, scale=0.5)
)


@case("calls", "p(θ) p(x̂|θ)", observed="x̂")
def letters_of_all_kinds():
    theta = pyro.sample("θ", dist.Normal(0.0, 1.0))
    pyro.sample("x̂", dist.Normal(theta, 1.0), obs=ZERO)


@case("calls", "p(loc) p(x|loc)", observed="x", name="lifted")
@functools.partial(pyro.poutine.lift, prior={"loc": dist.Normal(0.0, 1.0)})
def _lifted():
    """A parameter that a handler gives a prior is a variable."""
    loc = pyro.param("loc", torch.tensor(0.5))
    pyro.sample("x", dist.Normal(loc, 1.0), obs=ZERO)
