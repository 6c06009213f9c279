"""What the people of the rendered faces look like: their random draws, labels and colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

DRAWS = (
    *("roll", "shift_x", "shift_y", "zoom", "gain", "light", "background", "gradient"),
    *("face_width", "face_height", "skin", "skin_warmth", "shirt_hue", "shirt_value", "shoulder"),
    *("eye_distance", "eye_height", "eye_open", "gaze", "iris", "nose_width", "nose_height"),
    *("mouth_height", "mouth_width", "mouth_curve", "mouth_open", "lip"),
    *("brow_shape", "brow_thickness", "brow_tone", "brow_height"),
    *("frame_thickness", "frame_height", "frame_round", "frame_hue", "lens"),
    *("tie_width", "tie_hue", "tie_value"),
    *("bang_length", "bang_sweep", "bang_phase", "bang_shade"),
    *("hair_tone", "hair_length", "hair_volume", "hairline"),
    *("beard_length", "beard_width", "moustache"),
    *("wrinkle_depth", "wrinkle_width", "wrinkle_height", "blush"),
)
"""Names of the uniform random numbers that one face is made of."""

# One row a class of hair: its colour, and how far the tone of a person moves it. The first row is
# the beard of a bald person.
_HAIR = (
    (0.32, 0.23, 0.18),
    (0.10, 0.09, 0.12),
    (0.93, 0.76, 0.32),
    (0.42, 0.23, 0.11),
    (0.70, 0.71, 0.75),
)
_HAIR_SPREAD = (
    (0.05, 0.04, 0.03),
    (0.05, 0.05, 0.06),
    (0.05, 0.07, 0.10),
    (0.10, 0.06, 0.03),
    (0.08, 0.08, 0.08),
)
_PALE = ((0.96, 0.88, 0.84), (1.0, 0.93, 0.87))
_TANNED = ((0.56, 0.38, 0.27), (0.88, 0.66, 0.48))


@dataclass(frozen=True)
class Person:
    """What a batch of faces looks like.

    Attributes:
        draws: uniform random numbers ``(B,)`` in [0, 1) by the names in :data:`DRAWS`.
        labels: class codes ``(B,)`` by label.
    """

    draws: Mapping[str, Tensor]
    labels: Mapping[str, Tensor]

    def has(self, label: str) -> Tensor:
        """1 where the label is present and 0 elsewhere, ``(B, 1, 1)``."""
        return (self.labels[label] == 1).float()[:, None, None]

    def between(self, name: str, low: float, high: float) -> Tensor:
        """The draw ``name`` spread over ``[low, high)``, ``(B, 1, 1)``."""
        return (low + (high - low) * self.draws[name])[:, None, None]

    def either(
        self, label: str, name: str, no: tuple[float, float], yes: tuple[float, float]
    ) -> Tensor:
        """The draw ``name`` spread over one interval without the label, over another with it."""
        return torch.where(self.has(label) > 0, self.between(name, *yes), self.between(name, *no))

    def mix(self, name: str, low: tuple[float, ...], high: tuple[float, ...]) -> Tensor:
        """Colours ``(B, 3)`` between two ends, as far as the draw ``name`` says."""
        start, end = self.draws[name].new_tensor(low), self.draws[name].new_tensor(high)
        return start + (end - start) * self.draws[name][:, None]

    @property
    def width(self) -> Tensor:
        """Half the head's width, ``(B, 1, 1)``."""
        return self.between("face_width", 0.42, 0.48)

    @property
    def height(self) -> Tensor:
        """Half the head's height, ``(B, 1, 1)``."""
        return self.between("face_height", 0.56, 0.61)

    @property
    def eye(self) -> Tensor:
        """The eyes' distance from the middle, ``(B, 1, 1)``."""
        return self.between("eye_distance", 0.195, 0.225)

    @property
    def skin(self) -> Tensor:
        """The skin's colour, ``(B, 3)``."""
        pale = self.has("Pale_Skin")[:, :, 0] > 0
        skin = torch.where(pale, self.mix("skin", *_PALE), self.mix("skin", *_TANNED))
        return skin * self.mix("skin_warmth", (0.99, 1.01, 1.03), (1.01, 0.99, 0.97))

    @property
    def hair(self) -> Tensor:
        """The hair's colour, ``(B, 3)``."""
        code = self.labels["Hair"].long()
        tone = 2 * self.draws["hair_tone"][:, None] - 1
        return tone.new_tensor(_HAIR)[code] + tone * tone.new_tensor(_HAIR_SPREAD)[code]

    @property
    def haired(self) -> Tensor:
        """1 for everybody but the bald, ``(B, 1, 1)``."""
        return (self.labels["Hair"] > 0).float()[:, None, None]
