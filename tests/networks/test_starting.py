"""Weights at the start that pass on how much inputs differ."""

import pytest
import torch
from torch import nn

from ccvae.networks import ConvDecoder, ConvEncoder, LocalDecoder
from ccvae.networks.starting import inputs_of, passing_on


@pytest.mark.parametrize(
    ("layer", "image"),
    [
        (nn.Linear(7, 3), torch.ones(1, 7)),
        (nn.Conv2d(2, 3, 3, padding=1), torch.ones(1, 2, 9, 9)),
        (nn.ConvTranspose2d(2, 3, 4, 2, 1), torch.ones(1, 2, 5, 5)),
        (nn.ConvTranspose2d(2, 3, 4), torch.ones(1, 2, 9, 9)),
    ],
)
def test_it_counts_what_a_unit_adds_up(layer, image):
    for parameter in layer.parameters():
        nn.init.constant_(parameter, 0.0 if parameter.ndim == 1 else 1.0)
    summed = layer(image)
    assert inputs_of(layer) == pytest.approx(summed.max().item())  # inside, not at an edge


def rectified(maps):
    return nn.Sequential(nn.Conv2d(3, maps, 4, 2, 1), nn.ReLU(), nn.Conv2d(maps, maps, 4, 2, 1))


def test_a_layer_after_a_rectified_one_is_as_wide_as_that_before_it():
    torch.manual_seed(0)
    first, relu, second = passing_on(rectified(256))
    x = torch.randn(8, 3, 32, 32)
    one = first(x)
    two = second(relu(one))
    inside = (slice(None), slice(None), slice(2, -2), slice(2, -2))
    assert two[inside].std().item() == pytest.approx(one[inside].std().item(), rel=0.15)


@pytest.mark.parametrize("side", [28, 64])
def test_networks_tell_their_inputs_apart_from_the_start(side):
    torch.manual_seed(0)
    encoder = ConvEncoder(3, side, 8)
    features = encoder.trunk(torch.rand(64, 3, side, side))
    assert features.std(0).mean() > 0.02  # as torch draws them 2e-4
    for decoder in (ConvDecoder(8, 3, side), LocalDecoder(8, 3, (1, 1), side)):
        assert decoder(torch.randn(64, 8)).std(0).mean() > 0.02  # 6e-4
