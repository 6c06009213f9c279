"""CC-VAE's pairs for :mod:`ccvae.benchmarks.gradients`, one of which is known without sampling.

With a linear decoder and normal pixels the objective is a sum of integrals over one normal variable
for every label, see :func:`by_quadrature`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from typing import NamedTuple

import pyro.distributions as dist
import torch
from torch import Tensor, nn

from ..data import Binary, LabelSpace
from ..guides import CCVAEGuide
from ..inference import Objective
from ..models import CCVAE, Laplace
from ..models.likelihoods import Pixels
from ..networks import ConvDecoder64, ConvEncoder64
from ..networks.heads import Decoder, Encoder

STYLE = 27
"""Dimensions of z_style."""


class Gaussian(nn.Module):
    """Normal pixels of standard deviation 1 around the raw numbers, without a sigmoid."""

    parameters_per_channel = 1

    def forward(self, raw: Tensor) -> Pixels:
        """The distribution of images for raw ``(…, C, H, W)``."""
        return Pixels(raw, 1.0, 2)


class Case(NamedTuple):
    """A model and a guide on a batch; everything is observed and the data set is the batch."""

    model: CCVAE
    guide: CCVAEGuide
    x: Tensor
    y: Tensor

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The encoder's."""
        return list(self.guide.encoder.parameters())

    def loss(self, objective: Objective) -> Tensor:
        """The negative objective, summed over the batch."""
        size = len(self.x)
        index = torch.arange(size)
        return objective(self.model, self.guide)(self.x, self.y, index=index, size=size)

    def gradient(self, loss: Tensor) -> Tensor:
        """Of the loss by the encoder's parameters, one flat vector in float64."""
        return flat(torch.autograd.grad(loss, self.parameters))


def published(x: Tensor, y: Tensor, link: str) -> Case:
    """The networks published with CC-VAE, with their initial weights."""
    space = label_space(y)
    latents, channels = len(space) + STYLE, x.shape[1]
    model = CCVAE(space, ConvDecoder64(latents, channels), Laplace(), style=STYLE)
    guide = CCVAEGuide(space, ConvEncoder64(channels, latents), style=STYLE, link=link)
    return Case(model, guide, x, y)


def linear(x: Tensor, y: Tensor, link: str, style: int = STYLE) -> Case:
    """A linear decoder with normal pixels, and an encoder linear in 4×4 means but for softplus."""
    space, shape = label_space(y), x.shape[1:]
    latents = len(space) + style
    means = nn.Sequential(nn.AvgPool2d(4), nn.Flatten())
    encoder = Encoder(means, shape.numel() // 16, latents)
    decoder = Decoder(nn.Sequential(nn.Linear(latents, shape.numel()), nn.Unflatten(1, shape)))
    model = CCVAE(space, decoder, Gaussian(), style=style)
    return Case(model, CCVAEGuide(space, encoder, style=style, link=link), x, y)


def label_space(y: Tensor) -> LabelSpace:
    """Binary labels for the columns of ``y``."""
    return LabelSpace(Binary(f"label {i}") for i in range(y.shape[1]))


def by_quadrature(case: Case) -> Tensor:
    """The negative objective of a :func:`linear` case without sampling, as a scalar.

    Given the labels the dimensions of z are independent in the guide. So the expectation of the
    log-likelihood, which is quadratic in z, needs their means and variances only, and everything
    else is a sum over the dimensions. The trapezoid rule is exact to rounding for such integrands.
    """
    model, guide, x, y = case
    (block,), (style_loc, style_scale) = guide.posterior(x)
    step = 0.05
    epsilon = torch.arange(-12, 12, step, dtype=x.dtype)
    log_dz = -(epsilon**2) / 2 + math.log(step / math.sqrt(2 * math.pi))
    z = block.loc + block.scale * epsilon
    log_f = block.link.log_cdf((2 * y[..., None] - 1) * (block.slope * z + block.intercept))
    log_evidence = (log_dz + log_f).logsumexp(-1, keepdim=True)
    weight = (log_dz + log_f - log_evidence).exp()
    log_q = dist.Normal(block.loc, block.scale).log_prob(z) + log_f - log_evidence
    (prior,) = model.prior
    log_p = prior(y).base_dist.log_prob(z)
    characteristic = (weight * (log_p - log_q)).sum((1, 2))
    mean_square = style_loc**2 + style_scale**2
    style = (style_scale.log() + (1 - mean_square) / 2).sum(1)
    mean = torch.cat([(weight * z).sum(-1), style_loc], 1)
    variance = torch.cat([(weight * z**2).sum(-1), mean_square], 1) - mean**2
    unit = torch.eye(mean.shape[1], dtype=x.dtype)
    lengths = (model.decoder(unit) - model.decoder(0 * unit)).square().sum((1, 2, 3))
    error = (x - model.decoder(mean)).square().sum((1, 2, 3)) + variance @ lengths
    constant = x[0].numel() * math.log(2 * math.pi) / 2 + y.shape[1] * math.log(2)
    return (error / 2 + constant - characteristic - style).sum()


def true_gradient(case: Case) -> Tensor:
    """Of the negative objective of a :func:`linear` case, by :func:`by_quadrature`."""
    model, guide = copy.deepcopy((case.model, case.guide))
    exact = Case(model.double(), guide.double(), case.x.double(), case.y.double())
    return exact.gradient(by_quadrature(exact))


def flat(gradients: Iterable[Tensor]) -> Tensor:
    """All in one float64 vector."""
    return torch.cat([gradient.flatten().double() for gradient in gradients])
