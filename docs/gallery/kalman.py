"""A linear dynamical system, whose posterior is the Kalman filter's.

The state of a moving thing follows from the state before it, and its noisy position is seen. It is
the hidden Markov model's graph with normal distributions, and the deviations of both steps are
unknown as well: they tie all times to each other.
"""

import pyro
import pyro.distributions as dist
import torch


def model(x):
    """Deviations of motion and measurement, and a state z and a position x at each time."""
    motion = pyro.sample("s", dist.HalfNormal(1.0))
    measurement = pyro.sample("r", dist.HalfNormal(1.0))
    with pyro.plate("tracks", len(x)):
        z = torch.zeros_like(x[:, 0])
        for t in range(x.shape[1]):
            z = pyro.sample(f"z_{t + 1}", dist.Normal(0.9 * z, motion))
            pyro.sample(f"x_{t + 1}", dist.Normal(z, measurement), obs=x[:, t])


def inputs():
    """Four tracks of five steps."""
    return (torch.randn(4, 5),)
