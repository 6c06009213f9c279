"""The rule for α: what there is to learn about an image, times the rarity of labels."""

import math
from dataclasses import replace

import pytest
import torch

from ccvae.config import Config
from ccvae.data import Binary, Dataset, LabelSpace
from ccvae.inference.catalogue import build_likelihood
from ccvae.inference.objectives.ccvae import LABEL_WEIGHT
from ccvae.inference.runs.run import create, training_rows
from ccvae.inference.training.alpha import APART, spread

CPU = torch.device("cpu")
CONFIG = Config(network="mlp", style=2, labelled=0.25, validation=0.0)


@pytest.fixture(scope="module")
def data():
    """Half the images are dark, half are bright; 4×4 pixels."""
    bright = torch.arange(64) % 2
    images = (51 + 153 * bright)[:, None, None, None].expand(64, 1, 4, 4).byte()
    rows = torch.arange(64)
    labels = bright[:, None].float()
    return Dataset("halves", images, labels, None, LabelSpace([Binary("b")]), rows[:48], rows[48:])


@pytest.mark.parametrize(
    ("options", "nats"),
    [
        ({}, 16 * 0.3),  # every pixel is 0.3 from the mean of 0.2 and 0.8
        ({"scale": 0.1}, 16 * 3.0),
        ({"likelihood": "normal", "scale": 0.5}, 16 * 0.5 * 0.36),
        (
            {"likelihood": "bernoulli"},
            16 * (math.log(2) + 0.2 * math.log(0.2) + 0.8 * math.log(0.8)),
        ),
        ({"likelihood": "levels"}, 16 * math.log(2)),
    ],
)
def test_the_nats_between_the_mean_image_and_each(data, options, nats):
    found = spread(build_likelihood(replace(CONFIG, **options)), data.training(0.5, 0))
    assert found == pytest.approx(nats, rel=1e-4)


@pytest.mark.parametrize("objective", ["ccvae", "our-adapted-diva"])
def test_alpha_follows_the_images_and_the_share_of_labels(tmp_path, data, objective):
    config = replace(CONFIG, objective=objective, scale=0.1)
    run = create(config, data, tmp_path, CPU)
    assert run.config.alpha == float(f"{APART * LABEL_WEIGHT * 48 * 4:.2g}")
    config = replace(config, taught_apart=False)
    together = create(config, data, tmp_path, CPU)
    assert together.config.alpha == float(f"{LABEL_WEIGHT * 48 * 4:.2g}")
    assert create(replace(config, alpha=7.0), data, tmp_path, CPU).config.alpha == 7.0


def test_the_papers_alpha_is_there_by_name(tmp_path, data):
    paper = {"alpha_rule": "paper"}
    assert create(replace(CONFIG, **paper), data, tmp_path, CPU).config.alpha == 1.0
    m2 = replace(CONFIG, program="m2", **paper)
    rows = training_rows(m2, data)
    assert create(m2, data, tmp_path, CPU).config.alpha == 0.1 * 48 / len(rows.labelled)
