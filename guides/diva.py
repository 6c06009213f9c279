r"""The inference program of DIVA (Ilse et al. 2020, figure 1) with both of its classifiers.

.. math::

    q(z, y, d \mid x) = q(z_d \mid x)\, q(d \mid z_d)\, q(z_x \mid x)
                        \prod_{i=1}^{L} q(z_y^i \mid x)\, q(y^i \mid z_y^i)

::

    ┌ data (N) ────────────────────────────────┐
    │            ┌ labels (L) ───┐             │
    │  d ◄┄┄ z_d │  y ◄┄┄ z_y    │    z_x      │
    │         ▲  └─────────▲─────┘     ▲       │
    │         └┄┄┄┄┄┄┄┄┄ x ┄┄┄┄┄┄┄┄┄┄┄┄┘       │
    └──────────────────────────────────────────┘

===================  ==============  ===========  ================================
site                 plates          event shape  sampled
===================  ==============  ===========  ================================
``z_d``              data            (S,)         always
``d_unobserved``     data            ()           where the row's domain is missing
``z_x``              data            (S,)         always
``z_y…``             data, labels…   (D,)         always
``y…_unobserved``    data, labels…   ()           where the row's label is missing
===================  ==============  ===========  ================================

The classifiers' sites state what is observed as evidence, from which an objective takes
log q(d | z_d) and log q(y | z_y). Those of the paper are a ReLU and a linear layer; for ordinal
labels it is ordered probit, for real ones a normal, both linear in the block.
"""

from __future__ import annotations

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from pyro.distributions import TorchDistribution
from torch import Tensor, nn

from ..data import Kind, LabelSpace
from ..models.labelled import EachKind
from ..models.program import NetworkProgram
from .ordinal import Thresholds, ends, evenly, log_between
from .predictions import ClassPrediction, NumberPrediction, Prediction
from .real import Noise, ThreeNodes


