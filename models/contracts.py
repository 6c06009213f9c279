"""What others ask of a model beyond its sites. Whoever has the method has it, by whatever class."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class ClassBlocks(Protocol):
    """A model in which a label decides where its block of the latent space lies."""

    def blocks_given(self, y: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Means and standard deviations of p(z_c | y) for labels ``(R, L)``, none missing.

        Returns:
            ``(R, n, D)`` both, for each kind of label.
        """
        ...
