r"""The inference program of M2 (Kingma et al. 2014, section 3.2).

.. math::  q(y, z \mid x) = q(z \mid x, y)\, q(y \mid x), \qquad
           q(y \mid x) = \prod_{i=1}^{L} q(y^i \mid x)

::

    ┌ data (N) ────────────┐
    │  y ◄┄┄┄ x ┄┄┄► z     │
    │  └┄┄┄┄┄┄┄┄┄┄┄┄┄┘     │
    └──────────────────────┘

================  ======  ===========  ==============================================
site              plates  event shape  sampled
================  ======  ===========  ==============================================
``y_unobserved``  data    (L,)         always; counts where the row's label is missing
``z``             data    (S,)         always
================  ======  ===========  ==============================================

z depends on the labels whether they are observed or not, so the guide puts the observed ones in
the place of what it draws. The site of the labels states the observed ones as evidence, from which
an objective takes log q(y | x). In a batch without missing labels it states that there is nothing
to sum over.
"""

from __future__ import annotations

from typing import Any

import pyro
import pyro.distributions as dist
from torch import Tensor, nn

from ..data import LabelSpace
from ..data.classes import ClassColumns
from ..models.cases import Cases
from ..models.joint import JointLabels, filled, missing_codes
from ..models.program import NetworkProgram
from .predictions import ClassPrediction, Prediction


class M2Guide(NetworkProgram):
    """q(y_missing | x) q(z | x, y) as a Pyro program.

    Args:
        space: the labels.
        trunk: images ``(B, C, H, W)`` to features, which both of the others take.
        classifier: features to class scores ``(B, ΣK)``, in the order of
            :class:`~ccvae.data.classes.ClassColumns`.
        encoder: features and class codes ``(…, B, L)`` to means and standard deviations
            ``(…, B, S)``, see :class:`ccvae.networks.JoinedEncoder`.
    """

    def __init__(
        self, space: LabelSpace, trunk: nn.Module, classifier: nn.Module, encoder: nn.Module
    ) -> None:
        super().__init__()
        self.space = space
        self.columns = ClassColumns(space.classes, space.names, space.forms)
        self.trunk = trunk
        self.classifier = classifier
        self.encoder = encoder

    def forward(
        self, x: Tensor, y: Tensor, d: Tensor | None = None, *, index: Tensor, size: int
    ) -> None:
        """Run the program; the arguments are the model's (:meth:`ccvae.models.M2.forward`)."""
        features = self.trunk(x)
        missing, evidence = missing_codes(y), y[:, None]
        infer: dict[str, Any] = {"evidence": evidence}
        if missing is False:
            infer["enumerate"] = None  # Pyro's config_enumerate leaves it so
        with pyro.plate("data", size, subsample=index, dim=-2):
            q_y = JointLabels(self.columns, self.log_classes(features)[:, None], missing)
            drawn = pyro.sample("y_unobserved", q_y, infer=infer)
            cases = Cases(y, filled(evidence, drawn, missing))
            loc, scale = cases.encode(self.encoder, features)
            pyro.sample("z", cases.site(dist.Normal(loc, scale).to_event(1)))

    def log_classes(self, features: Tensor) -> Tensor:
        """Log q(y = k | x) of all classes, ``(B, ΣK)``, from the trunk's features."""
        return self.columns.log_softmax(self.classifier(features))

    def predict(self, x: Tensor) -> list[Prediction]:
        """q(y | x) with the labels hidden, for each kind of label."""
        tables = self.columns.by_kind(self.log_classes(self.trunk(x)))
        return [
            ClassPrediction(table, kind.form == "ordinal")
            for table, kind in zip(tables, self.space.kinds, strict=True)
        ]
