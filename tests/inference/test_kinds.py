"""One label of each kind in one model: every pattern of missing ones, against exact evidence.

The model is linear and Gaussian, so that its evidence is a finite sum of normal densities. Its
labels are binary, categorical, ordinal and real, and each is missing or has one of two values: 81
patterns, one a row.
"""

import itertools
import math
from dataclasses import dataclass

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.infer import TraceEnum_ELBO, config_enumerate
from torch import nn
from torch.distributions import MultivariateNormal
from torch.nn.functional import softplus
from torch.special import ndtr

from ccvae.config import Config
from ccvae.data import Binary, Categorical, LabelSpace, Ordinal, Real
from ccvae.guides import Bayes, CCVAEGuide
from ccvae.inference import (
    CCVAEAuthorsObjective,
    CCVAEObjective,
    ImportanceWeightedObjective,
    MarginalObjective,
    check_pair,
)
from ccvae.inference.catalogue import PROGRAMS, build_pair
from ccvae.models import CCVAE

from .conftest import NOISE, SHAPE, Gaussian, LinearDecoder, LinearEncoder, batch

pytestmark = pytest.mark.usefixtures("double")

# The order of the columns is not that of the kinds.
SPACE = LabelSpace(
    [
        Real("age", 40.0, 20.0),
        Binary("a"),
        Ordinal("stage", ("I", "II", "III")),
        Categorical("hair", ("x", "y", "z")),
    ]
)
VALUES = ((-0.8, 1.3), (0.0, 1.0), (0.0, 2.0), (0.0, 1.0))
PATTERNS = torch.tensor(
    list(itertools.product(*((math.nan, *values) for values in VALUES))), dtype=torch.float64
)
STYLE, LATENTS = 1, SPACE.dimension + 1
FREQUENCIES = ([[0.3, 0.7]], [[0.2, 0.3, 0.5]], [[0.5, 0.1, 0.4]], [[0.2, 1.1]])
"""Of the binary, the categorical and the ordinal label, and mean and deviation of the real one."""


@dataclass
class Case:
    """A pair with one row for each pattern, and log p(x, y_O) and log p(y_O) of every row."""

    model: nn.Module
    guide: nn.Module
    x: torch.Tensor
    y: torch.Tensor
    evidence: torch.Tensor
    log_observed: torch.Tensor

    @property
    def programs(self):
        return self.model, self.guide

    @property
    def kwargs(self):
        return batch(len(self.y), batches=1)

    def terms(self, objective, copies=1):
        """The objective's terms on independent copies of each row, ``(81 · copies,)``."""
        x, y = (t.repeat_interleave(copies, 0) for t in (self.x, self.y))
        return objective.terms(*self.programs, x, y, **batch(len(y), batches=1))

    def bounds(self, objective, copies):
        """Means over copies of each row of the bound within the objective, and their errors."""
        values = objective.evidence_bound(self.terms(objective, copies)).reshape(81, copies)
        return values.mean(1), values.std(1) / math.sqrt(copies)


def shaken(*modules):
    with torch.no_grad():
        for module in modules:
            for parameter in module.parameters():
                parameter += 0.2 * torch.randn_like(parameter)


@pytest.fixture
def case(double):
    torch.manual_seed(3)
    frequencies = [torch.tensor(table) for table in FREQUENCIES]
    decoder, encoder = LinearDecoder(LATENTS, SHAPE), LinearEncoder(SHAPE, LATENTS)
    model = CCVAE(SPACE, decoder, Gaussian(), style=STYLE, frequencies=frequencies)
    guide = CCVAEGuide(SPACE, encoder, style=STYLE)
    shaken(model.prior, guide.classifier)
    x = torch.randn(len(PATTERNS), *SHAPE)
    return Case(model, guide, x, PATTERNS, *evidence(model, x, PATTERNS))


