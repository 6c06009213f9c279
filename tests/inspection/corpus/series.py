"""Time series: regressions on the past, levels, volatility, epidemics, whole series as one site."""

import pyro
import pyro.distributions as dist
import torch
from pyro.contrib.autoname import scope

from .chains import DATA, TRANSITION, over
from .record import case


@case(
    "time series",
    "p(phi) p(sigma) p(y_0|sigma) p(y_1|phi,sigma,y_0)"
    + over([2], " p(y_2|phi,sigma,y_1,y_0)")
    + over([3], " p(y_3|phi,sigma,y_2,y_1)"),
    observed="y_0 y_1 y_2 y_3",
)
def autoregression():
    phi = pyro.sample("phi", dist.Normal(0.0, 0.5).expand([2]).to_event(1))
    sigma = pyro.sample("sigma", dist.HalfNormal(1.0))
    past = []
    for t in range(4):
        mean = sum((phi[k] * past[-1 - k] for k in range(min(2, len(past)))), torch.tensor(0.0))
        past.append(pyro.sample(f"y_{t}", dist.Normal(mean, sigma), obs=DATA[t]))


@case(
    "time series",
    "p(drift) p(level_1|drift) p(y_1|level_1)"
    + over([2, 3], " p(level_@|level_<,drift) p(y_@|level_@)"),
    observed="y_1 y_2 y_3",
)
def local_level_with_drift():
    drift = pyro.sample("drift", dist.Normal(0.0, 0.1))
    level = torch.tensor(0.0)
    for t in range(1, 4):
        level = pyro.sample(f"level_{t}", dist.Normal(level + drift, 0.3))
        pyro.sample(f"y_{t}", dist.Normal(level, 1.0), obs=DATA[t])


@case(
    "time series",
    "p(sigma) p(steps|sigma) p(returns|steps)",
    observed="returns",
    plates="time 4: steps",
)
def stochastic_volatility():
    """The path is a running sum of independent steps: no chain in the program."""
    sigma = pyro.sample("sigma", dist.Exponential(50.0))
    with pyro.plate("time", 4):
        steps = pyro.sample("steps", dist.Normal(0.0, sigma))
    volatility = steps.cumsum(-1).exp()
    pyro.sample("returns", dist.StudentT(5.0, 0.0, volatility).to_event(1), obs=DATA)


@case(
    "time series",
    "p(drift) p(season) p(noise) p(residual|drift,season,noise)",
    observed="residual",
    plates="day_of_week 2: season",
)
def forecast():
    drift = pyro.sample("drift", dist.Normal(0.0, 1.0))
    with pyro.plate("day_of_week", 2):
        season = pyro.sample("season", dist.Normal(0.0, 1.0))
    noise = pyro.sample("noise", dist.LogNormal(-2.0, 1.0))
    time = torch.arange(4.0)
    prediction = drift * time + season.repeat(2)
    pyro.sample("residual", dist.Normal(prediction, noise).to_event(1), obs=DATA)


@case("time series", "p(transition) p(means) p(y|transition,means)", observed="y")
def hmm_in_one_site():
    rows = dist.Dirichlet(torch.ones(2, 2)).to_event(1)
    transition = pyro.sample("transition", rows)
    means = pyro.sample("means", dist.Normal(0.0, 1.0).expand([2]).to_event(1))
    start = torch.zeros(2)
    hmm = dist.DiscreteHMM(start, transition.log(), dist.Normal(means, 1.0), duration=4)
    pyro.sample("y", hmm, obs=DATA)


@case("time series", "p(trans) p(noise) p(y|trans,noise)", observed="y")
def gaussian_hmm():
    trans = pyro.sample("trans", dist.Normal(0.9, 0.1))
    noise = pyro.sample("noise", dist.HalfNormal(1.0))
    eye = torch.eye(1)
    zero = torch.zeros(1)
    hmm = dist.GaussianHMM(
        dist.MultivariateNormal(zero, eye),
        trans * eye,
        dist.MultivariateNormal(zero, eye),
        eye,
        dist.MultivariateNormal(zero, (noise + 0.1) * eye),
        duration=4,
    )
    pyro.sample("y", hmm, obs=DATA[:, None])


@case("time series", "p(scale) p(y|scale)", observed="y")
def linear_hmm():
    """Has a density only after reparametrisation, and neither needs one to be drawn."""
    scale = pyro.sample("scale", dist.HalfNormal(1.0))
    eye = torch.eye(1)
    hmm = dist.LinearHMM(
        dist.Normal(torch.zeros(1), 1.0).to_event(1),
        eye,
        dist.Normal(torch.zeros(1), scale + 0.1).to_event(1),
        eye,
        dist.Normal(torch.zeros(1), 1.0).to_event(1),
        duration=4,
    )
    pyro.sample("y", hmm, obs=DATA[:, None])


