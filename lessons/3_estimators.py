# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lesson 3. Estimators: bias and variance that one can see
#
# *About an hour. It builds on lessons 1 and 2.*
#
# An objective is a formula; what training sees is an estimate of it, and of its gradient. After
# this lesson you can
#
# - tell a biased gradient from a noisy one, and measure both;
# - compare sampling a label (with and without the score function) with summing over it;
# - say why the logarithm of an average is too small, and by how much;
# - choose between a weighted draw and a draw from the conditioned guide;
# - use more particles as a yardstick.
#
# Almost everything happens on one-dimensional problems whose truth is an integral over a grid.

# %%
import math
import os
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.distributions import Bernoulli, Normal
from torch.special import log_ndtr

from ccvae.config import Config
from ccvae.data.digits import digits
from ccvae.exercises import told
from ccvae.guides import Characteristic, Logit, Probit
from ccvae.inference import (
    CCVAEAuthorsObjective,
    CCVAEObjective,
    ImportanceWeightedObjective,
    MarginalObjective,
)
from ccvae.inference.runs import train_once

SMALL = bool(os.environ.get("CCVAE_SMALL"))  # set where the lesson is only tested
BLUE, RED, GREY = "#2a78b5", "#d1602b", "#5f6773"
_ = torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
# %% [markdown]
# ## 1. A missing label: sample it, or sum over it?
#
# The model: $y \sim \text{Bernoulli}(1/2)$, $z \mid y \sim \mathcal N(\pm 2, 1)$,
# $x \mid z \sim \mathcal N(z, 1)$. The guide: $q(z|x) = \mathcal N(m, s^2)$ and a classifier
# $q(y{=}1|z) = \Phi(z + b)$. The bound for an $x$ without a label is
#
# $$ \mathcal L(b) = \mathbb E_{q(z|x)} \sum_y q(y|z)\, f(z, y), \qquad
#    f = \log \frac{p(x, y, z)}{q(z|x)\, q(y|z)}. $$
#
# We want its derivative by the intercept $b$. Three estimators, each from one draw of $z$:
#
# - **sum**: differentiate $\sum_y q(y|z) f(z, y)$;
# - **score function**: draw $y \sim q(y|z)$ and use $f \cdot \partial_b \log q(y|z)$ (the
#   derivative of $f$ itself adds $-\partial_b \log q(y|z)$, whose mean is 0);
# - **without it**: draw $y$ and differentiate $f$ alone, as automatic differentiation does when
#   nobody tells it that $y$ depends on $b$.

# %%
x, m, s, b = torch.tensor(0.7), torch.tensor(0.4), torch.tensor(0.8), torch.tensor(0.5)


def log_q_y(y, z, b):
    return log_ndtr((2 * y - 1) * (z + b))


def f(y, z, b):
    log_p = math.log(0.5) + Normal(2.0 * (2 * y - 1), 1.0).log_prob(z) + Normal(z, 1.0).log_prob(x)
    return log_p - Normal(m, s).log_prob(z) - log_q_y(y, z, b)


def summed(z, b):
    return sum(log_q_y(y, z, b).exp() * f(y, z, b) for y in (torch.tensor(0.0), torch.tensor(1.0)))


def derivative(function, z):
    """By b, for each z of its own."""
    each = b.expand_as(z).clone().requires_grad_()
    return torch.autograd.grad(function(z, each).sum(), each)[0]


grid = torch.linspace(-8, 9, 4001)
truth = (Normal(m, s).log_prob(grid).exp() * derivative(summed, grid)).sum() * (grid[1] - grid[0])

