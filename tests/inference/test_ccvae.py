"""CC-VAE's two estimators against hand-written formulas, and against exact evidence."""

import math
from dataclasses import dataclass

import numpy
import pyro.distributions as dist
import pytest
import torch
from torch.nn.functional import softplus

from ccvae.inference import CCVAEAuthorsObjective, CCVAEObjective

pytestmark = pytest.mark.usefixtures("double")
both_links = pytest.mark.parametrize("link", ["probit", "logit"])


@both_links
@pytest.mark.parametrize("alpha", [1.0, 30.0])
def test_the_exact_objective_is_its_formula(make_pair, by_hand, link, alpha):
    pair, objective = make_pair(link), CCVAEObjective(alpha)
    parts = by_hand.parts_of(pair, by_hand.drawn(objective, pair))
    value = parts.base
    for i, y, z, m, s, log_q_z, log_p_z, log_p_y in parts.kinds:
        log_q_y, log_q_y_x = (
            by_hand.classifier(pair, link, i, z),
            by_hand.marginal(pair, link, i, m, s),
        )
        gain = log_p_z + log_p_y - log_q_y
        observed = by_hand.pick(gain, y) + alpha * by_hand.pick(log_q_y_x, y)
        unobserved = (log_q_y.exp() * gain).sum(-1)
        value = value + (torch.where(y.isnan(), unobserved, observed) - log_q_z).sum(-1)
    gradients = by_hand.agree(objective, pair, value)
    assert all(g.abs().max() > 1e-3 for g in gradients)


@both_links
@pytest.mark.parametrize("detach", [True, False])
def test_the_authors_objective_is_its_formula(make_pair, by_hand, link, detach):
    samples = 5
    pair, objective = make_pair(link), CCVAEAuthorsObjective(samples, detach=detach)
    draw = by_hand.drawn(objective, pair)
    parts = by_hand.parts_of(pair, draw)
    fresh = [torch.randn(samples, *kind[2].shape) for kind in parts.kinds]

    log_q_y_z, log_q_missing, joint, inner, log_p_observed = 0, 0, 0, parts.base, 0
    for (i, y, z, m, s, log_q_z, log_p_z, log_p_y), noise in zip(parts.kinds, fresh, strict=True):
        kind = pair.model.space.kinds[i]
        missing = y.isnan()
        code = torch.where(missing, draw.guide[f"y{kind.suffix}_unobserved"]["value"], y)
        at_z = by_hand.pick(by_hand.classifier(pair, link, i, z.detach() if detach else z), code)
        log_q_y_z = log_q_y_z + torch.where(missing, 0, at_z).sum(-1)
        log_q_missing = log_q_missing + torch.where(missing, at_z, 0).sum(-1)
        at_fresh = by_hand.pick(by_hand.classifier(pair, link, i, m + s * noise), code)
        joint = joint + torch.where(missing, 0, at_fresh).sum(-1)
        log_p = by_hand.pick(log_p_y.expand(len(y), -1, -1), code)
        log_p_observed = log_p_observed + torch.where(missing, 0, log_p).sum(-1)
        inner = inner + (
            by_hand.pick(log_p_z, code) + torch.where(missing, log_p, 0) - log_q_z
        ).sum(-1)
    log_q_y_x = joint.exp().mean(0).log()
    w = log_q_y_z.exp() / log_q_y_x.exp()
    weighed = w * (inner - log_q_y_z - log_q_missing)
    # ∇ E_q[f] = E[∇ f + f ∇ log q], for the sampled labels.
    score = weighed.detach() * (log_q_missing - log_q_missing.detach())
    gradients = by_hand.agree(objective, pair, weighed + score + log_q_y_x + log_p_observed)
    assert all(g.abs().max() > 1e-3 for g in gradients)


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
def quadrature(case, by_hand, nodes=11):
    t, w = (torch.tensor(v) for v in numpy.polynomial.hermite_e.hermegauss(nodes))
    weight = torch.cartesian_prod(*[w / w.sum()] * (case.labels + case.style)).prod(-1)
    loc, scale = case.guide.encoder(case.x)
    z = loc[:, None] + scale[:, None] * torch.cartesian_prod(*[t] * (case.labels + case.style))
    q = case.guide.classifier[0]
    score = q.slope[:, 0] * z[..., : case.labels] + q.intercept[:, 0]
    log_cdf = by_hand.log_cdf[type(q.link).__name__.lower()]
    missing = case.y.isnan()[:, None]
    seen = torch.where(missing, 0, log_cdf((2 * case.y[:, None].nan_to_num() - 1) * score))
    sides = log_cdf((2 * case.settings - 1) * score[..., None, :])
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
        for s in range(len(case.settings))
    ]
    log_z = torch.stack([p.log_prob(q.z.movedim(1, 0)).T for p in posterior], -1)
    return q.expectation(case, log_guide - case.log_settings[:, None] - log_z)


@torch.no_grad()
def test_the_exact_bound_misses_the_evidence_by_the_divergence(linear_gaussian, by_hand):
    case = linear_gaussian
    gap = divergence(case, quadrature(case, by_hand))
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
def test_one_weighted_formula_gives_the_same_bound(linear_gaussian, by_hand):
    """Design.md's formula over q(z|x) with the weight w_O, integrated."""
    case = linear_gaussian
    q = quadrature(case, by_hand)
    model, codes, label = case.model, case.settings.long(), torch.arange(case.labels)
    prior = model.prior[0]
    z_c, z_style = q.z[..., None, : case.labels], q.z[..., case.labels :]
    p_z = dist.Normal(prior.loc[label, codes, 0], softplus(prior.raw_scale)[label, codes, 0])
    image = model.decoder.map(q.z)
    log_p_x = dist.Normal(image, case.noise).log_prob(case.x.flatten(1)[:, None]).sum(-1)
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
    name = "(alpha-1) log q(y_observed|x)"
    terms = [
        kind(3.0).terms(case.model, case.guide, case.x, case.y, **kwargs)[name]
        for kind in (CCVAEObjective, Unconditioned)
    ]
    torch.testing.assert_close(*terms)
