"""A hidden Markov model.

A state follows from the one before it, and what is seen from the state of its time. Given the
present state, and the tables of transitions A and emissions B, the past tells nothing about the
future. A loop of more than four steps is drawn as one step, with the step before it in grey.
"""

import pyro
import pyro.distributions as dist
import torch

STATES, SYMBOLS = 2, 3


def model(x):
    """Tables A and B, and a state z and a symbol x at each time."""
    with pyro.plate("states", STATES):
        A = pyro.sample("A", dist.Dirichlet(torch.ones(STATES)))
        B = pyro.sample("B", dist.Dirichlet(torch.ones(SYMBOLS)))
    with pyro.plate("sequences", len(x)):
        z = torch.zeros_like(x[:, 0])
        for t in range(x.shape[1]):
            z = pyro.sample(f"z_{t + 1}", dist.Categorical(A[z]))
            pyro.sample(f"x_{t + 1}", dist.Categorical(B[z]), obs=x[:, t])


def inputs():
    """Four sequences of five steps."""
    return (torch.randint(SYMBOLS, (4, 5)),)
