"""Guides: all of Pyro's automatic ones over constrained latents, easy ones, and hand-written."""

import functools

import pyro
import pyro.distributions as dist
import torch
from pyro.contrib.easyguide import EasyGuide
from pyro.distributions import transforms
from pyro.infer import autoguide
from torch import nn
from torch.distributions import constraints

from .record import case, guided


@case(
    "guides",
    "p(loc) p(scale) p(x|loc,scale)",
    observed="x",
    plates="data 4: x",
)
def location_and_scale():
    loc = pyro.sample("loc", dist.Normal(0.0, 1.0))
    scale = pyro.sample("scale", dist.LogNormal(0.0, 1.0))
    with pyro.plate("data", 4):
        pyro.sample("x", dist.Normal(loc, scale), obs=torch.zeros(4))


@case(
    "guides",
    "p(rate) p(share) p(correlation) p(level|rate) p(x|level,share,correlation)",
    observed="x",
    plates="rows 3: level x",
)
def supports():
    """A unit interval, a simplex, a correlation and positive numbers in a plate."""
    rate = pyro.sample("rate", dist.Beta(2.0, 2.0))
    share = pyro.sample("share", dist.Dirichlet(torch.ones(2)))
    correlation = pyro.sample("correlation", dist.LKJCholesky(2, 1.0))
    with pyro.plate("rows", 3):
        level = pyro.sample("level", dist.Exponential(rate))
        mean = level[:, None] * share
        normal = dist.MultivariateNormal(mean, scale_tril=correlation)
        pyro.sample("x", normal, obs=torch.zeros(3, 2))


@case(
    "guides",
    "p(probs) p(k|probs) p(x|k)",
    observed="x",
    plates="rows 3: k x",
)
def counts_of_classes():
    probs = pyro.sample("probs", dist.Dirichlet(torch.ones(2)))
    with pyro.plate("rows", 3):
        k = pyro.sample("k", dist.Categorical(probs), infer={"enumerate": "parallel"})
        pyro.sample("x", dist.Normal(k.float(), 1.0), obs=torch.zeros(3))


@case(
    "guides",
    "p(mu) p(theta|mu) p(x|theta)",
    observed="x",
    plates="rows 3: theta x",
)
def two_levels():
    mu = pyro.sample("mu", dist.Normal(0.0, 1.0))
    with pyro.plate("rows", 3):
        theta = pyro.sample("theta", dist.Normal(mu, 1.0))
        pyro.sample("x", dist.Normal(theta, 1.0), obs=torch.zeros(3))


@case(
    "guides",
    "p(z_0) p(x_0|z_0) p(z_1|z_0) p(x_1|z_1) p(z_2|z_1) p(x_2|z_2)",
    observed="x_0 x_1 x_2",
    args=(torch.tensor([0.1, 0.2, 0.3]),),
)
def hidden_markov_normal(x):
    z = torch.tensor(0.0)
    for t in pyro.markov(range(3)):
        z = pyro.sample(f"z_{t}", dist.Normal(z, 1.0))
        pyro.sample(f"x_{t}", dist.Normal(z, 1.0), obs=x[t])


def _ready(guide):
    guide()  # an automatic guide looks at its model when it is first run
    return guide


EACH = "q(loc) q(scale)"
TOGETHER = "q(loc,scale)"
EITHER = f"{TOGETHER} or {EACH}"

AUTOMATIC = {
    "AutoNormal": (autoguide.AutoNormal, EACH),
    "AutoDelta": (autoguide.AutoDelta, EACH),
    "AutoDiagonalNormal": (autoguide.AutoDiagonalNormal, EITHER),
    "AutoMultivariateNormal": (autoguide.AutoMultivariateNormal, TOGETHER),
    "AutoLowRankMultivariateNormal": (
        functools.partial(autoguide.AutoLowRankMultivariateNormal, rank=1),
        TOGETHER,
    ),
    "AutoIAFNormal": (functools.partial(autoguide.AutoIAFNormal, hidden_dim=[4]), TOGETHER),
    "AutoLaplaceApproximation": (autoguide.AutoLaplaceApproximation, EITHER),
    "AutoNormalMessenger": (autoguide.AutoNormalMessenger, EACH),
    "AutoNormalizingFlow": (
        functools.partial(autoguide.AutoNormalizingFlow, init_transform_fn=transforms.planar),
        TOGETHER,
    ),
}

for _name, (_make, _density) in AUTOMATIC.items():
    guided(_name, "location_and_scale", _density)(
        lambda make=_make: _ready(make(location_and_scale))
    )

ALL_EACH = "q(rate) q(share) q(correlation) q(level)"
ALL_TOGETHER = "q(rate,share,correlation,level)"

for _name, _density in (("AutoNormal", ALL_EACH), ("AutoMultivariateNormal", ALL_TOGETHER)):
    guided(f"{_name}_of_supports", "supports", _density)(
        lambda name=_name: _ready(getattr(autoguide, name)(supports))
    )


