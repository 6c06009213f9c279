r"""A decoder in which every label acts in a place of its own, for square images of 16 to 256.

Where every latent reaches every pixel, moving one label's block changes the whole image a little.
Here z_style alone is decoded to U cells of features b, 32 × 32 of them where images have 64 × 64
pixels, and the block of label i changes them only in those cells u where its mask m_i is not zero:

.. math::

    h(u) = (1 + \gamma(u)) \odot b(u) + \delta(u), \qquad
    (\gamma, \delta)(u) = \sum_i m_i(u) \sum_d t_{i,d}
                          \frac{w_{i,d}(u)}{\lVert w_{i,d}(u) \rVert}, \qquad
    m_i(u) = \begin{cases}
        a_i(u) & \text{where } a_i(u) > \min(\phi, \rho \max_v a_i(v)) \\
        0 & \text{elsewhere,}
    \end{cases} \qquad
    a_i(u) = s \Big(\frac{U e^{\ell_i(u)}}{\sum_v e^{\ell_i(v)}} - \theta\Big)

with :math:`t = \tanh(3 z_c)` for classes without an order.

::

    z_style ── dense ── 4×4 ── 8×8 ── 16×16 ── 32×32 ── b ──► h ── 1×1 ── 64×64 ──► x
                                                        ▲
    z_c^i ── tanh ── directions w_i(u) × mask m_i(u) ───┘

Where m_i(u) = 0 nothing changes, and what follows h has a small reach: a cell is seen in the 4×4
pixels from 2u − 1 to 2u + 2 along each side. So an intervention on label i leaves all pixels beyond
its mask exactly as they were. Within the mask γ acts by what the style has there, so that a change
keeps to this image's mouth and not to every mouth's place. Four things keep the masks small and
the blocks in use:

* The cells of a label compete for a fixed sum, and w has length 1: a cell that helps less than the
  others loses its share. What is weak beside the label's strongest cells is switched off: a floor
  that nobody sees in one pixel was half of a mouth's change, for it lay in a thousand. A cell that
  is off keeps a gradient and may come back.
* At the class means the tanh is flat. A block tells the decoder its class and little else;
  otherwise it is taken for one more dimension of style, that of the shirt beside the necktie. The
  way from class to class is then short and steep; who walks it takes equal steps of what changes
  (:mod:`ccvae.studies.reading.pace`). Of a number, or a class among ordered ones, every value
  counts, and t = z_c / 2.
* No gradient goes from the picture to a block. While its label is not yet learned, the largest
  thing that a block could tell is none of its label's: a background's hue is worth hundreds of
  nats, a brow few. Blocks that had been taken for it did not come back (docs/studies.md). So what a
  block says, classifier and prior alone decide; the value of the objective is as before.
* Masks and directions are tables, as the conditional priors are: at the networks' step size z_style
  draws what the labels could before these have moved. What it has taken by then the encoder gives
  back (:mod:`.independent`).

The program is as before, p(x | z_c, z_style). The masks start even and are learned from the
objective; they see no region of the renderer's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from .convolutional import sides, widths_of
from .heads import Decoder, channels_last
from .starting import passing_on
from .tables import Table

CELLS = 32
"""The most cells along each side."""

STEEPNESS = 3.0
"""Of the tanh; the class means start at ±2."""

THRESHOLD, STRENGTH = 0.6, 0.4
"""θ: what of an even share counts for nothing. s: of a mask."""

FLOOR, PART = 0.5, 0.25
"""φ, ρ: a cell whose mask is less than both φ and ρ of its label's largest is off."""

START = 0.1
"""Standard deviation of w at the start; only against the step size does its length matter."""


class Told(nn.Module):
    """What blocks tell a decoder: of classes which one and little else, of numbers how much.

    Args:
        blocks: dimensions of each label's block, in the order of the latents.
        ordered: which of the labels are numbers or have ordered classes; none by default.
    """

    ordered: Tensor

    def __init__(self, blocks: Sequence[int], ordered: Sequence[bool] = ()) -> None:
        super().__init__()
        each = ordered or [False] * len(blocks)
        flags = [flag for flag, size in zip(each, blocks, strict=True) for _ in range(size)]
        self.some = any(flags)
        self.register_buffer("ordered", torch.tensor(flags), persistent=False)

    def forward(self, blocks: Tensor) -> Tensor:
        """t, of all blocks side by side, ``(…, D)``."""
        classes = (STEEPNESS * blocks).tanh()
        return torch.where(self.ordered, blocks / 2, classes) if self.some else classes


