r"""M2's objective (Kingma et al. 2014, equations 6 to 9), for any pattern of missing labels.

.. math::

    \mathcal L(x, y_O) = \mathbb E_{q(y_U \mid x)\, q(z \mid x, y)}\Big[ \log p(x \mid y, z)
        + \log p(y) + \log p(z) - \log q(z \mid x, y) - \log q(y_U \mid x) \Big]

.. math::  \mathcal J(x, y_O) = \mathcal L(x, y_O) + \alpha\, \log q(y_O \mid x)

All labels observed gives the paper's −L(x, y) (the poster's :math:`\mathcal L_s`), none gives
−U(x), whose last term is the entropy *of q(y|x)*, with a plus sign. L bounds log p(x, y_O); with
the α-term it is no bound.

The paper's α = 0.1·N multiplies the mean over the labelled rows, so each labelled row adds
0.1·N/N_labelled · log q(y|x).

The sum over missing labels runs over the product of their classes, as the decoder ties them
together. Where that product is large, the exact sum is refused, and :class:`M2ScoreObjective`
samples the labels instead; nothing falls back to it by itself.
"""

from __future__ import annotations

from typing import Unpack

import torch
from torch import Tensor

from .base import Objective, Options
from .classifiers import log_observed
from .draw import Draw


class M2Objective(Objective):
    """M2 with exact sums over missing labels.

    Args:
        alpha: weight of log q(y_O|x) for one labelled row.
        options: see :class:`~ccvae.inference.Objective`.
    """

    evidence = "log p(x,y_observed)"

    def __init__(self, alpha: float = 1.0, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        self.alpha = alpha

    @staticmethod
    def suggested_alpha(rows: int, labelled: int) -> float:
        """The paper's α for one labelled row: 0.1·N/N_labelled.

        >>> M2Objective.suggested_alpha(4000, 100)
        4.0
        """
        return 0.1 * rows / labelled

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """The terms of the module's formula, in its order."""
        return terms(draw, self.alpha)


class M2ScoreObjective(M2Objective):
    """M2 with sampled labels and the score-function gradient, for large label spaces."""

    enumerate_labels = False

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """M2's terms at one draw of the labels, and one of value 0 that carries their gradient.

        As E[∇ log q(y|x)] = 0, the term -log q(y|x) itself gives none.
        """
        values = terms(draw, self.alpha)
        log_q = -values["-log q(y_missing|x)"]
        values["-log q(y_missing|x)"] = -log_q.detach()
        cost = torch.stack(list(values.values())).sum(0).detach()
        return values | {"score function": cost * (log_q - log_q.detach())}


def terms(draw: Draw, alpha: float) -> dict[str, Tensor]:
    """The terms of J."""
    return {
        "log p(x|y,z)": draw.p("x"),
        "log p(y)": draw.p("y"),
        "log p(z)": draw.p("z"),
        "-log q(z|x,y)": -draw.q("z"),
        "-log q(y_missing|x)": -draw.q("y"),
        "alpha log q(y_observed|x)": alpha * log_observed(draw, "y"),
    }
