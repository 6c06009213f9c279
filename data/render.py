"""Batched drawing from signed distances, in plain torch.

A shape is a function of coordinates that gives the signed distance to its edge (negative inside);
a :class:`Canvas` turns a distance into smooth coverage and paints a colour through it. Painting
back to front, a canvas also keeps, for every tag, how much of each pixel still shows what was
painted under that tag: the ground truth of where something is visible.

Only sums, products, quotients and square roots touch the pixels, and each of these rounds the same
way wherever it stands in a tensor. Hence an image does not depend on the batch it is drawn in.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def ellipse(x: Tensor, y: Tensor, rx: Tensor | float, ry: Tensor | float) -> Tensor:
    """Distance to an ellipse about the origin, exact to first order at its edge."""
    u, v = x / rx, y / ry
    near = (u * u + v * v + 1e-8).sqrt()
    u, v = u / rx, v / ry
    return near * (near - 1) / (u * u + v * v + 1e-8).sqrt()


def box(x: Tensor, y: Tensor, hx: Tensor | float, hy: Tensor | float, r: Tensor | float) -> Tensor:
    """Distance to a box of half sizes ``hx``, ``hy`` about the origin, its corners rounded by r."""
    qx, qy = x.abs() - hx + r, y.abs() - hy + r
    outside = (qx.clamp(min=0).square() + qy.clamp(min=0).square()).sqrt()
    return outside + torch.maximum(qx, qy).clamp(max=0) - r


def stroke(
    x: Tensor, y: Tensor, half: Tensor | float, bend: Tensor | float, r: Tensor | float
) -> Tensor:
    """Distance to a stroke of half thickness ``r`` along ``y = bend (x/half)²``, ``|x| ≤ half``."""
    u = (x / half).clamp(-1, 1)
    slope = u * (2 * bend / half)
    across = (y - bend * (u * u)) / (1 + slope * slope).sqrt()
    beyond = (x.abs() - half).clamp(min=0)
    return (across * across + beyond * beyond).sqrt() - r


def segment(
    x: Tensor, y: Tensor, start: tuple[float, float], end: tuple[float, float], r: Tensor | float
) -> Tensor:
    """Distance to a straight stroke of half thickness ``r`` from ``start`` to ``end``."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    px, py = x - start[0], y - start[1]
    t = ((px * dx + py * dy) / (dx * dx + dy * dy)).clamp(0, 1)
    return ((px - t * dx).square() + (py - t * dy).square()).sqrt() - r


def wedge(
    x: Tensor,
    y: Tensor,
    top: float,
    bottom: float,
    above: Tensor | float,
    below: Tensor | float,
) -> Tensor:
    """Distance to an upright trapezoid of half widths ``above`` (at ``top``) and ``below``."""
    t = ((y - top) / (bottom - top)).clamp(0, 1)
    side = x.abs() - (above + (below - above) * t)
    return torch.maximum(side, (y - (top + bottom) / 2).abs() - (bottom - top) / 2)


def hue(h: Tensor, value: Tensor | float, saturation: float) -> Tensor:
    """Colours ``(B, 3)`` of the hues ``h`` ``(B,)``, which run once around the circle in [0, 1)."""
    ramps = [6 * h - 3, 6 * h - 2, 6 * h - 4]
    rgb = torch.stack([ramps[0].abs() - 1, 2 - ramps[1].abs(), 2 - ramps[2].abs()], -1)
    value = value.unsqueeze(-1) if isinstance(value, Tensor) else value
    return (1 + saturation * (rgb.clamp(0, 1) - 1)) * value


@dataclass(frozen=True)
class Canvas:
    """Images in the making, or a window into them.

    Attributes:
        x: coordinates ``(B, H, W)`` of the pixels' centres, rightwards. y: the same downwards.
        image: colours ``(B, 3, H, W)``.
        masks: for every tag ``(B, H, W)``, how much of each pixel shows it.
        pixel: a pixel's width in these coordinates.
    """

    x: Tensor
    y: Tensor
    image: Tensor
    masks: dict[str, Tensor]
    pixel: float

    def window(self, left: float, right: float, top: float, bottom: float) -> Canvas:
        """The pixels between these edges, in half image widths from the image's centre.

        The window shares the canvas's storage: what is painted into it is painted on the canvas.
        """
        size = self.image.shape[-1]

        def pixels(low: float, high: float) -> slice:
            start, stop = (low + 1) / 2 * size, (high + 1) / 2 * size
            return slice(max(int(start), 0), min(int(stop) + 1, size))

        area = (..., pixels(top, bottom), pixels(left, right))
        masks = {tag: mask[area] for tag, mask in self.masks.items()}
        return Canvas(self.x[area], self.y[area], self.image[area], masks, self.pixel)

    def paint(
        self,
        distance: Tensor,
        colour: Tensor,
        *tags: str,
        present: Tensor | float = 1.0,
        opacity: Tensor | float = 1.0,
    ) -> None:
        """Paint a shape in place and update every tag's mask.

        Args:
            distance: signed distances ``(B, H, W)`` to the shape's edge.
            colour: ``(B, 3)``, or ``(B, 3, H, W)`` where it varies.
            tags: what the paint counts as, however thin it is; it hides everything else.
            present: 1 where the shape is to be painted and 0 where not, ``(B, 1, 1)``.
            opacity: of the paint, ``(B, 1, 1)``.
        """
        cover = (0.5 - distance / self.pixel).clamp(0, 1) * present
        alpha = cover * opacity
        colour = colour[:, :, None, None] if colour.ndim == 2 else colour
        self.image.add_((colour - self.image).mul_(alpha[:, None]))
        for tag, mask in self.masks.items():
            mask.add_((1 - mask) * cover if tag in tags else -mask * alpha)
