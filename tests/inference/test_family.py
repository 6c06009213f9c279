"""The programs and objectives of the family against formulas by hand, Pyro and exact evidence."""

import itertools
import math
import warnings
from dataclasses import dataclass

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.infer import SVI, RenyiELBO, Trace_ELBO, TraceEnum_ELBO, config_enumerate
from torch.nn.functional import softplus

from ccvae.data import Binary, LabelSpace
from ccvae.guides import M2Guide
from ccvae.inference import (
    AdaptedDIVAObjective,
    CCVAEObjective,
    DIVAObjective,
    ImportanceWeightedObjective,
    M2Objective,
    M2ScoreObjective,
    MarginalObjective,
    OurAdaptedDIVAObjective,
    VAEObjective,
)
from ccvae.inference.catalogue import PROGRAMS
from ccvae.models import M2, Laplace

pytestmark = pytest.mark.usefixtures("double")

LABELLED, UNLABELLED = "labelled", "unlabelled"


def log_normal(z, loc, scale):
    return dist.Normal(loc, scale).log_prob(z).sum(-1)


# Sums by brute force: one setting of all labels (and the domain) at a time.


@dataclass
class Label:
    """One label, or the domain, at a draw: what a formula says of each of its K classes.

    Attributes:
        code: ``(B,)``, NaN where missing.
        log_p_z: log p(z|k) of its own block, ``(B, K)``.
        log_p: log p(k), ``(K,)``.
        log_q: log q(k|z), ``(B, K)``.
    """

    code: torch.Tensor
    log_p_z: torch.Tensor
    log_p: torch.Tensor
    log_q: torch.Tensor

    @property
    def missing(self):
        return self.code.isnan()


def brute_force(labels, value):
    """Σ over all joint settings of q(setting) value(setting), observed labels being certain."""
    total = 0
    for setting in itertools.product(*(range(len(label.log_p)) for label in labels)):
        weight = 1
        for label, k in zip(labels, setting, strict=True):
            certain = (label.code == k).double()
            weight = weight * torch.where(label.missing, label.log_q[:, k].exp(), certain)
        total = total + weight * value(setting)
    return total


def bound(labels, base, beta):
    """L of DIVA and of the Adapted DIVAs at one draw, ``(B,)``."""

    def value(setting):
        total = base
        for label, k in zip(labels, setting, strict=True):
            imputed = label.log_p[k] - label.log_q[:, k]
            total = total + beta * label.log_p_z[:, k] + torch.where(label.missing, imputed, 0.0)
        return total

    return brute_force(labels, value)


def known(labels):
    """Log q(y_O|z) of the observed labels, ``(B, len(labels))``."""
    columns = []
    for label in labels:
        code = label.code.nan_to_num().long()[:, None]
        chosen = label.log_q.gather(1, code)[:, 0]
        columns.append(torch.where(label.missing, 0.0, chosen))
    return torch.stack(columns, 1)


def ccvae_labels(by_hand, pair, draw, beta=1.0):
    """The labels of CC-VAE's program, and all of L that does not depend on them."""
    parts, labels = by_hand.parts_of(pair, draw), []
    base = parts.base
    for i, y, z, _, _, log_q_z, log_p_z, log_p_y in parts.kinds:
        base = base - beta * log_q_z.sum(-1)
        log_q = by_hand.classifier(pair, "probit", i, z)
        labels += [
            Label(y[:, j], log_p_z[:, j], log_p_y[j], log_q[:, j]) for j in range(y.shape[1])
        ]
    return labels, base


