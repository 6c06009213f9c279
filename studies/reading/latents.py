"""Draws from q(z | x) with the labels hidden, and how far apart the classes lie in them."""

from __future__ import annotations

import math
from typing import NamedTuple

import pyro
import torch
from pyro import poutine
from torch import Tensor

from .blocks import find_block
from .examples import evenly
from .subject import Subject

COMPARED = 2000
"""Draws whose distances from each other are taken, at most: they are as many as their square."""


class Draws(NamedTuple):
    """One draw of every row.

    Attributes:
        blocks: the characteristic blocks ``(N, D)`` by label.
        style: z_style, ``(N, S)``.
    """

    blocks: dict[str, Tensor]
    style: Tensor


@torch.no_grad()
def draws(subject: Subject, *, seed: int = 0) -> Draws:
    """One draw from q(z | x) for every row of a subject with its labels hidden.

    The random state of torch is left as it was.
    """
    space = subject.space
    blocks = {name: find_block(space, name) for name in space.names}
    parts: dict[str, list[Tensor]] = {name: [] for name in space.names}
    style = []
    with torch.random.fork_rng(), pyro.get_param_store().scope():
        torch.manual_seed(seed)
        for batch in subject.rows.batches(500, device=subject.device):
            program = poutine.trace(subject.guide)
            nodes = program.get_trace(*batch.hidden().args, **batch.kwargs).nodes
            for name, block in blocks.items():
                parts[name].append(nodes[block.site]["value"][:, block.position].cpu())
            style.append(nodes["z_style"]["value"][:, 0].cpu())
    return Draws({name: torch.cat(part) for name, part in parts.items()}, torch.cat(style))


def separation(a: Tensor, b: Tensor) -> float:
    r"""The standardised Wasserstein-1 distance of two samples ``(N,)`` and ``(M,)``.

    .. math::  W_1(a, b) / s, \quad s^2 = ((N-1) s_a^2 + (M-1) s_b^2) / (N + M - 2)

    Returns:
        the distance in pooled standard deviations; NaN where a sample has fewer than two values or
        both are constant.
    """
    from scipy.stats import wasserstein_distance

    if min(len(a), len(b)) < 2:
        return math.nan
    first, second = a.double().numpy(), b.double().numpy()
    squares = first.var() * len(first) + second.var() * len(second)
    pooled = math.sqrt(squares / (len(first) + len(second) - 2))
    return wasserstein_distance(first, second) / pooled if pooled > 0 else math.nan


def silhouette(z: Tensor, codes: Tensor) -> float:
    """The mean silhouette (Rousseeuw 1987) of draws ``(N, D)`` in the classes ``(N,)``.

    A draw's silhouette is (b − a) / max(a, b), with its mean distance a from the others of its
    class and b from those of the nearest other class: 1 for classes far apart, 0 for mixed ones.

    Returns:
        the mean over at most 2 000 evenly spaced draws whose class is known; NaN where these are of
        one class, or each of its own.
    """
    from sklearn.metrics import silhouette_score

    known = (~codes.isnan()).nonzero()[:, 0]
    chosen = known[evenly(len(known), COMPARED)]
    classes = len(codes[chosen].unique())
    if not 2 <= classes < len(chosen):
        return math.nan
    return float(silhouette_score(z[chosen].double().numpy(), codes[chosen].numpy()))


def components(block: Tensor, means: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """First two principal components of a block.

    Args:
        block: ``(N, D)`` with D of at least 2. means: points ``(K, D)`` to project beside it.

    Returns:
        scores ``(N, 2)``, the shares ``(2,)`` of the variance that they hold, and the points
        ``(K, 2)``.
    """
    centred = block - block.mean(0)
    values, axes = torch.linalg.eigh(centred.T @ centred)
    shares = values / values.sum().clamp(min=1e-30)
    plane = axes.flip(-1)[:, :2]
    return centred @ plane, shares.flip(-1)[:2], (means - block.mean(0)) @ plane
