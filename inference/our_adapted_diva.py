r"""Our Adapted DIVA: the poster's own column of Table 1, on CC-VAE's program.

.. math::  \mathcal U(x, y_O) = \mathcal L(x, y_O)
           + \alpha\, \mathbb E_{q(z_c \mid x)}[\log q(y_O \mid z_c)]

with the :math:`\mathcal L` of :mod:`ccvae.inference.adapted_diva`. The classifier is trained on the
labelled rows, as in DIVA itself, where Adapted DIVA as printed rewards its confidence on the
unlabelled ones.
"""

from __future__ import annotations

from torch import Tensor

from .adapted_diva import bound
from .blocks import log_classifier
from .ccvae import ALPHA, LABEL_WEIGHT
from .diva import DIVAObjective
from .draw import Draw
from .objective import Objective


class OurAdaptedDIVAObjective(Objective):
    """Adapted DIVA with its classifier term on labelled rows.

    Args:
        alpha: weight of the classifier term.
        beta: weight of the blocks' KL divergence.
        num_particles, max_plate_nesting: see :class:`~ccvae.inference.Objective`.
    """

    evidence = "log p(x|y_observed)"

    def __init__(
        self,
        alpha: float = ALPHA,
        beta: float = 1.0,
        *,
        num_particles: int = 1,
        max_plate_nesting: int = 2,
    ) -> None:
        super().__init__(num_particles=num_particles, max_plate_nesting=max_plate_nesting)
        self.alpha = alpha
        self.beta = self.checked_beta(beta)

    label_weight = LABEL_WEIGHT

    suggested_alpha = staticmethod(DIVAObjective.suggested_alpha)

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """The terms of the module's formula, in its order."""
        classifier = self.alpha * log_classifier(draw)
        return bound(draw, self.beta) | {"alpha log q(y_observed|z_c)": classifier}
