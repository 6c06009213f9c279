"""Pairs of programs that a comparison builds itself, trained as a run is."""

from __future__ import annotations

import torch
from pyro.infer import ELBO
from torch import nn

from ...config import Config
from ...data import Rows
from ...inference.training.loop import Training
from ...inference.training.optimisation import adam, warm_cosine


def train_pair(
    config: Config,
    model: nn.Module,
    guide: nn.Module,
    objective: ELBO,
    rows: Rows,
    device: torch.device | str = "cpu",
) -> None:
    """Train a pair to its last epoch and leave it in evaluation mode, on the device.

    Args:
        config: says for how long, in what steps and with what seed.
        model, guide: the pair. objective: what trains it.
        rows: the training rows with the labels that are shown.
        device: where to train.
    """
    module = objective(model.to(device), guide.to(device))
    training = Training(
        module,
        adam(module, config.lr),
        rows,
        epochs=config.epochs,
        batch_size=config.batch_size,
        seed=config.seed,
        rate=lambda progress: config.lr * warm_cosine(progress),
    )
    for _ in training.run():
        pass
    module.eval()
