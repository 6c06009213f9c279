r"""The generative program of M2 (Kingma et al. 2014, section 3.2).

.. math::  p(x, y, z) = p(y)\, p(z)\, p(x \mid y, z), \qquad p(y) = \prod_{i=1}^{L} p(y^i)

::

    ┌ data (N) ────────────┐
    │  y ───► x ◄─── z     │
    └──────────────────────┘

================  ======  ===========  ===========================================
site              plates  event shape  observed
================  ======  ===========  ===========================================
``y_observed``    data    (L,)         always; counts where a label is not missing
``y_unobserved``  data    (L,)         never; counts where a label is missing
``z``             data    (S,)         never
``x``             data    (C, H, W)    always, unless the program runs without
================  ======  ===========  ===========================================

All labels are one site, an event of L class codes, and **not** a vectorised ``labels`` plate. The
decoder ties all labels together, so a sum over them runs over the product of their classes. In a
plate they would be enumerated together, and the sum would run over "all 0" and "all 1" alone.

An ordinal label is one of classes here, whose order plays no part. A real one has no place among
them: there is no finite sum over a number that the decoder takes through its layers.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyro
import pyro.distributions as dist
import torch
from torch import Tensor, nn
from torch.distributions.utils import clamp_probs

from ..data import LabelSpace
from ..data.classes import ClassColumns
from .cases import Cases
from .joint import JointLabels, filled, missing_codes
from .likelihoods import Likelihood
from .program import NetworkProgram


class M2(NetworkProgram):
    """p(x, y, z) as a Pyro program.

    Args:
        space: the labels.
        decoder: latents ``(…, S)`` and class codes ``(…, L)`` to raw likelihood parameters
            ``(…, C·P, H, W)``, see :class:`ccvae.networks.JoinedDecoder`.
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
        self.columns = ClassColumns(space.classes, space.names, space.forms)
        row = torch.cat([clamp_probs(table).log().flatten() for table in frequencies])
        self.register_buffer("log_frequencies", self.columns.log_softmax(row))

    def forward(
        self, x: Tensor | None, y: Tensor, d: Tensor | None = None, *, index: Tensor, size: int
    ) -> None:
        """Run the program; the arguments are those of :meth:`ccvae.models.CCVAE.forward`."""
        missing = missing_codes(y)
        known, unknown = JointLabels(self.columns, self.log_frequencies).halves(missing)
        with pyro.plate("data", size, subsample=index, dim=-2):
            observed = pyro.sample("y_observed", known, obs=y.nan_to_num()[:, None])
            drawn = pyro.sample("y_unobserved", unknown)
            origin = torch.zeros(len(index), 1, self.style, dtype=y.dtype, device=y.device)
            z = pyro.sample("z", dist.Normal(origin, 1.0).to_event(1))
            cases = Cases(y, filled(observed, drawn, missing))
            pixels = self.likelihood(self.decoder(cases.of(z, event=1), cases.codes))
            pyro.sample("x", cases.site(pixels), obs=None if x is None else x.unsqueeze(-4))