def diva_labels(pair, draw, beta):
    """The labels of DIVA's program and, last, its domain; and all of L that depends on neither."""
    model, guide = pair.model, pair.guide
    x, y, d = pair.args

    def block(prior, classifier, z, code, log_p, j):
        loc, raw = prior.networks[j](torch.eye(len(log_p))).chunk(2, -1)
        log_p_z = log_normal(z[:, None], loc, softplus(raw) + 1e-4)
        scores = z.relu() @ classifier.weight[j].T + classifier.bias[j]
        return Label(code, log_p_z, log_p, scores.log_softmax(-1))

    z = {name: site["value"].squeeze(-2) for name, site in draw.guide.items() if name[0] == "z"}
    base = -beta * log_normal(z["z_d"], *guide.domain_encoder(x))
    base = base - beta * log_normal(z["z_x"], *guide.style_encoder(x))
    base = base + beta * log_normal(z["z_x"], torch.tensor(0.0), torch.tensor(1.0))
    loc, scale = (t.unflatten(-1, (3, -1)) for t in guide.label_encoder(x))
    labels, latents, start = [], [z["z_d"], z["z_x"]], 0
    for i, kind in enumerate(model.space.kinds):
        z_y = draw.guide[f"z_y{kind.suffix}"]["value"]
        frequencies = getattr(model, f"frequencies{kind.suffix}").log()
        for j, column in enumerate(kind.columns):
            code, classes = y[:, column], frequencies[j]
            prior, classifier = model.prior[i], guide.classifier[i]
            labels.append(block(prior, classifier, z_y[:, j], code, classes, j))
            base = base - beta * log_normal(z_y[:, j], loc[:, start], scale[:, start])
            latents.append(z_y[:, j])
            start += 1
    code = torch.where(d < 0, math.nan, d.double())
    domain = torch.full((3,), -math.log(3))
    labels.append(block(model.domain_prior, guide.domain_classifier, z["z_d"], code, domain, 0))
    image = model.decoder(torch.cat(latents, -1)).sigmoid()
    return labels, base + dist.Laplace(image, 1.0).log_prob(x).sum((-3, -2, -1))


@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_adapted_diva_is_its_formula(make_pair, by_hand, beta):
    pair, objective = make_pair(), AdaptedDIVAObjective(5.0, beta)
    labels, base = ccvae_labels(by_hand, pair, by_hand.drawn(objective, pair), beta)

    def imputed(setting):
        chosen = zip(labels, setting, strict=True)
        return sum(torch.where(label.missing, label.log_q[:, k], 0.0) for label, k in chosen)

    by_hand.agree(objective, pair, bound(labels, base, beta) + 5.0 * brute_force(labels, imputed))


@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_our_adapted_diva_is_its_formula(make_pair, by_hand, beta):
    pair, objective = make_pair(), OurAdaptedDIVAObjective(5.0, beta)
    labels, base = ccvae_labels(by_hand, pair, by_hand.drawn(objective, pair), beta)
    by_hand.agree(objective, pair, bound(labels, base, beta) + 5.0 * known(labels).sum(-1))


@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_diva_is_its_formula(make_pair, by_hand, beta):
    pair, objective = make_pair(program="diva"), DIVAObjective(5.0, 7.0, beta)
    labels, base = diva_labels(pair, by_hand.drawn(objective, pair), beta)
    y_o, d_o = known(labels).split([3, 1], -1)
    value = bound(labels, base, beta) + 5.0 * y_o.sum(-1) + 7.0 * d_o.sum(-1)
    by_hand.agree(objective, pair, value)


def test_marginal_is_its_formula(make_pair, by_hand):
    pair, objective = make_pair(), MarginalObjective(5.0)
    parts = by_hand.parts_of(pair, by_hand.drawn(objective, pair))
    value = parts.base
    for i, y, z, m, s, log_q_z, log_p_z, log_p_y in parts.kinds:
        log_q_y_z = by_hand.classifier(pair, "probit", i, z)
        log_q_y_x = by_hand.marginal(pair, "probit", i, m, s)
        joint = log_p_z + log_p_y
        # log p(z, y_O) − log q(z|x) q(y_O|z) / q(y_O|x) + (α − 1) log q(y_O|x)
        seen = by_hand.pick(joint - log_q_y_z + 5.0 * log_q_y_x, y)
        value = value + (torch.where(y.isnan(), joint.logsumexp(-1), seen) - log_q_z).sum(-1)
    by_hand.agree(objective, pair, value)


