"""Latent Dirichlet allocation (Blei et al. 2003).

A document is a mixture of topics, θ; each of its words has a topic t, and is drawn from that
topic's distribution over the vocabulary, φ. Two words of a document are tied by θ, and two
documents by φ.
"""

import pyro
import pyro.distributions as dist
import torch

TOPICS, VOCABULARY = 3, 8


def model(words):
    """Topics φ, and of each document its mixture θ and its words w with their topics t."""
    with pyro.plate("topics", TOPICS):
        phi = pyro.sample("phi", dist.Dirichlet(torch.ones(VOCABULARY)))
    with pyro.plate("documents", words.shape[1], dim=-1):
        theta = pyro.sample("theta", dist.Dirichlet(torch.ones(TOPICS)))
        with pyro.plate("words", words.shape[0], dim=-2):
            t = pyro.sample("t", dist.Categorical(theta))
            pyro.sample("w", dist.Categorical(phi[t]), obs=words)


def inputs():
    """Six words in each of four documents."""
    return (torch.randint(VOCABULARY, (6, 4)),)
