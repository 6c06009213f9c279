"""A characteristic block and its conditioned self, against sums over a dense grid."""

import math

import numpy
import pytest
import torch

from ccvae.guides import Characteristic, Probit
from ccvae.guides.links import LINKS

NAN = math.nan

both_links = pytest.mark.parametrize("name", LINKS)


def block(classes, name, labels=2, dtype=torch.float64):
    """A block of ``labels`` labels, and its four parameters."""
    generator = torch.Generator().manual_seed(classes)
    shape = (labels, classes - 1)

    def draw():
        return torch.randn(shape, generator=generator, dtype=dtype)

    parameters = draw(), 0.5 + draw().abs(), 1.5 * draw(), draw()
    parameters = [p.requires_grad_() for p in parameters]
    return Characteristic(*parameters, LINKS[name]), parameters


def grid(q, nodes):
    """Gauss–Hermite nodes ``(J, n, D)`` and weights ``(J,)`` for the unconditioned block."""
    x, w = (torch.tensor(t) for t in numpy.polynomial.hermite_e.hermegauss(nodes))
    dimensions = q.event_shape[0]
    epsilon = torch.cartesian_prod(*[x] * dimensions).reshape(-1, 1, dimensions)
    weight = torch.cartesian_prod(*[w / w.sum()] * dimensions).reshape(-1, dimensions).prod(-1)
    return q.loc + q.scale * epsilon, weight


def log_classes_at(q, z):
    """Log q(y = k | z_c) ``(J, n, K)`` from what the block gives to Pyro."""
    label = q.label(z)
    support = torch.arange(q.event_shape[0] + 1, dtype=z.dtype)
    return torch.stack([label.log_prob(k.expand(label.batch_shape)) for k in support], -1)


@both_links
@pytest.mark.parametrize("classes", range(2, 7))
def test_classes_add_up_to_one(name, classes):
    q, _ = block(classes, name)
    one = torch.ones(2, dtype=torch.float64)
    torch.testing.assert_close(q.log_classes().exp().sum(-1), one)
    at_z = log_classes_at(q, q.rsample(torch.Size([5])))
    torch.testing.assert_close(at_z.exp().sum(-1), one.expand(5, 2))


@both_links
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_log_classes_is_the_expected_label(name, classes):
    q, _ = block(classes, name)
    z, weight = grid(q, 40)
    expected = torch.einsum("j,jnk->nk", weight, log_classes_at(q, z).exp())
    torch.testing.assert_close(q.log_classes().exp(), expected, rtol=0, atol=1e-5)


def test_a_stick_breaks_by_its_definition():
    q, (_, _, slope, intercept) = block(4, "probit", labels=1)
    z = torch.randn(1, 3, dtype=torch.float64)
    stop = torch.special.ndtr(slope * z + intercept)[0]
    by_hand = [stop[0], (1 - stop[0]) * stop[1], (1 - stop[0]) * (1 - stop[1]) * stop[2]]
    by_hand = torch.stack([*by_hand, 1 - sum(by_hand)])
    torch.testing.assert_close(log_classes_at(q, z)[0].exp(), by_hand)


@pytest.mark.parametrize(
    ("classes", "y", "expected"),
    [
        (2, 1.0, [1]),
        (2, 0.0, [-1]),
        (2, NAN, [0]),
        (4, 0.0, [1, 0, 0]),
        (4, 2.0, [-1, -1, 1]),
        (4, 3.0, [-1, -1, -1]),
        (4, NAN, [0, 0, 0]),
    ],
)
def test_signs(classes, y, expected):
    q, _ = block(classes, "probit", labels=1)
    assert q.signs(torch.tensor([y])).tolist() == [expected]


@both_links
@pytest.mark.parametrize(("classes", "nodes"), [(2, 64), (3, 48)])
def test_conditioning_is_bayes_rule(name, classes, nodes):
    q, _ = block(classes, name)
    z, weight = grid(q, nodes)
    classifier = log_classes_at(q, z)
    for y in (*range(classes), NAN):
        given = q.given(torch.full((2,), float(y)))
        density = given.log_prob(z) - q.log_prob(z)
        by_rule = 0.0 if math.isnan(y) else classifier[..., y] - q.log_classes()[..., y]
        torch.testing.assert_close(density, by_rule + 0 * density)
        # The density integrates to 1, and the draws have its moments.
        tilt = weight[:, None] * density.exp()
        torch.testing.assert_close(tilt.sum(0), torch.ones(2).double(), rtol=0, atol=1e-5)
        draws = given.rsample(torch.Size([8_000]))
        for power in (1, 2):
            expected = torch.einsum("jn,jnd->nd", tilt, z**power)
            error = (draws**power).std(0) / math.sqrt(len(draws))
            assert ((draws**power).mean(0) - expected).abs().le(4.5 * error).all()
            assert (error < 0.1).all()


