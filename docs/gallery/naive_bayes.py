"""Naive Bayes.

A message has a class y, and each of its words is there or not with a rate of that class. *Naive* is
what the graph says: given the class, and the rates, one word tells nothing about another.
"""

import pyro
import pyro.distributions as dist
import torch


def model(words, y):
    """How frequent the classes are, a rate for each class and word, and the messages."""
    pi = pyro.sample("pi", dist.Dirichlet(torch.ones(2)))
    vocabulary = pyro.plate("vocabulary", words.shape[-1], dim=-1)
    with pyro.plate("classes", 2, dim=-2), vocabulary:
        theta = pyro.sample("theta", dist.Beta(1.0, 1.0))
    with pyro.plate("messages", len(y), dim=-2):
        label = pyro.sample("y", dist.Categorical(pi), obs=y)
        with vocabulary:
            pyro.sample("x", dist.Bernoulli(theta[label.squeeze(-1)]), obs=words)


def inputs():
    """Four messages over five words."""
    return torch.randint(2, (4, 5)).float(), torch.randint(2, (4, 1))
