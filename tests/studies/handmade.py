"""A pair whose latents can be read off its images: pixel i shows latent dimension i."""

import torch
from torch import nn

from ccvae.data import Binary, Categorical, Dataset, LabelSpace
from ccvae.guides import CCVAEGuide
from ccvae.models import CCVAE
from ccvae.models.likelihoods import Laplace
from ccvae.studies import Subject

SPACE = LabelSpace(
    [Binary("First"), Categorical("Colour", ("red", "green", "blue")), Binary("Second")]
)
WIDTH = SPACE.dimension + 1
"""Pixels: First, Second, two of Colour, and one of z_style."""


class Painter(nn.Module):
    """A decoder: latents ``(…, D)``, mixed by a matrix, as the logits of D pixels."""

    def __init__(self, mix=None):
        super().__init__()
        self.mix = torch.eye(WIDTH) if mix is None else mix

    def forward(self, z):
        return (z @ self.mix).unsqueeze(-2).unsqueeze(-3)


class Reader(nn.Module):
    """Its inverse: pixels to means, and a small standard deviation."""

    def forward(self, x):
        loc = x.clamp(1e-4, 1 - 1e-4).logit().flatten(1)
        return loc, torch.full_like(loc, 0.05)


def make_handmade(rows=40, mix=None, seed=0, painter=None):
    """A pair, and rows whose labels their images show; some labels are missing."""
    model = CCVAE(SPACE, painter or Painter(mix), Laplace(), style=1).eval()
    guide = CCVAEGuide(SPACE, Reader(), style=1).eval()
    generator = torch.Generator().manual_seed(seed)
    codes = [torch.randint(len(label.classes), (rows,), generator=generator) for label in SPACE]
    labels = torch.stack(codes, -1).float()
    blocks = [
        prior.loc.detach()[torch.arange(len(kind)), kind.of(labels).long()].flatten(1)
        for kind, prior in zip(SPACE.kinds, model.prior, strict=True)
    ]
    style = torch.randn(rows, 1, generator=generator)
    pixels = torch.cat([*blocks, style], 1).sigmoid()[:, None, None]
    images = (pixels * 255).round().to(torch.uint8)
    labels[::7, 0] = torch.nan
    every = torch.arange(rows)
    data = Dataset("hand-made", images, labels, None, SPACE, every[:0], every)
    return Subject(model, guide, data.subset(data.test))
