"""CC-VAE's two estimators against hand-written formulas, and against exact evidence."""

import math
from dataclasses import dataclass

import numpy
import pyro
import pyro.distributions as dist
import pytest
import torch
from torch import nn
from torch.nn.functional import logsigmoid, softplus
from torch.special import log_ndtr

from ccvae.data import Binary, LabelSpace
from ccvae.guides import CCVAEGuide
from ccvae.inference import CCVAEAuthorsObjective, CCVAEObjective
from ccvae.models import CCVAE
from ccvae.models.likelihoods import Pixels

pytestmark = pytest.mark.usefixtures("double")
both_links = pytest.mark.parametrize("link", ["probit", "logit"])

LOG_CDF = {"probit": log_ndtr, "logit": logsigmoid}


# The formulas of design.md, section 3, for one kind of labels at given z_c: everything is written
# out class by class from the programs' parameters, and shares no code with the package.


def class_log_probabilities(log_side):
    """Log q(y = k | ·) ``(…, K)`` from log F of a side: a stick broken dimension by dimension."""
    yes, no = log_side(1), log_side(-1)
    if yes.shape[-1] == 1:
        return torch.cat([no, yes], -1)
    classes = [yes[..., k] + no[..., :k].sum(-1) for k in range(yes.shape[-1])]
    return torch.stack([*classes, no.sum(-1)], -1)


def classifier(pair, link, i, z):
    """Log q(y = k | z_c), ``(…, n, K)``."""
    q = pair.guide.classifier[i]
    score = q.slope * z + q.intercept
    return class_log_probabilities(lambda side: LOG_CDF[link](side * score))


def marginal(pair, link, i, loc, scale):
    """Log q(y = k | x), ``(B, n, K)``, by a dense sum over ε."""
    q = pair.guide.classifier[i]
    epsilon = torch.arange(-12, 12, 0.02)
    z = loc[..., None] + scale[..., None] * epsilon
    score = q.slope[..., None] * z + q.intercept[..., None]
    log_phi = (-(epsilon**2) / 2).log_softmax(-1)
    return class_log_probabilities(
        lambda side: (log_phi + LOG_CDF[link](side * score)).logsumexp(-1)
    )


def pick(table, y):
    """The entries of ``(…, n, K)`` at the class codes ``(B, n)``."""
    code = y.nan_to_num().long().expand(table.shape[:-1])
    return table.gather(-1, code[..., None])[..., 0]


@dataclass
class Parts:
    """What both formulas need at one draw, from the parameters and the drawn z alone."""

    base: torch.Tensor
    """log p(x|z) + log p(z_style) − log q(z_style|x), ``(B,)``."""
    kinds: list
    """(index, y, z_c, its mean, its scale, log q(z_c|x), log p(z_c|y = k), log p(y = k))."""


def parts_of(pair, draw):
    model, guide = pair.model, pair.guide
    x, y = pair.args
    loc, scale = guide.encoder(x)
    blocks, kinds, start = [], [], 0
    for i, kind in enumerate(model.space.kinds):
        z = draw.guide[f"z_c{kind.suffix}"]["value"]
        shape = (len(kind), kind.block)
        end = start + len(kind) * kind.block
        m, s = (t[:, start:end].reshape(-1, *shape) for t in (loc, scale))
        prior = model.prior[i]
        log_p_z = dist.Normal(prior.loc, softplus(prior.raw_scale)).log_prob(z[..., None, :])
        log_q_z = dist.Normal(m, s).log_prob(z).sum(-1)
        log_p_y = getattr(model, f"frequencies{kind.suffix}").log()
        y_kind = y[:, list(kind.columns)]
        kinds.append((i, y_kind, z, m, s, log_q_z, log_p_z.sum(-1), log_p_y))
        blocks.append(z.flatten(1))
        start = end
    z_style = draw.guide["z_style"]["value"][:, 0]
    image = model.decoder(torch.cat([*blocks, z_style], -1)).sigmoid()
    base = dist.Laplace(image, 1.0).log_prob(x).sum((-3, -2, -1))
    base = base + dist.Normal(0.0, 1.0).log_prob(z_style).sum(-1)
    return Parts(
        base - dist.Normal(loc[:, start:], scale[:, start:]).log_prob(z_style).sum(-1), kinds
    )


