"""Networks by name: every part that a program needs, for images of a given shape.

================ ============== ==============================================================
name             images         what it is
================ ============== ==============================================================
``conv64``       64×64          the network of Joy et al. (2021)
``local``        square, from   the same with a decoder that gives every label a place of its own,
                 16 to 256      for the program ccvae
``local64``      64×64          the same with coarser places: 16×16 cells
``conv28``       28×28          two convolutions and a dense layer
``diva28``       28×28          the network of Ilse et al. (2020), with batch normalisation
``diva28-small`` 28×28          the same with a narrower decoder, for two cores
``conv-any``     square, from   that of ``conv64`` with as many halvings as the size asks for
                 16 to 256
``mlp``          any            one hidden layer of 500 softplus units (Kingma et al. 2014)
``auto``         any            the first of these that takes the images
``MODULE:E,D``   theirs         two classes of the user's, made as ``E(shape, outputs)`` and
                                ``D(inputs, shape)``; M2 takes none
================ ============== ==============================================================
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from torch import nn

from .convolutional import (
    LARGEST,
    SMALLEST,
    ConvDecoder,
    ConvDecoder28,
    ConvDecoder64,
    ConvEncoder,
    ConvEncoder28,
    ConvEncoder64,
    DIVADecoder28,
    DIVAEncoder28,
)
from .heads import Decoder, Encoder
from .independent import IndependentEncoder
from .joined import JoinedDecoder, JoinedEncoder
from .local import COARSE_CELLS, COARSE_WIDTHS, LocalDecoder
from .mlp import HIDDEN, MLPDecoder, MLPEncoder
from .own import own
from .separate import ScoredEncoder, SeparateEncoder

Shape = tuple[int, int, int]
"""Channels, height and width."""

NETWORKS = {
    "auto": None,
    "conv64": (64, 64),
    "local": None,
    "local64": (64, 64),
    "conv28": (28, 28),
    "diva28": (28, 28),
    "diva28-small": (28, 28),
    "conv-any": None,
    "mlp": None,
}
"""The networks by name, with the one image size that they take; None is more than one."""

HEADS = ("auto", "stick", "softmax")
"""How the means of a label's block are made; see :mod:`ccvae.networks.separate`.

