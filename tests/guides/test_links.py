"""The links against independent quadrature: mpmath for values, a dense grid for draws."""

import math

import mpmath
import pytest
import torch
from torch.nn.functional import logsigmoid
from torch.special import log_ndtr

from ccvae.guides.links import LINKS, quantile_above

TAUS = (0.3, -1.0, 2.0, -5.0, 12.0, 30.0)
"""Slope times scale, of either sign."""
RATIOS = (-12.0, -6.0, -2.0, -0.5, 0.0, 1.0, 6.0, 12.0)
"""μ/σ with σ² = 1 + τ²."""
CASES = [(-12.0, 2.0), (-12.0, -30.0), (-1.0, 0.3), (0.0, -4.0), (2.0, 30.0), (12.0, -2.0)]

both_links = pytest.mark.parametrize("name", LINKS)


def double(*values):
    return torch.tensor(values, dtype=torch.float64)


def mean_of(ratio, tau):
    return ratio * math.sqrt(1 + tau**2)


def exact_log_marginal(name, mu, tau):
    """Log ∫ φ(ε) F(μ + τ ε) dε to 20 digits, integrated around the integrand's own mode."""
    cdf = mpmath.ncdf if name == "probit" else lambda a: 1 / (1 + mpmath.exp(-a))

    def integrand(epsilon):
        return mpmath.npdf(epsilon) * cdf(mu + tau * epsilon)

    grid = [k / 4 for k in range(-160, 161)]
    mode = max(grid, key=integrand)
    bend = -mu / tau
    cuts = {mode + k for k in (-14, -6, -3, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 6, 14)}
    near_bend = [bend + k / tau for k in (-8, -4, -2, -1, 0, 1, 2, 4, 8)]
    cuts |= {cut for cut in near_bend if abs(cut - mode) < 14}
    with mpmath.workdps(20):
        return float(mpmath.log(mpmath.quad(integrand, sorted(cuts))))


def tilted(name, mu, tau):
    """Nodes and probabilities of the density φ(ε) F(μ + τ ε), by a dense sum."""
    epsilon = torch.arange(-40, 40, 1e-3, dtype=torch.float64)
    log_cdf = log_ndtr if name == "probit" else logsigmoid
    return epsilon, (log_cdf(mu + tau * epsilon) - epsilon**2 / 2).softmax(-1)


@both_links
@pytest.mark.parametrize("tau", TAUS)
def test_log_marginal_of_18_labels_is_within_1e_5(name, tau):
    mu = [mean_of(ratio, tau) for ratio in RATIOS]
    value = LINKS[name].log_marginal(double(*mu), torch.full((len(mu),), tau).double())
    expected = double(*(exact_log_marginal(name, m, tau) for m in mu))
    assert 18 * (value - expected).abs().max() <= 1e-5


@both_links
def test_log_marginal_of_a_flat_classifier_is_log_cdf(name):
    mu = double(-3.0, 0.0, 5.0)
    link = LINKS[name]
    torch.testing.assert_close(link.log_marginal(mu, 0 * mu), link.log_cdf(mu))


@both_links
def test_log_marginal_gradients(name):
    cases = [(mean_of(ratio, tau), tau) for tau in (0.3, -2.0, 12.0) for ratio in (-12, -1, 2)]
    mu, tau = (t.requires_grad_() for t in double(*cases).unbind(-1))
    assert torch.autograd.gradcheck(LINKS[name].log_marginal, (mu, tau), eps=1e-4, atol=1e-5)


@both_links
@pytest.mark.parametrize(("ratio", "tau"), CASES)
def test_conditioned_draws_have_the_tilted_distribution(name, ratio, tau):
    mu = mean_of(ratio, tau)
    count = 10_000
    shape = torch.full((count,), mu).double()
    draws = LINKS[name].conditioned(shape, torch.full_like(shape, tau)).sort().values
    epsilon, probability = tilted(name, mu, tau)
    cdf = probability.cumsum(0)[torch.searchsorted(epsilon, draws).clamp(max=len(epsilon) - 1)]
    steps = torch.arange(count + 1, dtype=torch.float64) / count
    distance = torch.maximum((cdf - steps[:-1]).abs(), (cdf - steps[1:]).abs()).max()
    assert distance * math.sqrt(count) < 1.95  # Kolmogorov–Smirnov at the level 0.001