@both_links
@pytest.mark.parametrize("classes", [2, 3])
def test_pathwise_gradients_of_the_block(name, classes):
    """Derivatives of E[Σ z + z²/2] by all four parameters equal those of the exact expectation."""
    q, parameters = block(classes, name, labels=1)
    z, weight = grid(q, 48)
    for y in range(classes):
        given = q.given(torch.tensor([float(y)]))
        f = (z + z**2 / 2).sum((-1, -2))
        tilt = (given.log_prob(z) - q.log_prob(z)).exp()[:, 0]
        exact = torch.autograd.grad((weight * tilt * f).sum(), parameters, retain_graph=True)

        count = 8_000
        copies = [p.detach().expand(count, *p.shape).clone().requires_grad_() for p in parameters]
        many = Characteristic(*copies, LINKS[name]).given(torch.full((count, 1), float(y)))
        draws = many.rsample()
        found = torch.autograd.grad((draws + draws**2 / 2).sum(), copies)
        for gradient, expected in zip(found, exact, strict=True):
            error = gradient.std(0) / math.sqrt(count)
            assert (gradient.mean(0) - expected).abs().le(4.5 * error + 1e-5).all()
            assert (error < 0.1).all()


@both_links
@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize("ratio", [-12.0, 12.0])
def test_single_precision_at_twelve_deviations(name, ratio, y):
    slope = 2.0
    loc = ratio * math.sqrt(1 + slope**2) / slope
    parameters = [torch.full((4000, 1, 1), v, requires_grad=True) for v in (loc, 1.0)]
    classifier = [torch.full((1, 1), v, requires_grad=True) for v in (slope, 0.0)]
    q = Characteristic(*parameters, *classifier, LINKS[name])
    given = q.given(torch.full((4000, 1), y))
    z = given.rsample()
    loss = (given.log_prob(z) - given.log_evidence()).sum() + z.sum()
    assert z.dtype == torch.float32
    assert loss.isfinite()
    for gradient in torch.autograd.grad(loss, parameters + classifier):
        assert gradient.isfinite().all()

    epsilon = torch.arange(-40, 40, 1e-3, dtype=torch.float64)
    side = 1 if y else -1
    log_tilt = LINKS[name].log_cdf(side * slope * (loc + epsilon))
    probability = (log_tilt - epsilon**2 / 2).softmax(-1)
    mean = loc + (probability * epsilon).sum()
    assert (z.double().mean() - mean).abs() < 4 * z.std() / math.sqrt(len(z))


@both_links
def test_a_missing_label_leaves_the_block_as_it_is(name):
    q, parameters = block(3, name)
    missing = q.given(torch.full((2,), NAN))
    z = missing.rsample(torch.Size([8_000]))
    error = q.scale / math.sqrt(len(z))
    assert (z.mean(0) - q.loc).abs().le(4 * error).all()
    assert (z.std(0) - q.scale).abs().le(4 * error).all()
    torch.testing.assert_close(missing.log_prob(z), q.log_prob(z), rtol=0, atol=0)
    assert missing.log_evidence().tolist() == [0, 0]
    assert missing.log_classifier(z).abs().max() == 0

    mixed = q.given(torch.tensor([1.0, NAN]))
    z = mixed.rsample()
    loss = mixed.log_prob(z) + mixed.log_evidence() + mixed.log_classifier(z)
    for gradient in torch.autograd.grad(loss[1], parameters, retain_graph=True):
        assert gradient.isfinite().all()
    slope, intercept = torch.autograd.grad(loss[1], parameters[2:], retain_graph=True)
    assert not slope.any()
    assert not intercept.any()
    assert torch.autograd.grad(loss[0], parameters[2])[0][0].any()


@both_links
def test_expand_repeats_the_distribution(name):
    q, _ = block(3, name)
    wide = q.expand(torch.Size([5, 2]))
    assert wide.batch_shape == (5, 2)
    assert wide.event_shape == (2,)
    z = wide.rsample()
    assert z.shape == (5, 2, 2)
    torch.testing.assert_close(wide.log_prob(z), q.log_prob(z))

    given = q.given(torch.tensor([0.0, 2.0]))
    wide = given.expand(torch.Size([5, 2]))
    z = wide.rsample(torch.Size([3]))
    assert z.shape == (3, 5, 2, 2)
    torch.testing.assert_close(wide.log_prob(z), given.log_prob(z))
    torch.testing.assert_close(
        log_classes_at(q, z),
        torch.stack([wide.label(z).log_prob(k + 0 * z[..., 0]) for k in range(3)], -1),
    )


def test_the_mean_of_a_block_is_its_location():
    q = Characteristic(*(torch.ones(3, 1) for _ in range(4)), Probit())
    assert q.mean is q.loc
