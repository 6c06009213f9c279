"""``python -m ccvae.benchmarks.evidence``: how exact log q(y|x) is at 18 labels.

For each slope of the classifier, in units of 1 over the posterior's standard deviation, the table
shows 18 times the largest error of one label's log q(y|x) for ``|μ/σ| ≤ 12``, against integration
to 20 digits by mpmath (of the extra ``dev``), for both links. The last column is the root mean
square error of the authors' estimator with K = 100 draws, on 200 rows whose means are standard
normal with standard deviation 1/2 and whose labels follow q(y|x).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import torch

from ..guides import LINKS, Characteristic

LABELS, ROWS, SCALE, DRAWS = 18, 200, 0.5, 100
SLOPES = (0.3, 0.6, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
"""Slope times scale."""
RATIOS = (-12, -9, -6, -4, -3, -2, -1, -0.5, 0, 0.5, 1, 2, 4, 8, 12)
"""μ/σ with σ² = 1 + slope² · scale²."""

CDF: dict[str, Callable[[float], float]] = {
    "probit": mpmath.ncdf,
    "logit": lambda a: 1 / (1 + mpmath.exp(-a)),
}


def exact(link: str, mu: float, tau: float) -> float:
    """Log ∫ φ(ε) F(μ + τ ε) dε for τ > 0, cut where the integrand peaks and where F bends."""

    def integrand(epsilon: float) -> float:
        return mpmath.npdf(epsilon) * CDF[link](mu + tau * epsilon)

    with mpmath.workdps(20):
        mode = max((k / 4 for k in range(-160, 161)), key=integrand)
        bend = -mu / tau
        cuts = {mode + k for k in (-14, -6, -3, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 6, 14)}
        near_bend = [bend + k / tau for k in (-8, -4, -2, -1, 0, 1, 2, 4, 8)]
        cuts |= {cut for cut in near_bend if abs(cut - mode) < 14}
        return float(mpmath.log(mpmath.quad(integrand, sorted(cuts))))


def error(link: str, tau: float) -> float:
    """The largest error of 18 labels together, in nats."""
    mu = [ratio * math.sqrt(1 + tau**2) for ratio in RATIOS]
    means = torch.tensor(mu, dtype=torch.float64)
    found = LINKS[link].log_marginal(means, torch.full_like(means, tau)).tolist()
    return LABELS * max(abs(f - exact(link, m, tau)) for f, m in zip(found, mu, strict=True))


def authors_error(tau: float) -> float:
    """Root mean square error of the authors' log q(y|x), in nats."""
    loc = torch.randn(ROWS, LABELS, 1, dtype=torch.float64)
    slope = torch.full((LABELS, 1), tau / SCALE, dtype=torch.float64)
    block = Characteristic(loc, torch.full_like(loc, SCALE), slope, 0 * slope, LINKS["logit"])
    y = block.log_classes()[..., 1].exp().bernoulli()
    given = block.given(y)
    joint = given.log_classifier(block.rsample(torch.Size([DRAWS]))).sum(-1)
    estimate = joint.logsumexp(0) - math.log(DRAWS)
    return (estimate - given.log_evidence().sum(-1)).square().mean().sqrt().item()


def main() -> None:
    """Measure and print the table."""
    torch.manual_seed(0)
    print(f"Error of log q(y|x) at {LABELS} labels, in nats")
    print(f"{'slope · scale':14}{'probit':>10}{'logit':>10}{'authors, K = 100':>20}")
    for tau in SLOPES:
        probit, logit = (error(link, tau) for link in ("probit", "logit"))
        print(f"{tau:<14}{probit:10.1e}{logit:10.1e}{authors_error(tau):20.2f}")


if __name__ == "__main__":
    main()
