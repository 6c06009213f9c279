r"""The generative program of DIVA (Ilse et al. 2020, figure 1 and equation 1).

.. math::

    p(x, y, d, z) = p(d)\, p(z_d \mid d)\, p(z_x)
                    \prod_{i=1}^{L} [p(y^i)\, p(z_y^i \mid y^i)]\, p(x \mid z_d, z_x, z_y)

::

    ┌ data (N) ────────────────────────────────┐
    │            ┌ labels (L) ───┐             │
    │  d ──► z_d │  y ──► z_y    │    z_x      │
    │         │  └─────────│─────┘     │       │
    │         └────────► x ◄───────────┘       │
    └──────────────────────────────────────────┘

=========  ==============  ===========  =======================================
site       plates          event shape  observed
=========  ==============  ===========  =======================================
``d``      data            ()           where the row's domain is not missing
``z_d``    data            (S,)         never
``y…``     data, labels…   ()           where the row's label is not missing
``z_y…``   data, labels…   (D,)         never
``z_x``    data            (S,)         never
``x``      data            (C, H, W)    always, unless the program runs without
=========  ==============  ===========  =======================================

With one label this is the paper's program. With several, z_y is partitioned by label, as in
Adapted DIVA, so that the sum over missing labels factorises. p(z_y | y) of a real label is linear
in its number, where classes have a network of their code.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyro
import pyro.distributions as dist
import torch
from torch import Tensor, nn

from ..data import LabelSpace
from .labelled import EachKind, Labelled, shown
from .likelihoods import Likelihood
from .priors import ClassTable, RealPrior
from .program import joined


class DIVA(Labelled):
    """p(x, y, d, z_d, z_x, z_y) as a Pyro program.

    Args:
        space: the labels.
        domains: number of domains.
        decoder: latents ``(…, S + S + L·D)``, in the order z_d, z_x, z_y, to raw likelihood
            parameters ``(…, C·P, H, W)``.
        likelihood: what the raw parameters mean.
        style: S, dimensions of z_x and of z_d.
        block: D, dimensions of each label's part of z_y.
        frequencies: p(y), for each kind of label a table ``(n, K)``; uniform by default. p(d) is
            uniform.
    """

    def __init__(
        self,
        space: LabelSpace,
        domains: int,
        decoder: nn.Module,
        likelihood: Likelihood,
        *,
        style: int,
        block: int,
        frequencies: Sequence[Tensor] | None = None,
    ) -> None:
        super().__init__(space, frequencies)
        self.style = style
        self.decoder = decoder
        self.likelihood = likelihood
        self.prior = EachKind(
            RealPrior(len(kind), block)
            if kind.form == "real"
            else ClassTable(len(kind), kind.classes, block)
            for kind in space.kinds
        )
        self.domain_prior = ClassTable(1, domains, style)
        self.register_buffer("domain_frequencies", torch.full((1, domains), 1 / domains))

    def forward(
        self, x: Tensor | None, y: Tensor, d: Tensor | None = None, *, index: Tensor, size: int
    ) -> None:
        """Run the program.

        Args:
            x: images ``(B, C, H, W)``, or None to generate them.
            y: labels ``(B, L)``, NaN where missing.
            d: domains ``(B,)``, −1 where missing; None if all are.
            index, size: see :meth:`ccvae.models.CCVAE.forward`.
        """
        with pyro.plate("data", size, subsample=index, dim=-2):
            codes = torch.full_like(index, -1) if d is None else d
            domain = pyro.sample(
                "d",
                dist.Categorical(self.domain_frequencies),
                obs=codes[:, None].clamp(min=0),
                obs_mask=codes[:, None] >= 0,
            )
            z_d = pyro.sample("z_d", self.domain_prior(domain))
            origin = torch.zeros(len(index), 1, self.style, dtype=y.dtype, device=y.device)
            z_x = pyro.sample("z_x", dist.Normal(origin, 1.0).to_event(1))
            blocks = []
            for kind, prior in zip(self.space.kinds, self.prior, strict=True):
                with pyro.plate(f"labels{kind.suffix}", len(kind), dim=-1):
                    p_y, known = self.p_y(kind), shown(kind.of(y))
                    label = pyro.sample(f"y{kind.suffix}", p_y, **known)
                    z_y = pyro.sample(f"z_y{kind.suffix}", prior(label))
                blocks.append(z_y.flatten(-2))
            z = joined([z_d.squeeze(-2), z_x.squeeze(-2), *blocks])
            pixels = self.likelihood(self.decoder(z).unsqueeze(-4))
            pyro.sample("x", pixels, obs=None if x is None else x.unsqueeze(-4))
