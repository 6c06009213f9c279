"""Pairs of a model and a guide, small enough to know everything about them."""

import itertools
import math
from dataclasses import dataclass
from types import SimpleNamespace

import pyro
import pyro.distributions as dist
import pytest
import torch
from torch import nn
from torch.nn.functional import logsigmoid, softplus
from torch.special import log_ndtr

from ccvae.data import Binary, Categorical, LabelSpace
from ccvae.guides import CCVAEGuide, DIVAGuide, M2Guide, VAEGuide
from ccvae.models import CCVAE, DIVA, M2, VAE, Laplace
from ccvae.models.likelihoods import Pixels
from ccvae.networks import JoinedDecoder, JoinedEncoder, MLPDecoder, MLPEncoder


@dataclass
class Pair:
    """Both programs with a batch: ``objective.loss(*pair.programs, *pair.args, **pair.kwargs)``."""

    model: nn.Module
    guide: nn.Module
    args: tuple
    kwargs: dict

    @property
    def programs(self):
        return self.model, self.guide

    @property
    def parameters(self):
        return [*self.model.parameters(), *self.guide.parameters()]

    def rows(self, chosen):
        """The same programs with some rows of the batch only."""
        args = tuple(t[chosen] for t in self.args)
        return Pair(*self.programs, args, batch(len(args[0]), batches=1))


def batch(rows, batches):
    return {"index": torch.arange(rows), "size": batches * rows}