The training rows decide what ``auto`` is (:func:`ccvae.inference.runs.settling.settled`); until
then it is ``stick``."""

TRUNKS = 2
"""Of the encoder of a program with blocks, where nothing is said."""

SMALL_DECODER = (32, 16, 8)
"""Feature maps of the decoder of ``diva28-small``."""


LOCAL = ("local", "local64")
"""Those whose decoder gives every label a place of its own."""

SQUARE = ("conv-any", "local")
"""Those for squares of any size from 16 to 256."""


def check(network: str, shape: Shape) -> str:
    """The network's own name, ``auto`` resolved.

    Raises:
        ValueError: for an unknown name, or a network that does not take images of this size.
    """
    if ":" in network:
        return network
    if network not in NETWORKS:
        raise ValueError(
            f"unknown network {network!r}; choose one of {', '.join(NETWORKS)}, or "
            "module:encoder,decoder of your own"
        )
    square = shape[1] == shape[2] and SMALLEST <= shape[1] <= LARGEST
    if network == "auto":
        fitting = (name for name, size in NETWORKS.items() if size == shape[1:])
        return next(fitting, "conv-any" if square else "mlp")
    if network in SQUARE and not square:
        raise ValueError(
            f"the network {network!r} takes square images of {SMALLEST} to {LARGEST} pixels, got "
            f"{shape[1:]}; resize the images, or choose the network auto or mlp"
        )
    size = NETWORKS[network]
    if size not in (None, shape[1:]):
        raise ValueError(
            f"the network {network!r} takes images of {size} pixels, got {shape[1:]}; resize the "
            "images, or choose the network auto or mlp"
        )
    return network


def chosen(network: str, shape: Shape) -> str:
    """What ``auto`` stands for with images of this shape and why, in a line.

    >>> chosen("auto", (3, 64, 64))
    'network conv64, made for colour images of 64×64'
    >>> chosen("auto", (1, 32, 48))
    'network mlp, one hidden layer: convolutions are there for squares of 16 to 256, not 32×48'
    """
    name, (channels, height, width) = check(network, shape), shape
    colour = {1: "grey", 3: "colour"}.get(channels, f"{channels}-channel")
    if name == "mlp" and network == "auto":
        return (
            f"network mlp, one hidden layer: convolutions are there for squares of {SMALLEST} to "
            f"{LARGEST}, not {height}×{width}"
        )
    places = ", whose labels act each in a place of its own" if name in LOCAL else ""
    return f"network {name}, made for {colour} images of {height}×{width}{places}"


def encoder(network: str, shape: Shape, outputs: int) -> Encoder:
    """Images to ``outputs`` means and standard deviations."""
    match check(network, shape):
        case theirs if ":" in theirs:
            made: Encoder = own(theirs, "encoder", shape, outputs)
            return made
        case "conv64" | "local64":
            return ConvEncoder64(shape[0], outputs)
        case "conv28":
            return ConvEncoder28(shape[0], outputs)
        case "conv-any" | "local":
            return ConvEncoder(shape[0], shape[1], outputs)
        case "diva28" | "diva28-small":
            return DIVAEncoder28(shape[0], outputs)
        case _:
            return MLPEncoder(shape, outputs)


def block_encoder(
    network: str,
    shape: Shape,
    blocks: Sequence[int],
    style: int,
    *,
    trunks: int = 1,
    heads: str = "stick",
    ordered: Sequence[bool] = (),
) -> nn.Module:
    """Images to means and standard deviations of the labels' ``blocks`` and then of z_style.

    It is :func:`encoder`, which ``local`` keeps from saying of a label twice what it is.

    Args:
        network, shape: which network, for which images.
        blocks: dimensions of each. style: dimensions of z_style.
        trunks: 1, or 2 for one of the blocks and one of the style.
        heads: of the blocks, a name of :data:`HEADS`.
        ordered: which of the labels are numbers or have ordered classes.
    """
    plain: nn.Module
    one, softmax = partial(encoder, network, shape), heads == "softmax"
    if trunks > 1:
        plain = SeparateEncoder(one, blocks, style, softmax=softmax)
    elif softmax:
        plain = ScoredEncoder(one, blocks, style)
    else:
        plain = one(sum(blocks) + style)
    if check(network, shape) in LOCAL:
        return IndependentEncoder(plain, blocks, style, ordered)
    return plain


def decoder(
    network: str,
    shape: Shape,
    inputs: int,
    numbers: int,
    blocks: Sequence[int] = (),
    ordered: Sequence[bool] = (),
) -> Decoder:
    """Latents to ``numbers`` raw numbers for each pixel.

    Args:
        network, shape: which network, for which images.
        inputs: dimensions of the latents. numbers: what the likelihood needs of each pixel.
        blocks: dimensions of the labels' blocks at the head of the latents, where there are any.
        ordered: which of these labels are numbers or have ordered classes.

    Raises:
        ValueError: for ``local`` and ``local64`` without blocks.
    """
    match check(network, shape):
        case theirs if ":" in theirs:
            made: Decoder = own(theirs, "decoder", inputs, (numbers, *shape[1:]))
            return made
        case "conv64":
            return ConvDecoder64(inputs, numbers)
        case "local":
            return LocalDecoder(inputs, numbers, blocks, shape[1], ordered=ordered)
        case "local64":
            return LocalDecoder(
                inputs,
                numbers,
                blocks,
                ordered=ordered,
                cells=COARSE_CELLS,
                widths=COARSE_WIDTHS,
            )
        case "conv28":
            return ConvDecoder28(inputs, numbers)
        case "conv-any":
            return ConvDecoder(inputs, numbers, shape[1])
        case "diva28":
            return DIVADecoder28(inputs, numbers)
        case "diva28-small":
            return DIVADecoder28(inputs, numbers, SMALL_DECODER)
        case _:
            return MLPDecoder(inputs, (numbers, *shape[1:]))


class JoinedParts(NamedTuple):
    """What M2's guide is built of: features of images, their class scores, and q(z | x, y)."""

    trunk: nn.Module
    classifier: nn.Module
    encoder: JoinedEncoder


def joined_parts(network: str, shape: Shape, classes: Sequence[int], outputs: int) -> JoinedParts:
    """The parts of M2's guide for labels with so many ``classes`` and ``outputs`` latents.

    Both encoders share the convolutions, so that what the unlabelled images teach one of them the
    other has. With ``mlp`` they share nothing: its only hidden layer takes images and labels.

    Raises:
        ValueError: for a network of the user's, whose layers are not known.
    """
    _check_layers(network)
    base, scores = encoder(network, shape, 1), sum(classes)
    if check(network, shape) == "mlp":
        width = math.prod(shape)
        dense = nn.Sequential(nn.Linear(width, HIDDEN), nn.Softplus(), nn.Linear(HIDDEN, scores))
        joined = JoinedEncoder(width, classes, HIDDEN, outputs, nn.Softplus())
        return JoinedParts(nn.Flatten(), dense, joined)
    features = base.features
    joined = JoinedEncoder(features, classes, features, outputs, nn.ReLU())
    return JoinedParts(base.trunk, nn.Linear(features, scores), joined)


def joined_decoder(
    network: str, shape: Shape, inputs: int, classes: Sequence[int], numbers: int
) -> JoinedDecoder:
    """Latents and labels to raw numbers: a decoder whose first layer takes both.

    Raises:
        ValueError: for a network of the user's, whose layers are not known.
    """
    _check_layers(network)
    first, activation, *rest = decoder(network, shape, inputs, numbers).trunk
    assert isinstance(first, nn.Linear)  # as that of every network of the suite
    return JoinedDecoder(inputs, classes, first.out_features, activation, nn.Sequential(*rest))


def _check_layers(network: str) -> None:
    if ":" in network:
        raise ValueError(
            f"M2 takes labels into a layer of its networks, and {network!r} does not say which; "
            "choose another program, or build the pair from JoinedEncoder and JoinedDecoder"
        )
