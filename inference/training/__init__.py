"""The training loop and what it stands on: optimiser, schedule, noise, devices, checkpoints."""

from .baselines import PlainClassifier, baseline, train_classifier, train_judge
from .loop import Metrics, Step, Training
from .optimisation import SCHEDULES, adam, descend

__all__ = [
    "SCHEDULES",
    "Metrics",
    "PlainClassifier",
    "Step",
    "Training",
    "adam",
    "baseline",
    "descend",
    "train_classifier",
    "train_judge",
]