draws = 2000 if SMALL else 200_000
z = Normal(m, s).sample((draws,))
y = Bernoulli(log_q_y(torch.tensor(1.0), z, b).exp()).sample()
plain = derivative(lambda z, b: f(y, z, b), z)
score = derivative(lambda z, b: log_q_y(y, z, b), z)
estimators = {
    "sum over y": derivative(summed, z),
    "score function": f(y, z, b) * score + plain,
    "without it": plain,
}
print(f"truth, by quadrature    {truth:8.4f}")
for name, values in estimators.items():
    error = values.std() / draws**0.5
    print(
        f"{name:22}  {values.mean():8.4f} ± {error:.4f}   deviation of one draw {values.std():.2f}"
    )
figure, axes = plt.subplots(1, 3, figsize=(9, 2.4), sharex=True, layout="constrained")
for axis, (name, values) in zip(axes, estimators.items(), strict=True):
    axis.hist(values.clamp(-6, 6).numpy(), 120, color=BLUE, alpha=0.6)
    axis.axvline(truth.item(), color=RED, lw=2)
    axis.axvline(values.mean().item(), color="black", ls="--", lw=1)
    axis.set(title=name, yticks=[], xlim=(-6, 6))

# %% [markdown]
# Red is the truth, dashed the mean of the estimates. The sum and the score function are both
# unbiased; the score function is the noisier one, and the gap grows with the size of $f$. (Here $f$
# is a few nats; with an image it is some thousands.) Without it the estimate is **biased**: its
# mean is 0 whatever the model says, so the classifier learns nothing from unlabelled rows. In
# published code this line has been forgotten; training runs without a complaint.
#
# ## 2. The logarithm of an average
#
# CC-VAE needs $\log q(y|x)$ with $q(y|x) = \mathbb E_{q(z|x)}[q(y|z)]$. Its authors average
# $K = 100$ draws. The average is unbiased; its logarithm is not. By Jensen it is too small, and to
# first order by $\frac{1}{2K} \operatorname{Var}[q(y|z)] / q(y|x)^2$. With a probit link we know
# the truth: $\log \Phi(\mu / \sigma)$ with $\mu = wm + b$ and $\sigma^2 = 1 + w^2 s^2$.

# %%
w, mean, deviation = 2.0, torch.tensor(-1.2), torch.tensor(1.0)
exact = log_ndtr(w * mean / (1 + w**2 * deviation**2).sqrt())
repeats = 200 if SMALL else 20_000
sizes = (1, 3, 10, 30, 100, 300)
bias, spread = [], []
for size in sizes:
    q = log_ndtr(w * Normal(mean, deviation).sample((repeats, size))).exp()
    estimate = q.mean(1).log()
    bias.append((exact - estimate.mean()).item())
    spread.append(estimate.std().item())
q = log_ndtr(w * Normal(mean, deviation).sample((100_000,))).exp()
first_order = [(q.var() / q.mean() ** 2 / (2 * size)).item() for size in sizes]
figure, axes = plt.subplots(figsize=(5.6, 3), layout="constrained")
axes.loglog(sizes, bias, "o-", color=RED, label="bias (too small by)")
axes.loglog(sizes, first_order, ":", color=RED, label="its first order, Var/2Kq²")
axes.loglog(sizes, spread, "s-", color=BLUE, label="standard deviation")
axes.set(xlabel="K", ylabel="nats")
axes.legend(frameon=False)
print(f"log q(y|x) = {exact:.4f}; at K = 100 too small by {bias[4]:.4f} ± {spread[4]:.4f}")

# %% [markdown]
# The bias falls like $1/K$, the deviation like $1/\sqrt K$. For one label that may be good enough.
# But the labels multiply: with $L$ labels, the authors average the *joint* $\prod_i q(y^i|z)$ over
# the same draws. Since the labels are independent given $x$, one may as well average each label
# alone and add the logarithms. Same draws, other use:

