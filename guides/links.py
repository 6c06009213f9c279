r"""Links: how a characteristic becomes the probability of its label, and what Bayes' rule makes of it.

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
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid
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
        t = -ndtri((torch.rand_like(mu).log() + log_ndtr(mu / sigma)).exp())
        return epsilon + tau / sigma**2 * (mu + sigma * t - free)

    def quantile(self, p: float) -> float:
        """Φ⁻¹(p)."""
        return ndtri(torch.tensor(p, dtype=torch.float64)).item()


class Logit:
    r"""F(a) = 1/(1 + e^{−a}), the logistic function, by quadrature: the link of Joy et al. (2021).

    The integrals over ε have no closed form but smooth integrands, for which the trapezoid rule
    converges geometrically. A draw inverts the distribution function on a grid, and its gradient
    follows from the implicit function theorem: with the level G(ε; μ, τ) = u held fixed,
    dε = −dG / (∂G/∂ε).
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
        """Log E[F(μ + τ ε)]; error below 1e-6.

        For |τ| ≤ 1.2 the rule runs over ε, beyond it over the logistic noise ℓ, of which
        Φ((μ + ℓ)/|τ|) is a function that changes slowly.
        """
        small = tau.abs() <= 1.2
        # Each branch is handed a harmless argument where the other one is used, so that neither
        # sends a NaN back through `where`.
        by_epsilon = self._over_epsilon(mu, torch.where(small, tau, 0.0))
        by_noise = self._over_noise(mu, torch.where(small, 1.0, tau.abs()))
        return torch.where(small, by_epsilon, by_noise)

    def _over_epsilon(self, mu: Tensor, tau: Tensor) -> Tensor:
        epsilon = torch.arange(-10, 10.01, 0.25, dtype=mu.dtype, device=mu.device)
        log_phi = -0.5 * epsilon**2 - _LOG_ROOT_TAU + math.log(0.25)
        return (log_phi + logsigmoid(mu[..., None] + tau[..., None] * epsilon)).logsumexp(-1)

    def _over_noise(self, mu: Tensor, tau: Tensor) -> Tensor:
        # Far out in the tail the integrand's mass sits where μ + ℓ ≈ −τ²: move the grid there.
        centre = (-mu - tau**2).detach().clamp(min=0).round()[..., None]
        noise = centre + torch.arange(-45, 46, dtype=mu.dtype, device=mu.device)
        log_density = logsigmoid(noise) + logsigmoid(-noise)
        return (log_density + log_ndtr((mu[..., None] + noise) / tau[..., None])).logsumexp(-1)

    def conditioned(self, mu: Tensor, tau: Tensor) -> Tensor:
        """A draw of ε given that the label is 1; exact to about 1e-5 in probability."""
        u = torch.rand_like(mu)
        with torch.no_grad():
            grid = self._grid(mu, tau)
            epsilon = self._invert(grid, *self._tilted(grid, mu, tau), u)
        level, density = self._level(grid, epsilon, mu, tau)
        return epsilon - (level - level.detach()) / density.detach()

    def _grid(self, mu: Tensor, tau: Tensor) -> Tensor:
        """Sorted nodes (…, J) that resolve the tilted density: its bulk, and the edge of F."""
        low, high = tau.clamp(max=0), tau.clamp(min=0)
        for _ in range(40):  # the mode solves ε = τ F(−μ − τ ε), whose left side grows faster
            mode = (low + high) / 2
            above = mode > tau * torch.sigmoid(-mu - tau * mode)
            low, high = torch.where(above, low, mode), torch.where(above, mode, high)
        unit = torch.linspace(-8, 8, 129, dtype=mu.dtype, device=mu.device)
        bulk = mode[..., None] + unit
        steep = tau[..., None].abs().clamp(min=1) * torch.where(tau < 0, -1.0, 1.0)[..., None]
        edge = (torch.sinh(unit) - mu[..., None]) / steep
        edge = edge.clamp(bulk[..., :1], bulk[..., -1:])
        return torch.cat([bulk, edge], -1).sort(-1).values

    def _tilted(self, grid: Tensor, mu: Tensor, tau: Tensor) -> tuple[Tensor, Tensor]:
        """The tilted density at the nodes, and its integral up to each of them."""
        score = mu[..., None] + tau[..., None] * grid
        log_density = -0.5 * grid**2 - _LOG_ROOT_TAU + logsigmoid(score)
        density = (log_density - self.log_marginal(mu, tau)[..., None]).exp()
        slope = density * (tau[..., None] * torch.sigmoid(-score) - grid)
        step = grid.diff()
        # The trapezoid rule with its end correction is exact for cubics.
        area = step / 2 * (density[..., 1:] + density[..., :-1])
        area = area + step**2 / 12 * (slope[..., :-1] - slope[..., 1:])
        return density, torch.cat([torch.zeros_like(area[..., :1]), area.cumsum(-1)], -1)

    def _invert(self, grid: Tensor, density: Tensor, level: Tensor, u: Tensor) -> Tensor:
        """The ε at which the cubic through levels and densities reaches u, by bisection."""
        u = u * level[..., -1]
        cell = torch.searchsorted(level, u[..., None]).clamp(1, grid.shape[-1] - 1)
        low, high = grid.gather(-1, cell - 1)[..., 0], grid.gather(-1, cell)[..., 0]
        for _ in range(40):
            middle = (low + high) / 2
            above = _hermite(grid, density, level, cell, middle) > u
            low, high = torch.where(above, low, middle), torch.where(above, middle, high)
        return (low + high) / 2

    def _level(
        self, grid: Tensor, epsilon: Tensor, mu: Tensor, tau: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The distribution function at ε, differentiable in μ and τ, and the density there."""
        cell = torch.searchsorted(grid, epsilon[..., None]).clamp(1, grid.shape[-1] - 1)
        level = _hermite(grid, *self._tilted(grid, mu, tau), cell, epsilon)
        log_density = -0.5 * epsilon**2 - _LOG_ROOT_TAU + logsigmoid(mu + tau * epsilon)
        return level, (log_density - self.log_marginal(mu, tau)).exp()


def _hermite(grid: Tensor, slope: Tensor, value: Tensor, cell: Tensor, at: Tensor) -> Tensor:
    """The cubic with the given values and slopes at a cell's two nodes, evaluated ``at``."""
    x0, x1 = grid.gather(-1, cell - 1)[..., 0], grid.gather(-1, cell)[..., 0]
    f0, f1 = value.gather(-1, cell - 1)[..., 0], value.gather(-1, cell)[..., 0]
    d0, d1 = slope.gather(-1, cell - 1)[..., 0], slope.gather(-1, cell)[..., 0]
    step = (x1 - x0).clamp(min=1e-300)
    t = ((at - x0) / step).clamp(0, 1)
    blend = t**2 * (3 - 2 * t)
    return (
        f0 + (f1 - f0) * blend + step * t * (1 - t) * ((1 - t) * d0 - t * d1)
    )


LINKS: dict[str, Link] = {"probit": Probit(), "logit": Logit()}
"""The links by name."""
