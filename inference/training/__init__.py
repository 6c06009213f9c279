"""The training loop and what it stands on: optimiser, schedule, noise, devices, checkpoints."""

from .loop import Metrics, Step, Training
from .optimisation import SCHEDULES, adam

__all__ = ["SCHEDULES", "Metrics", "Step", "Training", "adam"]
