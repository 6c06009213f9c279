"""The room of faces: a trained run that answers what a change of its latents does."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from pyro.distributions import TorchDistribution
from torch import Tensor

from ..data import Batch, Label
from ..guides import ClassPrediction, NumberPrediction, Partitioned, Prediction
from ..guides.blocks import Block
from ..guides.real import ThreeNodes
from ..inference.evaluation.prediction import Latents, decode, encode
from ..inference.runs.run import Run
from ..studies.drawing.pixels import address
from ..studies.drawing.pixels import encode as encode_file
from ..studies.drawing.sheets import FAINTEST, heat
from ..studies.reading.beliefs import beliefs
from ..studies.reading.blocks import class_block, class_means, find_block, moved
from ..studies.reading.pace import way
from ..studies.reading.steps import in_steps, probabilities, stepped_space
from .examples import Usual, examples, usual
from .pictures import fitted

REACH, FARTHEST = 2.5, 1e4
"""How many standard deviations of the priors a slider reaches beyond the class means, and the
largest value that is answered."""

PACED, POSITIONS = 4, 40
"""Test images by whose mean change sliders are paced, and steps for which it is kept."""

KEPT = 16
"""Images whose reading is kept: only what a slider changes is computed anew."""


class Reading(NamedTuple):
    """What the guide says of an image, whatever the sliders say.

    Attributes:
        batch: of the image alone. latents: the guide's. typical: its blocks by label.
        parts: q(z_c | x) of each kind of label. rebuilt: the reconstruction ``(C, H, W)``.
        believed: q(y | x). addresses: of the image and its reconstruction.
    """

    batch: Batch
    latents: Latents
    typical: dict[str, Tensor]
    parts: Sequence[Block]
    rebuilt: Tensor
    believed: dict[str, list[float]]
    addresses: dict[str, str]


class Room:
    """A run and some of its test images.

    Args:
        run: a trained run of the program ``ccvae``.

    Raises:
        ValueError: for a run of another program, with what its rooms are.
    """

    def __init__(self, run: Run) -> None:
        if not isinstance(run.guide, Partitioned):
            raise ValueError(
                f"this run is of the program {run.config.program!r}, whose labels own no block of "
                "latents that a slider could move; open a run of the program 'ccvae' here, or look "
                "at the rooms Programs and Objectives, which need no run"
            )
        self.run = run
        self.usual: Usual | None = None
        self.form = "PNG"
        self.posterior = run.guide.posterior
        run.model.eval()
        run.guide.eval()
        self.images, codes = examples(run)
        self.space = stepped_space(run.space, codes)
        self.labels = in_steps(self.space, codes)
        self.thumbnails = [address(image) for image in self.images]
        paced = self._batch(*self.images[:PACED])
        latents = encode(run.guide, paced)
        self.read = lru_cache(KEPT)(lambda face: self._read(self.images[face]))
        self.sent = lru_cache(KEPT)(lambda text: self._read(self._sent_back(text)))
        self.priors = [self._prior(label, paced, latents) for label in self.space]

    def names(self) -> list[str]:
        """What each test image shows, in words."""
        return [_in_words(list(self.space), row) for row in self.labels.tolist()]

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What follows from the state of somebody's page.

        Args:
            asked: ``face``, the position of a test image, or ``upload``, an image as :meth:`upload`
                returned it; ``blocks``, values of labels' blocks by name, where they are not the
                guide's; and ``intervene``, a class code by label, whose mean then is the block.

        Returns:
            ``blocks`` and the guide's own as ``typical``; ``posterior``, q(y = k | z_c) of every
            label at its block; ``before`` and ``seen``, q(y = k | x) of the original and of the
            changed image; the images as addresses; ``top``, the change drawn darkest, and
            ``change``, the mean over pixels; ``unlike``, what an upload is to be told of that
            differs from the training's images.

        Raises:
            ValueError: for a state that no page of this run can have.
        """
        seen = self._reading(asked)
        blocks = seen.typical | self._values(asked.get("blocks", {}))
        blocks |= self._interventions(asked.get("intervene", {}))
        now = seen.latents
        for name, value in blocks.items():
            now = moved(now, find_block(self.space, name), value)
        after = decode(self.run.model, now, seen.batch)[0]
        change = (after - seen.rebuilt).abs().mean(0)
        top = max(FAINTEST, change.max().item())
        return {
            "blocks": _lists(blocks),
            "typical": _lists(seen.typical),
            "posterior": self._posterior(seen.parts, now),
            "before": seen.believed,
            "seen": self._believed(after),
            "images": {
                **seen.addresses,
                "changed": address(after, self.form),
                "map": address(heat(change, top), self.form),
            },
            "top": top,
            "change": change.mean().item(),
            "unlike": self._unlike(seen.rebuilt, seen.batch.x[0]) if "upload" in asked else "",
        }

    def _reading(self, asked: dict[str, Any]) -> Reading:
        """What the guide says of an image; it is the same however its sliders stand."""
        if "upload" in asked:
            sent = asked["upload"]
            return self.sent(sent) if isinstance(sent, str) else self._read(self._sent_back(sent))
        face = asked.get("face", 0)
        if type(face) is not int or not 0 <= face < len(self.images):
            raise ValueError(f"expected a face from 0 to {len(self.images) - 1}; reload the page")
        return self.read(face)

    @torch.no_grad()
    def _read(self, image: Tensor) -> Reading:
        batch = self._batch(image)
        latents = encode(self.run.guide, batch)
        rebuilt = decode(self.run.model, latents, batch)[0]
        return Reading(
            batch,
            latents,
            {name: find_block(self.space, name).of(latents)[0] for name in self.space.names},
            self.posterior(batch.x)[0],
            rebuilt,
            self._believed(batch.x[0]),
            {"original": address(batch.x[0]), "reconstruction": address(rebuilt)},
        )

    def _unlike(self, rebuilt: Tensor, image: Tensor) -> str:
        """What to be told of an image that differs from those of the training."""
        if self.usual is None:
            self.usual = usual(self.run)
        return self.usual.says((rebuilt - image).abs().mean().item())

    def upload(self, content: bytes) -> dict[str, str]:
        """An image file, cut to a square and made as small as the run's images.

        Returns:
            ``image``, to be sent back with every question, and ``remark``, what was done to get
            colours.

        Raises:
            ValueError: with the reason, for what is not an image that can be used.
        """
        image, remark = fitted(content, self.run.shape)
        return {"image": base64.b64encode(encode_file(image)).decode(), "remark": remark}

    def _sent_back(self, text: Any) -> Tensor:
        try:
            content = base64.b64decode(text, validate=True)
        except (TypeError, ValueError, binascii.Error) as error:
            raise ValueError("the uploaded image came back damaged; upload it again") from error
        image, _ = fitted(content, self.run.shape)
        return image if self.run.shape[0] == 3 else image.mean(0, keepdim=True)

    def _batch(self, *images: Tensor) -> Batch:
        labels = torch.full((len(images), len(self.space)), torch.nan)
        device, index = self.run.device, torch.arange(len(images))
        x = torch.stack(images).to(device)
        return Batch(x, labels.to(device), None, index.to(device), len(images))

    def _values(self, given: Any) -> dict[str, Tensor]:
        found = {}
        for name, values in _items(given, "blocks"):
            dimensions = self._label(name).block
            numbers = values if isinstance(values, list) else []
            if len(numbers) != dimensions or not all(map(_is_moderate, numbers)):
                raise ValueError(
                    f"expected {dimensions} numbers between ±{FARTHEST:g} for the block of "
                    f"{name}; reload the page"
                )
            found[name] = torch.tensor(numbers, dtype=torch.float32, device=self.run.device)
        return found

    def _interventions(self, given: Any) -> dict[str, Tensor]:
        found = {}
        for name, code in _items(given, "intervene"):
            classes = self._label(name).classes
            if type(code) is not int or not 0 <= code < len(classes):
                raise ValueError(
                    f"expected a class of {name} from 0 to {len(classes) - 1}; reload the page"
                )
            found[name] = class_means(self.run.model, self.space, name)[code]
        return found

    def _label(self, name: str) -> Label:
        if name not in self.space.names:
            known = ", ".join(self.space.names)
            raise ValueError(f"unknown label; this run has {known}; reload the page")
        return self.space.labels[self.space.index(name)]

    def _believed(self, image: Tensor) -> dict[str, list[float]]:
        """q(y = k | x) of every label."""
        found = beliefs(self.run.guide, self.space, image[None])
        return {name: q[0].tolist() for name, q in found.items()}

    @torch.no_grad()
    def _posterior(self, parts: Sequence[Block], latents: Latents) -> dict[str, list[float]]:
        """q(y = k | z_c) of every label at the given blocks."""
        found: dict[str, list[float]] = {}
        for kind, part in zip(self.space.kinds, parts, strict=True):
            said = _said(part.label(latents[f"z_c{kind.suffix}"]))
            for position, column in enumerate(kind.columns):
                label = self.space.labels[column]
                found[label.name] = probabilities(said, position, label)[0].tolist()
        return {name: found[name] for name in self.space.names}

    def _prior(self, label: Label, paced: Batch, latents: Latents) -> dict[str, Any]:
        """A label's class means, and the values of each dimension at even steps of its slider.

        A step of a slider changes the picture as much as any other, in the mean over some images.
        """
        loc, scale = class_block(self.run.model, self.space, label.name)
        block = find_block(self.space, label.name)
        low, high = (loc - REACH * scale).amin(0), (loc + REACH * scale).amax(0)
        pace = []
        for dimension in range(len(low)):
            ends = tuple(block.of(latents).clone() for _ in range(2))
            for end, value in zip(ends, (low, high), strict=True):
                end[:, dimension] = value[dimension]
            found = way(self.run.model, paced, latents, block, (ends[0], ends[1]), together=True)
            pace.append(found.even(POSITIONS)[0, :, dimension].tolist())
        return {
            "name": label.name,
            "classes": list(label.classes),
            "means": loc.tolist(),
            "pace": pace,
        }


def _said(q: TorchDistribution) -> Prediction:
    """A label's distribution as what it says, for images ``(B,)`` and the labels of its kind."""
    if isinstance(q, ThreeNodes):
        return NumberPrediction(q.loc, q.scale)
    classes = q.enumerate_support(expand=False)
    return ClassPrediction(q.log_prob(classes).movedim(0, -1))


def _in_words(labels: list[Label], codes: list[float]) -> str:
    words = [
        label.name if label.classes == ("no", "yes") else f"{label.name} {label.classes[int(code)]}"
        for label, code in zip(labels, codes, strict=True)
        if not math.isnan(code) and (code or label.classes != ("no", "yes"))
    ]
    return ", ".join(words) or "no label"


def _items(given: Any, what: str) -> list[tuple[str, Any]]:
    if not isinstance(given, dict):
        raise ValueError(f"expected {what} by the names of labels; reload the page")
    return list(given.items())


def _is_moderate(number: Any) -> bool:
    return type(number) in (int, float) and abs(number) <= FARTHEST


def _lists(tensors: dict[str, Tensor]) -> dict[str, list[float]]:
    return {name: tensor.tolist() for name, tensor in tensors.items()}
