"""What others ask of a model beyond its sites. Whoever has the method has it, by whatever class."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class ClassBlocks(Protocol):
    """A model in which the class of a label decides where its block of the latent space lies."""

    def class_blocks(self) -> list[tuple[Tensor, Tensor]]:
        """Means and standard deviations of p(z_c | y): ``(n, K, D)`` for each kind of label."""
        ...
