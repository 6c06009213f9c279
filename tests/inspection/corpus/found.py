"""Programs of the kinds that a look at Pyro's own tests and examples was wrong on, or unsure."""

import functools

import numpy as np
import pyro
import pyro.distributions as dist
import torch
from pyro.contrib.easyguide import EasyGuide
from pyro.infer import autoguide
from pyro.nn import PyroModule, PyroSample
from torch.distributions import constraints

from .record import case, guided

ZERO = torch.tensor(0.0)
DOSES = torch.linspace(0.0, 1.0, 5)


@case(
    "plates",
    "p(base) p(gain|base) p(effect|gain,dose)",
    observed="effect",
    plates="patients 5: gain effect",
    kwargs={"dose": DOSES, "effect": DOSES**2, "rows_at_once": 3},
)
def doses_by_keyword(dose, effect, rows_at_once=None):
    """Called by keywords alone, with some of the rows."""
    base = pyro.sample("base", dist.Normal(0.0, 1.0))
    with pyro.plate("patients", len(dose), subsample_size=rows_at_once):
        some, seen = pyro.subsample(dose, event_dim=0), pyro.subsample(effect, event_dim=0)
        gain = pyro.sample("gain", dist.Normal(base, 1.0))
        pyro.sample("effect", dist.Normal(gain * some, 1.0), obs=seen)


for kind, density in (
    (autoguide.AutoNormalMessenger, "q(base) q(gain)"),
    (autoguide.AutoHierarchicalNormalMessenger, "q(base) q(gain|base)"),
    (autoguide.AutoNormal, "q(base) q(gain)"),
):
    guided(f"{kind.__name__}_by_keyword", "doses_by_keyword", density)(
        functools.partial(kind, doses_by_keyword)
    )


@case("parameters", "p(level) p(reading|level)", observed="reading", name="parameter_that_is_there")
def _level():
    level = pyro.sample("level", dist.Normal(0.0, 10.0))
    width = pyro.param("width", torch.tensor(1.0), constraint=constraints.positive)
    pyro.sample("reading", dist.Normal(level, width), obs=ZERO)


def _by_name():
    level = pyro.sample("level", dist.Normal(0.0, 10.0))
    pyro.sample("reading", dist.Normal(level, pyro.param("width")), obs=ZERO)


def _states_it():
    def guide():
        width = pyro.param("width", torch.tensor(1.0), constraint=constraints.positive)
        pyro.sample("level", dist.Normal(0.0, width))

    return guide


case(
    "parameters",
    "p(level) p(reading|level)",
    name="parameter_that_the_guide_states",
    observed="reading",
    make_guide=_states_it,
    guide_density="q(level)",
)(_by_name)


class Slope(PyroModule):
    """A module with arguments of which some are given beforehand."""

    def __init__(self):
        super().__init__()
        self.slope = PyroSample(dist.Normal(0.0, 1.0))

    def forward(self, heights, weights, centred):
        where = heights - heights.mean() if centred else heights
        pyro.sample("weight", dist.Normal(self.slope * where, 1.0).to_event(1), obs=weights)


case(
    "modules",
    "p(slope) p(weight|slope,heights)",
    name="module_in_part",
    observed="weight",
    args=(torch.tensor([1.6, 1.8]), torch.tensor([60.0, 80.0])),
)(functools.partial(Slope(), centred=True))


@case(
    "leaving torch",
    "p(rate) p(count|rate,exposures0,exposures1)",
    observed="count",
    args=([np.array([1.0, 2.0]), np.array([3.0])],),
)
def arrays_in_a_list(exposures):
    rate = pyro.sample("rate", dist.Gamma(2.0, 1.0))
    total = float(sum(part.sum() for part in exposures))
    pyro.sample("count", dist.Poisson(rate * total), obs=torch.tensor(7.0))


@case(
    "leaving torch",
    "p(rate) p(count|rate,parts0,parts1)",
    observed="count",
    args=(np.array([1.0, 2.0]), np.array([3.0])),
)
def arrays_one_by_one(*parts):
    rate = pyro.sample("rate", dist.Gamma(2.0, 1.0))
    pyro.sample("count", dist.Poisson(rate * float(sum(p.sum() for p in parts))), obs=ZERO)


LENGTHS = torch.tensor([3, 1, 2])