@torch.no_grad()
def evidence(model, x, y):
    """Log p(x, y_O) and log p(y_O): every setting of the classes, the number integrated out."""
    binary, hair, stage, age = model.prior
    table = [torch.tensor(frequency[0]) for frequency in FREQUENCIES]
    mu, sigma = table[3]
    slope, intercept = age.slope[0], age.intercept[0]
    number, known = y[:, 0].nan_to_num()[:, None], ~y[:, :1].isnan()
    scale = softplus(age.raw_scale[0])
    age_mean = torch.where(known, slope * number, slope * mu) + intercept
    age_variance = torch.where(known, scale**2, scale**2 + (slope * sigma) ** 2)
    log_number = torch.where(known, dist.Normal(mu, sigma).log_prob(number), 0.0)[:, 0]

    weight, bias = model.decoder.map.weight, model.decoder.map.bias
    joint, prior = [], []
    for b, k, s in itertools.product(range(2), range(3), range(3)):
        codes = torch.tensor([b, s, k], dtype=torch.float64)
        ruled_out = ((y[:, 1:] != codes) & ~y[:, 1:].isnan()).any(-1)
        chosen = [(binary, b), (hair, k), (stage, s)]
        means = [p.loc[0, c].expand(len(y), -1) for p, c in chosen]
        variances = [softplus(p.raw_scale)[0, c].square().expand(len(y), -1) for p, c in chosen]
        mean = torch.cat([*means, age_mean, torch.zeros(len(y), STYLE)], -1)
        variance = torch.cat([*variances, age_variance, torch.ones(len(y), STYLE)], -1)
        covariance = weight @ variance.diag_embed() @ weight.T + NOISE**2 * torch.eye(len(weight))
        log_p = (table[0][b] * table[1][k] * table[2][s]).log() + log_number
        log_p = log_p.masked_fill(ruled_out, -math.inf)
        density = MultivariateNormal(mean @ weight.T + bias, covariance).log_prob(x.flatten(1))
        joint.append(log_p + density)
        prior.append(log_p)
    return torch.stack(joint).logsumexp(0), torch.stack(prior).logsumexp(0)


@torch.no_grad()
def test_bounds_lie_below_the_evidence(case):
    means = {}
    for name, objective, copies in (
        ("ccvae", CCVAEObjective(1.0), 300),
        ("marginal", MarginalObjective(1.0), 300),
        ("importance", ImportanceWeightedObjective(num_particles=50), 60),
    ):
        mean, error = case.bounds(objective, copies)
        assert (mean - 4.5 * error < case.evidence).all(), name
        means[name] = mean.mean().item()
    exact = case.evidence.mean().item()
    assert means["ccvae"] < means["marginal"] < means["importance"] < exact
    assert exact - means["importance"] < 0.6 * (exact - means["marginal"])


@torch.no_grad()
@pytest.mark.parametrize("name", ["adapted-diva", "our-adapted-diva"])
def test_bounds_of_diva_lie_below_the_conditional_evidence(case, name):
    mean, error = case.bounds(PROGRAMS["ccvae"][name](), 300)
    assert (mean - 4.5 * error < case.evidence - case.log_observed).all()


class Exact(nn.Module):
    """p(z_c | y) as the guide has it: its block, given the label."""

    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, y):
        return self.block.expand(y.shape).given(y.double())


