"""``python -m ccvae.benchmarks.overhead``: what a comparison takes beside its trainings.

The same cells are trained twice, in turns: by ``compare`` with everything that it does, and bare, a
training and its evaluation after the other in one process. Prints the ratio of the processor's
times, which others on the machine do not blur.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from ..config import Config
from ..data.spec import load
from ..inference.evaluation.accuracy import answers
from ..inference.evaluation.evaluating import evaluate
from ..inference.runs.fitting import fit
from ..inference.runs.run import create, training_rows
from ..inference.training.baselines import train_classifier
from ..inference.training.engine import keep_freed_memory
from ..inference.training.validation import split
from ..studies.comparing.beginning import How
from ..studies.comparing.comparing import carry_out
from ..studies.comparing.plan import BASELINE, Cell, Comparison

CPU = torch.device("cpu")


def bare(cell: Cell, folder: Path) -> None:
    """Train a cell and evaluate it on its validation and test rows."""
    config = cell.config
    data = load(config.data, config.only)
    rows, test = training_rows(config, data), data.subset(data.test)
    tried = split(config, rows).validation
    if cell.method == BASELINE:
        classifier = train_classifier(config, rows, CPU)
        for some in (tried, test):
            answers(classifier, some, CPU)
        return
    run = create(config, data, folder / cell.name, CPU)
    for _ in fit(run, rows, resume=False):
        pass
    for some in (tried, test):
        evaluate(run.model, run.guide, run.objective, some, CPU)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m ccvae.benchmarks.overhead")
    parser.add_argument("--epochs", type=int, default=12, help="of each training (12)")
    parser.add_argument("--faces", type=int, default=2400, help="to train on and to test on (2400)")
    given = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    base = Config(
        data=f"faces:{given.faces}?image_size=32", network="mlp", epochs=given.epochs, only="Hair"
    )
    asked = Comparison(base, objectives=("ccvae", "our-adapted-diva"), seeds=(0, 1))
    data = load(base.data, base.only)
    with TemporaryDirectory() as folder:
        bare(replace_epochs(asked.cells(data.space)[0]), Path(folder) / "warm")
        start = time.process_time()
        for cell in asked.cells(data.space):
            bare(cell, Path(folder))
        middle = time.process_time()
        carry_out(asked, Path(folder) / "comparison", How(threads=1))
        end = time.process_time()
    alone, whole = middle - start, end - middle
    print(
        f"trainings alone {alone:.1f} s, compare {whole:.1f} s: {whole / alone - 1:+.1%} "
        "(target: at most +3 %)"
    )


def replace_epochs(cell: Cell) -> Cell:
    """The same cell for one epoch."""
    return replace(cell, config=replace(cell.config, epochs=1))


if __name__ == "__main__":
    main()