# %%
labels, K, deviation = 18, 100, 0.5
trials = 50 if SMALL else 2000
mean = 0.5 * torch.randn(labels)
score = w * mean / (1 + w**2 * deviation**2) ** 0.5
sign = 2 * Bernoulli(torch.special.ndtr(score)).sample() - 1
exact = log_ndtr(sign * score).sum()
log_q = log_ndtr(sign * w * Normal(mean, deviation).sample((trials, K)))
joint = log_q.sum(-1).logsumexp(1) - math.log(K)
single = (log_q.logsumexp(1) - math.log(K)).sum(-1)
for name, estimate in (("joint average", joint), ("label by label", single)):
    rmse = (estimate - exact).square().mean().sqrt()
    print(f"{name:15} error {rmse:.3f} nats, bias {(estimate - exact).mean():+.3f}")
print("closed form     error 0")

# %% [markdown]
# ## 3. A weighted draw, or a draw from the right distribution?
#
# Lesson 2 showed that CC-VAE's weighted expectation under $q(z|x)$ is a plain one under
# $q(z|x, y) = w\,q(z|x)$. Equal in expectation; how do single draws compare? For 18 labels the
# weights are products of 18 factors:

# %%
log_w = log_ndtr(sign * w * Normal(mean, deviation).sample((trials * 10,))).sum(-1) - exact
weights = log_w.exp()
ess = weights.sum() ** 2 / weights.square().sum() / len(weights)
print(f"mean {weights.mean():.2f}, variance {weights.var():.1f}, effective sample size {ess:.0%}")
figure, axes = plt.subplots(figsize=(5.6, 2.4), layout="constrained")
axes.hist(weights.clamp(max=12).numpy(), 100, color=BLUE, alpha=0.6)
_ = axes.set(xlabel="w of one draw", yticks=[])
# %% [markdown]
# Most draws count for almost nothing, and a few for very much. And $w$ multiplies the whole
# reconstruction term. A draw from the conditioned guide has weight 1. For one label, on the model
# of section 1 with $y = 1$ observed, here are single-draw estimates of the same bound. The model is
# so small that $\log p(x|z)$ is a few nats; an image of $10^4$ pixels adds thousands, of which most
# hardly depend on $z$. So we add a constant to $\log p(x|z)$ as well, which moves both means alike.

# %%
one = torch.tensor(1.0)


def tilted(link, draws):
    q = Characteristic(m[None], s[None], one[None], b[None], link).given(one)
    z = q.rsample((draws,))
    return z[:, 0], q.log_prob(z)


draws = 1000 if SMALL else 50_000
log_q_y_x = log_ndtr((m + b) / (1 + s**2).sqrt())
z = Normal(m, s).sample((draws,))
log_w = log_q_y(one, z, b) - log_q_y_x
bracket = f(one, z, b)
z, log_q = tilted(Probit(), draws)
log_joint = math.log(0.5) + Normal(2.0, 1.0).log_prob(z) + Normal(z, 1.0).log_prob(x)
print(
    "constant   weighted draw of q(z|x)      draw of q(z|x,y)       (mean ± deviation of one draw)"
)
for constant in (0.0, -10.0, -100.0, -1000.0):
    weighted = log_w.exp() * (bracket + constant) + log_q_y_x
    plain = log_joint + constant - log_q
    pairs = [f"{v.mean():10.2f} ± {v.std():7.2f}" for v in (weighted, plain)]
    print(f"{constant:8.0f}   {pairs[0]}        {pairs[1]}")

# %% [markdown]
# On the bare toy the weighted draw is even the quieter one: its weights are near 1, and it stays
# where the guide is good. But its deviation grows with the size of the bracket, times the deviation
# of $w$, while that of the conditioned draw does not move. With images the choice is clear.
#
# ## 4. Quadrature, where there is no closed form
#
# With a logit link $q(y{=}1|z) = 1 / (1 + e^{-wz})$ neither $q(y|x)$ nor the draw has a closed
# form. But it is an integral in one dimension, and those are cheap. Gauss–Hermite quadrature is the
# textbook's choice. The suite uses a trapezoid rule whose nodes follow the integrand. The reference
# is a trapezoid rule with 400 000 nodes.

