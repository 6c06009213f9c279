"""Untrained pairs of programs, small enough to look at in a moment."""

from pathlib import Path

import pytest
import torch

from ccvae.config import Config
from ccvae.data import Binary, Categorical, Dataset, LabelSpace
from ccvae.guides import CCVAEGuide
from ccvae.inference.runs.run import create
from ccvae.models import CCVAE
from ccvae.models.likelihoods import Laplace
from ccvae.networks import MLPDecoder, MLPEncoder
from ccvae.studies import Subject

TWO = [Binary("Smiling"), Binary("Young")]
HAIR = Categorical("Hair", ("Bald", "Black", "Blond"))
DIGIT = Categorical("Digit", tuple("0123456789"))


def make_pair(space, shape, style=3):
    """A model and a guide with random weights, whose decoder shows what it is given."""
    torch.manual_seed(1)
    latents = space.dimension + style
    decoder = MLPDecoder(latents, shape, hidden=(16,))
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    model = CCVAE(space, decoder, Laplace(), style=style)
    guide = CCVAEGuide(space, MLPEncoder(shape, latents, hidden=(16,)), style=style)
    return model, guide


def make_data(space, shape, rows=24):
    """Random images with labels of every class, every fifth row without any."""
    torch.manual_seed(2)
    images = torch.randint(0, 256, (rows, *shape), dtype=torch.uint8)
    codes = [(torch.arange(rows) // 2 + i) % len(label.classes) for i, label in enumerate(space)]
    labels = torch.stack(codes, -1).float()
    labels[::5] = torch.nan
    every = torch.arange(rows)
    return Dataset("made", images, labels, None, space, every[::2], every[1::2])


def make_run(directory: Path, space, shape, **config):
    """An untrained run of made data."""
    config = Config(**{"network": "mlp", "style": 3, "alpha": 30.0} | config)
    data = make_data(space, shape)
    run = create(config, data, directory, torch.device("cpu"))
    run.data = lambda: (data.training(0.5, 0), data.subset(data.test))
    return run


def make_evaluation(space):
    """What ``evaluate`` returns, with baselines."""
    shares = {name: 0.5 + 0.01 * i for i, name in enumerate(space.names)}
    keys = ("accuracy", "classifier", "majority")
    return {
        **{key: 0.5 for key in keys},
        **{f"{key}_by_label": shares for key in keys},
        "balanced_by_label": shares | {space.names[0]: float("nan")},
        "bound": -123.45,
        "reconstruction_l1": 0.0678,
        "images": 12,
    }


@pytest.fixture
def space():
    return LabelSpace([TWO[0], HAIR, TWO[1]])


@pytest.fixture
def faces(space):
    """A pair and test rows of small colour images with labels of both kinds."""
    data = make_data(space, (3, 8, 8))
    return Subject(*make_pair(space, data.shape), data.subset(data.test))
