"""What can be seen of a pair that is not the suite's: images where it has any, latents in a plane.

Nothing is known of its sites but what one run of both shows.
"""

from __future__ import annotations

from typing import Any

import pyro
import torch
from pyro import poutine
from torch import Tensor, nn

from ..data import Batch
from ..faults import words_of
from ..inference.evaluation.prediction import Typical
from ..inference.foreign import Minibatch
from ..inference.objectives.sites import sample_sites
from .recording import GRID, PICTURES, Recorder, strip

SMALLEST, MOST = 8, 300
"""Pixels of an image's side at least, and points of the plane at most."""

NO_PICTURE = "this pair observes no image with a mean, so no picture can be drawn of it"
NO_PLANE = "no latent of its guide is real in each of several rows, so none lies in a plane"


class Sketch:
    """Looks at a pair of somebody's now and then.

    Args:
        model, guide: the pair. called: what both are called with.
    """

    def __init__(self, model: nn.Module, guide: nn.Module, called: Batch | Minibatch) -> None:
        self.model, self.guide, self.called = model, guide, called
        self.axes: Tensor | None = None

    def originals(self) -> str:
        """The observed images that are reconstructed, in a strip; ``""`` where there are none."""
        seen, _ = self._images(self._sites()[1])
        return "" if seen is None else strip(seen)

    def frame(self) -> dict[str, Any]:
        """Everything that is seen at this moment.

        Returns:
            ``rebuilt``, the means of the observed images in a strip; ``points``, under ``""``,
            where the rows' latents lie in the plane of their largest variance; ``moved``, nothing;
            and ``said``, why something is not to be seen.
        """
        latents, observed = self._sites()
        _, rebuilt = self._images(observed)
        points, without = self._points(latents)
        said = [] if rebuilt is not None else [NO_PICTURE]
        said += [f"{name} has no finite mean, so it lies in no plane" for name in without]
        said += [] if points or without else [NO_PLANE]
        return {
            "rebuilt": "" if rebuilt is None else strip(rebuilt),
            "moved": {},
            "points": {"": points} if points else {},
            "said": "; ".join(said),
        }

    @torch.no_grad()
    def _sites(self) -> tuple[list[Any], list[Any]]:
        """The guide's sites at their typical values, and the observed ones of the model there."""
        args, kwargs = self.called.args, self.called.kwargs
        with pyro.get_param_store().scope(), pyro.validation_enabled(False), Typical():
            guide = poutine.trace(self.guide).get_trace(*args, **kwargs)
            model = poutine.trace(poutine.replay(self.model, trace=guide)).get_trace(
                *args, **kwargs
            )
        latent = [site for site in sample_sites(guide).values() if not site["is_observed"]]
        return latent, [site for site in sample_sites(model).values() if site["is_observed"]]

    def _images(self, observed: list[Any]) -> tuple[Tensor | None, Tensor | None]:
        """Some observed images ``(n, C, H, W)``, and their means."""
        for site in observed:
            try:
                pair = [_as_images(part) for part in (site["value"], site["fn"].mean)]
            except (AttributeError, NotImplementedError):
                continue
            if pair[0] is not None and pair[1] is not None and pair[0].shape == pair[1].shape:
                return pair[0], pair[1]
        return None, None

    def _points(self, latents: list[Any]) -> tuple[list[list[int]], list[str]]:
        """Where the rows lie, none where there are not two; and the latents without a mean."""
        rows = {site["name"]: _by_rows(site) for site in latents}
        known = {name: each for name, each in rows.items() if each is not None}
        without = [name for name, each in known.items() if not each.isfinite().all()]
        finite = [each for name, each in known.items() if name not in without]
        size = max(map(len, finite), default=0)
        if size < 2:
            return [], without
        z = torch.cat([each[:MOST] for each in finite if len(each) == size], 1).double()
        z = z - z.mean(0)
        if z.shape[1] == 1:
            z = torch.cat([z, torch.zeros_like(z)], 1)
        axes = torch.linalg.svd(z, full_matrices=False).Vh[:2].T
        if self.axes is not None and self.axes.shape == axes.shape:
            axes = torch.where((axes * self.axes).sum(0) < 0, -axes, axes)
        self.axes = axes
        at = z @ axes
        found: list[list[int]] = (
            (at / at.abs().amax().clamp(min=1e-9) * GRID).round().long().tolist()
        )
        return found, without


class Seen:
    """Looks at a pair of somebody's that is like the suite's."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def frame(self) -> dict[str, Any]:
        """See :meth:`ccvae.web.recording.Recorder.frame`."""
        return {**self.recorder.frame(), "said": ""}


def unseen(error: Exception) -> dict[str, Any]:
    """What is seen where looking failed: its reason."""
    return {"rebuilt": "", "moved": {}, "points": {}, "said": words_of(error)}


def of_theirs(recorder: Recorder, sketch: Sketch) -> Seen | Sketch:
    """What sees more of a pair of somebody's on images of the suite."""
    try:
        recorder.frame()
    except Exception:  # whatever their programs do where the suite's have a site
        return sketch
    return Seen(recorder)


def _as_images(value: Tensor) -> Tensor | None:
    """The first of some images ``(n, C, H, W)``, where a value holds any."""
    if value.dim() >= 3 and min(value.shape[-2:]) >= SMALLEST:
        if value.shape[-3] not in (1, 3) or value.dim() == 3:
            value = value.unsqueeze(-3)
        return value.reshape(-1, *value.shape[-3:])[:PICTURES].float()
    return None


def _by_rows(site: Any) -> Tensor | None:
    """A latent of every row ``(n, D)``, for one within a plate; of classes their probabilities."""
    value, fn = site["value"], site["fn"]
    frames = [frame for frame in site["cond_indep_stack"] if frame.vectorized]
    if not frames or not value.is_floating_point():
        return None
    outermost = min(frames, key=lambda frame: frame.dim)
    axis = value.dim() - len(fn.event_shape) + outermost.dim
    if axis < 0 or value.shape[axis] != outermost.size:
        return None
    value = fn.mean.expand(value.shape) if fn.has_enumerate_support else value
    rows: Tensor = value.movedim(axis, 0).reshape(outermost.size, -1)
    return rows
