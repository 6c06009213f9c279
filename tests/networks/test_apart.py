"""A decoder whose images move no block of a label."""

import pyro
import pytest
import torch

from ccvae.config import Config
from ccvae.data import Binary, Categorical, LabelSpace
from ccvae.inference import CCVAEObjective
from ccvae.inference.catalogue import build_pair
from ccvae.networks.apart import Apart

SPACE = LabelSpace([Categorical("hair", ("w", "x", "y", "z")), Binary("a")])
SHAPE = (1, 4, 4)


def pair(**options):
    torch.manual_seed(0)
    config = Config(network="mlp", style=2, **options)
    model, guide = build_pair(config, SPACE, SHAPE)
    return model.double(), guide.double()


def batch(y):
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(6, *SHAPE, generator=generator, dtype=torch.float64)
    return x, y, torch.arange(6)


def losses(model, guide, y):
    x, y, index = batch(y)
    pyro.set_rng_seed(2)
    return CCVAEObjective(alpha=3.0).differentiable_loss(model, guide, x, y, index=index, size=6)


UNKNOWN = torch.full((6, 2), torch.nan, dtype=torch.float64)
KNOWN = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0]] * 2, dtype=torch.float64)


@pytest.mark.parametrize("y", [UNKNOWN, KNOWN], ids=["unknown", "known"])
def test_the_objective_is_worth_what_it_was(y):
    loss = losses(*pair(), y)
    apart = losses(*pair(taught_apart=True), y)
    torch.testing.assert_close(apart, loss, rtol=1e-12, atol=0)


def test_an_image_moves_the_style_and_the_decoder_and_no_block():
    model, _ = pair(taught_apart=True)
    z = torch.ones(3, SPACE.dimension + 2, dtype=torch.float64, requires_grad=True)
    model.decoder(z).sum().backward()
    assert not z.grad[:, : SPACE.dimension].any()
    assert z.grad[:, SPACE.dimension :].all()
    first = model.decoder.decoder.trunk[0].weight.grad
    assert first is not None
    assert first.any()


def test_only_what_the_image_told_the_blocks_is_gone_from_their_gradient():
    def gradient(**options):
        model, guide = pair(**options)
        losses(model, guide, KNOWN).backward()
        return {name: p.grad for name, p in guide.named_parameters()}

    both, apart = gradient(), gradient(taught_apart=True)
    style = [name for name in both if name.startswith("encoder.style")]
    for name in style:
        torch.testing.assert_close(apart[name], both[name], rtol=1e-9, atol=1e-12)
    blocks = [name for name in both if name.startswith("encoder.blocks")]
    assert any(not torch.allclose(apart[name], both[name]) for name in blocks)
    assert all(apart[name].any() for name in blocks if name.endswith("loc.weight"))


def test_the_labels_of_diva_are_taught_apart_and_domain_and_style_are_not():
    torch.manual_seed(0)
    config = Config(program="diva", network="mlp", style=4, taught_apart=True)
    model, _ = build_pair(config, SPACE, SHAPE, domains=3)
    z = torch.ones(3, 4 + 4 + 2 * 2, requires_grad=True)
    model.decoder(z).sum().backward()
    assert z.grad[:, :8].all()
    assert not z.grad[:, 8:].any()


def test_programs_without_blocks_are_as_they_were():
    for program in ("m2", "vae"):
        config = Config(program=program, network="mlp", taught_apart=True)
        model, _ = build_pair(config, SPACE, SHAPE)
        assert not any(isinstance(module, Apart) for module in model.modules())