def test_importance_weighting_averages_the_weights(make_pair, by_hand):
    pair, rows = make_pair(), 36
    three = ImportanceWeightedObjective(num_particles=3)
    three.particles_at_once = 1
    pyro.set_rng_seed(7)
    values = [
        sum(MarginalObjective(1.0).terms(*pair.programs, *pair.args, **pair.kwargs).values())
        for _ in range(3)
    ]
    mean_weight = torch.stack(values).exp().mean(0)
    assert mean_weight.shape == (rows,)
    by_hand.agree(three, pair, mean_weight.log())


M2_SETTINGS = list(itertools.product(range(2), range(3), range(2)))


def m2_parts(pair, draw):
    """M2 at one draw: log q(k|x) of every label, and the bracket of L at a setting of the labels.

    The draws of z differ from setting to setting.
    """
    model, guide = pair.model, pair.guide
    x, y = pair.args
    # Columns stand kind by kind: a and b, which are binary, then hair.
    a, b, hair = guide.classifier(x.flatten(1)).split([2, 2, 3], -1)
    log_q = [scores.log_softmax(-1) for scores in (a, hair, b)]
    log_p = [torch.tensor(p).log() for p in ([0.3, 0.7], [0.2, 0.3, 0.5], [0.6, 0.4])]
    encoder, decoder = guide.encoder, model.decoder

    def shift(tables, codes):
        """Σ_i E_i[y^i], label by label."""
        a, b, hair = tables.table.split([2, 2, 3])
        rows = zip((a, hair, b), codes, strict=True)
        return sum(table[code.long()] for table, code in rows)

    def bracket(setting):
        """Log p(x|y,z) + log p(y) + log p(z) − log q(z|x,y) − log q(y_U|x), ``(B,)``."""
        drawn = draw.guide["z"]["value"].squeeze(-2)
        if drawn.dim() == 3:
            assert drawn.shape == (12, len(y), 2)
            drawn = drawn[M2_SETTINGS.index(setting)]
        codes = [torch.where(y[:, i].isnan(), float(k), y[:, i]) for i, k in enumerate(setting)]
        hidden = decoder.latents(drawn) + shift(decoder.labels, codes)
        image = decoder.tail(hidden).sigmoid()
        total = dist.Laplace(image, 1.0).log_prob(x).sum((-3, -2, -1))
        total = total + log_normal(drawn, torch.tensor(0.0), torch.tensor(1.0))
        hidden = encoder.image(guide.trunk(x)) + shift(encoder.labels, codes)
        total = total - log_normal(drawn, *encoder.heads(encoder.activation(hidden)))
        for i, code in enumerate(codes):
            chosen = log_q[i].gather(1, code.long()[:, None])[:, 0]
            total = total + log_p[i][code.long()] - torch.where(y[:, i].isnan(), chosen, 0.0)
        return total

    return log_q, bracket


def m2_by_hand(pair, draw, alpha, settings=None):
    """J from sums over single labels, as if each were a site; ``(B,)``."""
    log_q, bracket = m2_parts(pair, draw)
    y, value = pair.args[1], 0
    for setting in settings or M2_SETTINGS:
        weight = 1
        for i, k in enumerate(setting):
            # All classes of an observed label are draws of the same thing, and count alike.
            alike = 1 / log_q[i].shape[-1]
            weight = weight * torch.where(y[:, i].isnan(), log_q[i][:, k].exp(), alike)
        value = value + weight * bracket(setting)
    for i in range(3):
        value = value + alpha * torch.where(y[:, i].isnan(), 0, by_label(log_q[i], y[:, i]))
    return value


def by_label(log_q, code):
    return log_q.gather(1, code.nan_to_num().long()[:, None])[:, 0]


def test_m2_is_its_formula(make_pair, by_hand):
    pair, objective = make_pair(program="m2"), M2Objective(5.0)
    by_hand.agree(objective, pair, m2_by_hand(pair, by_hand.drawn(objective, pair), 5.0))


