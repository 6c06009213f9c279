"""Convolutional networks: 64×64 as published with CC-VAE (Joy et al. 2021), and 28×28.

:class:`ConvEncoder` and :class:`ConvDecoder` are the former for any square size from 16 to 256: as
many halvings as leave 4 to 7 pixels along each side, with the published widths at the small end.

One of those for 28×28 is published with DIVA (Ilse et al. 2020). It normalises over the batch, so
a pair that uses it is evaluated in its evaluation mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from .heads import Decoder, Encoder, channels_last
from .starting import passing_on


class ConvEncoder64(Encoder):
    """Four halvings 64 → 4 (kernel 4, stride 2, padding 1), then one 4×4 convolution; ReLU.

    Args:
        channels: C, colours of the image. outputs: D, latent dimensions.
        widths: feature maps of the five layers; as published 32, 32, 64, 128, 256.
    """

    def __init__(
        self, channels: int, outputs: int, widths: Sequence[int] = (32, 32, 64, 128, 256)
    ) -> None:
        layers: list[nn.Module] = []
        for before, after in zip((channels, *widths[:3]), widths[:4], strict=True):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.ReLU()]
        layers += [nn.Conv2d(widths[3], widths[4], 4), nn.ReLU(), nn.Flatten()]
        super().__init__(channels_last(passing_on(nn.Sequential(*layers))), widths[4], outputs)


class ConvDecoder64(Decoder):
    """The mirror of :class:`ConvEncoder64`; its sigmoid belongs to the likelihood.

    Args:
        inputs: D, latent dimensions. channels: raw numbers for each pixel.
        widths: as the encoder's.
    """

    def __init__(
        self, inputs: int, channels: int, widths: Sequence[int] = (32, 32, 64, 128, 256)
    ) -> None:
        layers: list[nn.Module] = [
            nn.Linear(inputs, widths[4]),
            nn.ReLU(),
            nn.Unflatten(1, (widths[4], 1, 1)),
            nn.ConvTranspose2d(widths[4], widths[3], 4),
        ]
        for before, after in zip(widths[3::-1], (*widths[2::-1], channels), strict=True):
            layers += [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, 2, 1)]
        super().__init__(channels_last(passing_on(nn.Sequential(*layers))))


SMALLEST, LARGEST = 16, 256
"""Pixels along each side of what :class:`ConvEncoder` and :class:`ConvDecoder` take."""


def sides(side: int) -> list[int]:
    """Pixels along each side after every halving, from the image to the last, of 4 to 7.

    >>> sides(64), sides(50)
    ([64, 32, 16, 8, 4], [50, 25, 12, 6])

    Raises:
        ValueError: for a side that is not from 16 to 256 pixels.
    """
    if not SMALLEST <= side <= LARGEST:
        raise ValueError(
            f"expected a side of {SMALLEST} to {LARGEST} pixels, got {side}; resize the images"
        )
    found = [side]
    while found[-1] > 7:
        found.append(found[-1] // 2)
    return found


def widths_of(halvings: int) -> list[int]:
    """Feature maps after each halving: 32 at the image's end, then 64 and 128."""
    return [*[32] * (halvings - 2), 64, 128]


class ConvEncoder(Encoder):
    """:class:`ConvEncoder64` for square images of 16 to 256 pixels; for 64 it is that network.

    Args:
        channels: C, colours of the image. side: pixels along each side.
        outputs: D, latent dimensions.
        features: of the last convolution, which takes all that the halvings leave.
    """

    def __init__(self, channels: int, side: int, outputs: int, features: int = 256) -> None:
        *halved, last = sides(side)
        widths = [channels, *widths_of(len(halved))]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.ReLU()]
        layers += [nn.Conv2d(widths[-1], features, last), nn.ReLU(), nn.Flatten()]
        super().__init__(channels_last(passing_on(nn.Sequential(*layers))), features, outputs)