class LabelChanges(Table):
    """What the labels' blocks change: γ and δ.

    Args:
        blocks: dimensions of each label's block, in the order of the latents.
        features: F, width of a cell. side: cells along each side.
        ordered: see :class:`Told`.
    """

    owner: Tensor

    def __init__(
        self,
        blocks: Sequence[int],
        features: int,
        side: int = CELLS,
        ordered: Sequence[bool] = (),
    ) -> None:
        super().__init__()
        self.side = side
        self.told = Told(blocks, ordered)
        self.logits = nn.Parameter(torch.zeros(len(blocks), side * side))
        self.directions = nn.Parameter(START * torch.randn(sum(blocks), side * side, 2 * features))
        owner = [label for label, size in enumerate(blocks) for _ in range(size)]
        self.register_buffer("owner", torch.tensor(owner), persistent=False)

    def masks(self) -> Tensor:
        """m_i: where each label acts, ``(L, side, side)``."""
        mask = STRENGTH * (self.logits.softmax(-1) * self.side**2 - THRESHOLD)
        floor = (PART * mask.amax(-1, keepdim=True)).clamp(max=FLOOR)
        on = mask * (mask > floor)
        # Off cells are exactly 0 and have the gradient of the others, so that they may come back.
        masks: Tensor = (mask + (on - mask).detach()).unflatten(-1, (self.side, self.side))
        return masks

    def forward(self, blocks: Tensor) -> tuple[Tensor, Tensor]:
        """γ and δ, ``(B, F, side, side)`` each, for all blocks side by side, ``(B, D)``."""
        strength = self.masks().flatten(1)[self.owner]
        weights = strength[..., None] * normalize(self.directions, dim=-1)
        told = self.told(blocks.detach())  # a picture moves no block, see above
        scale, shift = (self._maps(told @ part.flatten(1)) for part in weights.chunk(2, -1))
        return scale, shift

    def _maps(self, change: Tensor) -> Tensor:
        maps: Tensor = change.unflatten(1, (self.side, self.side, -1)).movedim(-1, 1)
        return maps


class ChangedStyle(nn.Module):
    """h: the features of z_style, scaled and shifted by what the labels change.

    Args:
        style: z_style ``(B, S)`` to features ``(B, F, side, side)``.
        changes: the blocks ``(B, D)`` to γ and δ.
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
        scale, shift = self.changes(blocks)
        return torch.addcmul(features + shift, features, scale)


class LocalDecoder(Decoder):
    """z_style to cells, changed by each label in its own place, then to the image; ReLU.

    Args:
        inputs: dimensions of all latents, the labels' blocks first.
        channels: raw numbers for each pixel.
        blocks: dimensions of each label's block, in the order of the latents.
        side: pixels along each side, 16 to 256.
        ordered: see :class:`Told`.
        cells: along each side, one of the halvings of ``side``; the finest with at most 32.
        widths: feature maps after each halving, the image's end first; those of the network for
            any size by default.
        features: of the dense layer.

    Raises:
        ValueError: where the blocks leave nothing for z_style, or there are none.
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        blocks: Sequence[int],
        side: int = 64,
        *,
        ordered: Sequence[bool] = (),
        cells: int | None = None,
        widths: Sequence[int] | None = None,
        features: int = 256,
    ) -> None:
        style = inputs - sum(blocks)
        if not blocks or style < 1:
            raise ValueError(
                f"expected blocks of labels and latents beside them, got blocks of {list(blocks)} "
                f"dimensions among {inputs} latents; only the program ccvae has such blocks, "
                "choose the network conv-any for others"
            )
        levels = sides(side)
        cells = cells or next(level for level in levels[1:] if level <= CELLS)
        place = levels.index(cells)
        widths = [channels, *(widths or widths_of(len(levels) - 1))]
        steps = list(zip(levels, widths, strict=True))[::-1]  # from the smallest to the image
        coarse, fine = steps[: len(levels) - place], steps[len(levels) - place - 1 :]
        (smallest, width), after = coarse[0], widths[place]
        head = [
            nn.Linear(style, features),
            nn.ReLU(),
            nn.Unflatten(1, (features, 1, 1)),
            nn.ConvTranspose2d(features, width, smallest),
            *doublings(coarse),
        ]
        changes = LabelChanges(blocks, after, cells, ordered)
        changed = ChangedStyle(nn.Sequential(*head), changes, sum(blocks))
        tail = [nn.ReLU(), nn.Conv2d(after, after, 1), *doublings(fine)]
        super().__init__(channels_last(passing_on(nn.Sequential(changed, *tail))))

    def masks(self) -> Tensor:
        """Where each label acts, ``(L, cells, cells)``, in the order of the blocks."""
        changed = self.trunk[0]
        assert isinstance(changed, ChangedStyle)  # as it was made
        return changed.changes.masks()


def doublings(steps: Sequence[tuple[int, int]]) -> list[nn.Module]:
    """Layers through sides and widths, each side twice the one before or one pixel more."""
    layers: list[nn.Module] = []
    for (small, before), (large, after) in pairwise(steps):
        odd = large - 2 * small
        layers += [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, 2, 1, output_padding=odd)]
    return layers


COARSE_CELLS, COARSE_WIDTHS = 16, (32, 64, 64, 128)
"""Of ``local64``."""