def test_m2_with_sampled_labels_is_its_formula(make_pair, by_hand):
    """At one draw: its terms, and the score function's gradient."""
    pair, objective = make_pair(program="m2"), M2ScoreObjective(5.0)
    draw = by_hand.drawn(objective, pair)
    y, drawn = pair.args[1], draw.guide["y_unobserved"]["value"][:, 0]
    log_q, bracket = m2_parts(pair, draw)
    value = torch.zeros(len(y))
    for setting in M2_SETTINGS:
        at = ((drawn == torch.tensor(setting)) | ~y.isnan()).all(-1)
        # Where labels are observed several settings are the drawn one; they agree.
        value = torch.where(at, bracket(setting), value)
    missing = [torch.where(y[:, i].isnan(), by_label(log_q[i], drawn[:, i]), 0) for i in range(3)]
    known = [torch.where(y[:, i].isnan(), 0, by_label(log_q[i], y[:, i])) for i in range(3)]
    score = sum(missing)
    value = value + score - score.detach() + 5.0 * sum(known)
    by_hand.agree(objective, pair, value + value.detach() * (score - score.detach()))


# The papers' two formulas: all labels (and the domain) observed, or none.


def observed_rows(pair, rows):
    codes = torch.stack([*pair.args[1].T, *(d.masked_fill(d < 0, math.nan) for d in domains(pair))])
    seen = ~codes.isnan()
    return pair.rows(seen.all(0) if rows == LABELLED else ~seen.any(0))


def domains(pair):
    return [d.double() for d in pair.args[2:]]


@pytest.mark.parametrize("rows", [LABELLED, UNLABELLED])
@pytest.mark.parametrize(
    ("objective", "labelled_alpha", "unlabelled_alpha"),
    [
        (AdaptedDIVAObjective(5.0), (0.0,) * 3, 5.0),
        (OurAdaptedDIVAObjective(5.0), (5.0,) * 3, 0.0),
        (DIVAObjective(5.0, 7.0, 1.0), (5.0, 5.0, 5.0, 7.0), 0.0),
    ],
    ids=["adapted-diva", "our-adapted-diva", "diva"],
)
def test_the_two_formulas_of_diva(
    make_pair, by_hand, objective, labelled_alpha, unlabelled_alpha, rows
):
    is_diva = isinstance(objective, DIVAObjective)
    pair = observed_rows(make_pair(program="diva" if is_diva else "ccvae"), rows)
    draw = by_hand.drawn(objective, pair)
    labels, value = diva_labels(pair, draw, 1.0) if is_diva else ccvae_labels(by_hand, pair, draw)
    if rows == LABELLED:
        for label, alpha in zip(labels, labelled_alpha, strict=True):
            code = label.code.long()[:, None]
            value = value + (label.log_p_z + alpha * label.log_q).gather(1, code)[:, 0]
    else:
        for label in labels:
            gain = label.log_p_z + label.log_p + (unlabelled_alpha - 1) * label.log_q
            value = value + (label.log_q.exp() * gain).sum(-1)
    assert len(value) == {(False, LABELLED): 12, (True, LABELLED): 36}.get((is_diva, rows), 1)
    by_hand.agree(objective, pair, value)


@pytest.mark.parametrize("rows", [LABELLED, UNLABELLED])
def test_the_two_formulas_of_m2(make_pair, by_hand, rows):
    pair, objective = observed_rows(make_pair(program="m2"), rows), M2Objective(5.0)
    log_q, bracket = m2_parts(pair, by_hand.drawn(objective, pair))
    y = pair.args[1]
    if rows == LABELLED:
        # Nothing is summed over: one draw.
        value = bracket(M2_SETTINGS[0]) + 5.0 * sum(by_label(log_q[i], y[:, i]) for i in range(3))
    else:
        joint = {s: sum(log_q[i][:, k] for i, k in enumerate(s)) for s in M2_SETTINGS}
        # L_u = Σ_y q(y|x) L_s(x, y) + H[q(y|x)]; the bracket has taken log q(y|x) off already.
        value = sum(joint[s].exp() * (bracket(s) + joint[s]) for s in M2_SETTINGS)
        value = value - sum(joint[s].exp() * joint[s] for s in M2_SETTINGS)
    by_hand.agree(objective, pair, value)


# Gradients.

REPARAMETERISED = [
    pytest.param(program, objective, id=f"{program}-{name}")
    for program, objectives in PROGRAMS.items()
    for name, objective in objectives.items()
    if name not in ("m2-score", "ccvae-authors")
]


