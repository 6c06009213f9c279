"""An encoder whose style does not repeat what the labels' blocks say."""

import pytest
import torch
from torch import nn

from ccvae.config import Config
from ccvae.data import Binary, Categorical, LabelSpace
from ccvae.inference.catalogue import build_pair
from ccvae.networks import ConvEncoder, ConvEncoder64, IndependentEncoder, build
from ccvae.networks.local import Told

D, S = 3, 2
BLOCKS = (1, 2)

told = Told(BLOCKS)


class Repeating(nn.Module):
    """Images ``(B, D + S)`` to means whose style part repeats what the blocks say."""

    def __init__(self):
        super().__init__()
        self.mixing = nn.Parameter(torch.randn(D, S))
        self.gain = nn.Parameter(torch.ones(D))

    def forward(self, x):
        blocks = x[:, :D] * self.gain
        style = 5 + told(blocks) @ self.mixing + x[:, D:]
        return torch.cat([blocks, style], -1), torch.ones_like(x)


def images(seed, count=400):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, D + S, generator=generator)


def trained(steps=800):
    network = IndependentEncoder(Repeating(), BLOCKS, S)
    for seed in range(steps):
        network(images(seed))
    return network


def correlation(loc):
    """The largest correlation between what a block tells and a dimension of the style."""
    both = torch.cat([told(loc[:, :D]), loc[:, D:]], -1)
    return both.T.corrcoef()[:D, D:].abs().max().item()


def test_the_style_is_uncorrelated_with_what_the_blocks_tell():
    network, x = trained().eval(), images(-1, 4000)
    plain, found = network.encoder(x)[0], network(x)[0]
    assert correlation(plain.detach()) > 0.5
    assert correlation(found.detach()) < 0.1
    torch.testing.assert_close(found[:, :D], plain[:, :D])
    torch.testing.assert_close(found[:, D:].std(0), x[:, D:].std(0), rtol=0.05, atol=0)


class Classes(nn.Module):
    """Codes of five classes ``(B, 2)``, with noise, to a block that breaks a stick and a style."""

    def forward(self, x):
        code, noise = x[:, :1].long(), x[:, 1:]
        j = torch.arange(4)
        block = torch.where(j < code, -2.0, torch.where(j == code, 2.0, noise[:, :4]))
        style = torch.tensor([3.0, 1.0, 4.0, 1.0, 5.0])[code] + noise[:, 4:]
        return torch.cat([block, style], -1), torch.ones_like(block[:, :1]).expand(-1, 5)


def codes(seed, count=400):
    generator = torch.Generator().manual_seed(seed)
    code = torch.randint(5, (count, 1), generator=generator).float()
    return torch.cat([code, torch.randn(count, 5, generator=generator)], -1)


def test_the_style_tells_no_class_of_a_label_with_several():
    network = IndependentEncoder(Classes(), (4,), 1)
    x = codes(-1, 20_000)
    network.settle([x])
    plain, found = network.encoder(x)[0][:, 4], network.eval()(x)[0][:, 4]
    for style, apart in ((plain, 4.0), (found, 0.0)):
        means = torch.stack([style[x[:, 0] == k].mean() for k in range(5)])
        assert means.max() - means.min() == pytest.approx(apart, abs=0.1)


def test_settled_moments_are_those_of_all_the_images():
    network, x = trained(5), images(-1)
    network.settle(x.split(150))
    assert correlation(network.eval()(x)[0].detach()) < 1e-3
    both = torch.cat([network.said(x[:, :D]), network.encoder(x)[0][:, D:]], -1)
    torch.testing.assert_close(network.mean, both.mean(0).detach())
    torch.testing.assert_close(network.product[:, :4], both[:, :4].T.cov(correction=0).detach())


def test_at_the_start_the_style_is_the_encoders_own():
    network, x = IndependentEncoder(Repeating(), BLOCKS, S).eval(), images(-1)
    for found, expected in zip(network(x), network.encoder(x), strict=True):
        torch.testing.assert_close(found, expected)


def test_no_gradient_passes_through_the_regression():
    network = trained(5)
    network(images(-1))[0][:, D:].square().sum().backward()
    assert network.encoder.mixing.grad.any()
    alone = Repeating()
    alone.load_state_dict(network.encoder.state_dict())
    x = images(-1)
    rest = network.predicted(alone(x)[0][:, :D].detach())
    (alone(x)[0][:, D:] - rest).square().sum().backward()
    torch.testing.assert_close(network.encoder.gain.grad, alone.gain.grad)


@pytest.mark.parametrize("mode", ["evaluation", "no gradient"])
def test_looking_at_images_changes_nothing(mode):
    network = trained(3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train(mode != "evaluation")
    with torch.set_grad_enabled(mode == "evaluation"):
        network(images(-1))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    network.train()(images(-1))
    assert not torch.equal(network.product, before["product"])


def test_an_image_means_the_same_alone_and_among_others():
    network, x = trained(5).eval(), images(-1, 8)
    torch.testing.assert_close(network(x)[0][:1], network(x[:1])[0])


def test_its_moments_stay_exact_where_networks_do_not():
    network = IndependentEncoder(ConvEncoder64(3, 5), BLOCKS, S)
    with torch.autocast("cpu", torch.bfloat16):
        loc, _ = network(torch.rand(4, 3, 64, 64))
    loc.sum().backward()
    assert network.mean.dtype == network.product.dtype == torch.float32
    assert network.product.any()


def test_its_moments_are_kept_with_the_weights():
    network, other = trained(5).eval(), IndependentEncoder(Repeating(), BLOCKS, S).eval()
    other.load_state_dict(network.state_dict())
    assert torch.equal(network(images(-1))[0], other(images(-1))[0])


def test_it_is_made_and_run_on_the_meta_device():
    with torch.device("meta"):
        network = IndependentEncoder(ConvEncoder64(3, 5), BLOCKS, S)
        loc, scale = network(torch.rand(2, 3, 64, 64))
    assert loc.shape == scale.shape == (2, 5)


def test_only_a_guide_with_blocks_has_it():
    space = LabelSpace([Categorical("hair", ("none", "dark", "grey")), Binary("a")])
    _, guide = build_pair(Config(network="local", style=4), space, (3, 64, 64))
    assert isinstance(guide.encoder, IndependentEncoder)
    assert guide.encoder.product.shape == (4, 8)
    assert isinstance(build.encoder("local", (3, 64, 64), 5), ConvEncoder)
    assert isinstance(build.block_encoder("conv64", (3, 64, 64), (1, 2), 2), ConvEncoder64)
