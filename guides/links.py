r"""Links: how a characteristic becomes a label's probability, and what Bayes' rule makes of it.

A link F maps a score a = w·z + b to q(y = 1 | z) = F(a). With z = m + s·ε and ε standard normal,
the score is μ + τ·ε with μ = w·m + b and τ = w·s. Everything that the suite needs of a classifier
is then a question about one standard normal ε:

========================  =============================================================
``log_cdf(a)``            log F(a)
``logit(a)``              log F(a) − log F(−a)
``log_marginal(μ, τ)``    log q(y = 1 | x) = log E_ε[F(μ + τ ε)]
``conditioned(μ, τ)``     a reparameterised draw of ε from φ(ε) F(μ + τ ε) / q(y = 1 | x)
``quantile(p)``           F⁻¹(p)
========================  =============================================================

The label's other value is the same question at −μ, −τ, since 1 − F(a) = F(−a) for both links.
All arguments are float64 tensors of one shape, and so are the results; nothing underflows for
scores far out in the tails.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus
from torch.special import log_ndtr, ndtri

_LOG_ROOT_TAU = 0.5 * math.log(2 * math.pi)


class Link(Protocol):
    """What a link offers; see the module's table."""

    def log_cdf(self, a: Tensor) -> Tensor:
        """Log F(a)."""
        ...

    def logit(self, a: Tensor) -> Tensor:
        """Log F(a) − log F(−a)."""
        ...

    def log_marginal(self, mu: Tensor, tau: Tensor) -> Tensor:
        """Log E[F(μ + τ ε)] over a standard normal ε."""
        ...

    def conditioned(self, mu: Tensor, tau: Tensor) -> Tensor:
        """A reparameterised draw of ε given that the label is 1."""
        ...

    def quantile(self, p: float) -> float:
        """F⁻¹(p), where an intercept starts so that the label has probability p."""
        ...


class Probit:
    r"""F = Φ, the standard normal distribution function: every question has a closed form.

    The label is 1 where v = μ + τ ε + ε₂ > 0 with a standard normal ε₂ of its own. So
    q(y = 1 | x) = Φ(μ/σ) with σ² = 1 + τ², and given v > 0 the pair (ε, v) is drawn by moving an
    unconditional pair (ε₁, v₀) along the regression of ε on v: ε = ε₁ + τ/σ² · (v − v₀).
    """

    def log_cdf(self, a: Tensor) -> Tensor:
        """Log Φ(a)."""
        return log_ndtr(a)

    def logit(self, a: Tensor) -> Tensor:
        """Log Φ(a) − log Φ(−a)."""
        return log_ndtr(a) - log_ndtr(-a)

    def log_marginal(self, mu: Tensor, tau: Tensor) -> Tensor:
        """Log Φ(μ/σ), exactly."""
        return log_ndtr(mu / (1 + tau**2).sqrt())

    def conditioned(self, mu: Tensor, tau: Tensor) -> Tensor:
        """An exact reparameterised draw of ε given v > 0."""
        sigma = (1 + tau**2).sqrt()
        epsilon, noise = torch.randn_like(mu), torch.randn_like(mu)
        free = mu + tau * epsilon + noise
        # t is standard normal beyond −μ/σ; in logarithms, because Φ itself underflows there.
        t = quantile_above(torch.rand_like(mu).log() + log_ndtr(mu / sigma))
        return epsilon + tau / sigma**2 * (mu + sigma * t - free)

    def quantile(self, p: float) -> float:
        """Φ⁻¹(p)."""
        return ndtri(torch.tensor(p, dtype=torch.float64)).item()


def quantile_above(log_p: Tensor) -> Tensor:
    """The t beyond which a standard normal has the probability exp(log_p)."""
    far = log_p < -600  # there exp underflows, and two terms of Mills' ratio leave 1e-7
    t = -ndtri(torch.where(far, -1.0, log_p).exp())
    square = torch.where(far, -2 * log_p, 1200.0) - 2 * _LOG_ROOT_TAU
    series = square - square.log()
    return torch.where(far, (square - series.log() - 2 / series).sqrt(), t)


