"""A change point.

Events are counted year by year, and at some time c their rate changes from λ to another. All three
are independent before the counts are seen, and compete for them afterwards: a later change goes
with a rate that fits more of the years.
"""

import pyro
import pyro.distributions as dist
import torch


def model(counts):
    """The rates before and after, the time of the change, and the counts n."""
    years = torch.arange(len(counts), device=counts.device)
    before = pyro.sample("lambda_1", dist.Exponential(0.5))
    after = pyro.sample("lambda_2", dist.Exponential(0.5))
    c = pyro.sample("c", dist.Uniform(0.0, float(len(counts))))
    with pyro.plate("years", len(counts)):
        pyro.sample("n", dist.Poisson(torch.where(years < c, before, after)), obs=counts)


def inputs():
    """Eight years."""
    return (torch.tensor([3.0, 4.0, 3.0, 5.0, 1.0, 0.0, 1.0, 1.0]),)