@pytest.mark.parametrize(("program", "objective"), REPARAMETERISED)
def test_gradients_are_finite_differences(make_pair, program, objective):
    pair, objective, step = make_pair(program=program), objective(), 1e-6

    def loss():
        pyro.set_rng_seed(3)
        return objective.differentiable_loss(*pair.programs, *pair.args, **pair.kwargs)

    loss().backward()
    for program in pair.programs:
        directions = {p: torch.randn_like(p) for p in program.parameters()}
        slope = sum((p.grad * v).sum() for p, v in directions.items() if p.grad is not None)
        values = []
        with torch.no_grad():
            for sign in (1, -2):
                for p, v in directions.items():
                    p += sign * step * v
                values.append(loss())
            for p, v in directions.items():
                p += step * v
        assert ((values[0] - values[1]) / (2 * step)).item() == pytest.approx(slope.item(), 1e-5)


def test_the_score_function_gives_m2s_gradient_on_average(make_pair):
    """An unlabelled and a partly labelled row, many copies of each."""
    pair = make_pair(program="m2")
    mixed = pair.rows(torch.tensor([0, 2]).repeat(400))
    assert mixed.args[1][:2].isnan().sum() == 5
    parameters = [*pair.guide.classifier.parameters(), *pair.guide.encoder.heads.parameters()]

    def gradient(objective):
        batches = []
        for _ in range(40):
            loss = objective.differentiable_loss(*mixed.programs, *mixed.args, **mixed.kwargs)
            found = torch.autograd.grad(loss / 400, parameters)
            batches.append(torch.cat([g.flatten() for g in found]))
        batches = torch.stack(batches)
        return batches.mean(0), batches.var(0) / len(batches)

    class WithoutScore(M2ScoreObjective):
        def formula(self, draw):
            values = super().formula(draw)
            return values | {"score function": torch.zeros_like(values["log p(y)"])}

    exact, exact_variance = gradient(M2Objective(2.0))

    def deviation(objective):
        sampled, variance = gradient(objective)
        return ((exact - sampled).abs() / (exact_variance + variance).sqrt()).nanmean()

    # The mean of |N(0, 1)| is 0.8; the entries correlate.
    assert deviation(M2ScoreObjective(2.0)) < 1.4
    assert deviation(WithoutScore(2.0)) > 4


# Exact evidence.

BOUNDS = [
    ("vae", VAEObjective(), False),
    ("m2", M2Objective(), False),
    ("m2", M2ScoreObjective(), False),
    ("diva", DIVAObjective(0.0, 0.0, 1.0), True),
    ("ccvae", CCVAEObjective(1.0), False),
    ("ccvae", AdaptedDIVAObjective(0.0), True),
    ("ccvae", OurAdaptedDIVAObjective(0.0), True),
    ("ccvae", MarginalObjective(1.0), False),
    ("ccvae", ImportanceWeightedObjective(num_particles=5), False),
]


def mean_and_error(values):
    return values.mean(-1), values.std(-1) / math.sqrt(values.shape[-1])


@torch.no_grad()
@pytest.mark.parametrize(("program", "objective", "given_labels"), BOUNDS)
def test_every_bound_stays_below_its_evidence(
    make_linear_gaussian, program, objective, given_labels
):
    """Log p(x, y_O), or log p(x | y_O) where the objective leaves log p(y_O) out."""
    case = make_linear_gaussian(program)
    mean, error = mean_and_error(case.values(objective, 8000))
    evidence = case.evidence - case.log_observed if given_labels else case.evidence
    assert (mean + 4 * error < evidence).all()


@torch.no_grad()
def test_the_marginal_bound_lies_between_ccvaes_and_the_evidence(make_linear_gaussian):
    """At each draw it is the larger by Jensen's inequality, and the same without missing labels."""
    case, values = make_linear_gaussian(), []
    for objective in (CCVAEObjective(1.0), MarginalObjective(1.0)):
        pyro.set_rng_seed(7)
        values.append(case.values(objective, 500))
    gain = values[1] - values[0]
    missing = case.y.isnan().any(-1)
    assert (gain[missing] > 0).all()
    torch.testing.assert_close(values[0][~missing], values[1][~missing])
    mean, error = mean_and_error(values[1])
    assert (mean + 4 * error < case.evidence).all()


