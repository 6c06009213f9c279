"""Factor analysis, or probabilistic PCA.

Every row has a short code z, and the loadings W turn it into what is seen. Its guide is the exact
posterior's form for known loadings, one code for each row; that codes and loadings depend on each
other once x is seen it leaves out.
"""

import pyro
import pyro.distributions as dist
import torch

CODES = 2


def model(x):
    """p(W) p(σ) and p(z) p(x|z,W,σ) in each row."""
    features = x.shape[1]
    W = pyro.sample("W", dist.Normal(torch.zeros(CODES, features), 1.0).to_event(2))
    sigma = pyro.sample("sigma", dist.HalfNormal(1.0))
    with pyro.plate("rows", len(x)):
        z = pyro.sample("z", dist.Normal(torch.zeros(CODES), 1.0).to_event(1))
        pyro.sample("x", dist.Normal(z @ W, sigma).to_event(1), obs=x)


def guide(x):
    """q(W) q(σ) and q(z|x) in each row."""
    mean = pyro.param("mean", torch.zeros(CODES, x.shape[1]))
    pyro.sample("W", dist.Normal(mean, 0.1).to_event(2))
    pyro.sample("sigma", dist.LogNormal(pyro.param("level", torch.tensor(0.0)), 0.1))
    with pyro.plate("rows", len(x)):
        pyro.sample("z", dist.Normal(x @ mean.T, 0.5).to_event(1))


def inputs():
    """Five rows of four features."""
    return (torch.randn(5, 4),)
