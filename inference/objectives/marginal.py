r"""The marginal bound on CC-VAE's program: missing labels summed out in the model.

.. math::

    \mathcal L(x, y_O) = \mathbb E_{q(z \mid x, y_O)}\Big[ \log p(x \mid z)
        + \log p(z_{\setminus c}) - \log q(z_{\setminus c} \mid x) - \log q(z_c \mid x, y_O)
        + \log \sum_{y_U} p(z_c \mid y)\, p(y) \Big]

The guide's q(y_U|z_c) does not occur: the sum over the labels is the model's own. By Jensen's
inequality the bound lies between CC-VAE's and log p(x, y_O); what it gains on CC-VAE's is the
expected KL(q(y_U|z_c) ‖ p(y_U|z_c)). So nothing here trains the classifier on unlabelled rows.
"""

from __future__ import annotations

from torch import Tensor

from .ccvae import CCVAEObjective
from .classifiers import log_evidence
from .draw import Draw


class MarginalObjective(CCVAEObjective):
    """The bound with the labels summed out in the model.

    Args:
        alpha: weight of log q(y_O|x); 1 is the bound.
        options: see :class:`~ccvae.inference.Objective`.
    """

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """The terms of the module's formula, in its order."""
        draw.ignore("q", "y")
        return {
            "log p(x|z)": draw.p("x"),
            "log p(z_style)": draw.p("z_style"),
            "-log q(z_style|x)": -draw.q("z_style"),
            "-log q(z_c|x,y_observed)": -draw.q("z_c"),
            "log p(y_observed)": draw.p("y", "observed"),
            "log sum p(z_c|y) p(y_missing)": draw.summed("y", "z_c"),
            "(alpha-1) log q(y_observed|x)": (self.alpha - 1) * log_evidence(draw),
        }
