"""Run directories: a training from its configuration to its checkpoints, logs and evaluation."""

from .fitting import fit, train_once
from .run import Run, create, evaluate_run, load

__all__ = ["Run", "create", "evaluate_run", "fit", "load", "train_once"]