@both_links
@pytest.mark.parametrize(("ratio", "tau"), CASES)
def test_pathwise_gradients_are_those_of_the_exact_expectation(name, ratio, tau):
    def f(epsilon):
        return (epsilon - 0.5).square() / 2 + epsilon.sin()

    start = double(mean_of(ratio, tau), tau)
    mu, tau = start.clone().requires_grad_().unbind()
    epsilon, probability = tilted(name, mu, tau)
    exact = (probability * f(epsilon)).sum()
    expected = double(*torch.autograd.grad(exact, (mu, tau)))

    point = start.expand(20_000, 2).clone().requires_grad_()
    draws = LINKS[name].conditioned(*point.unbind(-1))
    (gradients,) = torch.autograd.grad(f(draws).sum(), point)
    error = gradients.std(0) / math.sqrt(len(gradients))
    assert (f(draws).mean() - exact).abs() < 4 * f(draws).std() / math.sqrt(len(draws))
    assert ((gradients.mean(0) - expected).abs() < 4 * error + 1e-5).all()
    assert (error < 0.02 * (1 + expected.abs())).all()


@pytest.mark.parametrize(("ratio", "tau"), CASES)
def test_a_logit_draw_inverts_its_distribution_function(ratio, tau):
    mu = torch.full((2000,), mean_of(ratio, tau)).double()
    torch.manual_seed(1)
    draws = LINKS["logit"].conditioned(mu, torch.full_like(mu, tau))
    torch.manual_seed(1)
    u = torch.rand_like(mu)
    epsilon, probability = tilted("logit", mu[0], tau)
    # The sum up to a node counts half of the node's own cell.
    cdf = probability.cumsum(0) - probability / 2
    right = torch.searchsorted(epsilon, draws)
    part = (draws - epsilon[right - 1]) / (epsilon[right] - epsilon[right - 1])
    level = cdf[right - 1].lerp(cdf[right], part)
    assert (level - u).abs().max() < 3e-5


@pytest.mark.parametrize(("ratio", "tau"), CASES)
def test_gradients_of_a_logit_draw_are_its_differences(ratio, tau):
    start = double(mean_of(ratio, tau), tau).expand(4000, 2).clone().requires_grad_()

    def draws(shift):
        torch.manual_seed(1)
        return LINKS["logit"].conditioned(*(start + shift).unbind(-1))

    (gradients,) = torch.autograd.grad(draws(0).sum(), start)
    for gradient, step in zip(gradients.T, 1e-3 * torch.eye(2).double(), strict=True):
        difference = (draws(step) - draws(-step)).detach() / 2e-3
        assert (gradient - difference).abs().mean() < 3e-5


@both_links
@pytest.mark.parametrize("ratio", [-1000.0, -40.0, 40.0, 1000.0])
def test_draws_stay_finite_however_unlikely_the_label(name, ratio):
    mu, tau = torch.full((2, 100), 2 * ratio).double().unbind()
    tau = torch.full_like(tau, math.sqrt(3))
    mu, tau = mu.clone().requires_grad_(), tau.requires_grad_()
    draws = LINKS[name].conditioned(mu, tau)
    assert draws.isfinite().all()
    for gradient in torch.autograd.grad(draws.sum(), (mu, tau)):
        assert gradient.isfinite().all()


def test_far_normal_quantiles_invert_log_ndtr():
    log_p = double(-0.1, -20.0, -599.0, -601.0, -5e3, -1e6)
    torch.testing.assert_close(log_ndtr(-quantile_above(log_p)), log_p, rtol=1e-8, atol=1e-6)


@both_links
def test_quantile_and_logit_belong_to_log_cdf(name):
    link = LINKS[name]
    a = double(*(link.quantile(p) for p in (0.01, 0.5, 0.8)))
    torch.testing.assert_close(link.log_cdf(a).exp(), double(0.01, 0.5, 0.8))
    torch.testing.assert_close(link.logit(a), link.log_cdf(a) - link.log_cdf(-a))
