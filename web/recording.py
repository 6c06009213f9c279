"""What is seen of a pair as it trains: reconstructions, a moved label, the latents in a plane."""

from __future__ import annotations

from typing import Any

import pyro
import torch
from pyro import poutine
from torch import Tensor, nn

from ..data import Batch, LabelSpace
from ..inference.evaluation.prediction import Latents, Typical, decode, encode
from ..studies.drawing.pixels import address

PICTURES = 6
"""Test images whose reconstruction is shown."""

FREE = ("z", "z_style", "z_x", "z_d")
"""Latents that no label decides: they stay where the guide puts them when a label is moved."""

GRID = 1000
"""Points of the plane are whole numbers up to it, which are short to send."""


class Recorder:
    """Looks at a pair now and then.

    Args:
        model, guide: the pair. space: its labels. judged: test rows with their labels.
    """

    def __init__(self, model: nn.Module, guide: nn.Module, space: LabelSpace, judged: Batch):
        self.model, self.guide, self.space, self.judged = model, guide, space, judged
        self.few = rows_of(judged, range(PICTURES))
        self.axes: dict[str, Tensor] = {}

    def frame(self) -> dict[str, Any]:
        """Everything that is seen at this moment.

        Returns:
            ``rebuilt``, the reconstructions in a strip; ``moved``, for each label the first image
            at each of its classes, in a strip; ``points``, for each label where the test rows lie
            in the plane that shows its classes best, as whole numbers to ±:data:`GRID`.
        """
        found = encode(self.guide, self.judged)
        few = {name: value[:PICTURES] for name, value in found.items()}
        return {
            "rebuilt": strip(decode(self.model, few, self.few)),
            "moved": self._moved(few),
            "points": self._points(found),
        }

    def _moved(self, latents: Latents) -> dict[str, str]:
        """The first image with one label set to each of its classes, all else as it is."""
        if not any(name.startswith(("y", "z_c", "z_y")) for name in latents):
            return {}
        rows, settings = self._settings()
        free = {name: v[:1].expand(rows, *v.shape[1:]) for name, v in latents.items()}
        batch = rows_of(self.judged, [0] * rows)
        y = batch.y.clone()
        for position, (_, column, code) in enumerate(settings):
            y[position, column] = code
        images = _given(self.model, {n: v for n, v in free.items() if n in FREE}, batch, y)
        return {
            name: strip(images[[p for p, (label, *_) in enumerate(settings) if label == name]])
            for name in self.space.names
        }

    def _settings(self) -> tuple[int, list[tuple[str, int, int]]]:
        settings = [
            (label.name, column, code)
            for column, label in enumerate(self.space)
            for code in range(len(label.classes))
        ]
        return len(settings), settings

    def _points(self, latents: Latents) -> dict[str, list[list[int]]]:
        """For each label the test rows in the plane of the means of its classes.

        The first axis is the direction in which the means differ most; the second is the next such
        direction, or for two classes the direction of the largest variance across the first. An
        axis keeps its sign from one look to the next.
        """
        z = torch.cat([v.flatten(1) for n, v in latents.items() if n.startswith("z")], 1)
        z = (z - z.mean(0)).double()
        found = {}
        for column, label in enumerate(self.space):
            plane = _plane(z, self.judged.y[:, column], len(label.classes))
            plane = plane * _signs(plane, self.axes.get(label.name))
            self.axes[label.name] = plane
            at = z @ plane
            reach = at.abs().amax().clamp(min=1e-9)
            found[label.name] = (at / reach * GRID).round().long().tolist()
        return found


def _plane(z: Tensor, codes: Tensor, classes: int) -> Tensor:
    """Two directions ``(D, 2)`` of centred latents ``(n, D)``, see :meth:`Recorder._points`."""
    if z.shape[1] == 1:
        return torch.tensor([[1.0, 0.0]], dtype=z.dtype)
    means = torch.stack([z[codes == k].mean(0) for k in range(classes) if (codes == k).any()])
    first = torch.linalg.svd(means - means.mean(0), full_matrices=False).Vh[:2]
    if classes == 2 or len(first) < 2:
        across = z - (z @ first[:1].T) * first[:1]
        first = torch.stack([first[0], torch.linalg.svd(across, full_matrices=False).Vh[0]])
    return first.T


def _signs(plane: Tensor, before: Tensor | None) -> Tensor:
    if before is None:
        return torch.ones(2, dtype=plane.dtype)
    return torch.where((plane * before).sum(0) < 0, -1.0, 1.0).to(plane.dtype)


@torch.no_grad()
def _given(model: nn.Module, latents: Latents, batch: Batch, y: Tensor) -> Tensor:
    """The mean image ``(B, C, H, W)`` where the labels ``(B, L)`` are set and latents given."""
    with pyro.get_param_store().scope(), Typical(), poutine.condition(data=latents):
        trace = poutine.trace(model).get_trace(None, y, batch.d, **batch.kwargs)
    image: Tensor = trace.nodes["x"]["fn"].mean
    return image.squeeze(-4)


def rows_of(batch: Batch, rows: Any) -> Batch:
    """Some rows of a batch, each as often as it is named."""
    at = torch.tensor(list(rows))
    d = None if batch.d is None else batch.d[at]
    return Batch(batch.x[at], batch.y[at], d, torch.arange(len(at)), len(at))


def strip(images: Tensor) -> str:
    """Images ``(B, C, H, W)`` side by side, as an address."""
    return address(torch.cat(list(images.clamp(0, 1)), -1), "WEBP")
