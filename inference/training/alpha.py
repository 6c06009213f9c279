r"""How much weight the classifier needs beside the images: one rule for every α.

The objective of a row is a bound, most of which are the nats of its pixels, and α times the log
of a probability. What α does is decided by the first: an image of Laplace pixels of scale 1 has
hundreds of nats to learn about, the same image with scale 0.1 thousands. So α is measured against
what there is to learn about an image,

.. math::  S = \mathbb E_x\big[ \log p(x \mid \text{the image itself})
                               - \log p(x \mid \text{the mean image}) \big]

and, as the term stands on the labelled rows alone, against their share:

.. math::  \alpha = c\, S\, N / N_{\text{labelled}}

with one c for all programs whose labels speak through a latent block, a fifth of it where no image
pulls at the blocks (:mod:`ccvae.networks.apart`), and another for M2, whose q(y|x) is a network
beside q(z|x, y). All were chosen by measurement (docs/alpha.md).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...config import Config
from ...data import Rows
from ...models.likelihoods import Likelihood
from ..catalogue import build_likelihood
from ..objectives.ccvae import LABEL_WEIGHT

APART = 0.2
"""How much of c is enough where blocks are taught apart from the images."""

IMAGES = 512
"""Training images from which S is measured."""

CHUNK = 16
"""Of them at a time, which a processor's cache holds."""

EDGE = 1e-3
"""Pixels are kept so far from black and white, whose raw numbers are infinite."""


def label_worth(config: Config, rows: Rows) -> float:
    """What the labels of a row are worth in nats, c·S with the c of the blocks.

    Args:
        config: of the run, for its likelihood. rows: to train on.
    """
    return LABEL_WEIGHT * spread(build_likelihood(config), rows)


def measured_alpha(config: Config, weight: float, rows: Rows) -> float:
    """α by the module's rule, to two digits.

    Args:
        config: of the run, for its likelihood. weight: c, of the objective. rows: to train on.
    """
    alpha = weight * spread(build_likelihood(config), rows) / rows.labelled_share
    return float(f"{alpha:.2g}")


@torch.no_grad()
def spread(likelihood: Likelihood, rows: Rows) -> float:
    """S of the module's formula, in nats an image, on the first images.

    Args:
        likelihood: of one raw number a pixel, whose sigmoid is the image; or of K, the scores of K
            levels, where the mean image is how often each level occurs in a channel.
        rows: of which the first are looked at.
    """
    x = rows.batch(torch.arange(min(IMAGES, len(rows)))).x
    if likelihood.parameters_per_channel > 1:
        return levels(x, likelihood.parameters_per_channel)
    mean = likelihood(_raw(x.mean(0, keepdim=True)))
    nats = [likelihood(_raw(few)).log_prob(few) - mean.log_prob(few) for few in x.split(CHUNK)]
    return torch.cat(nats).mean().item()


def _raw(x: Tensor) -> Tensor:
    """The numbers of which images are the sigmoid."""
    return x.clamp(EDGE, 1 - EDGE).logit()


def levels(x: Tensor, count: int) -> float:
    """The same for ``count`` levels: nats of the images ``(B, C, H, W)`` by their frequencies."""
    total = 0.0
    for channel in x.movedim(1, 0):
        seen = (channel * (count - 1)).round().long().flatten().bincount(minlength=count)
        shares = seen[seen > 0].double() / seen.sum()
        total -= float((shares * shares.log()).sum())
    return total * x[0, 0].numel()
