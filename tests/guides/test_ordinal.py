"""Ordinal blocks: the closed forms against dense sums, and both tails."""

import math

import mpmath
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccvae.data import Kind
from ccvae.guides.ordinal import (
    FAR,
    OrdinalBlock,
    OrdinalClassifier,
    Thresholds,
    log_between,
    normal_between,
)
from ccvae.models.priors import ConditionalPrior

NAN = math.nan
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)


def double(*values):
    return torch.tensor(values, dtype=torch.float64)


def block(dtype=torch.float64):
    """Two labels of four classes, one of them on a falling slope; and the block's parameters."""
    parameters = [
        torch.tensor([[0.4], [-1.1]], dtype=dtype),
        torch.tensor([[0.9], [0.5]], dtype=dtype),
        torch.tensor([[1.3], [-2.0]], dtype=dtype),
        torch.tensor([[-1.0, 0.2, 1.4], [-2.0, 0.5, 0.6]], dtype=dtype),
    ]
    parameters = [p.requires_grad_() for p in parameters]
    return OrdinalBlock(*parameters), parameters


def grid(q, reach=12, count=20_001):
    """Points ``(J, n, 1)`` and the mass of q(z | x) at each, ``(J, n)``."""
    epsilon = torch.linspace(-reach, reach, count, dtype=torch.float64)[:, None, None]
    log_mass = -(epsilon**2) / 2
    return q.loc + q.scale * epsilon, log_mass.softmax(0)[..., 0]


def by_definition(q, z):
    """q(y = k | z), ``(J, n, K)``."""
    below = torch.special.ndtr(q.thresholds - q.slope * z)
    ones = torch.ones_like(below[..., :1])
    return torch.cat([below, ones], -1).diff(dim=-1, prepend=0 * ones)


def test_the_label_is_its_definition():
    q, _ = block()
    z = torch.randn(50, 2, 1).double()
    torch.testing.assert_close(q.label(z).probs, by_definition(q, z))