@case(
    "time series",
    "p(note_0) p(heard_0|note_0)" + over(range(1, 22), " p(note_@|note_<) p(heard_@|note_@)"),
    observed=over(range(22), "heard_@"),
)
def long_chain():
    """More steps than letters: 44 nodes."""
    z = torch.tensor(0.0)
    for t in range(22):
        z = pyro.sample(f"note_{t}", dist.Normal(z, 1.0))
        pyro.sample(f"heard_{t}", dist.Normal(z, 1.0), obs=torch.tensor(0.1))


@case(
    "time series",
    " ".join(
        f"p(a_{t}|{','.join(f'a_{s}' for s in range(t))})" if t else "p(a_0)" for t in range(8)
    ),
)
def dense_chain():
    """Every step depends on all before: 28 arrows."""
    past = [torch.tensor(0.0)]
    for t in range(8):
        past.append(pyro.sample(f"a_{t}", dist.Normal(sum(past), 1.0)))


@case(
    "time series",
    """p(mode_0) p(x_0) p(y_0|x_0) p(mode_1|mode_0) p(x_1|mode_1,x_0) p(y_1|x_1)
    p(mode_2|mode_1) p(x_2|mode_2,x_1) p(y_2|x_2)""",
    observed="y_0 y_1 y_2",
)
def switching():
    speeds = torch.tensor([0.5, 1.1])
    mode = pyro.sample("mode_0", dist.Bernoulli(0.5))
    x = pyro.sample("x_0", dist.Normal(0.0, 1.0))
    pyro.sample("y_0", dist.Normal(x, 1.0), obs=DATA[0])
    for t in (1, 2):
        mode = pyro.sample(f"mode_{t}", dist.Bernoulli(TRANSITION[mode.long()][1]))
        x = pyro.sample(f"x_{t}", dist.Normal(speeds[mode.long()] * x, 1.0))
        pyro.sample(f"y_{t}", dist.Normal(x, 1.0), obs=DATA[t])


@case(
    "epidemics",
    """p(R0) p(rho) p(S2I_0|R0) p(I2R_0) p(obs_0|S2I_0,rho)
    p(S2I_1|R0,S2I_0,I2R_0) p(I2R_1|S2I_0,I2R_0) p(obs_1|S2I_1,rho)""",
    observed="obs_0 obs_1",
)
def susceptible_infected_recovered():
    reproduction = pyro.sample("R0", dist.LogNormal(0.0, 1.0))
    rho = pyro.sample("rho", dist.Beta(2.0, 2.0))
    s, i = torch.tensor(99.0), torch.tensor(1.0)
    for t, seen in enumerate(torch.tensor([0.0, 1.0])):
        infection = -torch.expm1(-reproduction * i / 700)
        s2i = pyro.sample(f"S2I_{t}", dist.ExtendedBinomial(s, infection))
        i2r = pyro.sample(f"I2R_{t}", dist.ExtendedBinomial(i, 0.1))
        s, i = s - s2i, i + s2i - i2r
        report = dist.ExtendedBinomial(s2i, rho)
        pyro.sample(f"obs_{t}", report, obs=seen)


@case(
    "time series",
    "p(a/z) p(b/z|a/z) p(c/z|b/z) p(c/x|c/z)",
    observed="c/x",
)
def scopes():
    def step(before):
        return pyro.sample("z", dist.Normal(before, 1.0))

    z = torch.tensor(0.0)
    for name in "abc":
        with scope(prefix=name):
            z = step(z)
    with scope(prefix="c"):
        pyro.sample("x", dist.Normal(z, 1.0), obs=torch.tensor(0.2))


@case(
    "deep",
    """p(z_1) p(x_1|z_1) p(z_2|z_1) p(x_2|z_2) p(z_3|z_2) p(x_3|z_3)""",
    observed="x_1 x_2 x_3",
    plates="data 2: z_1 z_2 z_3 x_1 x_2 x_3",
    args=(torch.linspace(0, 1, 12).reshape(2, 3, 2), torch.tensor([3, 2])),
)
def deep_markov(batch, lengths):
    """Sequences of several lengths: a mask says which steps count, and is no parent."""
    steps = batch.shape[1]
    weights = torch.tensor([[0.5, 0.1], [-0.2, 0.7]])
    z = torch.zeros(2)
    with pyro.plate("data", len(batch)):
        for t in pyro.markov(range(1, steps + 1)):
            with pyro.poutine.mask(mask=t <= lengths):
                z = pyro.sample(f"z_{t}", dist.Normal((z @ weights).tanh(), 1.0).to_event(1))
                probs = (z @ weights).sigmoid()
                pyro.sample(f"x_{t}", dist.Normal(probs, 1.0).to_event(1), obs=batch[:, t - 1])
