r"""The ELBO of the variational autoencoder, which bounds log p(x) (Kingma and Welling 2014).

.. math::  \mathcal L(x) = \mathbb E_{q(z \mid x)}[\log p(x \mid z) + \log p(z) - \log q(z \mid x)]
"""

from __future__ import annotations

from torch import Tensor

from .base import Objective
from .draw import Draw


class VAEObjective(Objective):
    """The plain ELBO of a program whose only latent is z."""

    evidence = "log p(x)"

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """The terms of the module's formula, in its order."""
        return {
            "log p(x|z)": draw.p("x"),
            "log p(z)": draw.p("z"),
            "-log q(z|x)": -draw.q("z"),
        }
