"""Real blocks: everything is Gaussian, and three nodes stand for a number."""

import math

import pyro.distributions as dist
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal

from ccvae.data import Kind
from ccvae.guides.real import RealBlock, RealClassifier, ThreeNodes
from ccvae.models.priors import Linear, RealPrior

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)


def block(dtype=torch.float64):
    """Two labels, and the block's parameters."""
    values = [[0.3, -2.0], [0.8, 0.1], [1.5, -3.0], [-0.2, 0.4], [0.5, 1.2]]
    parameters = [torch.tensor(v, dtype=dtype)[:, None].requires_grad_() for v in values]
    return RealBlock(*parameters), parameters


def joint(q, i):
    """Mean and covariance of (z, y) of a label, from the two normals that define it."""
    m, s, w, b, t = (p[i, 0].detach() for p in (q.loc, q.scale, q.slope, q.intercept, q.tau))
    mean = torch.stack([m, w * m + b])
    covariance = torch.stack([s**2, w * s**2, w * s**2, t**2 + w**2 * s**2]).reshape(2, 2)
    return MultivariateNormal(mean, covariance)


def test_the_evidence_and_bayes_rule_are_those_of_the_joint_normal():
    q, _ = block()
    y = torch.tensor([1.7, 9.0]).double()
    given_y = q.given(y)
    for i in range(2):
        both = joint(q, i)
        marginal = dist.Normal(both.mean[1], both.variance[1].sqrt())
        torch.testing.assert_close(q.log_evidence(y)[i], marginal.log_prob(y[i]))
        for z in (-1.0, 0.5):
            value = torch.full((2, 1), z).double()
            expected = both.log_prob(torch.tensor([z, y[i]]).double()) - marginal.log_prob(y[i])
            torch.testing.assert_close(given_y.log_prob(value)[i], expected)
        covariance = both.covariance_matrix
        mean = both.mean[0] + covariance[0, 1] / covariance[1, 1] * (y[i] - both.mean[1])
        deviation = (covariance[0, 0] - covariance[0, 1] ** 2 / covariance[1, 1]).sqrt()
        torch.manual_seed(i)
        draws = given_y.rsample(torch.Size([20_000]))[:, i, 0]
        assert (draws.mean() - mean).abs() < 4.5 * deviation / math.sqrt(len(draws))
        assert (draws.std() / deviation - 1).abs() < 0.03
    said = q.prediction()
    torch.testing.assert_close(said.mean[0], joint(q, 0).mean[1])
    torch.testing.assert_close(said.scale[0], joint(q, 0).variance[1].sqrt())


def test_draws_follow_their_differences():
    _, parameters = block()
    y = torch.tensor([1.7, 9.0]).double()
    torch.manual_seed(1)
    directions = [torch.randn_like(p) for p in parameters]

    def draws(step):
        torch.manual_seed(4)
        moved = RealBlock(*(p + step * d for p, d in zip(parameters, directions, strict=True)))
        return moved.given(y).rsample(torch.Size([50])).square().sum()

    gradients = torch.autograd.grad(draws(0.0), parameters)
    slope = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
    difference = (draws(1e-6) - draws(-1e-6)) / 2e-6
    torch.testing.assert_close(difference, slope, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("away", [-1e4, 37.0, 1e4])
def test_numbers_far_away_are_finite(away):
    q, parameters = block(torch.float32)
    y = torch.tensor([away, -away])
    given_y = q.given(y)
    z = given_y.rsample()
    loss = (given_y.log_prob(z) + q.label(z).log_prob(y) + z[..., 0]).sum()
    assert z.dtype == torch.float32
    assert loss.isfinite()
    for gradient in torch.autograd.grad(loss, parameters):
        assert gradient.isfinite().all()


@relaxed
@given(
    st.floats(-50, 50),
    st.floats(0.01, 20),
    st.lists(st.floats(-3, 3), min_size=6, max_size=6),
)
def test_three_nodes_are_exact_to_the_fifth_degree(mean, deviation, coefficients):
    mean, deviation = (torch.tensor(v, dtype=torch.float64) for v in (mean, deviation))
    normal = ThreeNodes(mean, deviation)
    nodes = normal.enumerate_support()
    weights = normal.log_weights(nodes).exp()
    t = (nodes - mean) / deviation
    found = sum(c * (weights * t**i).sum() for i, c in enumerate(coefficients))
    moments = (1, 0, 1, 0, 3, 0)
    expected = sum(c * m for c, m in zip(coefficients, moments, strict=True))
    assert found.item() == pytest.approx(expected, abs=1e-9)


def test_a_number_is_sampled_as_a_class_is():
    normal = ThreeNodes(torch.zeros(4, requires_grad=True), torch.ones(4))
    assert not normal().requires_grad
    assert normal.enumerate_support(expand=False).requires_grad
    value = torch.randn(4)
    parts = normal.score_parts(value)
    torch.testing.assert_close(parts.score_function, normal.log_prob(value))


@pytest.mark.parametrize("dimensions", [1, 3])
def test_the_marginal_of_a_line_is_a_normal(dimensions):
    torch.manual_seed(2)
    slope, intercept = torch.randn(2, 1, dimensions).double()
    scale = torch.rand(1, dimensions).double() + 0.2
    value = torch.randn(5, 1, dimensions).double()
    numbers = dist.Normal(torch.tensor([0.3]).double(), torch.tensor([1.7]).double())
    found = Linear(torch.zeros(5, 1).double(), slope, intercept, scale).log_marginal(value, numbers)
    covariance = scale[0].square().diag() + 1.7**2 * torch.outer(slope[0], slope[0])
    expected = MultivariateNormal(slope[0] * 0.3 + intercept[0], covariance).log_prob(value)
    torch.testing.assert_close(found, expected)


def test_the_classifier_starts_as_bayes_rule_on_the_prior():
    """p(z | y) p(y) / q(y | z) is the same for every number, so a missing one costs nothing."""
    kind = Kind(0, (0,), "real")
    q = RealClassifier(kind)(torch.zeros(1, 1), torch.ones(1, 1))
    y = torch.linspace(-2, 2, 5)[:, None]
    for z in (-1.0, 0.7):
        value = torch.full((5, 1, 1), z)
        log_p = RealPrior(1)(y).log_prob(value) + dist.Normal(0.0, 1.0).log_prob(y)
        left = log_p - q.label(value).log_prob(y)
        torch.testing.assert_close(left, left[:1].expand(5, 1))