class DIVAGuide(NetworkProgram):
    """q(z_d, z_x, z_y, d_missing, y_missing | x) as a Pyro program.

    Args:
        space: the labels.
        domains: number of domains.
        domain_encoder, style_encoder, label_encoder: images ``(B, C, H, W)`` to means and standard
            deviations of z_d ``(B, S)``, z_x ``(B, S)`` and z_y ``(B, L·D)``.
        style: S. block: D, dimensions of each label's part of z_y.
    """

    def __init__(
        self,
        space: LabelSpace,
        domains: int,
        domain_encoder: nn.Module,
        style_encoder: nn.Module,
        label_encoder: nn.Module,
        *,
        style: int,
        block: int,
    ) -> None:
        super().__init__()
        self.space = space
        self.domain_encoder = domain_encoder
        self.style_encoder = style_encoder
        self.label_encoder = label_encoder
        self.domain_classifier = BlockClassifier(1, domains, style)
        self.classifier = EachKind(block_classifier(kind, block) for kind in space.kinds)

    def forward(
        self, x: Tensor, y: Tensor, d: Tensor | None = None, *, index: Tensor, size: int
    ) -> None:
        """Run the program; the arguments are the model's (:meth:`ccvae.models.DIVA.forward`)."""
        z_d_loc, z_d_scale = self.domain_encoder(x)
        z_x_loc, z_x_scale = self.style_encoder(x)
        with pyro.plate("data", size, subsample=index, dim=-2):
            codes = (torch.full_like(index, -1) if d is None else d)[:, None]
            q_z_d = dist.Normal(z_d_loc[:, None], z_d_scale[:, None]).to_event(1)
            z_d = pyro.sample("z_d", q_z_d)
            evidence = torch.where(codes >= 0, codes.to(y.dtype), torch.nan)
            with poutine.mask(mask=codes < 0):
                pyro.sample(
                    "d_unobserved", self.domain_classifier(z_d), infer={"evidence": evidence}
                )
            pyro.sample("z_x", dist.Normal(z_x_loc[:, None], z_x_scale[:, None]).to_event(1))
            blocks = zip(self.space.kinds, self.classifier, self.blocks(x), strict=True)
            for kind, classifier, (loc, scale) in blocks:
                with pyro.plate(f"labels{kind.suffix}", len(kind), dim=-1):
                    y_kind = kind.of(y)
                    z_y = pyro.sample(f"z_y{kind.suffix}", dist.Normal(loc, scale).to_event(1))
                    with poutine.mask(mask=y_kind.isnan()):
                        pyro.sample(
                            f"y{kind.suffix}_unobserved",
                            classifier(z_y),
                            infer={"evidence": y_kind},
                        )

    def blocks(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Means and standard deviations of z_y ``(B, n, D)`` for each kind of label."""
        counts = [len(kind) for kind in self.space.kinds]
        parts = [t.unflatten(-1, (sum(counts), -1)).split(counts, 1) for t in self.label_encoder(x)]
        return list(zip(*parts, strict=True))

    def predict(self, x: Tensor) -> list[Prediction]:
        """q(y | z_y) at the mean of q(z_y | x), for each kind of label."""
        return [
            classifier.prediction(loc)
            for classifier, (loc, _) in zip(self.classifier, self.blocks(x), strict=True)
        ]


class BlockClassifier(nn.Module):
    """q(class | block) for n labels with blocks of D dimensions: ReLU, then one linear layer.

    Args:
        labels: n. classes: K. block: D.
    """

    def __init__(self, labels: int, classes: int, block: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(labels, classes, block) / block**0.5)
        self.bias = nn.Parameter(torch.zeros(labels, classes))

    def forward(self, z: Tensor) -> TorchDistribution:
        """The labels' distribution at blocks ``(…, n, D)``; Bernoulli for two classes."""
        logits = self.log_classes(z)
        if logits.shape[-1] == 2:
            return dist.Bernoulli(logits=logits[..., 1] - logits[..., 0])
        return dist.Categorical(logits=logits)

    def log_classes(self, z: Tensor) -> Tensor:
        """Class log-probabilities ``(…, n, K)`` at blocks ``(…, n, D)``."""
        scores = (self.weight * z.relu().unsqueeze(-2)).sum(-1) + self.bias
        return scores.log_softmax(-1)

    def prediction(self, z: Tensor) -> ClassPrediction:
        """What it says of the labels at blocks ``(…, n, D)``."""
        return ClassPrediction(self.log_classes(z))


class OrderedClassifier(nn.Module):
    """q(class | block) for n ordinal labels: ordered probit on a linear score of the block.

    Args:
        labels: n. classes: K. block: D.
    """

    def __init__(self, labels: int, classes: int, block: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(labels, block) / block**0.5)
        self.thresholds = Thresholds(labels, evenly(classes))

    def forward(self, z: Tensor) -> TorchDistribution:
        """The labels' distribution at blocks ``(…, n, D)``."""
        return dist.Categorical(logits=self.log_classes(z))

    def log_classes(self, z: Tensor) -> Tensor:
        """Class log-probabilities ``(…, n, K)`` at blocks ``(…, n, D)``."""
        score = (self.weight * z).sum(-1, keepdim=True).double()
        return log_between(*ends(self.thresholds().double() - score)).to(z.dtype)

    def prediction(self, z: Tensor) -> ClassPrediction:
        """What it says of the labels at blocks ``(…, n, D)``."""
        return ClassPrediction(self.log_classes(z), ordered=True)


class NumberRegression(nn.Module):
    """q(number | block) for n real labels: a normal around a linear function of the block.

    p(z_y | y) is linear as well, so the three nodes of a missing number are exact here too.

    Args:
        labels: n. block: D.
    """

    def __init__(self, labels: int, block: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(labels, block) / block**0.5)
        self.bias = nn.Parameter(torch.zeros(labels))
        self.noise = Noise(labels, 1.0)

    def forward(self, z: Tensor) -> ThreeNodes:
        """The labels' distribution at blocks ``(…, n, D)``."""
        mean = (self.weight * z).sum(-1) + self.bias
        return ThreeNodes(mean, self.noise()[:, 0].expand_as(mean), validate_args=False)

    def prediction(self, z: Tensor) -> NumberPrediction:
        """What it says of the labels at blocks ``(…, n, D)``."""
        of = self(z)
        return NumberPrediction(of.loc, of.scale)


def block_classifier(
    kind: Kind, block: int
) -> BlockClassifier | OrderedClassifier | NumberRegression:
    """q(y | z_y) of one kind of labels with blocks of so many dimensions."""
    if kind.form == "ordinal":
        return OrderedClassifier(len(kind), kind.classes, block)
    if kind.form == "real":
        return NumberRegression(len(kind), block)
    return BlockClassifier(len(kind), kind.classes, block)
