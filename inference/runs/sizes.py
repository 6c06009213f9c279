"""Whether a run's networks fit into memory, which is known before any of it is taken."""

from __future__ import annotations

import math

import torch

from ...ranges import check_fits
from ..catalogue import build_pair
from .facts import Facts

SMALL = 2**24
"""Pixels of an image times dimensions of style: below, networks fit wherever torch does."""


def check_size(facts: Facts) -> None:
    """Raise where the weights of a run would take more memory than there is.

    They are counted on torch's meta device, where tensors have shapes and no content. Networks of
    a user's own are not made twice.

    Raises:
        ValueError: naming the options that make them so large.
    """
    config, signature = facts.config, facts.signature
    if math.prod(signature.shape) * config.style < SMALL or ":" in config.network:
        return
    state = torch.get_rng_state()
    with torch.device("meta"):
        pair = build_pair(config, signature.space, signature.shape, None, signature.domains)
    torch.set_rng_state(state)
    size = sum(weight.nbytes for program in pair for weight in program.parameters())
    # A training has the gradients and Adam's two moments beside them.
    check_fits(4 * size, "a training of these networks", "lower --image-size, or --style")
