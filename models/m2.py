r"""The generative program of M2 (Kingma et al. 2014, section 3.2).

.. math::  p(x, y, z) = p(x \mid y, z)\, p(z) \prod_{i=1}^{L} p(y^i)

::

    ┌ data (N) ────────────┐
    │  y^1 ─┐              │
    │   ⋮   ├──► x ◄── z   │
    │  y^L ─┘              │
    └──────────────────────┘

===========  ======  ===========  =====================================
site         plates  event shape  observed
===========  ======  ===========  =====================================
``y_NAME``   data    ()           where the row's label is not missing
``z``        data    (S,)         never
``x``        data    (C, H, W)    always, unless the program runs without
===========  ======  ===========  =====================================

Every label is a site of its own, and **not** part of a vectorised ``labels`` plate. The decoder
ties all labels together, so a sum over them runs over the product of their classes. In a plate
they would be enumerated together, and the sum would run over "all 0" and "all 1" alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyro
import pyro.distributions as dist
import torch
from pyro.nn import PyroModule
from torch import Tensor, nn

from ..data import LabelSpace
from .cases import Cases
from .likelihoods import Likelihood
from .priors import label_prior


class M2(PyroModule):
    """p(x, y, z) as a Pyro program.

    Args:
        space: the labels.
        decoder: latents ``(…, S)`` and the class codes ``(…)`` of each label to raw likelihood
            parameters ``(…, C·P, H, W)``, see :class:`ccvae.networks.JoinedDecoder`.
        likelihood: what the raw parameters mean.
        style: S, dimensions of z.
        frequencies: p(y), for each kind of label a table ``(n, K)``; uniform by default.
    """

    def __init__(
        self,
        space: LabelSpace,
        decoder: nn.Module,
        likelihood: Likelihood,
        *,
        style: int,
        frequencies: Sequence[Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.space = space
        self.style = style
        self.decoder = decoder
        self.likelihood = likelihood
        if frequencies is None:
            frequencies = space.uniform()
        for kind, table in zip(space.kinds, frequencies, strict=True):
            for row, column in zip(table, kind.columns, strict=True):
                self.register_buffer(f"frequencies_{column}", row[None])

    def forward(
        self, x: Tensor | None, y: Tensor, d: Tensor | None = None, *, index: Tensor, size: int
    ) -> None:
        """Run the program; the arguments are those of :meth:`ccvae.models.CCVAE.forward`."""
        with pyro.plate("data", size, subsample=index, dim=-2):
            labels = []
            for column, name in enumerate(self.space.names):
                y_i = y[:, column, None]
                label = pyro.sample(
                    f"y_{name}",
                    label_prior(getattr(self, f"frequencies_{column}")),
                    obs=y_i.nan_to_num(),
                    obs_mask=~y_i.isnan(),
                )
                labels.append(label)
            origin = torch.zeros(len(index), 1, self.style, dtype=y.dtype, device=y.device)
            z = pyro.sample("z", dist.Normal(origin, 1.0).to_event(1))
            cases = Cases(y, labels)
            pixels = self.likelihood(self.decoder(cases.of(z, event=1), cases.labels))
            pyro.sample("x", cases.site(pixels), obs=None if x is None else x.unsqueeze(-4))
