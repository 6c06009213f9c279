r"""The inference program of CC-VAE (Joy et al. 2021, figure 2), and of both Adapted DIVAs.

.. math::

    q(z, y \mid x) = q(z_{\setminus c} \mid x) \prod_{i=1}^{L} q(z_c^i \mid x)\, q(y^i \mid z_c^i)

::

    ┌ data (N) ───────────────────────────────┐
    │  ┌ labels (L) ───┐                      │
    │  │  y ◄┄┄ z_c    │◄┄┐     z_style       │
    │  └───────────────┘  ┊        ▲          │
    │                     └┄┄┄ x ┄┄┘          │
    └─────────────────────────────────────────┘

===================  ==============  ===========  ===============================
site                 plates          event shape  sampled
===================  ==============  ===========  ===============================
``z_style``          data            (S,)         always
``z_c…``             data, labels…   (K − 1,)     always
``y…_unobserved``    data, labels…   ()           where the row's label is missing
===================  ==============  ===========  ===============================

The site ``z_c`` states its label as evidence. The program itself makes no use of it; an objective
may run it under :class:`ccvae.guides.Bayes`, which conditions the block on that evidence. That,
and nothing else, is the difference between Adapted DIVA and CC-VAE.
"""

from __future__ import annotations

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from torch import Tensor, nn

from ..data import Kind, LabelSpace
from ..models.labelled import EachKind
from ..models.program import Program
from .characteristic import Characteristic
from .links import LINKS


class CCVAEGuide(Program):
    """q(z_c, z_style, y_missing | x) as a Pyro program.

    Args:
        space: the labels.
        encoder: images ``(B, C, H, W)`` to means and standard deviations ``(B, D)`` of the
            latents, where D is ``space.dimension + style``: the blocks first.
        style: S, dimensions of z_style.
        link: the classifier's link, ``probit`` or ``logit``.
    """

    def __init__(
        self, space: LabelSpace, encoder: nn.Module, *, style: int, link: str = "probit"
    ) -> None:
        super().__init__()
        self.space = space
        self.style = style
        self.encoder = encoder
        self.classifier = EachKind(LabelClassifier(kind, link) for kind in space.kinds)

    def forward(
        self, x: Tensor, y: Tensor, d: Tensor | None = None, *, index: Tensor, size: int
    ) -> None:
        """Run the program; the arguments are the model's (:meth:`ccvae.models.CCVAE.forward`)."""
        blocks, (loc, scale) = self.posterior(x)
        with pyro.plate("data", size, subsample=index, dim=-2):
            pyro.sample("z_style", dist.Normal(loc[:, None], scale[:, None]).to_event(1))
            for kind, q_z in zip(self.space.kinds, blocks, strict=True):
                with pyro.plate(f"labels{kind.suffix}", len(kind), dim=-1):
                    y_kind = kind.of(y)
                    z_c = pyro.sample(f"z_c{kind.suffix}", q_z, infer={"evidence": y_kind})
                    with poutine.mask(mask=y_kind.isnan()):
                        pyro.sample(f"y{kind.suffix}_unobserved", q_z.label(z_c))

    def posterior(self, x: Tensor) -> tuple[list[Characteristic], tuple[Tensor, Tensor]]:
        """One pass of the encoder, cut into the parts of the latent space.

        Returns:
            q(z_c | x) for each kind of label, batch ``(B, n)`` and event ``(D,)``; and mean and
            standard deviation of z_style, ``(B, S)``.
        """
        sizes = [classifier.size for classifier in self.classifier]
        parts = [t.split([*sizes, self.style], -1) for t in self.encoder(x)]
        *blocks, style = zip(*parts, strict=True)
        return [
            classifier(loc, scale)
            for classifier, (loc, scale) in zip(self.classifier, blocks, strict=True)
        ], style

    def predict(self, x: Tensor) -> list[Tensor]:
        """Log q(y = k | x) with the labels hidden: for each kind of label ``(B, n, K)``, exact."""
        blocks, _ = self.posterior(x)
        return [block.log_classes() for block in blocks]


class LabelClassifier(nn.Module):
    """q(y | z_c) of one kind of labels: a slope and an intercept for every dimension of a block.

    The slope starts at 1 (Joy et al. 2021) and the intercepts where every class is equally likely.

    Args:
        kind: n labels with K classes and blocks of D = K − 1 dimensions.
        link: the link's name.
    """

    def __init__(self, kind: Kind, link: str) -> None:
        super().__init__()
        self.link = LINKS[link]
        start = [self.link.quantile(1 / (kind.classes - k)) for k in range(kind.block)]
        self.slope = nn.Parameter(torch.ones(len(kind), kind.block))
        self.intercept = nn.Parameter(torch.tensor(start).repeat(len(kind), 1))

    @property
    def size(self) -> int:
        """Dimensions of the labels' blocks together, n·D."""
        return self.slope.numel()

    def forward(self, loc: Tensor, scale: Tensor) -> Characteristic:
        """The block with its classifier, for mean and standard deviation ``(B, n·D)``."""
        shape = self.slope.shape
        return Characteristic(
            loc.unflatten(-1, shape),
            scale.unflatten(-1, shape),
            self.slope,
            self.intercept,
            self.link,
        )