def fit_the_guide(case):
    """Give q(z|x) the posterior under a normal prior with the moments of p(z)."""
    model, encoder = case.model, case.guide.encoder
    prior, p = model.prior[0], model.frequencies
    scale = softplus(prior.raw_scale[..., 0])
    mean = (p * prior.loc[..., 0]).sum(-1)
    variance = (p * (scale**2 + prior.loc[..., 0] ** 2)).sum(-1) - mean**2
    mean = torch.cat([mean, torch.zeros(case.style)])
    variance = torch.cat([variance, torch.ones(case.style)])
    W, b = model.decoder.map.weight, model.decoder.map.bias
    covariance = (torch.diag(1 / variance) + W.T @ W / case.noise**2).inverse()
    encoder.map.weight.copy_(covariance @ W.T / case.noise**2)
    encoder.map.bias.copy_(covariance @ (mean / variance) - encoder.map.weight @ b)
    encoder.log_scale.copy_(covariance.diagonal().log() / 2)


@torch.no_grad()
def test_the_importance_weighted_bound_rises_towards_the_evidence(make_linear_gaussian):
    case = make_linear_gaussian()
    fit_the_guide(case)
    gaps = []
    for particles, copies in ((1, 2000), (10, 1000), (100, 400)):
        objective = ImportanceWeightedObjective(num_particles=particles)
        mean, error = mean_and_error(case.values(objective, copies))
        gaps.append(case.evidence - mean)
        assert (gaps[-1] > -4 * error).all()
    assert (gaps[1] < 0.6 * gaps[0]).all()
    assert (gaps[2] < 0.4 * gaps[1]).all()


@pytest.mark.parametrize(
    ("program", "weighed", "plain"),
    [
        ("vae", VAEObjective(), VAEObjective()),
        ("m2", M2Objective(9.0), M2Objective(0.0)),
        ("m2", M2ScoreObjective(9.0), M2ScoreObjective(0.0)),
        ("diva", DIVAObjective(9.0, 7.0, 0.2), DIVAObjective(0.0, 0.0, 1.0)),
        ("ccvae", CCVAEObjective(9.0), CCVAEObjective(1.0)),
        ("ccvae", AdaptedDIVAObjective(9.0, 0.2), AdaptedDIVAObjective(0.0, 1.0)),
        ("ccvae", OurAdaptedDIVAObjective(9.0, 0.2), OurAdaptedDIVAObjective(0.0, 1.0)),
        ("ccvae", MarginalObjective(9.0), MarginalObjective(1.0)),
    ],
)
def test_the_bound_within_an_objective_has_no_weights(make_pair, by_hand, program, weighed, plain):
    pair = make_pair(program=program)
    terms = []
    for objective in (weighed, plain):
        pyro.set_rng_seed(7)
        terms.append(objective.terms(*pair.programs, *pair.args, **pair.kwargs))
    bound = weighed.evidence_bound(terms[0])
    torch.testing.assert_close(bound, sum(terms[1].values()))
    torch.testing.assert_close(plain.evidence_bound(terms[1]), bound)
    if program != "vae":
        assert not torch.allclose(sum(terms[0].values()), bound)


def test_beta_warms_up_to_its_value():
    objective = DIVAObjective(beta=0.5, warm_up=4)
    betas = []
    for epoch in range(6):
        objective.begin_epoch(epoch)
        betas.append(objective.beta)
    assert betas == [0.125, 0.25, 0.375, 0.5, 0.5, 0.5]


# Pairs that do not fit.

FITTING = {(p, o) for p, objectives in PROGRAMS.items() for o in objectives.values()}
STRANGERS = [
    (program, objective)
    for program in PROGRAMS
    for objective in {o: None for objectives in PROGRAMS.values() for o in objectives.values()}
    if (program, objective) not in FITTING
]


