r"""DIVA's objective (Ilse et al. 2020, equations 2 to 6), for any pattern of missing labels.

.. math::

    \mathcal L = \mathbb E_{q(z \mid x)\, q(y_U \mid z_y)\, q(d_U \mid z_d)}\Big[ \log p(x \mid z)
        + \beta \big( \log p(z_d \mid d) - \log q(z_d \mid x) + \log p(z_x) - \log q(z_x \mid x)
        + \log p(z_y \mid y) - \log q(z_y \mid x) \big)
        + \log p(y_U) - \log q(y_U \mid z_y) + \log p(d_U) - \log q(d_U \mid z_d) \Big]

.. math::  \mathcal F = \mathcal L + \alpha_y\, \mathbb E[\log q(y_O \mid z_y)]
                       + \alpha_d\, \mathbb E[\log q(d_O \mid z_d)]

O are a row's observed labels (and its domain, where that is observed), U the missing ones, which
are summed out exactly. All observed gives the paper's :math:`\mathcal L_s`, labels missing its
:math:`\mathcal L_u`; a missing domain is treated as a missing label is. As in the paper log p(y)
and log p(d) of what is observed are left out: for β = 1, L bounds log p(x|y_O, d_O). With β < 1 or
the α-terms it is no bound. β weighs the prior and the guide's density alike, and rises linearly
over the first epochs.
"""

from __future__ import annotations

from typing import Unpack

from torch import Tensor

from .base import Objective, Options
from .classifiers import log_observed
from .draw import Draw


class DIVAObjective(Objective):
    """DIVA with both classifier terms and a linear warm-up of β.

    Args:
        alpha: α_y, weight of the labels' classifier for one labelled row; 3500 as published when
            all rows are labelled.
        alpha_d: α_d, weight of the domain's classifier.
        beta: weight of the KL divergences once warm.
        warm_up: epochs over which β rises from 0; 0 starts it where it ends.
        options: see :class:`~ccvae.inference.Objective`.
    """

    evidence = "log p(x|y_observed,d_observed)"

    def __init__(
        self,
        alpha: float = 3500.0,
        alpha_d: float = 2000.0,
        beta: float = 1.0,
        *,
        warm_up: int = 0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        self.alpha, self.alpha_d = alpha, alpha_d
        self.beta = self.final_beta = self.checked_beta(beta)
        self.warm_up = warm_up

    @staticmethod
    def suggested_alpha(rows: int, labelled: int) -> float:
        """The paper's α_y: 3500·(M + N)/N for N labelled and M unlabelled rows.

        >>> DIVAObjective.suggested_alpha(4000, 1000)
        14000.0
        """
        return 3500.0 * rows / labelled

    def begin_epoch(self, epoch: int) -> None:
        """Set β for an epoch, counted from 0: it reaches its final value after the warm-up."""
        self.beta = self.final_beta * min(1.0, (epoch + 1) / max(1, self.warm_up))

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """The terms of the module's formula, in its order."""
        beta = self.beta
        draw.ignore("p", "y", "observed")  # the paper leaves log p(y) and log p(d) out
        draw.ignore("p", "d", "observed")
        return {
            "log p(x|z)": draw.p("x"),
            "beta log p(z_d|d)": beta * draw.p("z_d"),
            "-beta log q(z_d|x)": -beta * draw.q("z_d"),
            "beta log p(z_x)": beta * draw.p("z_x"),
            "-beta log q(z_x|x)": -beta * draw.q("z_x"),
            "beta log p(z_y|y)": beta * draw.p("z_y"),
            "-beta log q(z_y|x)": -beta * draw.q("z_y"),
            "log p(y_missing)": draw.p("y", "unobserved"),
            "-log q(y_missing|z_y)": -draw.q("y"),
            "log p(d_missing)": draw.p("d", "unobserved"),
            "-log q(d_missing|z_d)": -draw.q("d"),
            "alpha_y log q(y_observed|z_y)": self.alpha * log_observed(draw, "y"),
            "alpha_d log q(d_observed|z_d)": self.alpha_d * log_observed(draw, "d"),
        }