class Logit:
    r"""F(a) = 1/(1 + e^{−a}), the logistic function, by quadrature: the link of Joy et al. (2021).

    The integrals over ε have no closed form, but the trapezoid rule converges geometrically for
    them (:class:`_Rule`). A draw inverts the distribution function G on the nodes of such a rule.
    Derivatives are integrals over the same nodes: of the marginal directly, and of a draw by the
    implicit function theorem, since with the level G(ε; μ, τ) held fixed dε = −dG / (∂G/∂ε).
    """

    def log_cdf(self, a: Tensor) -> Tensor:
        """Log F(a)."""
        return logsigmoid(a)

    def logit(self, a: Tensor) -> Tensor:
        """The score itself."""
        return a

    def quantile(self, p: float) -> float:
        """Log p − log(1 − p)."""
        return math.log(p) - math.log1p(-p)

    def log_marginal(self, mu: Tensor, tau: Tensor) -> Tensor:
        """Log E[F(μ + τ ε)]; error below 1e-7."""
        with torch.no_grad():
            rule = _Rule(mu, tau, cells=72)
            f = rule.at(rule.nodes)
            mass = f.value.sum(-1)
            by_mu, by_tau = (f.by_score(power).sum(-1) / mass for power in (0, 1))
            value = rule.log_unit + mass.log()
        return _linear(value, (mu, by_mu), (tau, by_tau))

    def conditioned(self, mu: Tensor, tau: Tensor) -> Tensor:
        """A draw of ε given that the label is 1; exact to 2e-5 in probability."""
        with torch.no_grad():
            rule = _Rule(mu, tau, cells=128)
            f = rule.at(rule.nodes)
            # The trapezoid rule up to every node, with the end correction that cubics need.
            level = f.value.cumsum(-1).sub_(f.value, alpha=1 / 2).sub_(f.slope, alpha=1 / 12)
            u = torch.rand_like(mu)[..., None]
            goal = u * level[..., -1:]
            cell = torch.searchsorted(level, goal).clamp(1, rule.cells) - 1
            ends = torch.cat([cell, cell + 1], -1)
            part = _solve_cubic(level.gather(-1, ends), f.value.gather(-1, ends), goal)

            node, draw = rule.at(cell), rule.at(cell + part)
            by = []
            for power in (0, 1):  # the derivatives by μ and by τ
                v0, v1 = node.by_score(power), draw.by_score(power)
                s0, s1 = node.by_score_slope(power), draw.by_score_slope(power)
                total = f.by_score(power).cumsum(-1)
                reached = total.gather(-1, cell) - v0 / 2 - s0 / 12
                reached = reached + part * (v0 + v1) / 2 + part**2 * (s0 - s1) / 12
                by.append((u * total[..., -1:] - reached) * draw.speed / draw.value)
        return _linear(draw.epsilon[..., 0], (mu, by[0][..., 0]), (tau, by[1][..., 0]))


