"""Characteristic blocks: where a label's latents lie, and what the model makes of moving them.

The block of a label is a slice of a vectorised site, so Pyro's ``condition`` and ``do`` would take
all labels of its kind at once; :func:`moved` changes the one block and leaves the others as they
were.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...data import Batch, LabelSpace
from ...inference.evaluation.prediction import Latents
from ...models.contracts import ClassBlocks
from .steps import code_of
from .subject import Subject


@dataclass(frozen=True)
class Block:
    """Where a label's characteristic block lies among the latents: a site and a position in it."""

    site: str
    position: int

    def of(self, latents: Latents) -> Tensor:
        """The block's values ``(B, D)``."""
        return latents[self.site][:, self.position]


def find_block(space: LabelSpace, name: str) -> Block:
    """The block of a label.

    Raises:
        ValueError: for a label that is not in the space.
    """
    column = space.index(name)
    kind = next(kind for kind in space.kinds if column in kind.columns)
    return Block(f"z_c{kind.suffix}", kind.columns.index(column))


def class_means(model: nn.Module, space: LabelSpace, name: str) -> Tensor:
    """Means ``(K, D)`` of p(z_c | y = k) for one label, and of a number at each of its steps.

    Raises:
        ValueError: for a label that is not in the space, or a model without such blocks.
    """
    return class_block(model, space, name)[0]


@torch.no_grad()
def class_block(model: nn.Module, space: LabelSpace, name: str) -> tuple[Tensor, Tensor]:
    """Means and standard deviations ``(K, D)`` of p(z_c | y = k) for one label.

    Raises:
        ValueError: for a label that is not in the space, or a model without such blocks.
    """
    column = space.index(name)
    if not isinstance(model, ClassBlocks):
        raise ValueError(
            f"expected a model whose labels own blocks of latents, got a {type(model).__name__} "
            "without blocks_given(y); take a run of ccvae"
        )
    label, weight = space.labels[column], next(model.parameters())
    y = weight.new_zeros(len(label.classes), len(space))
    y[:, column] = weight.new_tensor([code_of(label, k) for k in range(len(label.classes))])
    position = next(i for i, kind in enumerate(space.kinds) if column in kind.columns)
    loc, scale = model.blocks_given(y)[position]
    row = space.kinds[position].columns.index(column)
    return loc[:, row], scale[:, row]


def moved(latents: Latents, block: Block, value: Tensor) -> Latents:
    """Latents with one block at ``value``, ``(D,)`` or ``(B, D)``, and all else as it was."""
    site = latents[block.site].clone()
    site[:, block.position] = value
    return {**latents, block.site: site}


@torch.no_grad()
def at_classes(subject: Subject, latents: Latents, batch: Batch, name: str) -> Tensor:
    """Images ``(B, K, C, H, W)`` with one label's block at the mean of each of its classes."""
    block = find_block(subject.space, name)
    means = class_means(subject.model, subject.space, name)
    return torch.stack([subject.decode(moved(latents, block, m), batch) for m in means], 1)
