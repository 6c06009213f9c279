"""Likelihoods against torch's own distributions."""

import pyro
import pytest
import torch
from torch import distributions as td

from ccvae.models import LIKELIHOODS, Laplace, Levels256, Normal

SHAPE = (3, 4, 5)

REFERENCES = {
    "laplace": lambda raw: td.Independent(td.Laplace(raw.sigmoid(), 1.0), 3),
    "normal": lambda raw: td.Independent(td.Normal(raw.sigmoid(), 1.0), 3),
    "bernoulli": lambda raw: td.Independent(td.Bernoulli(logits=raw, validate_args=False), 3),
    "levels": lambda raw: td.Independent(
        td.Categorical(logits=raw.unflatten(-3, (3, 256)).movedim(-3, -1)), 3
    ),
}


def raw_for(name, *leading):
    channels = SHAPE[0] * LIKELIHOODS[name].parameters_per_channel
    return torch.randn(*leading, channels, *SHAPE[1:], dtype=torch.float64, requires_grad=True)


def images(*leading):
    return torch.randint(0, 256, (*leading, *SHAPE)).double() / 255


def test_references_cover_every_likelihood():
    assert set(REFERENCES) == set(LIKELIHOODS)


@pytest.mark.parametrize("name", LIKELIHOODS)
@pytest.mark.parametrize(("leading", "batch"), [((), ()), ((6,), (6,)), ((2, 6, 1), (6, 1))])
def test_log_prob_is_that_of_torch(name, leading, batch):
    """Leading dimensions are those of a batch, and of an enumerated label before them."""
    raw, x = raw_for(name, *leading), images(*batch)
    found = LIKELIHOODS[name]()(raw)
    assert found.batch_shape == leading
    assert found.event_shape == SHAPE
    value = found.log_prob(x)
    expected = REFERENCES[name](raw).log_prob(255 * x if name == "levels" else x)
    torch.testing.assert_close(value, expected)
    gradients = [torch.autograd.grad(v.sum(), raw)[0] for v in (value, expected)]
    torch.testing.assert_close(*gradients)
    assert gradients[0].any()


@pytest.mark.parametrize(("build", "family"), [(Laplace, td.Laplace), (Normal, td.Normal)])
def test_a_learned_scale_has_the_gradient_of_torch(build, family):
    likelihood = build(0.3, learn=True).double()
    raw, x = raw_for("normal", 6), images(6)
    scale = torch.nn.functional.softplus(likelihood.raw_scale)
    assert scale.item() == pytest.approx(0.3)
    value = likelihood(raw).log_prob(x)
    expected = td.Independent(family(raw.sigmoid(), scale.expand_as(x)), 3).log_prob(x)
    torch.testing.assert_close(value, expected)
    inputs = [raw, likelihood.raw_scale]
    found, wanted = (torch.autograd.grad(v.sum(), inputs) for v in (value, expected))
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("name", ["laplace", "normal"])
def test_a_fixed_scale_is_used_and_has_no_parameter(name):
    likelihood = LIKELIHOODS[name](0.2)
    assert not list(likelihood.parameters())
    raw, x = raw_for(name, 6), images(6)
    family = {"laplace": td.Laplace, "normal": td.Normal}[name]
    expected = td.Independent(family(raw.sigmoid(), 0.2), 3).log_prob(x)
    torch.testing.assert_close(likelihood(raw).log_prob(x), expected)
    assert likelihood(raw).rsample().sub(raw.sigmoid()).std() < 0.4


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_mean_and_draws(name):
    raw = raw_for(name, 2)
    image = LIKELIHOODS[name]()(raw)
    draws = image.sample(torch.Size([3000]))
    assert draws.shape == (3000, 2, *SHAPE)
    assert image.mean.shape == (2, *SHAPE)
    error = draws.std(0) / 3000**0.5
    assert (draws.mean(0) - image.mean).abs().le(5 * error).all()


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_expand_repeats_the_image(name):
    image = LIKELIHOODS[name]()(raw_for(name, 1))
    wide = image.expand(torch.Size([4, 6]))
    x = images(6)
    assert wide.batch_shape == (4, 6)
    assert wide.event_shape == SHAPE
    torch.testing.assert_close(wide.log_prob(x), image.log_prob(x).expand(4, 6))


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_a_likelihood_is_a_pyro_site(name):
    raw, x = raw_for(name, 6, 1), images(6, 1)

    def model():
        with pyro.plate("data", 6, dim=-2):
            pyro.sample("x", LIKELIHOODS[name]()(raw), obs=x)

    trace = pyro.poutine.trace(model).get_trace()
    trace.compute_log_prob()
    assert trace.nodes["x"]["log_prob"].shape == (6, 1)


def test_levels_by_hand():
    raw = torch.zeros(256, 1, 1)
    raw[255] = 3.0
    image = Levels256()(raw)
    e3 = torch.tensor(3.0).exp()
    white, grey = torch.ones(1, 1, 1), torch.full((1, 1, 1), 100 / 255)
    torch.testing.assert_close(image.log_prob(white), (e3 / (255 + e3)).log())
    torch.testing.assert_close(image.log_prob(grey), -(255 + e3).log())
    expected = (e3 + sum(range(255)) / 255) / (255 + e3)
    torch.testing.assert_close(image.mean.squeeze(), expected)
    assert set((image.sample(torch.Size([50])) * 255).flatten().tolist()) <= set(range(256))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_scale_that_is_not_positive_is_refused(scale):
    with pytest.raises(ValueError, match="expected a positive likelihood scale, got"):
        Laplace(scale)
