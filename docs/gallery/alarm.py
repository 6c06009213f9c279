"""Burglar, earthquake, alarm (Pearl 1988).

Burglars and earthquakes have nothing to do with each other. Once the alarm rings, or a neighbour
only calls because of it, they have: the radio's report of an earthquake explains the alarm away,
and makes a burglar less probable.
"""

import pyro
import pyro.distributions as dist
import torch


def yes(p):
    """True with probability p."""
    return dist.Bernoulli(torch.as_tensor(p))


def model():
    """Five things that happen or do not."""
    burglar = pyro.sample("burglar", yes(0.01))
    earthquake = pyro.sample("earthquake", yes(0.02))
    pyro.sample("radio", yes(0.01 + 0.9 * earthquake))
    alarm = pyro.sample("alarm", yes(0.01 + 0.9 * torch.maximum(burglar, 0.3 * earthquake)))
    pyro.sample("call", yes(0.05 + 0.9 * alarm))


def inputs():
    """Nothing."""
    return ()
