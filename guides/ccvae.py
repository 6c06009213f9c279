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
``z_c…``             data, labels…   (D,)         always
``y…_unobserved``    data, labels…   ()           where the row's label is missing
===================  ==============  ===========  ===============================

The site ``z_c`` states its label as evidence. The program itself makes no use of it; an objective
may run it under :class:`ccvae.guides.Bayes`, which conditions the block on that evidence. That,
and nothing else, is the difference between Adapted DIVA and CC-VAE.
"""

from __future__ import annotations

import pyro
import pyro.distributions as dist
from pyro import poutine
from torch import Tensor, nn

from ..data import Kind, LabelSpace
from ..models.labelled import EachKind
from ..models.program import NetworkProgram
from .blocks import Block
from .characteristic import LabelClassifier
from .ordinal import OrdinalClassifier
from .predictions import Prediction
from .real import RealClassifier


class CCVAEGuide(NetworkProgram):
    """q(z_c, z_style, y_missing | x) as a Pyro program.

    Args:
        space: the labels.
        encoder: images ``(B, C, H, W)`` to means and standard deviations ``(B, D)`` of the
            latents, where D is ``space.dimension + style``: the blocks first.
        style: S, dimensions of z_style.
        link: of binary and categorical labels' classifiers, ``probit`` or ``logit``.
    """

    def __init__(
        self, space: LabelSpace, encoder: nn.Module, *, style: int, link: str = "probit"
    ) -> None:
        super().__init__()
        self.space = space
        self.style = style
        self.encoder = encoder
        self.classifier = EachKind(label_classifier(kind, link) for kind in space.kinds)

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

    def posterior(self, x: Tensor) -> tuple[list[Block], tuple[Tensor, Tensor]]:
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

    def predict(self, x: Tensor) -> list[Prediction]:
        """q(y | x) with the labels hidden, for each kind of label, exact."""
        blocks, _ = self.posterior(x)
        return [block.prediction() for block in blocks]


def label_classifier(kind: Kind, link: str) -> LabelClassifier | OrdinalClassifier | RealClassifier:
    """q(y | z_c) of one kind of labels.

    Args:
        kind: the labels.
        link: of binary and categorical ones, by name; ordinal ones are ordered probit.
    """
    if kind.form == "ordinal":
        return OrdinalClassifier(kind)
    return RealClassifier(kind) if kind.form == "real" else LabelClassifier(kind, link)