@torch.no_grad()
@pytest.mark.parametrize(
    "objective", [CCVAEObjective(1.0), MarginalObjective(1.0), ImportanceWeightedObjective()]
)
def test_the_bound_is_the_evidence_where_the_guide_is_the_posterior(case, objective):
    """Images that say nothing of the latents, p(z_c) = q(z_c) and p(y | z_c) = q(y | z_c)."""
    model, guide = case.programs
    for linear in (model.decoder.map, guide.encoder.map):
        linear.weight.zero_()
    guide.encoder.map.bias[-STYLE:] = 0
    guide.encoder.log_scale[-STYLE:] = 0
    blocks, _ = guide.posterior(case.x[:1])
    for i, (kind, block) in enumerate(zip(SPACE.kinds, blocks, strict=True)):
        says = block.prediction()
        if kind.form == "real":
            table = torch.stack([says.mean[0], says.scale[0]], -1)
            covariance, precision = block.slope * block.scale[0] ** 2, says.scale[0][:, None] ** -2
            slope = covariance * precision
            prior = model.prior[i]
            prior.slope.copy_(slope)
            prior.intercept.copy_(block.loc[0] - slope * says.mean[0][:, None])
            left = (block.scale[0] ** 2 - covariance * slope).sqrt()
            prior.raw_scale.copy_(left.expm1().log())
        else:
            table = says.log_classes[0].exp()
            model.prior[i] = Exact(block)
        getattr(model, f"frequencies{kind.suffix}").copy_(table)
    log_p_y = sum(
        block.log_evidence(kind.of(case.y)).sum(-1)
        for kind, block in zip(SPACE.kinds, blocks, strict=True)
    )
    log_p_x = dist.Normal(model.decoder.map.bias, NOISE).log_prob(case.x.flatten(1)).sum(-1)
    found = objective.evidence_bound(case.terms(objective))
    torch.testing.assert_close(found, log_p_x + log_p_y, rtol=1e-9, atol=1e-9)


def classes_at(block, z):
    """q(y = k | z) of the first label, ``(B, K)``, from the definition of each kind."""
    a = (block.slope * z)[:, 0]
    if hasattr(block, "thresholds"):
        below = ndtr(block.thresholds[0] - a)
        return torch.cat([below, torch.ones_like(a)], -1).diff(dim=-1, prepend=0 * a)
    yes = ndtr(a + block.intercept[0])
    if yes.shape[-1] == 1:
        return torch.cat([1 - yes, yes], -1)
    return torch.stack([yes[:, 0], (1 - yes[:, 0]) * yes[:, 1], (1 - yes).prod(-1)], -1)


def by_quadrature(case, objective):
    """The expectation of log p(z|y) + log p(y) − log q(y|z) over missing labels.

    Classes one by one, and numbers at ten thousand nodes within twelve deviations.

    Returns:
        the sum over the labels that are missing, at the objective's draw, ``(81,)``; and the draw.
    """
    pyro.set_rng_seed(5)
    draw = objective.draw(*case.programs, case.x, case.y, **case.kwargs)
    blocks, _ = case.guide.posterior(case.x)
    total = torch.zeros(len(case.y))
    for i, (kind, block) in enumerate(zip(SPACE.kinds, blocks, strict=True)):
        z, prior = draw.guide[f"z_c{kind.suffix}"]["value"], case.model.prior[i]
        p_y = torch.tensor(FREQUENCIES[i][0])
        if kind.form == "real":
            t = torch.linspace(-12, 12, 10_001)
            q = dist.Normal((block.slope * z + block.intercept)[:, 0], block.tau[0])
            y = q.loc + q.scale * t
            p_z = dist.Normal(prior.slope[0] * y + prior.intercept[0], softplus(prior.raw_scale[0]))
            weight = dist.Normal(0.0, 1.0).log_prob(t).exp() * (t[1] - t[0])
            log_q, log_p_y = q.log_prob(y), dist.Normal(*p_y).log_prob(y)
            log_p_z = p_z.log_prob(z[:, 0])
        else:
            weight = classes_at(block, z)
            log_q, log_p_y = weight.log(), p_y.log()
            loc, scale = prior.loc[0], softplus(prior.raw_scale[0])
            log_p_z = dist.Normal(loc, scale).log_prob(z).sum(-1)
        value = (weight * (log_p_z + log_p_y - log_q)).sum(-1)
        total = total + torch.where(case.y[:, kind.columns[0]].isnan(), value, 0.0)
    return total, draw


