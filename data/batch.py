"""Some rows of a data set, as programs take them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, repr=False)
class Batch:
    """What a program is called with: ``model(*batch.args, **batch.kwargs)``.

    Attributes:
        x: images ``(B, C, H, W)``, floats in [0, 1].
        y: labels ``(B, L)``, NaN where missing.
        d: domains ``(B,)``, −1 where missing; None for a data set without domains.
        index: the rows' positions ``(B,)`` within the set that the batch was drawn from.
        size: the number of rows of that set; the ``data`` plate takes its scale from it.
        weights: what each row counts for in the loss, ``(B,)``; None where all count alike.
    """

    x: Tensor
    y: Tensor
    d: Tensor | None
    index: Tensor
    size: int
    weights: Tensor | None = None

    def __repr__(self) -> str:
        known = int((~self.y.isnan()).any(-1).sum())
        shape = "×".join(map(str, self.x.shape[1:]))
        return f"{len(self.x)} of {self.size} rows: images of {shape}, {known} with labels"

    @property
    def args(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Positional arguments of a program."""
        return self.x, self.y, self.d

    @property
    def kwargs(self) -> dict[str, Tensor | int]:
        """Keyword arguments of a program."""
        return {"index": self.index, "size": self.size}

    @property
    def rows(self) -> int:
        """B, how many rows it has."""
        return len(self.x)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Its tensors by name, without the weights."""
        parts = {"x": self.x, "y": self.y, "d": self.d, "index": self.index}
        return {name: part for name, part in parts.items() if part is not None}

    def thinned(self, rows: int) -> Batch:
        """So many of its rows at most, evenly spaced."""
        if rows >= self.rows:
            return self
        some = torch.linspace(0, self.rows - 1, rows, dtype=torch.float64).round().long()
        some = some.to(self.x.device)
        d, weights = (None if part is None else part[some] for part in (self.d, self.weights))
        return Batch(self.x[some], self.y[some], d, self.index[some], self.size, weights)

    def hidden(self) -> Batch:
        """The same images with every label missing, as evaluation needs them."""
        return replace(self, y=torch.full_like(self.y, torch.nan))