class _Rule:
    """The trapezoid rule for ∫ φ(ε) F(μ + τ ε) dε with the logistic F.

    Its nodes t = 0, 1, …, n are equidistant in arsinh((ε − c)/r), so they are dense around c, the
    bend of F at −μ/τ, and reach 8 to both sides of the integrand's mode. r is the width of the
    bend, or more where the bend lies far from the mode. In t the integrand is smooth, whether the
    classifier is steep or flat and however unlikely the label is: with 72 cells the error is below
    1e-7 of the integral for ``|τ|`` up to 100 and ``|μ|/σ`` up to 14.

    Args:
        mu, tau: μ and τ, any shape ``(…)``.
        cells: n.
    """

    def __init__(self, mu: Tensor, tau: Tensor, cells: int) -> None:
        low, high = tau.clamp(max=0), tau.clamp(min=0)
        for _ in range(16):  # the mode solves ε = τ F(−μ − τ ε), whose left side grows faster
            mode = (low + high) / 2
            above = mode > tau * torch.sigmoid(-mu - tau * mode)
            low, high = torch.where(above, low, mode), torch.where(above, mode, high)
        steep = tau.abs().clamp(min=0.5)
        away = (-mu * tau.sign() / steep - mode).clamp(-8, 8)
        width = torch.maximum(1 / steep, 0.02 * away**2)
        start, end = (((side - away) / width).asinh() for side in (-8, 8))
        self.mu, self.tau, self.bend, self.width, self.start, self.step = (
            t[..., None] for t in (mu, tau, mode + away, width, start, (end - start) / cells)
        )
        self.cells = cells
        self.nodes = torch.arange(cells + 1, dtype=mu.dtype, device=mu.device)
        # The integrand's height, which may be far beyond the range of float64.
        self.log_unit = logsigmoid(mu + tau * mode) - 0.5 * mode**2 - _LOG_ROOT_TAU

    def at(self, t: Tensor) -> _Integrand:
        """The integrand at positions t ``(…, T)``, in units of exp(``log_unit``)."""
        # In place where it can be: fresh memory for each of these costs more than filling it.
        growth = (self.start + self.step * t).exp_()
        decay = growth.reciprocal()
        sinh, cosh = (growth - decay).div_(2), growth.add_(decay).div_(2)
        epsilon = torch.addcmul(self.bend, self.width, sinh)
        stretch = sinh.div_(cosh).mul_(self.step)
        speed = cosh.mul_(self.width * self.step)
        against = torch.addcmul(self.mu, self.tau, epsilon).neg_()
        log_peak = self.log_unit[..., None] + _LOG_ROOT_TAU
        # −log F(a) is softplus(−a); beyond the threshold it is linear, to within 1e-17.
        cost = torch.addcmul(softplus(against, threshold=40), epsilon, epsilon, value=0.5)
        value = cost.add_(log_peak).neg_().exp_().mul_(speed)
        return _Integrand(epsilon, speed, stretch, value, against.sigmoid_(), self.tau)


class _Integrand(NamedTuple):
    """φ(ε) F(a) · dε/dt with the score a = μ + τ ε, at some positions t of a rule."""

    epsilon: Tensor
    speed: Tensor
    """dε/dt."""
    stretch: Tensor
    """The derivative of the logarithm of the speed by t."""
    value: Tensor
    other: Tensor
    """1 − F(a), which is d log F/da."""
    tau: Tensor

    @property
    def slope(self) -> Tensor:
        """The value's derivative by t."""
        slope = torch.addcmul(-self.epsilon, self.tau, self.other)
        return slope.mul_(self.speed).add_(self.stretch).mul_(self.value)

    def by_score(self, power: int) -> Tensor:
        """The value's derivative by a, times ε to the power of 0 or 1."""
        weight = self.value * self.other
        return weight.mul_(self.epsilon) if power else weight

    def by_score_slope(self, power: int) -> Tensor:
        """The derivative by t of :meth:`by_score`."""
        turn = self.tau * self.speed
        slope = self.other * (self.slope - self.value * (1 - self.other) * turn)
        return slope * self.epsilon**power + power * self.value * self.other * self.speed


def _linear(value: Tensor, *arguments: tuple[Tensor, Tensor]) -> Tensor:
    """``value`` with the given derivatives: pairs of an argument and the derivative by it."""
    for argument, derivative in arguments:
        value = value + derivative * (argument - argument.detach())
    return value


def _solve_cubic(values: Tensor, slopes: Tensor, goal: Tensor) -> Tensor:
    """Where in [0, 1] the increasing cubic with these end values and slopes equals ``goal``."""
    f0, f1 = values.split(1, -1)
    d0, d1 = slopes.split(1, -1)

    def cubic(t: Tensor) -> Tensor:
        blend = t**2 * (3 - 2 * t)
        return f0 + (f1 - f0) * blend + t * (1 - t) * ((1 - t) * d0 - t * d1)

    low, high = torch.zeros_like(goal), torch.ones_like(goal)
    for _ in range(8):
        t = (low + high) / 2
        above = cubic(t) > goal
        low, high = torch.where(above, low, t), torch.where(above, t, high)
    t = (low + high) / 2
    for _ in range(3):  # Newton's method, which doubles the digits, within the bracket
        rise = 6 * t * (1 - t) * (f1 - f0) + (1 - t) * (1 - 3 * t) * d0 - t * (2 - 3 * t) * d1
        t = torch.clamp(t + (goal - cubic(t)) / rise, low, high)
    return t


LINKS: dict[str, Link] = {"probit": Probit(), "logit": Logit()}
"""The links by name."""