def drawn(objective, pair):
    pyro.set_rng_seed(7)
    return objective.draw(*pair.programs, *pair.args, **pair.kwargs)


def agree(objective, pair, value):
    """Values and gradients of the objective and of a hand-written objective ``(B,)`` agree."""
    pyro.set_rng_seed(7)
    terms = objective.terms(*pair.programs, *pair.args, **pair.kwargs)
    found = torch.stack(list(terms.values())).sum(0)
    torch.testing.assert_close(found, value, rtol=1e-6, atol=1e-6)
    gradients = [
        torch.autograd.grad(t.sum(), pair.parameters, retain_graph=True) for t in (found, value)
    ]
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-6)
    assert all(g.abs().max() > 1e-3 for g in gradients[0])


@both_links
@pytest.mark.parametrize("alpha", [1.0, 30.0])
def test_the_exact_objective_is_its_formula(make_pair, link, alpha):
    pair, objective = make_pair(link), CCVAEObjective(alpha)
    parts = parts_of(pair, drawn(objective, pair))
    value = parts.base
    for i, y, z, m, s, log_q_z, log_p_z, log_p_y in parts.kinds:
        log_q_y, log_q_y_x = classifier(pair, link, i, z), marginal(pair, link, i, m, s)
        gain = log_p_z + log_p_y - log_q_y
        observed = pick(gain, y) + alpha * pick(log_q_y_x, y)
        unobserved = (log_q_y.exp() * gain).sum(-1)
        value = value + (torch.where(y.isnan(), unobserved, observed) - log_q_z).sum(-1)
    agree(objective, pair, value)


@both_links
def test_the_authors_objective_is_its_formula(make_pair, link):
    samples = 5
    pair, objective = make_pair(link), CCVAEAuthorsObjective(samples)
    draw = drawn(objective, pair)
    parts = parts_of(pair, draw)
    fresh = [torch.randn(samples, *kind[2].shape) for kind in parts.kinds]

    log_q_y_z, log_q_missing, joint, inner, log_p_observed = 0, 0, 0, parts.base, 0
    for (i, y, z, m, s, log_q_z, log_p_z, log_p_y), noise in zip(parts.kinds, fresh, strict=True):
        kind = pair.model.space.kinds[i]
        missing = y.isnan()
        code = torch.where(missing, draw.guide[f"y{kind.suffix}_unobserved"]["value"], y)
        at_z = pick(classifier(pair, link, i, z.detach()), code)
        log_q_y_z = log_q_y_z + torch.where(missing, 0, at_z).sum(-1)
        log_q_missing = log_q_missing + torch.where(missing, at_z, 0).sum(-1)
        at_fresh = pick(classifier(pair, link, i, m + s * noise), code)
        joint = joint + torch.where(missing, 0, at_fresh).sum(-1)
        log_p = pick(log_p_y.expand(len(y), -1, -1), code)
        log_p_observed = log_p_observed + torch.where(missing, 0, log_p).sum(-1)
        inner = inner + (pick(log_p_z, code) + torch.where(missing, log_p, 0) - log_q_z).sum(-1)
    log_q_y_x = joint.exp().mean(0).log()
    w = log_q_y_z.exp() / log_q_y_x.exp()
    weighed = w * (inner - log_q_y_z - log_q_missing)
    # ∇ E_q[f] = E[∇ f + f ∇ log q], for the sampled labels.
    score = weighed.detach() * (log_q_missing - log_q_missing.detach())
    agree(objective, pair, weighed + score + log_q_y_x + log_p_observed)


# A linear-Gaussian model with three binary labels: its evidence and its posterior are known.


class LinearDecoder(nn.Module):
    def __init__(self, inputs, shape):
        super().__init__()
        self.map = nn.Linear(inputs, math.prod(shape))
        self.shape = shape

    def forward(self, z):
        return self.map(z).unflatten(-1, self.shape)


class LinearEncoder(nn.Module):
    def __init__(self, shape, outputs):
        super().__init__()
        self.map = nn.Linear(math.prod(shape), outputs)
        self.log_scale = nn.Parameter(0.3 * torch.randn(outputs) - 0.3)

    def forward(self, x):
        loc = self.map(x.flatten(1))
        return loc, self.log_scale.exp().expand_as(loc)


class Gaussian(nn.Module):
    """Normal pixels around the raw numbers, without a sigmoid."""

    parameters_per_channel = 1

    def forward(self, raw):
        return Pixels(raw, NOISE, 2)