@guided("AutoGuideList", "supports", "q(rate) q(level) q(share,correlation)")
def _():
    guides = autoguide.AutoGuideList(supports)
    guides.append(autoguide.AutoNormal(pyro.poutine.block(supports, expose=["rate", "level"])))
    guides.append(
        autoguide.AutoMultivariateNormal(
            pyro.poutine.block(supports, expose=["share", "correlation"])
        )
    )
    return _ready(guides)


@guided("AutoStructured", "location_and_scale", "q(loc) q(scale|loc)")
def _():
    return _ready(
        autoguide.AutoStructured(
            location_and_scale,
            conditionals={"loc": "normal", "scale": "normal"},
            dependencies={"scale": {"loc": "linear"}},
        )
    )


@guided("AutoHierarchicalNormalMessenger", "two_levels", "q(mu) q(theta|mu)")
def _():
    return _ready(autoguide.AutoHierarchicalNormalMessenger(two_levels))


@guided("AutoRegressiveMessenger", "two_levels", "q(mu) q(theta|mu)")
def _():
    return _ready(autoguide.AutoRegressiveMessenger(two_levels))


@guided("AutoNormal_of_two_levels", "two_levels", "q(mu) q(theta)")
def _():
    return _ready(autoguide.AutoNormal(two_levels))


@guided("AutoNormal_without_the_discrete", "counts_of_classes", "q(probs)")
def _():
    return _ready(autoguide.AutoNormal(pyro.poutine.block(counts_of_classes, hide=["k"])))


@guided("AutoDiscreteParallel", "counts_of_classes", "q(probs) q(k)")
def _():
    guides = autoguide.AutoGuideList(counts_of_classes)
    guides.append(autoguide.AutoNormal(pyro.poutine.block(counts_of_classes, expose=["probs"])))
    guides.append(
        autoguide.AutoDiscreteParallel(pyro.poutine.block(counts_of_classes, expose=["k"]))
    )
    return _ready(guides)


class Joint(EasyGuide):
    """Both latents from one multivariate draw."""

    def guide(self):
        group = self.group(match="loc|scale")
        loc = pyro.param("group_loc", torch.zeros(group.event_shape))
        group.sample("group", dist.MultivariateNormal(loc, torch.eye(2)))


@guided("EasyGuide", "location_and_scale", TOGETHER)
def _():
    return _ready(Joint(location_and_scale))


class Points(EasyGuide):
    """A point for one, a draw for the other."""

    def guide(self):
        self.map_estimate("scale")
        pyro.sample("loc", dist.Normal(pyro.param("loc_loc", torch.tensor(0.0)), 1.0))


@guided("EasyGuide_with_a_point", "location_and_scale", "q(scale) q(loc)")
def _():
    return _ready(Points(location_and_scale))


@guided("auxiliary", "location_and_scale", "q(seed) q(loc|seed) q(scale|seed)")
def _():
    def guide():
        seed = pyro.sample("seed", dist.Normal(0.0, 1.0), infer={"is_auxiliary": True})
        pyro.sample("loc", dist.Normal(seed, 1.0))
        pyro.sample("scale", dist.LogNormal(-seed, 1.0))

    return guide


@guided("unconstrained_by_hand", "location_and_scale", "q(loc) q(scale)")
def _():
    """A draw before its transformation is the same variable, not another one."""

    def guide():
        pyro.sample("loc", dist.Normal(0.0, 1.0))
        raw = pyro.sample(
            "scale_unconstrained", dist.Normal(0.0, 1.0), infer={"is_auxiliary": True}
        )
        pyro.sample("scale", dist.Delta(raw.exp(), log_density=-raw))

    return guide


@guided("flow_in_a_guide", "location_and_scale", TOGETHER)
def _():
    flow = transforms.planar(2)

    def guide():
        pyro.module("flow", flow)
        base = dist.Normal(torch.zeros(2), 1.0).to_event(1)
        both = pyro.sample(
            "both_latent", dist.TransformedDistribution(base, [flow]), infer={"is_auxiliary": True}
        )
        pyro.sample("loc", dist.Delta(both[0]))
        pyro.sample("scale", dist.Delta(both[1].exp(), log_density=-both[1]))

    return guide


@guided("structured_by_hand", "location_and_scale", "q(scale) q(loc|scale)")
def _():
    def guide():
        log = pyro.param("log_scale", torch.tensor(0.0))
        width = pyro.param("width", torch.tensor(0.1), constraint=constraints.positive)
        scale = pyro.sample("scale", dist.LogNormal(log, width))
        pyro.sample("loc", dist.Normal(0.0, scale))

    return guide


@guided("smoother", "hidden_markov_normal", "q(z_2|x_2) q(z_1|z_2,x_1) q(z_0|z_1,x_0)")
def _():
    """Backwards in time: the guide's arrows run against the model's."""
    network = nn.Linear(2, 1)

    def guide(x):
        z = torch.zeros(1)
        for t in (2, 1, 0):
            loc = network(torch.cat([x[t : t + 1], z]))[0] if t < 2 else x[2]
            z = pyro.sample(f"z_{t}", dist.Normal(loc, 1.0)).reshape(1)

    return guide
