"""An instrumental variable.

The distance z to a clinic decides who is treated, t, and works on health y by no other way;
severity u works on both and is not seen. The instrument is independent of severity, which is what
makes it one. Given the treatment it no longer is: whoever comes from afar must be ill.
"""

import pyro
import pyro.distributions as dist
import torch


def model(z, t, y):
    """The effect β, and of each person distance, severity, treatment and health."""
    beta = pyro.sample("beta", dist.Normal(0.0, 1.0))
    with pyro.plate("people", len(z)):
        distance = pyro.sample("z", dist.Normal(0.0, 1.0), obs=z)
        u = pyro.sample("u", dist.Normal(0.0, 1.0))
        treated = pyro.sample("t", dist.Normal(u - distance, 1.0), obs=t)
        pyro.sample("y", dist.Normal(beta * treated - u, 1.0), obs=y)


def inputs():
    """Five people."""
    return torch.randn(5), torch.randn(5), torch.randn(5)