@case(
    "hidden Markov",
    """p(turn) p(loud) p(s_0|turn) p(n_0|s_0,loud) p(s_1|s_0,turn) p(n_1|s_1,loud)
    p(s_2|s_1,turn) p(n_2|s_2,loud)""",
    observed="n_0 n_1 n_2",
    plates="songs 3: s_0 s_1 s_2 n_0 n_1 n_2; keys 4: n_0 n_1 n_2",
    args=(torch.ones(3, 3, 4), LENGTHS),
)
def songs_of_some_length(notes, lengths):
    """What lies beyond the end of a song is masked."""
    turn = pyro.sample("turn", dist.Dirichlet(torch.eye(2) + 0.1).to_event(1))
    loud = pyro.sample("loud", dist.Beta(1.0, 9.0).expand([2, 4]).to_event(2))
    keys = pyro.plate("keys", 4, dim=-1)
    with pyro.plate("songs", 3, dim=-2):
        s = 0
        for t in pyro.markov(range(int(lengths.max()))):
            with pyro.poutine.mask(mask=(t < lengths).unsqueeze(-1)):
                s = pyro.sample(f"s_{t}", dist.Categorical(turn[s]))
                with keys:
                    pyro.sample(f"n_{t}", dist.Bernoulli(loud[s.squeeze(-1)]), obs=notes[:, t])


@case(
    "epidemiology",
    """p(spread) p(found) p(left_0) p(new_0|spread,left_0) p(seen_0|left_0,found)
    p(left_1) p(new_1|spread,left_0,left_1) p(seen_1|left_0,left_1,found)""",
    observed="new_0 new_1 seen_0 seen_1",
)
def outbreak_by_what_is_left(population=20):
    """The states are drawn freely, and what flows between them is observed to be the difference."""
    spread = pyro.sample("spread", dist.LogNormal(0.0, 1.0))
    found = pyro.sample("found", dist.Beta(5.0, 5.0))
    before = torch.tensor(population - 1.0)
    for t in range(2):
        left = pyro.sample(f"left_{t}", dist.Uniform(0.0, float(population)))
        rate = 1e-3 + spread * (population - before) / population
        pyro.sample(f"new_{t}", dist.Normal(before * rate, 1.0), obs=before - left)
        pyro.sample(f"seen_{t}", dist.Normal((before - left) * found, 1.0), obs=ZERO)
        before = left


@case("games", "p(taste) p(here|taste) p(there|here,taste)", observed="there")
def meeting_point():
    """One player imagines the other, and asks to be where that one is."""
    taste = pyro.sample("taste", dist.Beta(2.0, 2.0))
    here = pyro.sample("here", dist.Bernoulli(taste))
    pyro.sample("there", dist.Bernoulli(taste), obs=here)


@case(
    "deep",
    "p(top) p(low) p(a) p(b|a,top) p(count|b,low)",
    observed="count",
    plates="tops 6: top; lows 8: low; rows 3: a b count",
)
def weights_in_plates():
    """Weights are sites of plates of their own and become matrices."""
    with pyro.plate("tops", 6):
        top = pyro.sample("top", dist.Gamma(0.3, 0.3))
    with pyro.plate("lows", 8):
        low = pyro.sample("low", dist.Gamma(0.3, 0.3))
    with pyro.plate("rows", 3):
        a = pyro.sample("a", dist.Gamma(0.1, 0.1).expand([3]).to_event(1))
        b = pyro.sample("b", dist.Gamma(0.1, 0.1 / (a @ top.view(3, 2) + 1e-3)).to_event(1))
        rate = b @ low.view(2, 4) + 1e-3
        pyro.sample("count", dist.Poisson(rate).to_event(1), obs=torch.ones(3, 4))


class Grouped(EasyGuide):
    """One draw for all weights and one for all that belongs to a row."""

    def guide(self):
        weights = self.group(match="top|low")
        weights.sample("weights", dist.Normal(torch.zeros(weights.event_shape), 1.0).to_event(1))
        inside = self.group(match="a|b")
        with self.plate("rows", 3):
            shape = (3, *inside.event_shape)
            inside.sample("inside", dist.Normal(torch.zeros(shape), 1.0).to_event(1))


@guided("EasyGuide_of_groups", "weights_in_plates", "q(top) q(low) q(a) q(b)")
def _():
    return Grouped(weights_in_plates)
