r"""CC-VAE's objective (Joy et al. 2021, equations 4 and 5), exactly.

The paper weighs a draw of q(z|x) by w = q(y|z_c)/q(y|x). The same number is the plain ELBO of the
guide that Bayes' rule makes of q(z_c|x) and q(y|z_c) on the observed labels O:

.. math::

    q(z \mid x, y_O) = q(z \mid x)\, q(y_O \mid z_c) / q(y_O \mid x)

.. math::

    \mathcal L(x, y_O) = \mathbb E_{q(z \mid x, y_O)\, q(y_U \mid z_c)}\Big[
        \log p(x \mid z) + \log p(z_{\setminus c}) + \log p(z_c \mid y) + \log p(y)
        - \log q(z_{\setminus c} \mid x) - \log q(z_c \mid x, y_O) - \log q(y_U \mid z_c) \Big]

All labels observed gives the paper's :math:`\mathcal L_s`, none gives its :math:`\mathcal L_u`. It
bounds log p(x, y_O) from below. Nothing is weighed and q(y|x) is not sampled: the draw comes from
the conditioned guide, and the sum over unobserved labels U is exact.

With an α the objective is :math:`\mathcal L + (\alpha - 1) \log q(y_O \mid x)`, which is no bound
unless α = 1. The paper has no α, but its authors' estimator works as if it had one of about 10⁴:
see :mod:`ccvae.inference.objectives.ccvae_authors`.
"""

from __future__ import annotations

from typing import Unpack

from torch import Tensor

from ...guides import Bayes
from .base import Objective, Options
from .classifiers import log_evidence
from .draw import Draw
from .sites import Program

ALPHA = 300.0
"""Default weight of the classifier, chosen by measurement with one row in five labelled."""


def suggested_alpha(rows: int, labelled: int) -> float | None:
    """The weight for a share of labelled rows, 60·N/N_labelled, by measurement (docs/alpha.md).

    >>> suggested_alpha(10_000, 2_000)
    300.0
    """
    return 60.0 * rows / labelled


class CCVAEObjective(Objective):
    """CC-VAE by the conditioned guide.

    Args:
        alpha: weight of log q(y_O|x); 1 is the paper's bound.
        options: see :class:`~ccvae.inference.Objective`.
    """

    evidence = "log p(x,y_observed)"

    def __init__(self, alpha: float = ALPHA, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        self.alpha = alpha

    suggested_alpha = staticmethod(suggested_alpha)

    def prepare(self, guide: Program) -> Program:
        """The guide under :class:`~ccvae.guides.Bayes`."""
        return Bayes()(guide)

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """The terms of the module's formula, in its order."""
        return {
            "log p(x|z)": draw.p("x"),
            "log p(z_style)": draw.p("z_style"),
            "log p(z_c|y)": draw.p("z_c"),
            "log p(y)": draw.p("y"),
            "-log q(z_style|x)": -draw.q("z_style"),
            "-log q(z_c|x,y_observed)": -draw.q("z_c"),
            "-log q(y_missing|z_c)": -draw.q("y"),
            "(alpha-1) log q(y_observed|x)": (self.alpha - 1) * log_evidence(draw),
        }