@torch.no_grad()
@pytest.mark.parametrize("objective", [CCVAEObjective(1.0), PROGRAMS["ccvae"]["adapted-diva"](0.0)])
def test_missing_labels_are_summed_as_by_quadrature(case, objective):
    expected, draw = by_quadrature(case, objective)
    missing = torch.zeros(len(case.y))
    labels = draw.sites("q", "y")
    for side, name, part in (("p", "z_c", ""), ("p", "y", "unobserved"), ("q", "y", "")):
        for site, label in zip(draw.sites(side, name, part), labels, strict=True):
            density = torch.where(label["mask"], site["fn"].log_prob(site["value"]), 0.0)
            missing = missing + (1 if side == "p" else -1) * draw.per_row(density, site)
    torch.testing.assert_close(missing, expected, rtol=1e-8, atol=1e-8)


@torch.no_grad()
def test_the_marginal_sum_is_an_integral(case):
    objective = MarginalObjective(1.0)
    pyro.set_rng_seed(5)
    terms = case.terms(objective)
    pyro.set_rng_seed(5)
    draw = objective.draw(*case.programs, case.x, case.y, **case.kwargs)
    expected = torch.zeros(len(case.y))
    for i, kind in enumerate(SPACE.kinds):
        z, prior = draw.guide[f"z_c{kind.suffix}"]["value"], case.model.prior[i]
        p_y, y = torch.tensor(FREQUENCIES[i][0]), case.y[:, kind.columns[0]]
        code = y.nan_to_num()
        if kind.form == "real":
            grid = torch.linspace(-14, 14, 20_001)
            scale = softplus(prior.raw_scale[0])
            inside = dist.Normal(prior.slope[0] * grid + prior.intercept[0], scale).log_prob(
                z[:, 0]
            )
            inside = inside + dist.Normal(*p_y).log_prob(grid)
            summed = inside.logsumexp(-1) + (grid[1] - grid[0]).log()
            known = dist.Normal(prior.slope[0] * code + prior.intercept[0], scale).log_prob(
                z[:, 0, 0]
            )
        else:
            table = dist.Normal(prior.loc[0], softplus(prior.raw_scale[0])).log_prob(z).sum(-1)
            summed = (table + p_y.log()).logsumexp(-1)
            known = table.gather(-1, code.long()[:, None])[:, 0]
        expected = expected + torch.where(y.isnan(), summed, known)
    found = terms["log sum p(z_c|y) p(y_missing)"]
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


REPARAMETERISED = [name for name in PROGRAMS["ccvae"] if name != "ccvae-authors"]


@pytest.mark.parametrize("name", REPARAMETERISED)
def test_gradients_are_finite_differences(case, name):
    objective, step = PROGRAMS["ccvae"][name](), 1e-6

    def loss():
        pyro.set_rng_seed(3)
        return objective.differentiable_loss(*case.programs, case.x, case.y, **case.kwargs)

    loss().backward()
    for program in (case.model.prior, case.guide.encoder, *case.guide.classifier):
        torch.manual_seed(9)
        directions = {p: torch.randn_like(p) for p in program.parameters()}
        slope = sum((p.grad * v).sum() for p, v in directions.items() if p.grad is not None)
        values = []
        with torch.no_grad():
            for sign in (1, -2, 1):
                for p, v in directions.items():
                    p += sign * step * v
                values.append(loss())
        difference = (values[0] - values[1]) / (2 * step)
        torch.testing.assert_close(difference, slope.detach(), rtol=2e-5, atol=1e-4)


