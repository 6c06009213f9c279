r"""The generative program of the variational autoencoder, the baseline without labels.

.. math::  p(x, z) = p(z)\, p(x \mid z)

::

    ┌ data (N) ───┐
    │  z ──► x    │
    └─────────────┘

=====  ======  ============  =====================================
site   plates  event shape   observed
=====  ======  ============  =====================================
``z``  data    (S,)          never
``x``  data    (C, H, W)     always, unless the program runs without
=====  ======  ============  =====================================
"""

from __future__ import annotations

import pyro
import pyro.distributions as dist
import torch
from torch import Tensor, nn

from .likelihoods import Likelihood
from .program import NetworkProgram


class VAE(NetworkProgram):
    """p(x, z) as a Pyro program.

    Args:
        decoder: latents ``(…, S)`` to raw likelihood parameters ``(…, C·P, H, W)``.
        likelihood: what the raw parameters mean.
        style: S, dimensions of z.
    """

    def __init__(self, decoder: nn.Module, likelihood: Likelihood, *, style: int) -> None:
        super().__init__()
        self.style = style
        self.decoder = decoder
        self.likelihood = likelihood

    def forward(
        self, x: Tensor | None, y: Tensor, d: Tensor | None = None, *, index: Tensor, size: int
    ) -> None:
        """Run the program; it takes labels and domains like all others and ignores them.

        The arguments are those of :meth:`ccvae.models.CCVAE.forward`.
        """
        with pyro.plate("data", size, subsample=index, dim=-2):
            origin = torch.zeros(len(index), 1, self.style, dtype=y.dtype, device=y.device)
            z = pyro.sample("z", dist.Normal(origin, 1.0).to_event(1))
            pixels = self.likelihood(self.decoder(z))
            pyro.sample("x", pixels, obs=None if x is None else x.unsqueeze(-4))