@pytest.mark.parametrize(("program", "objective"), STRANGERS)
def test_an_objective_refuses_other_programs(make_pair, program, objective):
    pair = make_pair(program=program)
    with pytest.raises(ValueError, match=r"(needs|has no term).*(choose|use) an objective that"):
        objective().loss(*pair.programs, *pair.args, **pair.kwargs)


def m2_with_labels(count):
    space = LabelSpace(Binary(f"label {i}") for i in range(count))
    image = torch.nn.Linear(1, 4)
    calls = []

    def network(z, codes):
        calls.append(codes.shape[-1])
        return image(z + codes.sum(-1, keepdim=True)).unflatten(-1, (1, 2, 2))

    def encoder(x, codes):
        calls.append(codes.shape[-1])
        loc = codes.sum(-1, keepdim=True) + x.mean((1, 2, 3))[:, None]
        return loc, torch.ones_like(loc)

    classifier = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2 * count))
    guide = M2Guide(space, torch.nn.Identity(), classifier, encoder)
    programs = M2(space, network, Laplace(), style=1), guide
    y = torch.full((3, count), math.nan)
    return programs, (torch.rand(3, 1, 2, 2), y), {"index": torch.arange(3), "size": 3}, calls


def test_m2_refuses_to_sum_over_many_labels():
    programs, args, kwargs, calls = m2_with_labels(40)
    match = r"label 'label 10' .*2048 settings.*at most 1024.*objective that samples"
    with pytest.raises(ValueError, match=match):  # a list of all 2^40 would not fit into memory
        M2Objective().loss(*programs, *args, **kwargs)
    assert not calls
    assert math.isfinite(M2ScoreObjective().loss(*programs, *args, **kwargs))
    assert calls == [40, 40]
    args[1].fill_(1.0)
    assert math.isfinite(M2Objective().loss(*programs, *args, **kwargs))  # nothing is missing
    assert math.isfinite(M2Objective().loss(*(few := m2_with_labels(4))[0], *few[1], **few[2]))


def test_m2_in_a_plate_of_labels_is_refused(make_pair):
    """TraceEnum would sum the settings "all 0" and "all 1" alone, with no more than a warning."""

    def model(x, y, *, index, size):
        with pyro.plate("data", size, subsample=index, dim=-2):
            with pyro.plate("labels", 3, dim=-1):
                label = pyro.sample(
                    "y", dist.Bernoulli(0.5), obs=y.nan_to_num(), obs_mask=~y.isnan()
                )
            z = pyro.sample("z", dist.Normal(0.0, 1.0))
            pyro.sample("x", dist.Normal(z + label.sum(-1, keepdim=True), 1.0), obs=x)

    def guide(x, y, *, index, size):
        with pyro.plate("data", size, subsample=index, dim=-2):
            with pyro.plate("labels", 3, dim=-1), pyro.poutine.mask(mask=y.isnan()):
                q = dist.Bernoulli(logits=x.expand(-1, 3))
                pyro.sample("y_unobserved", q, infer={"evidence": y})
            pyro.sample("z", dist.Normal(x, 1.0))

    batch = torch.randn(4, 1), torch.full((4, 3), math.nan)
    with pytest.raises(ValueError, match=r"outside its plate 'labels'.*each label a site"):
        M2Objective().loss(model, guide, *batch, index=torch.arange(4), size=4)


# Pyro's own ELBOs on the same pairs.


def plain_loss(pair, objective, left_out):
    """Of the objective's bound together with what Pyro's ELBO does not leave out."""
    pyro.set_rng_seed(7)
    draw = objective.draw(*pair.programs, *pair.args, **pair.kwargs)
    value = objective.evidence_bound(objective.formula(draw))
    for name in left_out:
        value = value + draw.p(name, "observed")
    return -draw.scale * value.sum()


