"""Bayesian linear regression.

Weights, an offset and a deviation have priors of their own, and each row lies near its line. The
predictors are given to the program and have no distribution: a shaded node without a border. Before
anything is seen the weights know nothing of the offset; once y is, they share one explanation.
"""

import pyro
import pyro.distributions as dist
import torch


def model(predictors, y):
    """p(w) p(b) p(σ) and p(y|w,b,σ) in each row."""
    w = pyro.sample("w", dist.Normal(torch.zeros(predictors.shape[1]), 1.0).to_event(1))
    b = pyro.sample("b", dist.Normal(0.0, 1.0))
    sigma = pyro.sample("sigma", dist.HalfNormal(1.0))
    with pyro.plate("rows", len(y)):
        pyro.sample("y", dist.Normal(predictors @ w + b, sigma), obs=y)


def inputs():
    """Five rows of two predictors."""
    return torch.randn(5, 2), torch.randn(5)
