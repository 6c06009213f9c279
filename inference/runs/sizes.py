"""Whether a run's networks fit into memory, which is known before any of it is taken."""

from __future__ import annotations

import math

import torch

from ...networks import build
from ...ranges import check_fits
from .facts import Facts

SMALL = 2**24
"""Pixels of an image times latent dimensions: below, networks fit wherever torch does."""


def check_size(facts: Facts) -> None:
    """Raise where the weights of a run would take more memory than there is.

    An encoder and a decoder are counted on torch's meta device, where tensors have shapes and no
    content; no program has fewer. Networks of a user's own are not made twice. Beside them stand
    the tables of every label's class means and scales.

    Raises:
        ValueError: naming the options that make them so large.
    """
    config, signature = facts.config, facts.signature
    space, shape = signature.space, signature.shape
    tables = sum(8 * (kind.block + 1) * kind.block * len(kind.columns) for kind in space.kinds)
    check_fits(4 * tables, "a training of these labels' classes", "leave out labels with --only")
    own = ":" in config.network + config.program
    if own or math.prod(shape) * (space.dimension + config.style) < SMALL:
        return
    state = torch.get_rng_state()
    with torch.device("meta"):
        latents = space.dimension + config.style
        blocks = [kind.block for kind in space.kinds for _ in kind.columns]
        parts = (
            build.encoder(config.network, shape, latents),
            build.decoder(config.network, shape, latents, shape[0], blocks),
        )
    torch.set_rng_state(state)
    size = sum(weight.nbytes for part in parts for weight in part.parameters())
    # A training has the gradients and Adam's two moments beside them.
    check_fits(4 * size, "a training of these networks", "lower --image-size, or --style")