SAME = {
    "vae by Trace_ELBO": ("vae", VAEObjective(), (), Trace_ELBO(), False),
    "sampled m2 by Trace_ELBO": ("m2", M2ScoreObjective(0.0), (), Trace_ELBO(), False),
    "m2 by TraceEnum_ELBO": ("m2", M2Objective(0.0), (), TraceEnum_ELBO(), True),
    "diva by TraceEnum_ELBO": ("diva", DIVAObjective(0.0, 0.0), "yd", TraceEnum_ELBO(), True),
    "adapted diva by TraceEnum_ELBO": (
        "ccvae",
        AdaptedDIVAObjective(0.0),
        "y",
        TraceEnum_ELBO(),
        True,
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_pyros_elbos_give_the_same_value_and_gradient(make_pair, name):
    program, objective, left_out, elbo, enumerate_labels = SAME[name]
    pair = make_pair(program=program)
    if program == "m2":
        # At observed labels Pyro adds noise of mean 0 that the suite leaves out: it weighs the
        # draws by q(y|x) when it enumerates, and does not mask the score function when it samples.
        pair = observed_rows(pair, UNLABELLED)
    loss = plain_loss(pair, objective, left_out)
    found = torch.autograd.grad(loss, pair.parameters, allow_unused=True)
    elbo.max_plate_nesting = 2
    guide = config_enumerate(pair.guide) if enumerate_labels else pair.guide
    pyro.set_rng_seed(7)
    with warnings.catch_warnings():
        # Pyro warns of sites outside their labels' plate, and of this sum, in which there is none.
        warnings.filterwarnings("ignore", message=".*possibly invalid dependency")
        reference = elbo.differentiable_loss(pair.model, guide, *pair.args, **pair.kwargs)
    expected = torch.autograd.grad(reference, pair.parameters, allow_unused=True)
    torch.testing.assert_close(loss, reference)
    torch.testing.assert_close(found, expected)


def test_pyros_sum_over_m2s_labels_is_the_suites_on_average(make_pair):
    """At rows whose labels are observed in part; each of Pyro's settings has a draw of its own."""
    pair = make_pair(program="m2", batches=1)
    guide = config_enumerate(pair.guide)
    elbo, objective = TraceEnum_ELBO(max_plate_nesting=2), M2Objective(0.0)
    with torch.no_grad():
        found = torch.tensor(
            [
                (
                    elbo.loss(pair.model, guide, *pair.args, **pair.kwargs),
                    objective.loss(*pair.programs, *pair.args, **pair.kwargs),
                )
                for _ in range(300)
            ]
        )
    difference = found[:, 0] - found[:, 1]
    assert difference.mean().abs() < 4 * difference.std() / len(found) ** 0.5


# TraceEnum_ELBO does not apply to the VAE, which has nothing to enumerate: Pyro warns.
APPLIES = [
    pytest.param(program, elbo, id=f"{program}-{type(elbo).__name__}")
    for program in PROGRAMS
    for elbo in (Trace_ELBO(), TraceEnum_ELBO(max_plate_nesting=2), RenyiELBO(0.5, 2))
    if (program, type(elbo)) != ("vae", TraceEnum_ELBO)
]


@pytest.mark.parametrize(("program", "elbo"), APPLIES)
@pytest.mark.filterwarnings("ignore:.*possibly invalid dependency")
def test_pyros_elbos_run_on_every_program(make_pair, program, elbo):
    """Missing labels are enumerated or sampled; RenyiELBO needs N = B, its scale being inside."""
    pair = make_pair(program=program, batches=1)
    enumerate_labels = isinstance(elbo, TraceEnum_ELBO)
    guide = config_enumerate(pair.guide) if enumerate_labels else pair.guide
    svi = SVI(pair.model, guide, pyro.optim.Adam({"lr": 1e-2}), loss=elbo)
    before = [p.detach().clone() for p in pair.parameters]
    assert math.isfinite(svi.step(*pair.args, **pair.kwargs))
    assert math.isfinite(svi.evaluate_loss(*pair.args, **pair.kwargs))
    assert not any(torch.equal(a, b) for a, b in zip(before, pair.parameters, strict=True))


@pytest.mark.parametrize("name", ["adapted-diva", "our-adapted-diva"])
def test_a_beta_of_zero_is_refused(name):
    with pytest.raises(ValueError, match="expected a positive beta, got 0"):
        PROGRAMS["ccvae"][name](beta=0.0)
