"""Run directories: a training from its configuration to its checkpoints, logs and evaluation."""

from .evaluation import evaluate_run
from .fitting import fit, train_once
from .run import Run, create, load

__all__ = ["Run", "create", "evaluate_run", "fit", "load", "train_once"]
