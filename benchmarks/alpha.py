"""How much weight the classifier needs: the table of docs/alpha.md, as Markdown.

Trains CC-VAE on rendered faces for several α and by the authors' estimator, everything else equal,
and prints what each reaches with the labels hidden. The bound is that of L at α = 1 on images
without labels, so it can be compared between the rows.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import torch

from ..config import Config
from ..data.spec import load
from ..inference import CCVAEObjective
from ..inference.evaluation.evaluating import evaluate, majority
from ..inference.runs.fitting import train_once
from ..inference.training.baselines import baseline
from ..studies.drawing.tables import mean_and_error

BASE = Config(
    data="faces:4800",
    epochs=10,
    batch_size=50,
    labelled_share=0.0,
    trunks=1,
    taught_apart=False,
    still=True,
    validation=0.0,
)
"""Every row once an epoch, one trunk and the bound's own gradient, so that α alone differs."""

ALPHAS = (1.0, 30.0, 300.0, 1000.0, 3000.0, 10000.0)


def main() -> None:
    """Train, evaluate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    seeds = range(parser.parse_args().seeds)
    data = load(BASE.data)
    test = data.subset(data.test)
    chance = majority(data.training(BASE.labelled, 0), test)["majority"]
    plain = [
        baseline(replace(BASE, seed=seed), data.training(BASE.labelled, seed), test, "cpu")
        for seed in seeds
    ]
    print("| objective | accuracy | bound on log p(x) | reconstruction L1 |\n|---|---|---|---|")
    for config in (
        *(replace(BASE, alpha=alpha) for alpha in ALPHAS),
        replace(BASE, objective="ccvae-authors"),
    ):
        results = [train_and_evaluate(replace(config, seed=seed)) for seed in seeds]
        name = f"exact, α = {config.alpha:g}" if config.alpha else "the authors' estimator"
        figures = [
            text([r[key] for r in results], digits)
            for key, digits in (("accuracy", 3), ("bound", 1), ("reconstruction_l1", 4))
        ]
        print(f"| {name} | {' | '.join(figures)} |", flush=True)
    print(f"| plain classifier | {text([p['classifier'] for p in plain], 3)} | | |")
    print(f"| majority class | {chance:.3f} | | |")


def train_and_evaluate(config: Config) -> dict[str, float]:
    """One run, evaluated by the exact objective whatever it was trained by."""
    data, device = load(config.data), torch.device("cpu")
    run = train_once(config, data, device)
    torch.manual_seed(0)
    return evaluate(run.model, run.guide, CCVAEObjective(), data.subset(data.test), device)


def text(values: list[float], digits: int) -> str:
    """Mean ± standard error over seeds."""
    figure = mean_and_error(values)
    if figure is None:
        return ""
    error = "" if figure.error is None else f" ± {figure.error:.{digits}f}"
    return f"{figure.mean:.{digits}f}{error}"


if __name__ == "__main__":
    main()
