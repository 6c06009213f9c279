"""Pairs of a model and a guide, small enough to know everything about them."""

import itertools
import math
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from ccvae.data import Binary, Categorical, LabelSpace
from ccvae.guides import CCVAEGuide
from ccvae.models import CCVAE, Laplace
from ccvae.networks import MLPDecoder, MLPEncoder


@dataclass
class Pair:
    """Both programs with a batch: ``objective.loss(*pair.programs, *pair.args, **pair.kwargs)``."""

    model: nn.Module
    guide: nn.Module
    args: tuple
    kwargs: dict

    @property
    def programs(self):
        return self.model, self.guide

    @property
    def parameters(self):
        return [*self.model.parameters(), *self.guide.parameters()]


@pytest.fixture
def double():
    """Double precision by default, for identities."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def every_pattern():
    """Builds all combinations of classes and of missing, one a row, for some numbers of classes."""

    def build(*classes):
        return torch.tensor(list(itertools.product(*((math.nan, *range(k)) for k in classes)))).to(
            torch.get_default_dtype()
        )

    return build


@pytest.fixture
def make_pair(every_pattern):
    """Builds a CC-VAE over two binary labels and one of three classes, in all 36 patterns."""

    def build(link="probit", likelihood=None, batches=10):
        space = LabelSpace([Binary("a"), Categorical("hair", ("x", "y", "z")), Binary("b")])
        shape, style = (1, 2, 2), 2
        frequencies = [torch.tensor([[0.3, 0.7], [0.6, 0.4]]), torch.tensor([[0.2, 0.3, 0.5]])]
        decoder = MLPDecoder(space.dimension + style, shape, (7,))
        encoder = MLPEncoder(shape, space.dimension + style, (7,))
        model = CCVAE(space, decoder, likelihood or Laplace(), style=style, frequencies=frequencies)
        guide = CCVAEGuide(space, encoder, style=style, link=link)
        with torch.no_grad():
            for parameter in [*model.prior.parameters(), *guide.classifier.parameters()]:
                parameter += 0.3 * torch.randn_like(parameter)
        y = every_pattern(2, 3, 2)
        x = torch.rand(len(y), *shape)
        kwargs = {"index": torch.arange(len(y)), "size": batches * len(y)}
        return Pair(model, guide, (x, y), kwargs)

    return build