def test_pyros_own_sum_agrees(case):
    """TraceEnum_ELBO under the handler is CC-VAE's bound, in value and in gradient."""
    values, parameters = [], [*case.model.parameters(), *case.guide.parameters()]
    for own in (True, False):
        pyro.set_rng_seed(2)
        if own:
            loss = CCVAEObjective(1.0).differentiable_loss(
                *case.programs, case.x, case.y, **case.kwargs
            )
        else:
            elbo = TraceEnum_ELBO(max_plate_nesting=2)
            guide = config_enumerate(Bayes()(case.guide), default="parallel")
            with pytest.warns(RuntimeWarning, match="invalid dependency"):
                loss = elbo.differentiable_loss(case.model, guide, case.x, case.y, **case.kwargs)
        gradient = torch.autograd.grad(loss, parameters, allow_unused=True)
        values.append((loss, gradient))
    torch.testing.assert_close(*values, rtol=1e-7, atol=1e-7)


def test_the_authors_objective_is_its_formula(case):
    """One weighted draw, labels sampled, and the score function for labels of every kind."""
    objective, samples = CCVAEAuthorsObjective(4, detach=False), 4
    pyro.set_rng_seed(7)
    draw = objective.draw(*case.programs, case.x, case.y, **case.kwargs)
    blocks, _ = case.guide.posterior(case.x)
    fresh = [torch.randn(samples, *block.loc.shape) for block in blocks]
    inner = draw.p("x") + draw.p("z_style") - draw.q("z_style") - draw.q("z_c")
    seen, joint, missed, log_p_y = 0, 0, 0, 0
    for i, (kind, block, noise) in enumerate(zip(SPACE.kinds, blocks, fresh, strict=True)):
        z, y = draw.guide[f"z_c{kind.suffix}"]["value"], case.y[:, kind.columns[0]]
        known, drawn = ~y.isnan(), draw.guide[f"y{kind.suffix}_unobserved"]["value"][:, 0]
        assert not drawn.requires_grad
        code = torch.where(known, y, drawn)
        of_label = log_classifier(block, code, z)
        seen = seen + torch.where(known, of_label, 0.0)
        missed = missed + torch.where(known, 0.0, of_label)
        at_fresh = log_classifier(block, code, block.loc + block.scale * noise)
        joint = joint + torch.where(known, at_fresh, 0.0)
        prior, table = case.model.prior[i], torch.tensor(FREQUENCIES[i][0])
        if kind.form == "real":
            mean = prior.slope[0] * code[:, None] + prior.intercept[0]
            log_p_z = dist.Normal(mean, softplus(prior.raw_scale[0])).log_prob(z[:, 0])[:, 0]
            log_p = dist.Normal(*table).log_prob(code)
        else:
            k = code.long()
            loc, scale = prior.loc[0, k], softplus(prior.raw_scale)[0, k]
            log_p_z = dist.Normal(loc, scale).log_prob(z[:, 0]).sum(-1)
            log_p = table.log()[k]
        inner = inner + log_p_z + torch.where(known, 0.0, log_p)
        log_p_y = log_p_y + torch.where(known, log_p, 0.0)
    log_q = joint.logsumexp(0) - math.log(samples)
    weighed = (seen - log_q).exp() * (inner - seen - missed)
    score = weighed.detach() * (missed - missed.detach())
    expected = weighed + score + log_q + log_p_y
    pyro.set_rng_seed(7)
    found = sum(case.terms(objective).values())
    parameters = [*case.model.prior.parameters(), *case.guide.parameters()]
    values = [
        (v, torch.autograd.grad(v.sum(), parameters, allow_unused=True)) for v in (found, expected)
    ]
    torch.testing.assert_close(*values, rtol=1e-7, atol=1e-7)


def log_classifier(block, code, z):
    """Log q(y | z) of the first label at its codes ``(B,)``, ``(…, B)``."""
    if hasattr(block, "tau"):
        mean = (block.slope * z + block.intercept)[..., 0, 0]
        return dist.Normal(mean, block.tau[0, 0]).log_prob(code)
    table = torch.stack([classes_at(block, each).log() for each in z.reshape(-1, *block.loc.shape)])
    code = code.long().expand(table.shape[:-1])[..., None]
    return table.gather(-1, code)[..., 0].reshape(*z.shape[:-2])


