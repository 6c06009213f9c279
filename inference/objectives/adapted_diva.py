r"""Adapted DIVA's objective on CC-VAE's program, as the poster's Table 1 prints it.

DIVA without its domain, with z_y partitioned by label: that is CC-VAE's model and guide, and so the
two programs are one. What differs is how the guide is run: here it is not conditioned on the
observed labels O, and they do not enter it at all.

.. math::

    \mathcal L(x, y_O) = \mathbb E_{q(z \mid x)\, q(y_U \mid z_c)}\Big[ \log p(x \mid z)
        + \log p(z_{\setminus c}) - \log q(z_{\setminus c} \mid x)
        + \beta \big( \log p(z_c \mid y) - \log q(z_c \mid x) \big)
        + \log p(y_U) - \log q(y_U \mid z_c) \Big]

.. math::  \mathcal U(x, y_O) = \mathcal L(x, y_O)
           + \alpha\, \mathbb E_{q(z_c \mid x)\, q(y_U \mid z_c)}[\log q(y_U \mid z_c)]

With all labels observed this is :math:`\mathcal L_s` alone, with none it is
:math:`\mathcal L_u + \alpha \ldots`. The α-term is taken on *unlabelled* rows, their labels imputed
by the model itself: it is a negative entropy, and what it rewards is confidence, right or wrong.
The classifier q(y|z_c) is never told a label. Our Adapted DIVA
(:mod:`ccvae.inference.objectives.our_adapted_diva`) puts the term on the labelled rows instead.

L bounds log p(x|y_O) for β = 1 (it leaves out log p(y_O), as DIVA does); with α it is no bound.
"""

from __future__ import annotations

from typing import Unpack

from torch import Tensor

from .base import Objective, Options
from .draw import Draw


class AdaptedDIVAObjective(Objective):
    """Adapted DIVA with its classifier term on unlabelled rows.

    Args:
        alpha: weight of the classifier term; DIVA's rule gives 3500·(M + N)/N for N labelled and
            M unlabelled rows of 28×28 images.
        beta: weight of the blocks' KL divergence.
        options: see :class:`~ccvae.inference.Objective`.
    """

    evidence = "log p(x|y_observed)"

    def __init__(self, alpha: float = 1.0, beta: float = 1.0, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        self.alpha = alpha
        self.beta = self.checked_beta(beta)

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """The terms of the module's formula, in its order."""
        return bound(draw, self.beta) | {"alpha log q(y_missing|z_c)": self.alpha * draw.q("y")}


def bound(draw: Draw, beta: float) -> dict[str, Tensor]:
    """The terms of L, which both Adapted DIVAs share."""
    draw.ignore("p", "y", "observed")  # DIVA leaves log p(y) out where y is known
    return {
        "log p(x|z)": draw.p("x"),
        "log p(z_style)": draw.p("z_style"),
        "-log q(z_style|x)": -draw.q("z_style"),
        "beta log p(z_c|y)": beta * draw.p("z_c"),
        "-beta log q(z_c|x)": -beta * draw.q("z_c"),
        "log p(y_missing)": draw.p("y", "unobserved"),
        "-log q(y_missing|z_c)": -draw.q("y"),
    }
