"""Item response theory, with two parameters an item (Birnbaum 1968).

A student's ability a, an item's difficulty d and its discrimination k say how probable a right
answer is. What a student can do is independent of how hard an item is, until the answer is seen.
"""

import pyro
import pyro.distributions as dist
import torch


def model(answers):
    """Students, items, and an answer y for each pair."""
    students = pyro.plate("students", answers.shape[0], dim=-2)
    items = pyro.plate("items", answers.shape[1], dim=-1)
    with students:
        a = pyro.sample("a", dist.Normal(0.0, 1.0))
    with items:
        d = pyro.sample("d", dist.Normal(0.0, 1.0))
        k = pyro.sample("k", dist.LogNormal(0.0, 0.5))
    with students, items:
        pyro.sample("y", dist.Bernoulli(logits=k * (a - d)), obs=answers)


def inputs():
    """Four students and six items."""
    return (torch.randint(2, (4, 6)).float(),)
