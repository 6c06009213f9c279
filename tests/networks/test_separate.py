"""An encoder whose labels' blocks have a trunk and heads of their own."""

import pytest
import torch

from ccvae.config import Config
from ccvae.data import Binary, Categorical, LabelSpace
from ccvae.guides import CCVAEGuide
from ccvae.inference.catalogue import build_pair
from ccvae.networks import MLPEncoder
from ccvae.networks.separate import ScoredEncoder, SeparateEncoder, means_of

SPACE = LabelSpace([Categorical("hair", ("w", "x", "y", "z")), Binary("a"), Binary("b")])
SHAPE = (1, 4, 4)


def separate(blocks, style, softmax):
    def make(outputs):
        return MLPEncoder(SHAPE, outputs, (7,))

    return SeparateEncoder(make, blocks, style, softmax=softmax)


def test_a_guide_without_noise_says_what_the_softmax_of_its_scores_does():
    scores = 3 * torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    class Fixed(torch.nn.Module):
        def forward(self, x):
            means = means_of(scores)
            return torch.cat([means, x[:, :2]], -1), torch.full((5, 5), 1e-9).double()

    space = LabelSpace([SPACE.labels[0]])
    guide = CCVAEGuide(space, Fixed(), style=2, link="logit")
    (said,) = guide.predict(torch.zeros(5, 2, dtype=torch.float64))
    torch.testing.assert_close(
        said.log_classes[:, 0].double(), scores.log_softmax(-1), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("softmax", [False, True])
def test_the_blocks_come_first_and_the_style_has_an_encoder_of_its_own(softmax):
    encoder = separate((1, 1, 3), 2, softmax)
    x = torch.rand(6, *SHAPE)
    loc, scale = encoder(x)
    assert loc.shape == scale.shape == (6, 1 + 1 + 3 + 2)
    assert (scale > 0).all()
    loc[:, :5].sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in encoder.style.parameters())
    assert encoder.blocks.heads.loc.weight.grad.abs().sum() > 0
    assert torch.equal(loc[:, 5:], encoder.style(x)[0])


def test_one_encoder_makes_the_same_means_of_its_scores():
    encoder = ScoredEncoder(lambda outputs: MLPEncoder(SHAPE, outputs, (7,)), (1, 3), 2)
    loc, scale = encoder(torch.rand(6, *SHAPE))
    assert loc.shape == scale.shape == (6, 1 + 3 + 2)
    x = torch.rand(6, *SHAPE)
    (raw, _), (loc, _) = encoder.both(x), encoder(x)
    assert raw.shape == (6, 1 + 4 + 2)
    assert torch.equal(loc, torch.cat([raw[:, :1], means_of(raw[:, 1:5]), raw[:, 5:]], -1))


def test_a_score_for_every_class_makes_no_mean_at_the_start():
    assert torch.equal(means_of(torch.full((2, 5), 0.7)).round(decimals=6), torch.zeros(2, 4))
    assert torch.equal(means_of(torch.tensor([[3.0]])), torch.tensor([[3.0]]))


def test_one_trunk_or_two_by_the_configuration():
    for trunks, kind in ((1, MLPEncoder), (2, SeparateEncoder)):
        config = Config(network="mlp", style=2, trunks=trunks)
        _, guide = build_pair(config, SPACE, SHAPE)
        assert type(guide.encoder) is kind
    _, guide = build_pair(Config(network="mlp", style=2, heads="softmax"), SPACE, SHAPE)
    assert guide.encoder.softmax
    assert guide.encoder.sizes == [1, 1, 4]
    one = Config(network="mlp", style=2, trunks=1, heads="softmax")
    assert isinstance(build_pair(one, SPACE, SHAPE)[1].encoder, ScoredEncoder)
    with pytest.raises(ValueError, match="choose one of auto, stick, softmax"):
        build_pair(Config(network="mlp", heads="mine"), SPACE, SHAPE)