LABELS, STYLE, SHAPE, NOISE = 3, 1, (1, 2, 2), 0.7
SETTINGS = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * LABELS)


@dataclass
class LinearGaussian:
    """The pair with one row for each pattern, and everything exact about it; S = 8 settings.

    Attributes:
        evidence: log p(x, y_O), ``(27,)``.
        log_settings: log p(y|x, y_O), ``(27, 8)``, −∞ for settings that the row rules out.
        mean, covariance: of p(z|x, y), ``(27, 8, 4)`` and ``(8, 4, 4)``.
    """

    model: nn.Module
    guide: nn.Module
    x: torch.Tensor
    y: torch.Tensor
    evidence: torch.Tensor
    log_settings: torch.Tensor
    mean: torch.Tensor
    covariance: torch.Tensor


@pytest.fixture(params=["probit", "logit"])
def linear_gaussian(request, double, every_pattern):
    torch.manual_seed(5)
    space = LabelSpace(Binary(name) for name in "abc")
    model = CCVAE(
        space,
        LinearDecoder(LABELS + STYLE, SHAPE),
        Gaussian(),
        style=STYLE,
        frequencies=[torch.tensor([[0.3, 0.7], [0.5, 0.5], [0.8, 0.2]])],
    )
    encoder = LinearEncoder(SHAPE, LABELS + STYLE)
    guide = CCVAEGuide(space, encoder, style=STYLE, link=request.param)
    y = every_pattern(2, 2, 2)
    x = torch.randn(len(y), *SHAPE)
    with torch.no_grad():
        prior, W, b = model.prior[0], model.decoder.map.weight, model.decoder.map.bias
        codes, label = SETTINGS.long(), torch.arange(LABELS)
        mean = nn.functional.pad(prior.loc[label, codes, 0], (0, STYLE))
        variance = softplus(prior.raw_scale)[label, codes, 0] ** 2
        variance = nn.functional.pad(variance, (0, STYLE), value=1.0)
        noise = NOISE**2 * torch.eye(len(W))
        cov_x = W @ variance.diag_embed() @ W.T + noise
        log_p = model.frequencies.log()[label, codes].sum(-1)
        log_p = log_p + torch.distributions.MultivariateNormal(mean @ W.T + b, cov_x).log_prob(
            x.flatten(1)[:, None]
        )
        ruled_out = ((y[:, None] != SETTINGS) & ~y[:, None].isnan()).any(-1)
        log_p = log_p.masked_fill(ruled_out, -math.inf)
        evidence = log_p.logsumexp(-1)
        precision = (1 / variance).diag_embed() + W.T @ W / NOISE**2
        shift = mean / variance + ((x.flatten(1) - b) @ W / NOISE**2)[:, None]
        return LinearGaussian(
            model,
            guide,
            x,
            y,
            evidence,
            log_p - evidence[:, None],
            torch.linalg.solve(precision, shift[..., None])[..., 0],
            precision.inverse(),
        )


@dataclass
class Quadrature:
    """Gauss–Hermite nodes of q(z|x) for every row, with everything that the guide says at them.

    Attributes:
        z, weight, log_q: nodes ``(27, J, 4)``, weights ``(J,)``, log q(z|x) ``(27, J)``.
        log_seen: log q(y_O|z_c), ``(27, J)``.
        log_evidence: log q(y_O|x), ``(27,)``.
        log_missing: log q(y_U|z_c) of every setting's own y_U, ``(27, J, 8)``.
    """

    z: torch.Tensor
    weight: torch.Tensor
    log_q: torch.Tensor
    log_seen: torch.Tensor
    log_evidence: torch.Tensor
    log_missing: torch.Tensor

    def expectation(self, case, value):
        """Of a function ``(27, J, 8)`` of z and y under q(z|x, y_O) q(y_U|z_c), ``(27,)``."""
        w = (self.log_seen - self.log_evidence[:, None]).exp()
        allowed = case.log_settings.isfinite()[:, None]
        q = torch.where(allowed, self.log_missing.exp(), 0)
        inner = (q * torch.where(allowed, value, 0)).sum(-1)
        return (self.weight * w * inner).sum(-1)


