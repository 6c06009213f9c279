"""Selection: Berkson's paradox (1946).

Talent and looks are independent, and either may bring a part in a film. Among those who are on the
screen they are not: whoever has not the one must have the other. No arrow joins them; what was
selected by, being seen, is given.
"""

import pyro
import pyro.distributions as dist
import torch


def model(chosen, fame):
    """Talent a, looks b, and whether a person was chosen, s; fame f follows from that."""
    with pyro.plate("people", len(chosen)):
        a = pyro.sample("a", dist.Normal(0.0, 1.0))
        b = pyro.sample("b", dist.Normal(0.0, 1.0))
        s = pyro.sample("s", dist.Bernoulli(logits=4 * (a + b) - 4), obs=chosen)
        pyro.sample("f", dist.Normal(s, 1.0), obs=fame)


def inputs():
    """Five people, of whom all were chosen."""
    return torch.ones(5), torch.ones(5)