@pytest.fixture
def double():
    """Double precision by default, for identities."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def every_pattern():
    """Builds all combinations of classes and of missing, one a row, for some numbers of classes."""

    def build(*classes):
        return torch.tensor(list(itertools.product(*((math.nan, *range(k)) for k in classes)))).to(
            torch.get_default_dtype()
        )

    return build


SPACE = LabelSpace([Binary("a"), Categorical("hair", ("x", "y", "z")), Binary("b")])
CLASSES, DOMAINS, BLOCK = (2, 3, 2), 3, 2


@pytest.fixture
def make_pair(every_pattern):
    """Builds a program over two binary labels and one of three classes, in all 36 patterns.

    For DIVA every pattern occurs with each of three domains and without one: 144 rows.
    """
    shape, style, hidden = (1, 2, 2), 2, (7,)

    def vae(likelihood, **_):
        model = VAE(MLPDecoder(style, shape, hidden), likelihood, style=style)
        return model, VAEGuide(MLPEncoder(shape, style, hidden))

    def m2(likelihood, frequencies, **_):
        tail = nn.Sequential(nn.Linear(7, 4), nn.Unflatten(1, shape))
        decoder = JoinedDecoder(style, CLASSES, 7, nn.Softplus(), tail)
        encoder = JoinedEncoder(4, CLASSES, 7, style, nn.Softplus())
        classifier = nn.Linear(4, sum(CLASSES))
        model = M2(SPACE, decoder, likelihood, style=style, frequencies=frequencies)
        return model, M2Guide(SPACE, nn.Flatten(), classifier, encoder)

    def diva(likelihood, frequencies, **_):
        widths = (style, style, len(SPACE) * BLOCK)
        decoder = MLPDecoder(sum(widths), shape, hidden)
        options = {"style": style, "block": BLOCK}
        model = DIVA(SPACE, DOMAINS, decoder, likelihood, frequencies=frequencies, **options)
        encoders = [MLPEncoder(shape, width, hidden) for width in widths]
        return model, DIVAGuide(SPACE, DOMAINS, *encoders, **options)

    def ccvae(likelihood, frequencies, link):
        decoder = MLPDecoder(SPACE.dimension + style, shape, hidden)
        encoder = MLPEncoder(shape, SPACE.dimension + style, hidden)
        model = CCVAE(SPACE, decoder, likelihood, style=style, frequencies=frequencies)
        guide = CCVAEGuide(SPACE, encoder, style=style, link=link)
        with torch.no_grad():
            for parameter in [*model.prior.parameters(), *guide.classifier.parameters()]:
                parameter += 0.3 * torch.randn_like(parameter)
        return model, guide

    builders = {"vae": vae, "m2": m2, "diva": diva, "ccvae": ccvae}

    def build(link="probit", likelihood=None, batches=10, program="ccvae"):
        frequencies = [torch.tensor([[0.3, 0.7], [0.6, 0.4]]), torch.tensor([[0.2, 0.3, 0.5]])]
        model, guide = builders[program](
            likelihood=likelihood or Laplace(), frequencies=frequencies, link=link
        )
        y = every_pattern(*CLASSES)
        domains = ()
        if program == "diva":
            domains = (torch.arange(-1, DOMAINS).repeat(len(y)),)
            y = y.repeat_interleave(DOMAINS + 1, 0)
        x = torch.rand(len(y), *shape)
        return Pair(model, guide, (x, y, *domains), batch(len(y), batches))

    return build


# Formulas by hand.

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


def agree(objective, pair, value, tolerance=1e-6):
    """Values and gradients of the objective and of a hand-written objective ``(B,)`` agree."""
    pyro.set_rng_seed(7)
    terms = objective.terms(*pair.programs, *pair.args, **pair.kwargs)
    found = torch.stack(list(terms.values())).sum(0)
    torch.testing.assert_close(found, value, rtol=tolerance, atol=tolerance)
    gradients = [
        torch.autograd.grad(t.sum(), pair.parameters, retain_graph=True, allow_unused=True)
        for t in (found, value)
    ]
    torch.testing.assert_close(*gradients, rtol=tolerance, atol=tolerance)
    return gradients[0]


def drawn(objective, pair):
    """The draw that :func:`agree` makes."""
    pyro.set_rng_seed(7)
    return objective.draw(*pair.programs, *pair.args, **pair.kwargs)


@pytest.fixture
def by_hand():
    """The functions above."""
    functions = (agree, classifier, drawn, marginal, parts_of, pick)
    return SimpleNamespace(**{f.__name__: f for f in functions}, log_cdf=LOG_CDF)


# Linear-Gaussian models with three binary labels: their evidence and their posterior are known.


class LinearDecoder(nn.Module):
    """Linear in the latents and, where there are any, in the labels that come with them."""

    def __init__(self, inputs, shape, labels=0):
        super().__init__()
        self.map = nn.Linear(inputs, math.prod(shape))
        self.table = nn.Parameter(torch.randn(labels, math.prod(shape)))
        self.shape = shape

    def forward(self, z, codes=None):
        image = self.map(z)
        if codes is not None:
            image = image + codes @ self.table
        return image.unflatten(-1, self.shape)


class LinearEncoder(nn.Module):
    def __init__(self, shape, outputs, labels=0):
        super().__init__()
        self.map = nn.Linear(math.prod(shape), outputs)
        self.table = nn.Parameter(0.3 * torch.randn(labels, outputs))
        self.log_scale = nn.Parameter(0.3 * torch.randn(outputs) - 0.3)

    def forward(self, x, codes=None):
        loc = self.map(x.flatten(1))
        if codes is not None:
            loc = loc + codes @ self.table
        return loc, self.log_scale.exp().expand_as(loc)


class Gaussian(nn.Module):
    """Normal pixels around the raw numbers, without a sigmoid."""

    parameters_per_channel = 1

    def forward(self, raw):
        return Pixels(raw, NOISE, 2)


LABELS, STYLE, SHAPE, NOISE = 3, 1, (1, 2, 2), 0.7


@dataclass
class LinearGaussian:
    """The pair with one row for each pattern, and everything exact about it.

    The rows are 27, the pixels 4, the settings S of all labels (and of the domain) together 8, for
    DIVA 24, for the VAE 1; D latent dimensions.

    Attributes:
        labels, style, noise: how many labels and dimensions of style; σ of the pixels.
        settings: the labels' codes (and the domain's) of each setting, ``(S, 3)`` or ``(S, 4)``.
        evidence: log p(x, y_O), ``(27,)``; for DIVA log p(x, y_O, d_O).
        log_observed: log p(y_O), ``(27,)``; for DIVA log p(y_O) + log p(d_O).
        log_settings: log p(y|x, y_O), ``(27, S)``, −∞ for settings that the row rules out.
        mean, covariance: of p(z|x, y), ``(27, S, D)`` and ``(S, D, D)``.
    """

    model: nn.Module
    guide: nn.Module
    args: tuple
    settings: torch.Tensor
    evidence: torch.Tensor
    log_observed: torch.Tensor
    log_settings: torch.Tensor
    mean: torch.Tensor
    covariance: torch.Tensor
    labels: int = LABELS
    style: int = STYLE
    noise: float = NOISE

    @property
    def x(self):
        return self.args[0]

    @property
    def y(self):
        return self.args[1]

    def values(self, objective, copies):
        """The objective's bound on independent copies of each row, ``(27, copies)``."""
        args = tuple(t.repeat_interleave(copies, 0) for t in self.args)
        terms = objective.terms(self.model, self.guide, *args, **batch(len(args[0]), batches=1))
        return objective.evidence_bound(terms).reshape(-1, copies)


