r"""The importance-weighted bound (Burda et al. 2016) on CC-VAE's program.

.. math::

    \mathcal L_P(x, y_O) = \mathbb E_{z_1 \ldots z_P \sim q(z \mid x, y_O)}
        \Big[ \log \frac1P \sum_{p=1}^P
        \frac{p(x, y_O, z_p)}{q(z_p \mid x, y_O)} \Big]

with the missing labels summed out in the model, as in
:mod:`ccvae.inference.objectives.marginal`. One particle gives that bound; with more it rises
towards log p(x, y_O), which makes it the yardstick for the others. The logarithm is taken for every
data point, and the plate's scale stays outside of it (Pyro's ``RenyiELBO`` puts it inside).
"""

from __future__ import annotations

import math

from torch import Tensor

from .draw import Draw, total
from .marginal import MarginalObjective

TERM = "log mean p(x,y_observed,z)/q(z|x,y_observed)"


class ImportanceWeightedObjective(MarginalObjective):
    """The importance-weighted bound on log p(x, y_O).

    Args:
        num_particles: P, draws for each data point.
        max_plate_nesting: see :class:`~ccvae.inference.Objective`.
    """

    particles_at_once = 10

    def __init__(self, *, num_particles: int = 10, max_plate_nesting: int = 2) -> None:
        super().__init__(1.0, num_particles=num_particles, max_plate_nesting=max_plate_nesting)

    @staticmethod
    def suggested_alpha(rows: int, labelled: int) -> None:
        """None: a bound has no classifier term."""

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """One term: the logarithm of the weight."""
        return {TERM: total(list(super().formula(draw).values()))}

    def combine(self, terms: dict[str, Tensor]) -> dict[str, Tensor]:
        """One term: the logarithm of the mean weight."""
        return {TERM: terms[TERM].logsumexp(0) - math.log(self.num_particles)}
