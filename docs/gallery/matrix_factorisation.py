"""Probabilistic matrix factorisation (Salakhutdinov and Mnih 2007).

Users and films have codes u and v, and a rating lies near their product. The plates of users and
films cross: a rating lies in both. Two users are tied as soon as both have rated one film.
"""

import pyro
import pyro.distributions as dist
import torch

CODES = 2


def model(ratings):
    """A code for each user and each film, and a rating r for each pair."""
    users = pyro.plate("users", ratings.shape[0], dim=-2)
    films = pyro.plate("films", ratings.shape[1], dim=-1)
    with users:
        u = pyro.sample("u", dist.Normal(torch.zeros(CODES), 1.0).to_event(1))
    with films:
        v = pyro.sample("v", dist.Normal(torch.zeros(CODES), 1.0).to_event(1))
    with users, films:
        pyro.sample("r", dist.Normal((u * v).sum(-1), 0.5), obs=ratings)


def inputs():
    """Four users and five films."""
    return (torch.randn(4, 5),)