# %%
slopes = torch.tensor([0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0])
means = torch.linspace(-2, 2, 41)
nodes, gauss = (torch.from_numpy(t) for t in np.polynomial.hermite_e.hermegauss(16))
gauss = gauss / gauss.sum()
line = torch.linspace(-10, 10, 4_001 if SMALL else 400_001)
bell = Normal(0.0, 1.0).log_prob(line).exp() * (line[1] - line[0])
errors = {"Gauss–Hermite, 16 nodes": [], "100 draws": [], "the suite's rule": []}
for slope in slopes:
    exact = torch.stack([(bell * (slope * (mu + line)).sigmoid()).sum() for mu in means]).log()
    hermite = (gauss * (slope * (means[:, None] + nodes)).sigmoid()).sum(-1).log()
    sampled = (slope * (means[:, None] + torch.randn(41, 100))).sigmoid().mean(-1).log()
    rule = Logit().log_marginal(slope * means, slope.expand_as(means))
    for values, estimate in zip(errors.values(), (hermite, sampled, rule), strict=True):
        values.append((estimate - exact).square().mean().sqrt().item())
figure, axes = plt.subplots(figsize=(5.6, 3), layout="constrained")
for (name, values), colour in zip(errors.items(), (RED, GREY, BLUE), strict=True):
    axes.loglog(slopes.numpy(), values, "o-", color=colour, label=name)
axes.set(xlabel="slope of the classifier × deviation", ylabel="error of log q(y|x), nats")
_ = axes.legend(frameon=False)
# %% [markdown]
# Gauss–Hermite is exact for polynomials, and a steep sigmoid is not one: from a slope of three on
# it is no better than a thousandth of a nat, and at thirty it is as bad as sampling. A classifier
# gets steeper while it learns.
#
# ## 5. More particles: the yardstick
#
# All bounds so far lie below $\log p(x)$. The importance-weighted bound (Burda et al. 2016),
#
# $$ \mathcal L_P = \mathbb E \log \frac1P \sum_{p=1}^P \frac{p(x, z_p)}{q(z_p|x)}, $$
#
# rises towards it with $P$. It is the logarithm of an average, section 2 once more, and this time
# its bias is what we look at. On the model of section 1:

# %%
log_evidence = torch.logsumexp(
    torch.stack([Normal(mu, 2**0.5).log_prob(x) for mu in (-2.0, 2.0)]), 0
) - math.log(2)
for particles in (1, 2, 5, 20, 100):
    z = Normal(m, s).sample((1000 if SMALL else 20_000, particles))
    log_prior = torch.logaddexp(Normal(-2.0, 1.0).log_prob(z), Normal(2.0, 1.0).log_prob(z))
    log_ratio = log_prior - math.log(2) + Normal(z, 1.0).log_prob(x) - Normal(m, s).log_prob(z)
    bound = log_ratio.logsumexp(1) - math.log(particles)
    print(f"P = {particles:3}   {bound.mean():.4f} ± {bound.std() / len(bound) ** 0.5:.4f}")
print(f"log p(x)  {log_evidence:.4f}")

# %% [markdown]
# ## 6. The same on the real program
#
# One CC-VAE on digits, trained for a short while, frozen. For the same weights and the same batch,
# how far do single-draw estimates of the objective scatter, and how far the gradients of its
# classifier?

# %%
torch.set_default_dtype(torch.float32)
data = digits()
if SMALL:
    data = replace(data, train=data.train[::20], test=data.test[::10])
