"""Shapes and layout of the networks."""

import pytest
import torch

from ccvae.models import LIKELIHOODS
from ccvae.networks import (
    ConvDecoder,
    ConvDecoder28,
    ConvDecoder64,
    ConvEncoder,
    ConvEncoder28,
    ConvEncoder64,
    DIVADecoder28,
    DIVAEncoder28,
    MLPDecoder,
    MLPEncoder,
    build,
)

LATENTS = 5
NETWORKS = {
    "64": ((3, 64, 64), lambda: ConvEncoder64(3, LATENTS), lambda c: ConvDecoder64(LATENTS, c)),
    "odd": (
        (1, 27, 27),
        lambda: ConvEncoder(1, 27, LATENTS, 16),
        lambda c: ConvDecoder(LATENTS, c, 27, 16),
    ),
    "28": ((1, 28, 28), lambda: ConvEncoder28(1, LATENTS), lambda c: ConvDecoder28(LATENTS, c)),
    "mlp": (
        (2, 6, 7),
        lambda: MLPEncoder((2, 6, 7), LATENTS, (9, 8)),
        lambda c: MLPDecoder(LATENTS, (c, 6, 7), (9, 8)),
    ),
}

every_network = pytest.mark.parametrize(
    ("shape", "encoder", "decoder"), NETWORKS.values(), ids=NETWORKS
)


@every_network
def test_an_encoder_gives_means_and_positive_scales(shape, encoder, decoder):
    network = encoder()
    loc, scale = network(torch.rand(3, *shape))
    assert loc.shape == scale.shape == (3, LATENTS)
    assert (scale > 0).all()
    with torch.no_grad():
        network.heads.raw_scale.bias.fill_(-1e3)
        assert network(torch.rand(3, *shape))[1].min().item() == pytest.approx(1e-3)


@every_network
@pytest.mark.parametrize("leading", [(4,), (2, 4), (2, 1, 3)])
def test_a_decoder_takes_any_leading_shape(shape, encoder, decoder, leading):
    network = decoder(6)
    z = torch.randn(*leading, LATENTS)
    raw = network(z)
    assert raw.shape == (*leading, 6, *shape[1:])
    one_by_one = torch.cat([network(row[None]) for row in z.reshape(-1, LATENTS)])
    torch.testing.assert_close(raw.flatten(0, len(leading) - 1), one_by_one, rtol=1e-4, atol=1e-5)


@every_network
def test_every_parameter_has_a_gradient(shape, encoder, decoder):
    q, p = encoder(), decoder(shape[0])
    loc, scale = q(torch.rand(3, *shape))
    raw = p(loc + scale * torch.randn_like(scale))
    raw.square().sum().backward()
    for parameter in [*q.parameters(), *p.parameters()]:
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any()


@pytest.mark.parametrize("network", [ConvEncoder64(3, 5), ConvDecoder64(5, 3), ConvEncoder28(3, 5)])
def test_convolutions_lie_channels_last(network):
    weights = [p for p in network.parameters() if p.ndim == 4 and p.shape[1] > 1]
    assert weights
    assert all(w.is_contiguous(memory_format=torch.channels_last) for w in weights)


def test_the_published_network_has_its_size():
    """The encoder of Joy et al. 2021, by the number of its weights."""
    convolutions = [(3, 32), (32, 32), (32, 64), (64, 128), (128, 256)]
    size = sum(16 * a * b + b for a, b in convolutions) + 2 * (256 * 45 + 45)
    assert sum(p.numel() for p in ConvEncoder64(3, 45).parameters()) == size


def test_an_image_of_another_size_does_not_pass_silently():
    with pytest.raises(RuntimeError):
        ConvEncoder64(3, 5)(torch.rand(2, 3, 28, 28))
    with pytest.raises(RuntimeError):
        MLPEncoder((1, 4, 4), 5)(torch.rand(2, 1, 5, 5))


