r"""The generative program of CC-VAE (Joy et al. 2021, figure 2 and equation 2).

.. math::

    p(x, y, z) = \prod_{i=1}^{L} [p(y^i)\, p(z_c^i \mid y^i)]\,
                 p(z_{\setminus c})\, p(x \mid z_c, z_{\setminus c})

::

    ┌ data (N) ───────────────────────────────┐
    │  ┌ labels (L) ───┐                      │
    │  │  y ──► z_c    │──┐     z_style       │
    │  └───────────────┘  │        │          │
    │                     └──► x ◄─┘          │
    └─────────────────────────────────────────┘

============  ==============  ===========  =======================================
site          plates          event shape  observed
============  ==============  ===========  =======================================
``y…``        data, labels…   ()           where the row's label is not missing
``z_c…``      data, labels…   (D,)         never
``z_style``   data            (S,)         never
``x``         data            (C, H, W)    always, unless the program is run without
============  ==============  ===========  =======================================

There is one ``labels`` plate, and one site ``y`` and ``z_c``, for each kind of label: binary ones,
``_K`` for categorical ones with K classes, ``_ordinalK`` for ordinal ones, ``_real`` for numbers. D
is 1, and K − 1 for a categorical label. With the same program and guide, Adapted DIVA is another
objective: see :mod:`ccvae.inference`.
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
from .priors import conditional_prior
from .program import joined


class CCVAE(Labelled):
    """p(x, y, z_c, z_style) as a Pyro program.

    Args:
        space: the labels.
        decoder: latents ``(…, D)`` to raw likelihood parameters ``(…, C·P, H, W)``, where D is
            ``space.dimension + style``.
        likelihood: what the raw parameters mean.
        style: S, dimensions of z_style.
        frequencies: p(y), for each kind of label a table ``(n, K)``, for real ones mean and
            deviation ``(n, 2)``, as ``space.frequencies(labels)`` returns them; uniform by default.
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
        super().__init__(space, frequencies)
        self.style = style
        self.decoder = decoder
        self.likelihood = likelihood
        self.prior = EachKind(conditional_prior(kind) for kind in space.kinds)

    def blocks_given(self, y: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Means and standard deviations of p(z_c | y) ``(R, n, D)``, for labels ``(R, L)``."""
        given = [
            prior(kind.of(y)) for kind, prior in zip(self.space.kinds, self.prior, strict=True)
        ]
        return [(each.mean, each.variance.sqrt()) for each in given]

    def forward(
        self, x: Tensor | None, y: Tensor, d: Tensor | None = None, *, index: Tensor, size: int
    ) -> None:
        """Run the program.

        Args:
            x: images ``(B, C, H, W)``, or None to generate them.
            y: labels ``(B, L)``, NaN where missing.
            d: domains; this program has none and ignores them.
            index: positions ``(B,)`` of the rows among the ``size`` rows of the data set.
            size: N, from which the ``data`` plate takes its scale N/B.
        """
        with pyro.plate("data", size, subsample=index, dim=-2):
            blocks = []
            for kind, prior in zip(self.space.kinds, self.prior, strict=True):
                with pyro.plate(f"labels{kind.suffix}", len(kind), dim=-1):
                    p_y, known = self.p_y(kind), shown(kind.of(y))
                    label = pyro.sample(f"y{kind.suffix}", p_y, **known)
                    z_c = pyro.sample(f"z_c{kind.suffix}", prior(label))
                blocks.append(z_c.flatten(-2))
            origin = torch.zeros(len(index), 1, self.style, dtype=y.dtype, device=y.device)
            z_style = pyro.sample("z_style", dist.Normal(origin, 1.0).to_event(1))
            z = joined([*blocks, z_style.squeeze(-2)])
            pixels = self.likelihood(self.decoder(z).unsqueeze(-4))
            pyro.sample("x", pixels, obs=None if x is None else x.unsqueeze(-4))