def linear_programs(program, link):
    """Model and guide; per setting the latents' mean and variance ``(S, D)``, pixels' offset."""
    space = LabelSpace(Binary(name) for name in "abc")
    frequencies = [torch.tensor([[0.3, 0.7], [0.5, 0.5], [0.8, 0.2]])]
    binary = [torch.tensor([0.0, 1.0])] * LABELS
    settings, label = torch.cartesian_prod(*binary), torch.arange(LABELS)
    codes = settings.long()
    log_p = frequencies[0].log()[label, codes]
    standard = torch.zeros(len(codes), STYLE), torch.ones(len(codes), STYLE)
    offset = torch.zeros(len(codes), math.prod(SHAPE))
    if program == "vae":
        model = VAE(LinearDecoder(STYLE, SHAPE), Gaussian(), style=STYLE)
        guide = VAEGuide(LinearEncoder(SHAPE, STYLE))
        latents = [standard]
    elif program == "m2":
        decoder = LinearDecoder(STYLE, SHAPE, LABELS)
        model = M2(space, decoder, Gaussian(), style=STYLE, frequencies=frequencies)
        classifier = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(SHAPE), 2 * LABELS))
        guide = M2Guide(space, nn.Identity(), classifier, LinearEncoder(SHAPE, STYLE, LABELS))
        latents, offset = [standard], settings @ decoder.table
    elif program == "diva":
        decoder = LinearDecoder(2 * STYLE + LABELS, SHAPE)
        options = {"style": STYLE, "block": 1}
        model = DIVA(space, DOMAINS, decoder, Gaussian(), frequencies=frequencies, **options)
        encoders = [LinearEncoder(SHAPE, width) for width in (STYLE, STYLE, LABELS)]
        guide = DIVAGuide(space, DOMAINS, *encoders, **options)
        domain = torch.arange(DOMAINS).repeat_interleave(len(codes))
        settings = torch.cat([settings.repeat(DOMAINS, 1), domain[:, None]], -1)
        codes = settings.long()
        log_p_d = torch.full((len(codes), 1), -math.log(DOMAINS))
        log_p = torch.cat([log_p.repeat(DOMAINS, 1), log_p_d], -1)
        z_d, z_y = model.domain_prior(domain[:, None]), model.prior[0](codes[:, :LABELS])
        latents = [(q.mean[..., 0], q.variance[..., 0]) for q in (z_d, z_y)]
        latents.insert(1, tuple(t.repeat(DOMAINS, 1) for t in standard))
        offset = offset.repeat(DOMAINS, 1)
    else:
        decoder = LinearDecoder(LABELS + STYLE, SHAPE)
        model = CCVAE(space, decoder, Gaussian(), style=STYLE, frequencies=frequencies)
        encoder = LinearEncoder(SHAPE, LABELS + STYLE)
        guide = CCVAEGuide(space, encoder, style=STYLE, link=link)
        prior = model.prior[0]
        scale = softplus(prior.raw_scale)[label, codes, 0]
        latents = [(prior.loc[label, codes, 0], scale**2), standard]
    mean, variance = (torch.cat(parts, -1) for parts in zip(*latents, strict=True))
    return model, guide, settings, log_p, mean, variance, offset


@pytest.fixture
def make_linear_gaussian(double, every_pattern):
    """Builds a program with everything linear, in all 27 patterns of three binary labels."""

    @torch.no_grad()
    def build(program="ccvae", link="probit"):
        torch.manual_seed(5)
        model, guide, settings, log_p, mean, variance, offset = linear_programs(program, link)
        y = every_pattern(2, 2, 2)
        x = torch.randn(len(y), *SHAPE)
        args, codes = (x, y), y
        if program == "diva":
            d = torch.arange(len(y)) % (DOMAINS + 1) - 1
            args = (x, y, d)
            codes = torch.cat([y, torch.where(d < 0, math.nan, d.double())[:, None]], -1)
        W, b = model.decoder.map.weight, model.decoder.map.bias + offset
        cov_x = W @ variance.diag_embed() @ W.T + NOISE**2 * torch.eye(len(W))
        p_x = torch.distributions.MultivariateNormal(mean @ W.T + b, cov_x)
        ruled_out = ((codes[:, None] != settings) & ~codes[:, None].isnan()).any(-1)
        log_p_y = log_p.sum(-1).expand(ruled_out.shape).masked_fill(ruled_out, -math.inf)
        log_joint = log_p_y + p_x.log_prob(x.flatten(1)[:, None])
        evidence, log_observed = log_joint.logsumexp(-1), log_p_y.logsumexp(-1)
        if program == "vae":  # all settings are one: labels play no part
            evidence, log_observed = evidence - log_observed, 0 * log_observed
        precision = (1 / variance).diag_embed() + W.T @ W / NOISE**2
        shift = mean / variance + (x.flatten(1)[:, None] - b) @ W / NOISE**2
        return LinearGaussian(
            model,
            guide,
            args,
            settings,
            evidence,
            log_observed,
            log_joint - log_joint.logsumexp(-1, keepdim=True),
            torch.linalg.solve(precision, shift[..., None])[..., 0],
            precision.inverse(),
        )

    return build


@pytest.fixture(params=["probit", "logit"])
def linear_gaussian(request, make_linear_gaussian):
    """CC-VAE's linear-Gaussian pair with each link."""
    return make_linear_gaussian(link=request.param)