@pytest.mark.parametrize("name", ["diva28", "diva28-small"])
@pytest.mark.parametrize("leading", [(4,), (2, 1, 3)])
def test_networks_of_diva_have_their_shapes(name, leading):
    encoder = build.encoder(name, (1, 28, 28), LATENTS)
    loc, scale = encoder(torch.rand(3, 1, 28, 28))
    assert loc.shape == scale.shape == (3, LATENTS)
    decoder = build.decoder(name, (1, 28, 28), LATENTS, 2)
    assert decoder(torch.randn(*leading, LATENTS)).shape == (*leading, 2, 28, 28)
    joined = build.joined_decoder(name, (1, 28, 28), LATENTS, [10], 1)
    assert joined(torch.randn(3, LATENTS), torch.arange(3.0)[:, None]).shape == (3, 1, 28, 28)


def test_the_network_published_with_diva_has_its_size():
    """The networks of Ilse et al. 2020, by the number of their weights."""
    encoder = 25 * (1 * 32 + 32 * 64) + 2 * (32 + 64) + 2 * (1024 * 64 + 64)
    assert sum(p.numel() for p in DIVAEncoder28(1, 64).parameters()) == encoder
    decoder = 192 * 1024 + 25 * (64 * 128 + 128 * 256) + 2 * (1024 + 128 + 256) + 257 * 256
    assert sum(p.numel() for p in DIVADecoder28(192, 256).parameters()) == decoder


def test_the_network_of_diva_gives_levels():
    raw = DIVADecoder28(5, 256, (2, 2, 2))(torch.randn(3, 5))
    pixels = LIKELIHOODS["levels"]()(raw)
    assert pixels.log_prob(torch.rand(3, 1, 28, 28)).shape == (3,)


def test_batch_normalisation_sees_a_batch_only_in_training():
    encoder, x = DIVAEncoder28(1, LATENTS, (2, 2)), torch.rand(4, 1, 28, 28)
    assert not torch.allclose(encoder(x)[0][:1], encoder(x[:1])[0])
    encoder.eval()
    torch.testing.assert_close(encoder(x)[0][:1], encoder(x[:1])[0])


@pytest.mark.parametrize("side", [16, 17, 31, 32, 48, 65, 96, 127, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_square_has_a_network(side, channels):
    shape = (channels, side, side)
    assert build.check("auto", shape) == "conv-any"
    loc, _ = build.encoder("auto", shape, LATENTS)(torch.rand(2, *shape))
    assert loc.shape == (2, LATENTS)
    assert build.decoder("auto", shape, LATENTS, 2)(loc).shape == (2, 2, side, side)


def test_at_64_pixels_the_general_network_is_the_published_one():
    for general, published in (
        (ConvEncoder(3, 64, 45), ConvEncoder64(3, 45)),
        (ConvDecoder(45, 3, 64), ConvDecoder64(45, 3)),
    ):
        general.load_state_dict(published.state_dict())
        x = torch.rand(2, 3, 64, 64) if general.trunk[0].weight.ndim == 4 else torch.rand(2, 45)
        for a, b in zip(general(x), published(x), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ((3, 64, 64), "conv64"),
        ((1, 28, 28), "conv28"),
        ((3, 32, 32), "conv-any"),
        ((3, 15, 15), "mlp"),
        ((3, 257, 257), "mlp"),
        ((1, 32, 48), "mlp"),
    ],
)
def test_what_auto_stands_for(shape, name):
    assert build.check("auto", shape) == name
    assert build.chosen("auto", shape).startswith(f"network {name},")


@pytest.mark.parametrize("shape", [(3, 15, 15), (3, 32, 48), (3, 300, 300)])
def test_convolutions_need_a_square_of_16_to_256(shape):
    with pytest.raises(ValueError, match="'conv-any' takes square images of 16 to 256 pixels, got"):
        build.check("conv-any", shape)
    assert (
        build.check("conv-any", (3, 28, 28)) == build.check("conv-any", (1, 64, 64)) == "conv-any"
    )


def test_m2_takes_the_general_network():
    parts = build.joined_parts("conv-any", (3, 20, 20), [2, 3], LATENTS)
    features = parts.trunk(torch.rand(2, 3, 20, 20))
    assert parts.classifier(features).shape == (2, 5)
    joined = build.joined_decoder("conv-any", (3, 20, 20), LATENTS, [2, 3], 3)
    labels = torch.tensor([[0.0, 2.0], [1.0, 0.0]])
    assert joined(torch.randn(2, LATENTS), labels).shape == (2, 3, 20, 20)
