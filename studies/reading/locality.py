r"""Locality: how much of the change that an intervention makes lies where the label is seen.

.. math::

    \text{locality} = \frac{\sum_M |\Delta|}{\sum |\Delta|}, \qquad
    \text{size} = \frac{\sum |\Delta|}{\sum |\Delta_\text{true}|}

Δ is the image decoded after the intervention less the reconstruction, Δ_true the renderer's image
of the same scene with the label changed less the one before. M are the pixels that show the label
before or after. The poster judged this by eye. A change of size 0 is not local, so the two ratios
belong together; each is one of sums over all images and pixels, so that large changes count more
than noise.

The renderer is known for rendered faces alone; elsewhere there is the size, in parts of the pixel
range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .counterfactuals import Case, cases, true_scenes
from .examples import spread
from .subject import Subject

MEASURED = 256
"""Images over which is measured."""


@dataclass(frozen=True)
class Locality:
    """How local and how large the changes of one label are.

    Attributes:
        name: the label. images: how many interventions were measured.
        change: mean ``|Δ|`` of a pixel and channel, in parts of the pixel range.
        error: mean absolute error of the reconstructions in the same unit, for comparison.
        locality: ``Σ_M |Δ| / Σ |Δ|``; None without ground truth, as are all below.
        chance: share of M in the image: the locality of a change that is the same everywhere.
        ceiling: locality of the change from reconstruction to reconstruction where the renderer
            makes the change and the pair sees it.
        size: ``Σ |Δ| / Σ |Δ_true|``. size_ceiling: likewise of that reconstructed change.
    """

    name: str
    images: int
    change: float
    error: float
    locality: float | None = None
    chance: float | None = None
    ceiling: float | None = None
    size: float | None = None
    size_ceiling: float | None = None

    @property
    def size_inside(self) -> float | None:
        """``Σ_M |Δ| / Σ |Δ_true|``: a diffuse change does not add to it."""
        if self.locality is None or self.size is None:
            return None
        return self.locality * self.size


def share_inside(change: Tensor, region: Tensor) -> float:
    """``Σ_M |Δ| / Σ |Δ|`` of changes ``(B, C, H, W)`` and regions ``(B, H, W)``; 0 without any."""
    size = change.abs().sum(1)
    total = size.sum().item()
    return (size * region).sum().item() / total if total > 0 else 0.0


def summarise(found: Sequence[Case], x: Tensor) -> Locality:
    """The locality of one label over its cases on images ``x`` ``(B, C, H, W)``.

    Raises:
        ValueError: where no row of any case counts.
    """
    if not any(case.counts.any() for case in found):
        raise ValueError(
            f"expected images whose {found[0].name} can be changed, got none; name another target"
        )
    before = torch.cat([case.reconstruction[case.counts] for case in found])
    change = torch.cat([case.image[case.counts] for case in found]) - before
    error = (found[0].reconstruction - x).abs().mean().item()
    known = Locality(found[0].name, len(change), change.abs().mean().item(), error)
    truths = [(case.truth, case.ceiling, case.counts) for case in found]
    if any(truth is None for truth, _, _ in truths):
        return known
    region = torch.cat([truth.region[rows] for truth, _, rows in truths if truth])
    true = sum(truth.change[rows].abs().sum().item() for truth, _, rows in truths if truth)
    seen = torch.cat([c[rows] for _, c, rows in truths if c is not None]) - before
    return replace(
        known,
        locality=share_inside(change, region),
        chance=region.float().mean().item(),
        ceiling=share_inside(seen, region),
        size=change.abs().sum().item() / true,
        size_ceiling=seen.abs().sum().item() / true,
    )


def measure(subject: Subject) -> list[Locality]:
    """The locality of every label over at most 256 of the rows, whose labels are not looked at."""
    chosen = spread(subject.rows, MEASURED)
    some, batch = true_scenes(chosen), subject.batch(chosen)
    return [
        summarise(cases(subject, batch, name, some=some), batch.x) for name in subject.space.names
    ]