config = Config(
    data="digits",
    network="mlp",
    likelihood="bernoulli",
    style=16,
    taught_apart=False,
    epochs=1 if SMALL else 4,
)
run = train_once(config, data, torch.device("cpu"))
rows = data.training(0.5, seed=1)
batch = rows.batch(torch.arange(0, len(rows), len(rows) // 100)[:100])


def scatter(objective, draws):
    values, gradients = [], []
    for seed in range(draws):
        torch.manual_seed(seed)
        loss = objective.differentiable_loss(run.model, run.guide, *batch.args, **batch.kwargs)
        parts = torch.autograd.grad(loss, list(run.guide.classifier.parameters()))
        values.append(-loss.item() / batch.size)
        gradients.append(torch.cat([part.flatten() for part in parts]) / batch.size)
    gradient = torch.stack(gradients)
    noise = gradient.std(0).norm() / gradient.mean(0).norm()
    return np.mean(values), np.std(values), noise.item()


for name, objective in {
    "ccvae, α = 1": CCVAEObjective(alpha=1.0),
    "marginal, α = 1": MarginalObjective(alpha=1.0),
    "ccvae-authors": CCVAEAuthorsObjective(),
    "importance-weighted, P = 10": ImportanceWeightedObjective(),
}.items():
    value, spread, noise = scatter(objective, 5 if SMALL else 40)
    print(f"{name:28} {value:8.2f} ± {spread:5.2f}   gradient: noise / mean {noise:5.2f}")

# %% [markdown]
# The ± is the deviation of one estimate for 100 digits, half of them labelled. The authors'
# estimator means the same objective as the first line and is some thirty times noisier in value;
# what is left of its gradient is mostly noise. The marginal and the importance-weighted bound lie
# above, as they must.
#
# ## Exercises
#
# Each has a cell that checks your answer.
#
# **3.1*** In section 1 the third estimator has the same mean whatever the model says. Which? Show
# it on paper.

# %%
torch.set_default_dtype(torch.float64)
answer_31 = math.nan


@told
def check_31(answer):
    classes = (torch.tensor(0.0), torch.tensor(1.0))
    each = [
        log_q_y(y, grid, b).exp() * derivative(lambda z, b, y=y: f(y, z, b), grid) for y in classes
    ]
    mean = (Normal(m, s).log_prob(grid).exp() * sum(each)).sum() * (grid[1] - grid[0])
    print("right" if abs(answer - mean.item()) < 1e-6 else "not yet: add up over y, by hand")


check_31(answer_31)

# %% [markdown]
# **3.2**** A *baseline* $c$ that does not depend on $y$ may be subtracted from $f$ in the
# score-function estimator without a bias. Use the mean of $f$ over the draws. By what factor does
# the deviation fall?

# %%
answer_32 = math.nan
one = torch.tensor(1.0)


def scored(subtract, draws=100_000):
    """Single estimates by the score function, with the mean of f taken away or not."""
    torch.manual_seed(3)
    z = Normal(m, s).sample((draws,))
    y = Bernoulli(log_q_y(one, z, b).exp()).sample()
    value = f(y, z, b)
    score = derivative(lambda z, b: log_q_y(y, z, b), z)
    return (value - (value.mean() if subtract else 0.0)) * score


@told
def check_32(answer):
    factor = (scored(False).std() / scored(True).std()).item()
    print("right" if abs(answer / factor - 1) < 0.1 else "not yet: the deviations' ratio")


check_32(answer_32)

# %% [markdown]
# **3.3**** Section 5 used the marginal bound, $\log \sum_y p(z|y)p(y)$ in the model. Show that for
# $P = 1$ it is at least CC-VAE's bound with $q(y|z)$ summed exactly, and measure the difference: it
# is $\mathbb E\,\mathrm{KL}(q(y|z) \| p(y|z))$. How many nats, on the model of section 1?

# %%
answer_33 = math.nan


@told
def check_33(answer):
    prior = torch.logaddexp(Normal(-2.0, 1.0).log_prob(grid), Normal(2.0, 1.0).log_prob(grid))
    q = Normal(m, s).log_prob(grid)
    marginal = prior - math.log(2) + Normal(grid, 1.0).log_prob(x) - q
    apart = (q.exp() * (marginal - summed(grid, b))).sum() * (grid[1] - grid[0])
    near = abs(answer - apart.item())
    close = near < 0.2 * apart.item()
    print("right" if near < 0.005 else "nearly: take more draws" if close else "not yet")


check_33(answer_33)

# %% [markdown]
# **3.4***** Count the draws: how many weighted draws give the precision of one draw from the
# conditioned guide, for $L = 1, 5, 18$ labels, if the bracket were a constant? Use the effective
# sample size.

# %%
answer_34 = {1: math.nan, 5: math.nan, 18: math.nan}


def draws_for(labels, repeats=5 if SMALL else 50):
    """One over the effective sample size, the mean over random posteriors."""
    inverse = []
    for _ in range(repeats):
        mean = 0.5 * torch.randn(labels)
        score = w * mean / (1 + w**2 * deviation**2) ** 0.5
        sign = 2 * Bernoulli(torch.special.ndtr(score)).sample() - 1
        weights = log_ndtr(sign * w * Normal(mean, deviation).sample((4000,))).sum(-1).exp()
        inverse.append((len(weights) * weights.square().sum() / weights.sum() ** 2).item())
    return np.mean(inverse)


@told
def check_34(answer):
    torch.manual_seed(5)
    for labels in (1, 5, 18):
        truth, draws = draws_for(labels), answer.get(labels, math.nan)
        apart = 2 if SMALL or labels > 5 else 1.25  # a few repeats scatter
        close = truth / apart < draws < truth * apart
        print(f"L = {labels:2}", "right" if close else "not yet")


check_34(answer_34)

# %% [markdown]
# ## Solutions
#
# **3.1** $f$ depends on $b$ through $-\log q(y|z)$ alone, and
# $\mathbb E_{q(y|z)}[\partial_b \log q(y|z)] = \partial_b \sum_y q(y|z) = 0$ for every $z$.

# %%
check_31(0.0)

# %% [markdown]
# **3.2**

# %%
deviations = {}
for name, subtract in (("without", False), ("with the mean", True)):
    estimates = scored(subtract)
    deviations[name] = estimates.std()
    print(f"{name:14} {estimates.mean():.4f}, deviation {estimates.std():.3f}")
check_32((deviations["without"] / deviations["with the mean"]).item())

# %% [markdown]
# The mean stays, the deviation falls; the sum over $y$ still beats it.
#
# **3.3** By Jensen, $\log \sum_y p(z|y)p(y) \ge \sum_y q(y|z) \log \frac{p(z|y)p(y)}{q(y|z)}$, and
# the difference is the KL divergence to $p(y|z) \propto p(z|y)p(y)$. Here $p(y{=}1|z)$ is the
# sigmoid of $4z$.

# %%
zero = torch.tensor(0.0)
z = Normal(m, s).sample((2000 if SMALL else 200_000,))
log_p = {label: torch.nn.functional.logsigmoid((2 * label - 1) * 4 * z) for label in (zero, one)}
divergence = sum(
    log_q_y(label, z, b).exp() * (log_q_y(label, z, b) - log_p[label]) for label in (zero, one)
)
log_prior = torch.logaddexp(Normal(-2.0, 1.0).log_prob(z), Normal(2.0, 1.0).log_prob(z))
marginal = log_prior - math.log(2) + Normal(z, 1.0).log_prob(x) - Normal(m, s).log_prob(z)
print(f"marginal − CC-VAE {(marginal - summed(z, b)).mean():.4f}, KL {divergence.mean():.4f}")
check_33(divergence.mean().item())

# %% [markdown]
# **3.4** One over the effective sample size, as `draws_for` has it above:

# %%
torch.manual_seed(0)
answer_34 = {labels: draws_for(labels) for labels in (1, 5, 18)}
for labels, draws in answer_34.items():
    print(f"L = {labels:2}   {draws:5.1f} draws")
check_34(answer_34)
torch.set_default_dtype(torch.float32)