@pytest.mark.parametrize("name", PROGRAMS["ccvae"])
def test_every_objective_passes_the_check(case, name):
    objective = PROGRAMS["ccvae"][name]()
    check_pair(*case.programs, case.x, case.y, objective=objective, **case.kwargs)
    check_pair(*case.programs, case.x, case.y, **case.kwargs)


def pair_of(program, space=SPACE):
    torch.manual_seed(4)
    config = Config(program=program, style=4, network="mlp")
    return build_pair(config, space, SHAPE, domains=2)


def test_diva_takes_every_kind():
    """Missing labels are summed as by quadrature, and gradients are finite differences."""
    model, guide = pair_of("diva")
    y = PATTERNS
    x, d = torch.rand(len(y), *SHAPE), torch.arange(len(y)) % 3 - 1
    args, kwargs = (x, y, d), batch(len(y), batches=1)
    objective = PROGRAMS["diva"]["diva"](3.0, 2.0, 0.5)
    pyro.set_rng_seed(5)
    draw = objective.draw(model, guide, *args, **kwargs)
    (site,) = (s for s in draw.model.values() if s["name"] == "z_y_real")
    z = draw.guide["z_y_real"]["value"]
    found = draw.per_row(site["fn"].log_prob(site["value"]), site)
    t = torch.linspace(-12, 12, 4001)
    q, prior = guide.classifier[-1](z), model.prior[-1]
    numbers = q.loc + q.scale * t
    numbers = torch.where(y[:, :1].isnan(), numbers, y[:, :1])
    mean = prior.slope[0] * numbers[..., None] + prior.intercept[0]
    log_p = dist.Normal(mean, softplus(prior.raw_scale[0])).log_prob(z).sum(-1)
    weight = dist.Normal(0.0, 1.0).log_prob(t).exp() * (t[1] - t[0])
    torch.testing.assert_close(found, (weight * log_p).sum(-1), rtol=1e-8, atol=1e-8)

    parameters = [*model.parameters(), *guide.parameters()]
    directions = [torch.randn_like(p) for p in parameters]

    def loss(step):
        with torch.no_grad():
            for p, v in zip(parameters, directions, strict=True):
                p += step * v
        pyro.set_rng_seed(3)
        return objective.differentiable_loss(model, guide, *args, **kwargs)

    gradients = torch.autograd.grad(loss(0.0), parameters, allow_unused=True)
    slope = sum((g * v).sum() for g, v in zip(gradients, directions, strict=True) if g is not None)
    difference = (loss(1e-6) - loss(-2e-6)).detach() / 2e-6
    torch.testing.assert_close(difference, slope, rtol=1e-5, atol=1e-3)
    check_pair(model, guide, *args, objective=objective, **kwargs)
    assert [type(says).__name__ for says in guide.predict(x)] == [
        "ClassPrediction",
        "ClassPrediction",
        "ClassPrediction",
        "NumberPrediction",
    ]


def test_m2_takes_classes_and_refuses_numbers_in_one_line():
    with pytest.raises(ValueError, match=r"the program m2, whose sum .* got age; leave") as caught:
        pair_of("m2")
    assert "\n" not in str(caught.value)
    classed = LabelSpace(SPACE.labels[1:])
    model, guide = pair_of("m2", classed)
    y = PATTERNS[:, 1:]
    x, kwargs = torch.rand(len(y), *SHAPE), batch(len(y), batches=1)
    check_pair(model, guide, x, y, objective=PROGRAMS["m2"]["m2"](), **kwargs)
    says = guide.predict(x)
    # One ordinal label of three classes beside one categorical: two tables, in the kinds' order.
    assert [(s.log_classes.shape[1:], s.ordered) for s in says] == [
        ((1, 2), False),
        ((1, 3), False),
        ((1, 3), True),
    ]
