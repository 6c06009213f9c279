r"""Our Adapted DIVA: the poster's own column of Table 1, on CC-VAE's program.

.. math::  \mathcal U(x, y_O) = \mathcal L(x, y_O)
           + \alpha\, \mathbb E_{q(z_c \mid x)}[\log q(y_O \mid z_c)]

with the :math:`\mathcal L` of :mod:`ccvae.inference.objectives.adapted_diva`. The classifier is
trained on the labelled rows, as in DIVA itself, where Adapted DIVA as printed rewards its
confidence on the unlabelled ones.
"""

from __future__ import annotations

from typing import Unpack

from torch import Tensor

from .adapted_diva import AdaptedDIVAObjective, bound
from .base import Options
from .ccvae import ALPHA, suggested_alpha
from .classifiers import log_classifier
from .draw import Draw


class OurAdaptedDIVAObjective(AdaptedDIVAObjective):
    """Adapted DIVA with its classifier term on labelled rows.

    Args:
        alpha: weight of the classifier term.
        beta: weight of the blocks' KL divergence.
        options: see :class:`~ccvae.inference.Objective`.
    """

    def __init__(self, alpha: float = ALPHA, beta: float = 1.0, **options: Unpack[Options]) -> None:
        super().__init__(alpha, beta, **options)

    suggested_alpha = staticmethod(suggested_alpha)

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """The terms of the module's formula, in its order."""
        classifier = self.alpha * log_classifier(draw)
        return bound(draw, self.beta) | {"alpha log q(y_observed|z_c)": classifier}