class ConvDecoder(Decoder):
    """The mirror of :class:`ConvEncoder`; for 64 pixels it is :class:`ConvDecoder64`.

    Args:
        inputs: D, latent dimensions. channels: raw numbers for each pixel.
        side: pixels along each side.
        features: as the encoder's.
    """

    def __init__(self, inputs: int, channels: int, side: int, features: int = 256) -> None:
        steps = sides(side)[::-1]
        widths = [*widths_of(len(steps) - 1)[::-1], channels]
        layers: list[nn.Module] = [
            nn.Linear(inputs, features),
            nn.ReLU(),
            nn.Unflatten(1, (features, 1, 1)),
            nn.ConvTranspose2d(features, widths[0], steps[0]),
        ]
        for (before, after), (small, large) in zip(pairwise(widths), pairwise(steps), strict=True):
            odd = large - 2 * small  # halving 25 gives 12, and doubling 12 gives 24
            layers += [
                nn.ReLU(),
                nn.ConvTranspose2d(before, after, 4, 2, 1, output_padding=odd),
            ]
        super().__init__(channels_last(passing_on(nn.Sequential(*layers))))


class ConvEncoder28(Encoder):
    """Two halvings 28 → 7 (kernel 4, stride 2, padding 1), then one dense layer of 256; ReLU.

    Args:
        channels: C, colours of the image. outputs: D, latent dimensions.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        trunk = nn.Sequential(
            nn.Conv2d(channels, 32, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 4, 2, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * 7 * 7, 256),
            nn.ReLU(),
        )
        super().__init__(channels_last(passing_on(trunk)), 256, outputs)


class ConvDecoder28(Decoder):
    """The mirror of :class:`ConvEncoder28`.

    Args:
        inputs: D, latent dimensions. channels: raw numbers for each pixel.
    """

    def __init__(self, inputs: int, channels: int) -> None:
        trunk = nn.Sequential(
            nn.Linear(inputs, 256),
            nn.ReLU(),
            nn.Linear(256, 64 * 7 * 7),
            nn.ReLU(),
            nn.Unflatten(1, (64, 7, 7)),
            nn.ConvTranspose2d(64, 32, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, channels, 4, 2, 1),
        )
        super().__init__(channels_last(passing_on(trunk)))


class DIVAEncoder28(Encoder):
    """Twice a 5×5 convolution, batch normalisation, ReLU and 2×2 maximum: 28 → 12 → 4.

    Args:
        channels: C, colours of the image. outputs: D, latent dimensions.
        widths: feature maps of the two layers; as published 32, 64.
    """

    def __init__(self, channels: int, outputs: int, widths: Sequence[int] = (32, 64)) -> None:
        layers: list[nn.Module] = []
        for before, after in zip((channels, widths[0]), widths, strict=True):
            layers += [nn.Conv2d(before, after, 5, bias=False), nn.BatchNorm2d(after)]
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
        trunk = nn.Sequential(*layers, nn.Flatten())
        super().__init__(channels_last(trunk), widths[1] * 16, outputs)


class DIVADecoder28(Decoder):
    """A dense layer, twice (upsample, 5×5 transposed convolution), a 1×1 convolution: 4 → 28.

    Batch normalisation and ReLU follow all layers but the last.

    Args:
        inputs: D, latent dimensions. channels: raw numbers for each pixel.
        widths: feature maps of the dense layer and the two convolutions; as published 64 (1024
            units), 128, 256.
    """

    def __init__(self, inputs: int, channels: int, widths: Sequence[int] = (64, 128, 256)) -> None:
        units = widths[0] * 16
        layers: list[nn.Module] = [
            nn.Linear(inputs, units, bias=False),
            nn.BatchNorm1d(units),
            nn.ReLU(),
            nn.Unflatten(1, (widths[0], 4, 4)),
        ]
        for before, after in pairwise(widths):
            layers += [
                nn.Upsample(scale_factor=2),
                nn.ConvTranspose2d(before, after, 5, bias=False),
            ]
            layers += [nn.BatchNorm2d(after), nn.ReLU()]
        super().__init__(channels_last(nn.Sequential(*layers, nn.Conv2d(widths[2], channels, 1))))
