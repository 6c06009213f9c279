"""What studies read off a trained pair: images, latents, effects of moving them, scores."""

from .beliefs import beliefs
from .blocks import at_classes, class_means, find_block, moved
from .counterfactuals import cases, render_change, true_scenes
from .effect import effects
from .locality import share_inside
from .subject import Subject

__all__ = [
    "Subject",
    "at_classes",
    "beliefs",
    "cases",
    "class_means",
    "effects",
    "find_block",
    "moved",
    "render_change",
    "share_inside",
    "true_scenes",
]
