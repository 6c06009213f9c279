r"""CC-VAE's objective as its authors' Pyro code estimates it, to be compared with the exact one.

One draw of z from q(z|x) that has not seen the label, weighed by

.. math::  w = q(y_O \mid z_c) / \hat q(y_O \mid x), \qquad
           \hat q(y_O \mid x) = \frac1K \sum_{k=1}^K q(y_O \mid z_c^{(k)}), \quad
           z_c^{(k)} \sim q(z_c \mid x),

and unobserved labels sampled from q(y_U|z_c):

.. math::

    \mathcal L(x, y_O) \approx w \,\Big[ \log p(x \mid z) + \log p(z_{\setminus c})
        + \log p(z_c \mid y) + \log p(y_U) - \log q(y \mid z_c) - \log q(z \mid x) \Big]
        + \log \hat q(y_O \mid x) + \log p(y_O)

As in that code, z_c is detached wherever log q(y|z_c) enters, the numerator of w included, and
sampled labels take their gradient from the score function.

**Where its classifier comes from.** With the numerator of w detached, what is left of ∂w is the
path through 1/q̂(y|x), and its factor is the whole bracket. At the start of training on 64×64
images that is some 10⁴ nats, most of it the constant of the Laplace density, on which the
objective does not depend. So this estimator trains its classifier as an α of about 10⁴ would
that nobody chose; see :mod:`ccvae.inference.objectives.ccvae` for one that is chosen.
"""

from __future__ import annotations

import math
from typing import Unpack

import torch
from torch import Tensor

from .base import Objective, Options
from .classifiers import blocks, log_classifier
from .draw import Draw


class CCVAEAuthorsObjective(Objective):
    """CC-VAE by one weighted draw.

    Args:
        samples: K, fresh draws for q̂(y|x); 100 as published.
        detach: keep the gradient of log q(y|z_c) from z_c, as published. Without it every term is
            differentiated: a gradient of the paper's formula, with the bias and the variance of
            its one draw (docs/estimators.md).
        options: see :class:`~ccvae.inference.Objective`.
    """

    evidence = "log p(x,y_observed)"

    enumerate_labels = False

    def __init__(
        self,
        samples: int = 100,
        *,
        detach: bool = True,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        self.samples = samples
        self.detach = detach

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """The terms of the module's formula; the last is 0 and carries a gradient only."""
        log_q_y_z = log_classifier(draw, detach=self.detach)
        log_q_y_x = self.log_evidence(draw)
        log_q_missing = self.log_missing(draw)
        w = (log_q_y_z - log_q_y_x).exp()
        weighed = {
            "w log p(x|z)": w * draw.p("x"),
            "w log p(z_style)": w * draw.p("z_style"),
            "w log p(z_c|y)": w * draw.p("z_c"),
            "w log p(y_missing)": w * draw.p("y", "unobserved"),
            "-w log q(z_style|x)": -w * draw.q("z_style"),
            "-w log q(z_c|x)": -w * draw.q("z_c"),
            "-w log q(y|z_c)": -w * (log_q_y_z + log_q_missing),
        }
        cost = torch.stack(list(weighed.values())).sum(0).detach()
        return weighed | {
            "log q(y_observed|x)": log_q_y_x,
            "log p(y_observed)": draw.p("y", "observed"),
            "score function": cost * (log_q_missing - log_q_missing.detach()),
        }

    def log_evidence(self, draw: Draw) -> Tensor:
        """Log q̂(y_O|x) ``(B,)``: K fresh draws, averaged over all labels jointly."""
        joint = [
            block.log_classifier(block.prior.rsample(torch.Size([self.samples]))).sum(-1)
            for block, _ in blocks(draw)
        ]
        return torch.stack(joint).sum(0).logsumexp(0) - math.log(self.samples)

    def log_missing(self, draw: Draw) -> Tensor:
        """Log q(y_U|z_c) of the sampled labels, ``(B,)``."""
        total = []
        for (block, site), label in zip(blocks(draw), draw.sites("q", "y"), strict=True):
            z_c = site["value"].detach() if self.detach else site["value"]
            density = block.label(z_c).log_prob(label["value"])
            total.append(draw.per_row(torch.where(block.y.isnan(), density, 0.0), site))
        return torch.stack(total).sum(0)
