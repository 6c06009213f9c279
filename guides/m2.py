r"""The inference program of M2 (Kingma et al. 2014, section 3.2).

.. math::  q(y, z \mid x) = q(z \mid x, y) \prod_{i=1}^{L} q(y^i \mid x)

::

    ┌ data (N) ────────────┐
    │  y^1 ◄┄┐┄┄┄┄┄┄┄┄┐    │
    │   ⋮    ├┄┄ x ┄┄► z   │
    │  y^L ◄┄┘┄┄┄┄┄┄┄┄┘    │
    └──────────────────────┘

=====================  ======  ===========  ===============================
site                   plates  event shape  sampled
=====================  ======  ===========  ===============================
``y_NAME_unobserved``  data    ()           where the row's label is missing
``z``                  data    (S,)         always
=====================  ======  ===========  ===============================

z depends on the labels whether they are observed or not, so the guide puts the observed ones in
the place of what it draws. The site of a label states the observed one as evidence, from which an
objective takes log q(y | x).
"""

from __future__ import annotations

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from pyro.distributions import TorchDistribution
from pyro.nn import PyroModule
from torch import Tensor, nn

from ..data import LabelSpace
from ..models.cases import Cases


class M2Guide(PyroModule):
    """q(y_missing | x) q(z | x, y) as a Pyro program.

    Args:
        space: the labels.
        trunk: images ``(B, C, H, W)`` to features, which both of the others take.
        classifier: features to class scores ``(B, ΣK)``, label by label.
        encoder: features and the class codes ``(…, B)`` of each label to means and standard
            deviations ``(…, B, S)``, see :class:`ccvae.networks.JoinedEncoder`.
    """

    def __init__(
        self, space: LabelSpace, trunk: nn.Module, classifier: nn.Module, encoder: nn.Module
    ) -> None:
        super().__init__()
        self.space = space
        self.trunk = trunk
        self.classifier = classifier
        self.encoder = encoder

    def forward(
        self, x: Tensor, y: Tensor, d: Tensor | None = None, *, index: Tensor, size: int
    ) -> None:
        """Run the program; the arguments are the model's (:meth:`ccvae.models.M2.forward`)."""
        features = self.trunk(x)
        with pyro.plate("data", size, subsample=index, dim=-2):
            labels = []
            for column, q_y in enumerate(self.label_posteriors(features)):
                y_i = y[:, column, None]
                with poutine.mask(mask=y_i.isnan()):
                    missing = pyro.sample(
                        f"y_{self.space.names[column]}_unobserved", q_y, infer={"evidence": y_i}
                    )
                labels.append(torch.where(y_i.isnan(), missing.to(y.dtype), y_i))
            cases = Cases(y, labels)
            loc, scale = cases.encode(self.encoder, features)
            pyro.sample("z", cases.site(dist.Normal(loc, scale).to_event(1)))

    def label_posteriors(self, features: Tensor) -> list[TorchDistribution]:
        """q(y^i | x) of every label, batch ``(B, 1)``, from the trunk's features."""
        return [
            dist.Bernoulli(logits=part[..., 1] - part[..., 0])
            if part.shape[-1] == 2
            else dist.Categorical(logits=part)
            for part in (scores[:, None] for scores in self.class_scores(features))
        ]

    def class_scores(self, features: Tensor) -> tuple[Tensor, ...]:
        """Unnormalised log-probabilities ``(B, K)`` of the classes of every label."""
        return self.classifier(features).split([len(label.classes) for label in self.space], -1)

    def predict(self, x: Tensor) -> list[Tensor]:
        """Log q(y = k | x) with the labels hidden: for each kind of label ``(B, n, K)``."""
        scores = self.class_scores(self.trunk(x))
        return [
            torch.stack([scores[column].log_softmax(-1) for column in kind.columns], 1)
            for kind in self.space.kinds
        ]
