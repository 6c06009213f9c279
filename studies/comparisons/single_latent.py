r"""The VAE with one latent space and both of DIVA's classifiers on it: the baseline of Ilse et al.

.. math::

    \mathcal F = \mathbb E_{q(z \mid x)}\big[ \log p(x \mid z)
        + \beta (\log p(z) - \log q(z \mid x))
        + \alpha_y \log q(y_O \mid z) + \alpha_d \log q(d_O \mid z) \big]

Its model is :class:`ccvae.models.VAE` with a standard normal p(z): labels and domains do not occur
in it, only in the classifiers, where they count for the rows that have them (O). Everything but the
partition of the latent space and the conditional priors is as in DIVA: networks, classifiers,
weights and the warm-up of β.
"""

from __future__ import annotations

import pyro
import pyro.distributions as dist
import torch
from pyro.nn import PyroModule
from torch import Tensor, nn

from ...data import LabelSpace
from ...guides import Prediction
from ...guides.diva import BlockClassifier, block_classifier
from ...inference.objectives.diva import DIVAObjective
from ...inference.objectives.draw import Draw


class SingleLatentGuide(PyroModule):
    """q(z | x), with classifiers q(y | z) and q(d | z) beside it.

    Args:
        space: the labels.
        domains: number of domains.
        encoder: images ``(B, C, H, W)`` to means and standard deviations ``(B, S)``.
        style: S, dimensions of z.
    """

    def __init__(self, space: LabelSpace, domains: int, encoder: nn.Module, *, style: int) -> None:
        super().__init__()
        self.space = space
        self.encoder = encoder
        self.domain_classifier = BlockClassifier(1, domains, style)
        self.classifier = nn.ModuleList(block_classifier(kind, style) for kind in space.kinds)

    def forward(
        self, x: Tensor, y: Tensor, d: Tensor | None = None, *, index: Tensor, size: int
    ) -> None:
        """Run the program; the arguments are the model's (:meth:`ccvae.models.VAE.forward`).

        The site states its classifiers as evidence, each with the codes ``(B, n)`` that it ought
        to name, NaN where they are missing.
        """
        loc, scale = self.encoder(x)
        d = torch.full_like(index, -1) if d is None else d
        domain = torch.where(d >= 0, d.to(y.dtype), torch.nan)[:, None]
        kinds = zip(self.classifier, self.space.kinds, strict=True)
        evidence = {
            "y": [(classifier, kind.of(y)) for classifier, kind in kinds],
            "d": [(self.domain_classifier, domain)],
        }
        with pyro.plate("data", size, subsample=index, dim=-2):
            q_z = dist.Normal(loc[:, None], scale[:, None]).to_event(1)
            pyro.sample("z", q_z, infer={"evidence": evidence})

    def predict(self, x: Tensor) -> list[Prediction]:
        """q(y | z) at the mean of q(z | x), for each kind of label."""
        loc = self.encoder(x)[0][:, None]
        return [classifier.prediction(loc) for classifier in self.classifier]  # type: ignore[operator]


class SingleLatentObjective(DIVAObjective):
    """The module's formula; α_y, α_d, β and its warm-up are DIVA's."""

    def formula(self, draw: Draw) -> dict[str, Tensor]:
        """The terms of the module's formula, in its order."""
        return {
            "log p(x|z)": draw.p("x"),
            "beta log p(z)": self.beta * draw.p("z"),
            "-beta log q(z|x)": -self.beta * draw.q("z"),
            "alpha_y log q(y|z)": self.alpha * log_classifier(draw, "y"),
            "alpha_d log q(d|z)": self.alpha_d * log_classifier(draw, "d"),
        }


def log_classifier(draw: Draw, name: str) -> Tensor:
    """Log q of the observed labels (``"y"``) or domains (``"d"``) at the draw of z, ``(B,)``."""
    (site,) = draw.sites("q", "z")
    total = torch.zeros(len(site["value"]), dtype=site["value"].dtype, device=site["value"].device)
    for classifier, codes in site["infer"]["evidence"][name]:
        density = classifier(site["value"]).log_prob(codes.nan_to_num())
        total = total + torch.where(codes.isnan(), 0.0, density).sum(-1)
    return total
