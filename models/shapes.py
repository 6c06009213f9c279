"""Shapes of tensors that are broadcast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch


def broadcast(*shapes: Sequence[int]) -> torch.Size:
    """All shapes broadcast, as ``torch.broadcast_shapes`` has it.

    Torch's own loads an algebra system the first time, which takes as long as loading Pyro.

    >>> broadcast((2,), (3, 1))
    torch.Size([3, 2])

    Raises:
        ValueError: for shapes that do not go together.
    """
    return torch.Size(np.broadcast_shapes(*map(tuple, shapes)))
