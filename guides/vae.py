r"""The inference program of the variational autoencoder.

.. math::  q(z \mid x)

::

    ┌ data (N) ───┐
    │  z ◄┄┄ x    │
    └─────────────┘
"""

from __future__ import annotations

import pyro
import pyro.distributions as dist
from torch import Tensor, nn

from ..models.program import NetworkProgram


class VAEGuide(NetworkProgram):
    """q(z | x) as a Pyro program.

    Args:
        encoder: images ``(B, C, H, W)`` to means and standard deviations ``(B, S)``.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(
        self, x: Tensor, y: Tensor, d: Tensor | None = None, *, index: Tensor, size: int
    ) -> None:
        """Run the program; the arguments are the model's (:meth:`ccvae.models.VAE.forward`)."""
        loc, scale = self.encoder(x)
        with pyro.plate("data", size, subsample=index, dim=-2):
            pyro.sample("z", dist.Normal(loc[:, None], scale[:, None]).to_event(1))
