r"""A decoder in which every label acts in a place of its own, for images of 64×64.

Where every latent reaches every pixel, moving one label's block changes the whole image a little.
Here z_style alone is decoded to U = 16 × 16 cells of features b, and the block of label i changes
them only in those cells u where its mask m_i is not zero:

.. math::

    h(u) = (1 + \gamma(u)) \odot b(u) + \delta(u), \qquad
    (\gamma, \delta)(u) = \sum_i m_i(u) \sum_d \tanh(3 z_c^{i,d})
                          \frac{w_{i,d}(u)}{\lVert w_{i,d}(u) \rVert}, \qquad
    m_i(u) = s \max\Big(0, \frac{U e^{\ell_i(u)}}{\sum_v e^{\ell_i(v)}} - \theta\Big)

::

    z_style ── dense ── 4×4 ── 8×8 ── 16×16 ── b ──► h ── 1×1 ── 32×32 ── 64×64 ──► x
                                                     ▲
    z_c^i ── tanh ── directions w_i(u) × mask m_i(u) ┘

Where m_i(u) = 0 nothing changes, and what follows h has a small reach: a cell is seen in the 10×10
pixels from 4u − 3 to 4u + 6 along each side. So an intervention on label i leaves all pixels beyond
its mask exactly as they were. Three things keep the masks small and the blocks in use:

* The cells of a label compete for a fixed sum, and w has length 1: a cell that helps less than the
  others loses its share, and below θ it is switched off. It keeps a gradient and may come back.
* At the class means the tanh is flat. A block tells the decoder its class and little else;
  otherwise it is taken for one more dimension of style, that of the shirt beside the necktie.
* Masks and directions are tables, as the conditional priors are: at the networks' step size z_style
  draws what the labels could before these have moved. What it has taken by then the encoder gives
  back (:mod:`.independent`).

The program is as before, p(x | z_c, z_style). The masks start even and are learned from the
objective; they see no region of the renderer's.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from .heads import Decoder, channels_last
from .tables import Table

SIDE = 16
"""Cells along each side."""

STEEPNESS = 3.0
"""Of the tanh; the class means start at ±2."""

THRESHOLD, STRENGTH = 0.6, 0.4
"""θ: a cell with less than this part of an even share is off. s: of a mask."""

START = 0.1
"""Standard deviation of w at the start; only against the step size does its length matter."""


def told(blocks: Tensor) -> Tensor:
    """What blocks ``(…, D)`` tell the decoder, between −1 and 1: which class, and little else."""
    return (STEEPNESS * blocks).tanh()


class LabelChanges(Table):
    """What the labels' blocks change: Σ_i m_i(u) Σ_d tanh(3 z_c^{i,d}) w_{i,d}(u) / ‖w_{i,d}(u)‖.

    Args:
        blocks: dimensions of each label's block, in the order of the latents.
        features: width of a change. side: cells along each side.
    """

    owner: Tensor

    def __init__(self, blocks: Sequence[int], features: int, side: int = SIDE) -> None:
        super().__init__()
        self.side = side
        self.logits = nn.Parameter(torch.zeros(len(blocks), side * side))
        self.directions = nn.Parameter(START * torch.randn(sum(blocks), side * side, features))
        owner = [label for label, size in enumerate(blocks) for _ in range(size)]
        self.register_buffer("owner", torch.tensor(owner), persistent=False)

    def masks(self) -> Tensor:
        """m_i: where each label acts, ``(L, side, side)``."""
        share = self.logits.softmax(-1) * self.side**2 - THRESHOLD
        # Off cells are exactly 0 and have the gradient of the others, so that they may come back.
        mask = share + (share.relu() - share).detach()
        masks: Tensor = STRENGTH * mask.unflatten(-1, (self.side, self.side))
        return masks

    def forward(self, blocks: Tensor) -> Tensor:
        """The change ``(B, features, side, side)`` for all blocks side by side, ``(B, D)``."""
        strength = self.masks().flatten(1)[self.owner]
        weights = strength[..., None] * normalize(self.directions, dim=-1)
        change = told(blocks) @ weights.flatten(1)
        maps: Tensor = change.unflatten(1, (self.side, self.side, -1)).movedim(-1, 1)
        return maps


class ChangedStyle(nn.Module):
    """h: the features of z_style, scaled and shifted by what the labels change.

    Args:
        style: z_style ``(B, S)`` to features ``(B, F, side, side)``.
        changes: the blocks ``(B, D)`` to changes ``(B, 2F, side, side)``.
        dimensions: D, of all blocks together.
    """

    def __init__(self, style: nn.Module, changes: LabelChanges, dimensions: int) -> None:
        super().__init__()
        self.style = style
        self.changes = changes
        self.dimensions = dimensions

    def forward(self, z: Tensor) -> Tensor:
        """``(B, F, side, side)`` for latents ``(B, D + S)``, the blocks first."""
        blocks, style = z.tensor_split([self.dimensions], -1)
        features: Tensor = self.style(style)
        scale, shift = self.changes(blocks).chunk(2, 1)
        changed: Tensor = features + features * scale + shift
        return changed


class LocalDecoder64(Decoder):
    """z_style to 16×16 cells, changed by each label in its own place, then to 64×64; ReLU.

    Args:
        inputs: dimensions of all latents, the labels' blocks first.
        channels: raw numbers for each pixel.
        blocks: dimensions of each label's block, in the order of the latents.
        widths: feature maps at 32×32, 16×16, 8×8, 4×4 and 1×1.

    Raises:
        ValueError: where the blocks leave nothing for z_style, or there are none.
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        blocks: Sequence[int],
        widths: Sequence[int] = (32, 64, 64, 128, 256),
    ) -> None:
        style = inputs - sum(blocks)
        if not blocks or style < 1:
            raise ValueError(
                f"expected blocks of labels and latents beside them, got blocks of {list(blocks)} "
                f"dimensions among {inputs} latents; only the program ccvae has such blocks, "
                "choose the network conv64 for others"
            )
        fine, cells, *coarse = widths
        layers: list[nn.Module] = [
            nn.Linear(style, coarse[2]),
            nn.ReLU(),
            nn.Unflatten(1, (coarse[2], 1, 1)),
            nn.ConvTranspose2d(coarse[2], coarse[1], 4),
        ]
        for before, after in ((coarse[1], coarse[0]), (coarse[0], cells)):
            layers += [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, 2, 1)]
        tail: list[nn.Module] = [nn.ReLU(), nn.Conv2d(cells, cells, 1)]
        for before, after in ((cells, fine), (fine, channels)):
            tail += [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, 2, 1)]
        changes = LabelChanges(blocks, 2 * cells)
        changed = ChangedStyle(nn.Sequential(*layers), changes, sum(blocks))
        super().__init__(channels_last(nn.Sequential(changed, *tail)))

    def masks(self) -> Tensor:
        """Where each label acts, ``(L, 16, 16)``, in the order of the blocks."""
        changed = self.trunk[0]
        assert isinstance(changed, ChangedStyle)  # as it was made
        return changed.changes.masks()
