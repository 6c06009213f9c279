"""A confounder and a mediator: Pearl's front door (1995).

A gene g makes people smoke and makes them ill; smoking works through the tar t in the lungs.
Smoking and illness are tied by both ways. The gene cannot be seen, but the tar can, and nothing but
smoking leads to it: so what smoking does can be computed from what is seen. Cut the arrow into
smoking (`graph.do("s")`), and what is left between it and illness is its effect.
"""

import pyro
import pyro.distributions as dist
import torch


def model(s, t, c):
    """An unseen gene, and of each person smoking s, tar t and illness c."""
    with pyro.plate("people", len(s)):
        g = pyro.sample("g", dist.Normal(0.0, 1.0))
        smoking = pyro.sample("s", dist.Normal(g, 1.0), obs=s)
        tar = pyro.sample("t", dist.Normal(2 * smoking, 1.0), obs=t)
        pyro.sample("c", dist.Normal(tar + g, 1.0), obs=c)


def inputs():
    """Five people."""
    return torch.randn(5), torch.randn(5), torch.randn(5)
