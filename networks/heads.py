"""The two ends that all networks share: Gaussian heads, and decoding under any leading shape."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

MINIMUM_SCALE = 1e-3


class Gaussian(nn.Module):
    """Two linear heads: a mean, and a standard deviation of at least 1e-3 by softplus.

    Args:
        features: width of what comes in.
        outputs: D, the latent dimensions.
    """

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.loc = nn.Linear(features, outputs)
        self.raw_scale = nn.Linear(features, outputs)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation ``(…, D)`` of features ``(…, F)``."""
        loc, raw_scale = full(self.loc(features)), full(self.raw_scale(features))
        return loc, softplus(raw_scale).clamp(min=MINIMUM_SCALE)


class Encoder(nn.Module):
    """A trunk ``(B, C, H, W) → (B, F)`` with Gaussian heads."""

    def __init__(self, trunk: nn.Module, features: int, outputs: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.features = features
        self.heads = Gaussian(features, outputs)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation ``(B, D)`` for images ``(B, C, H, W)``."""
        loc, scale = self.heads(self.trunk(x))
        return loc, scale


class Decoder(nn.Module):
    """A trunk ``(B, D) → (B, C, H, W)`` that takes latents of any leading shape."""

    def __init__(self, trunk: nn.Sequential) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, z: Tensor) -> Tensor:
        """Raw likelihood parameters ``(…, C, H, W)`` for latents ``(…, D)``."""
        image = full(self.trunk(z.reshape(-1, z.shape[-1])))
        images: Tensor = image.unflatten(0, z.shape[:-1])
        return images


def full(numbers: Tensor) -> Tensor:
    """What a network puts out, in float32 at least: densities are not computed in bfloat16."""
    return numbers.float() if numbers.dtype in (torch.bfloat16, torch.float16) else numbers


def channels_last(module: nn.Sequential) -> nn.Sequential:
    """Lay convolution weights out channels-last, which is faster on CPUs and on tensor cores."""
    return module.to(memory_format=torch.channels_last)