@torch.no_grad()
def quadrature(case, nodes=11):
    t, w = (torch.tensor(v) for v in numpy.polynomial.hermite_e.hermegauss(nodes))
    weight = torch.cartesian_prod(*[w / w.sum()] * (LABELS + STYLE)).prod(-1)
    loc, scale = case.guide.encoder(case.x)
    z = loc[:, None] + scale[:, None] * torch.cartesian_prod(*[t] * (LABELS + STYLE))
    q = case.guide.classifier[0]
    score = q.slope[:, 0] * z[..., :LABELS] + q.intercept[:, 0]
    log_cdf = LOG_CDF[type(q.link).__name__.lower()]
    missing = case.y.isnan()[:, None]
    seen = torch.where(missing, 0, log_cdf((2 * case.y[:, None].nan_to_num() - 1) * score))
    sides = log_cdf((2 * SETTINGS - 1) * score[..., None, :])
    log_seen = seen.sum(-1)
    return Quadrature(
        z,
        weight,
        dist.Normal(loc[:, None], scale[:, None]).log_prob(z).sum(-1),
        log_seen,
        (weight.log() + log_seen).logsumexp(-1),
        torch.where(missing[..., None, :], sides, 0).sum(-1),
    )


def divergence(case, q):
    """KL(guide ‖ exact posterior) of every row, ``(27,)``."""
    log_guide = (q.log_q + q.log_seen - q.log_evidence[:, None])[..., None] + q.log_missing
    posterior = [
        torch.distributions.MultivariateNormal(case.mean[:, s], case.covariance[s])
        for s in range(len(SETTINGS))
    ]
    log_z = torch.stack([p.log_prob(q.z.movedim(1, 0)).T for p in posterior], -1)
    return q.expectation(case, log_guide - case.log_settings[:, None] - log_z)


@torch.no_grad()
def test_the_exact_bound_misses_the_evidence_by_the_divergence(linear_gaussian):
    case = linear_gaussian
    gap = divergence(case, quadrature(case))
    objective, copies = CCVAEObjective(1.0), 200
    x, y = (t.repeat_interleave(copies, 0) for t in (case.x, case.y))
    kwargs = {"index": torch.arange(len(y)), "size": len(y)}
    values = [
        sum(objective.terms(case.model, case.guide, x, y, **kwargs).values()).reshape(27, copies)
        for _ in range(8)
    ]
    values = torch.cat(values, -1)
    error = values.std(-1) / math.sqrt(values.shape[-1])
    assert (values.mean(-1) + 4 * error < case.evidence).all()
    assert ((case.evidence - values.mean(-1) - gap).abs() < 4.5 * error).all()
    assert (error < gap / 5).all()


@torch.no_grad()
def test_one_weighted_formula_gives_the_same_bound(linear_gaussian):
    """Design.md's formula over q(z|x) with the weight w_O, integrated."""
    case = linear_gaussian
    q = quadrature(case)
    model, codes, label = case.model, SETTINGS.long(), torch.arange(LABELS)
    prior = model.prior[0]
    z_c, z_style = q.z[..., None, :LABELS], q.z[..., LABELS:]
    p_z = dist.Normal(prior.loc[label, codes, 0], softplus(prior.raw_scale)[label, codes, 0])
    image = model.decoder.map(q.z)
    log_p_x = dist.Normal(image, NOISE).log_prob(case.x.flatten(1)[:, None]).sum(-1)
    base = log_p_x + dist.Normal(0.0, 1.0).log_prob(z_style).sum(-1) - q.log_q - q.log_seen
    log_p_y = model.frequencies.log()[label, codes].sum(-1)
    labels = p_z.log_prob(z_c).sum(-1) + log_p_y - q.log_missing
    bound = q.expectation(case, base[..., None] + labels) + q.log_evidence
    torch.testing.assert_close(bound, case.evidence - divergence(case, q), rtol=1e-4, atol=1e-4)


def test_the_evidence_does_not_depend_on_how_the_guide_is_run(linear_gaussian):
    case = linear_gaussian

    class Unconditioned(CCVAEObjective):
        def prepare(self, guide):
            return guide

    kwargs = {"index": torch.arange(27), "size": 27}
    name = "(alpha-1) log q(y|x)"
    terms = [
        kind(3.0).terms(case.model, case.guide, case.x, case.y, **kwargs)[name]
        for kind in (CCVAEObjective, Unconditioned)
    ]
    torch.testing.assert_close(*terms)
