"""The labels of the rendered faces, and how often they occur together."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from .forms import Binary, Categorical
from .labels import LabelSpace

FACES = LabelSpace(
    [
        *map(Binary, ("Smiling", "Arched_Eyebrows", "Eyeglasses", "Wearing_Necktie", "Bangs")),
        *map(Binary, ("Pale_Skin", "No_Beard", "Young")),
        Categorical("Hair", ("Bald", "Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")),
    ]
)
"""The labels, named as in CelebA."""


@dataclass(frozen=True)
class Frequencies:
    """How often the labels occur, and together with what: as unequal and correlated as in life.

    Each field is the probability of a label given the labels it depends on.

    Attributes:
        young: of Young.
        hair_young: of the classes of Hair among the young. hair_old: among the others.
        bangs: of Bangs for each class of Hair; the bald have none.
        bearded: of a beard without and with Bangs.
        necktie: of Wearing_Necktie without and with Bangs.
        eyeglasses: of Eyeglasses among the old and among the young.
        smiling: of Smiling without and with a necktie.
        arched: of Arched_Eyebrows without and with a smile.
        pale: of Pale_Skin for each class of Hair.

    Raises:
        ValueError: for too many or too few probabilities, one outside [0, 1], hair that does not
            add up to 1, or bangs on the bald.
    """

    young: float = 0.64
    hair_young: tuple[float, ...] = (0.07, 0.32, 0.25, 0.29, 0.07)
    hair_old: tuple[float, ...] = (0.26, 0.12, 0.09, 0.14, 0.39)
    bangs: tuple[float, ...] = (0.0, 0.42, 0.56, 0.42, 0.24)
    bearded: tuple[float, ...] = (0.46, 0.15)
    necktie: tuple[float, ...] = (0.46, 0.16)
    eyeglasses: tuple[float, ...] = (0.52, 0.28)
    smiling: tuple[float, ...] = (0.56, 0.40)
    arched: tuple[float, ...] = (0.32, 0.50)
    pale: tuple[float, ...] = (0.30, 0.28, 0.46, 0.26, 0.40)

    def __post_init__(self) -> None:
        for field in fields(self):
            values = np.atleast_1d(getattr(self, field.name))
            expected = np.size(getattr(Frequencies, field.name))
            if len(values) != expected:
                raise ValueError(
                    f"expected {field.name} to have {expected} entries, got {len(values)}"
                )
            if not ((values >= 0) & (values <= 1)).all():
                raise ValueError(f"expected {field.name} to lie in [0, 1], got {values.tolist()}")
        for name in ("hair_young", "hair_old"):
            if abs(sum(getattr(self, name)) - 1) > 1e-6:
                raise ValueError(f"expected {name} to add up to 1, got {sum(getattr(self, name))}")
        if self.bangs[0] > 0:
            raise ValueError(
                f"expected bangs[0] = 0, got {self.bangs[0]}: bangs on a bald head show nothing"
            )

    def sample(self, uniform: Tensor) -> Tensor:
        """Labels ``(N, 9)`` from uniform random numbers ``(N, 9)`` in [0, 1)."""
        column = dict(zip(FACES.names, uniform.T, strict=True))

        def choose(name: str, given: Tensor, *rates: float) -> Tensor:
            drawn: Tensor = column[name] < uniform.new_tensor(rates)[given]
            return drawn.long()

        young = (column["Young"] < self.young).long()
        shares = uniform.new_tensor((self.hair_old, self.hair_young)).cumsum(-1)[young]
        hair = (column["Hair"][:, None] >= shares[:, :-1]).sum(-1)
        bangs = choose("Bangs", hair, *self.bangs)
        tie = choose("Wearing_Necktie", bangs, *self.necktie)
        smiling = choose("Smiling", tie, *self.smiling)
        drawn = {
            "Young": young,
            "Hair": hair,
            "Bangs": bangs,
            "Wearing_Necktie": tie,
            "Smiling": smiling,
            "No_Beard": 1 - choose("No_Beard", bangs, *self.bearded),
            "Eyeglasses": choose("Eyeglasses", young, *self.eyeglasses),
            "Arched_Eyebrows": choose("Arched_Eyebrows", smiling, *self.arched),
            "Pale_Skin": choose("Pale_Skin", hair, *self.pale),
        }
        return torch.stack([drawn[name] for name in FACES.names], -1).float()
