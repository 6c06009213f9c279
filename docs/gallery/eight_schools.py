"""Eight schools (Rubin 1981).

The effect θ of coaching in each of eight schools is drawn around a common mean μ with a deviation
τ, and measured with a known error. Schools tell something about each other through μ and τ alone,
which is what shrinks them towards their mean.
"""

import pyro
import pyro.distributions as dist
import torch

EFFECTS = (28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0)
ERRORS = (15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0)


def model(errors, y):
    """p(μ) p(τ) and p(θ|μ,τ) p(y|θ) in each school."""
    mu = pyro.sample("mu", dist.Normal(0.0, 5.0))
    tau = pyro.sample("tau", dist.HalfCauchy(5.0))
    with pyro.plate("schools", len(y)):
        theta = pyro.sample("theta", dist.Normal(mu, tau))
        pyro.sample("y", dist.Normal(theta, errors), obs=y)


def inputs():
    """The table of the paper."""
    return torch.tensor(ERRORS), torch.tensor(EFFECTS)