def test_class_probabilities_are_integrals():
    q, _ = block()
    z, mass = grid(q)
    expected = (mass[..., None] * by_definition(q, z)).sum(0)
    torch.testing.assert_close(q.log_classes().exp(), expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(q.log_classes().exp().sum(-1), torch.ones(2).double())
    for k in range(4):
        y = torch.full((2,), float(k))
        torch.testing.assert_close(q.log_evidence(y), q.log_classes()[:, k])
    said = q.prediction()
    half = q.log_classes().exp().cumsum(-1) >= 0.5
    assert said.median.tolist() == half.int().argmax(-1).tolist()
    assert said.likeliest.tolist() == expected.argmax(-1).tolist()


@pytest.mark.parametrize("k", [*range(4), NAN])
def test_conditioning_is_bayes_rule(k):
    q, _ = block()
    z, mass = grid(q)
    given = q.given(torch.full((2,), float(k)))
    density = given.log_prob(z) - q.log_prob(z)
    if not math.isnan(k):
        rule = by_definition(q, z)[..., k].log() - q.log_classes()[:, k]
        inner = (z - q.loc).abs()[..., 0] < 3 * q.scale[:, 0]
        torch.testing.assert_close(density[inner], rule[inner], rtol=1e-5, atol=1e-5)
    tilt = mass * density.exp()
    torch.testing.assert_close(tilt.sum(0), torch.ones(2).double(), rtol=0, atol=1e-9)
    draws = given.rsample(torch.Size([20_000]))
    for power in (1, 2, 3):
        expected = (tilt[..., None] * z**power).sum(0)
        error = (draws**power).std(0) / math.sqrt(len(draws))
        assert ((draws**power).mean(0) - expected).abs().le(4.5 * error).all()


@pytest.mark.parametrize("k", range(4))
def test_pathwise_gradients_are_those_of_the_exact_expectation(k):
    q, parameters = block()
    z, mass = grid(q, count=4001)
    y = torch.full((2,), float(k))
    tilt = mass * (q.given(y).log_prob(z) - q.log_prob(z)).exp()
    exact = torch.autograd.grad((tilt[..., None] * (z + z**2 / 2)).sum(), parameters)

    count = 20_000
    copies = [p.detach().expand(count, *p.shape).clone().requires_grad_() for p in parameters]
    draws = OrdinalBlock(*copies).given(y.expand(count, 2)).rsample()
    found = torch.autograd.grad((draws + draws**2 / 2).sum(), copies)
    for gradient, expected in zip(found, exact, strict=True):
        error = gradient.std(0) / math.sqrt(count)
        assert (gradient.mean(0) - expected).abs().le(4.5 * error + 1e-6).all()
        assert (error < 0.05).all()


def test_draws_follow_their_differences():
    """The gradient of a draw is what the draw does when the parameters move a little."""
    _, parameters = block()
    y = torch.tensor([2.0, 1.0])

    def draws(step):
        torch.manual_seed(4)
        moved = OrdinalBlock(*(p + step * d for p, d in zip(parameters, directions, strict=True)))
        return moved.given(y).rsample(torch.Size([200])).sum()

    torch.manual_seed(1)
    directions = [torch.randn_like(p) for p in parameters]
    gradients = torch.autograd.grad(draws(0.0), parameters)
    slope = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
    difference = (draws(1e-6) - draws(-1e-6)) / 2e-6
    torch.testing.assert_close(difference, slope, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("away", [-1000.0, -37.0, 37.0, 1000.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_tails_are_finite(away, dtype):
    """Mean scores so many deviations from all thresholds: values, draws and gradients."""
    slope = 2.0
    loc = away * math.sqrt(1 + slope**2) / slope
    # Thresholds one deviation of the score apart, at 0.
    thresholds = torch.tensor([-1.0, 0.0, 1.0]) * math.sqrt(1 + slope**2)
    values = [loc, 1.0, slope]
    parameters = [torch.full((2000, 1, 1), v, dtype=dtype, requires_grad=True) for v in values[:2]]
    parameters += [torch.full((1, 1), slope, dtype=dtype, requires_grad=True)]
    parameters += [thresholds.to(dtype)[None].requires_grad_()]
    q = OrdinalBlock(*parameters)
    epsilon = torch.arange(-60, 60, 1e-3, dtype=torch.float64)
    for k in range(4):
        y = torch.full((2000, 1), float(k))
        given = q.given(y)
        z = given.rsample()
        loss = (given.log_prob(z) - given.log_evidence()).sum() + z.sum()
        assert z.dtype == dtype
        assert loss.isfinite()
        for gradient in torch.autograd.grad(loss, parameters, retain_graph=True):
            assert gradient.isfinite().all()
        classes = q.label(z).log_prob(y)
        assert classes.isfinite().all()
        for gradient in torch.autograd.grad(classes.sum(), parameters[2:], retain_graph=True):
            assert gradient.isfinite().all()
        if abs(away) < 100:
            score = slope * (loc + epsilon)
            cuts = [-FAR, *thresholds.tolist(), FAR]
            low, high = (torch.full_like(score, cuts[k + i]) - score for i in (0, 1))
            log_tilt = log_between(low, high) - epsilon**2 / 2
            mean = loc + (log_tilt.softmax(-1) * epsilon).sum()
            assert (z.double().mean() - mean).abs() < 4.5 * z.std() / math.sqrt(len(z)) + 1e-5


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (-40.0, -37.0),
        (-37.0, -36.999),
        (-8.0, 9.0),
        (-1e-3, 1e-3),
        (0.1, 0.1001),
        (-0.5, 2.0),
        (37.0, 37.001),
        (36.0, 200.0),
    ],
)
def test_log_between_to_eleven_digits(low, high):
    with mpmath.workdps(400):
        exact = float(mpmath.log(mpmath.ncdf(high) - mpmath.ncdf(low)))
    found = log_between(double(low), double(high))
    torch.testing.assert_close(found, double(exact), rtol=1e-11, atol=1e-11)
    mirrored = log_between(double(-high), double(-low))
    torch.testing.assert_close(mirrored, found, rtol=1e-12, atol=0)


@relaxed
@given(st.floats(-300, 300), st.floats(1e-3, 300))
def test_a_draw_between_two_ends_lies_there(low, width):
    ends = [torch.full((50,), end, dtype=torch.float64) for end in (low, low + width)]
    low, high = (end.requires_grad_() for end in ends)
    t = normal_between(low, high)
    slack = 1e-6 * (1 + low.abs())
    assert ((low - slack <= t) & (t <= high + slack)).all()
    for gradient in torch.autograd.grad(t.sum(), (low, high)):
        assert gradient.isfinite().all()
        assert (gradient > -1e-9).all()


@relaxed
@given(st.lists(st.floats(-50, 50), min_size=6, max_size=6), st.integers(2, 7))
def test_thresholds_stay_in_order(numbers, classes):
    thresholds = Thresholds(1, torch.linspace(-1, 1, classes - 1))
    with torch.no_grad():
        thresholds.lowest.fill_(numbers[0])
        thresholds.raw_gap.copy_(torch.tensor(numbers[: classes - 2])[None])
    assert (thresholds().diff() > 0).all()


@pytest.mark.parametrize("classes", [2, 3, 5, 9])
def test_class_means_and_thresholds_start_in_order(classes):
    kind = Kind(classes, (0, 1), "ordinal")
    means = ConditionalPrior(kind).loc[..., 0]
    block = OrdinalClassifier(kind)(torch.zeros(1, 2), torch.ones(1, 2))
    thresholds = block.thresholds / block.slope
    assert means.shape == (2, classes)
    assert (thresholds > means[:, :-1]).all()
    assert (thresholds < means[:, 1:]).all()


def test_missing_labels_take_no_part():
    q, parameters = block()
    mixed = q.given(torch.tensor([1.0, NAN]))
    z = mixed.rsample()
    loss = mixed.log_prob(z) + mixed.log_evidence() + mixed.log_classifier(z)
    for gradient in torch.autograd.grad(loss[1], parameters[2:], retain_graph=True):
        assert not gradient.any()
    assert mixed.log_evidence()[1] == 0


def test_expand_repeats_the_distribution():
    q, _ = block()
    wide = q.given(torch.tensor([0.0, 3.0])).expand(torch.Size([5, 2]))
    z = wide.rsample(torch.Size([3]))
    assert z.shape == (3, 5, 2, 1)
    expected = q.given(torch.tensor([0.0, 3.0])).log_prob(z)
    torch.testing.assert_close(wide.log_prob(z), expected)
