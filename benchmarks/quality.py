"""What a second of the processor buys: accuracy, bound and reconstruction against its time.

Trains objectives side by side in one process, tries each on the test rows now and then, and prints
the curves and the time at which each first reached a level in accuracy and reconstruction at once:
that which the last one ends on, or a stated one. Evaluations are not counted as time.

``ccvae-authors`` is the estimator of CC-VAE's authors; its rows are drawn as theirs are, each once
an epoch and as it is. All else is equal.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..config import Config
from ..data import Dataset
from ..data.spec import load
from ..inference.evaluation.evaluating import evaluate
from ..inference.runs.fitting import fit
from ..inference.runs.run import Run, create, training_rows
from ..inference.training.loop import Step

OBJECTIVES = ("ccvae", "our-adapted-diva", "ccvae-authors")

AS_PUBLISHED: dict[str, Any] = {"labelled_share": 0.0, "still": True, "trunks": 1}
"""How the authors' estimator is trained."""


class Point(NamedTuple):
    """A moment of a training.

    Attributes:
        seconds: of processor time. epochs: done. accuracy: in per cent. bound: nats an image.
        l1: of the reconstruction, mean absolute, in thousandths of the pixel range.
    """

    seconds: float
    epochs: float
    accuracy: float
    bound: float
    l1: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, evaluate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="faces:7200", help="(faces:7200)")
    parser.add_argument("--labelled", type=float, default=0.2, help="(0.2)")
    parser.add_argument("--epochs", type=int, default=12, help="(12)")
    parser.add_argument(
        "--objectives",
        default=",".join(OBJECTIVES),
        help="by commas, peer last; NAME@EPOCHS, or NAME@EPOCHSxROWS with so many rows a step, for "
        "another length than the others'",
    )
    parser.add_argument("--every", type=float, default=0.5, help="epochs between two looks (0.5)")
    parser.add_argument("--accuracy", type=float, default=None, help="level in %% (the peer's)")
    parser.add_argument("--l1", type=float, default=None, help="level in thousandths (the peer's)")
    parser.add_argument("--seed", type=int, default=0, help="(0)")
    options = parser.parse_args(arguments)
    data, curves = load(options.data), {}
    for name in options.objectives.split(","):
        objective, _, length = name.partition("@")
        epochs, _, rows = length.partition("x")
        config = Config(
            objective=objective,
            labelled=options.labelled,
            epochs=int(epochs or options.epochs),
            batch_size=int(rows or Config.batch_size),
            seed=options.seed,
        )
        if objective == "ccvae-authors":
            config = replace(config, **AS_PUBLISHED)
        curves[name] = curve(config, data, options.every)
        print(f"\n## {name}\n\n{as_table(curves[name])}", flush=True)
    last = list(curves.values())[-1][-1]
    accuracy = last.accuracy if options.accuracy is None else options.accuracy
    l1 = last.l1 if options.l1 is None else options.l1
    print(f"\n| accuracy of {accuracy:.1f} % and L1 of {l1:.1f} | processor seconds |\n|---|---:|")
    for name, points in curves.items():
        found = first(points, accuracy, l1)
        print(f"| {name} | {'not reached' if found is None else f'{found.seconds:.0f}'} |")


def curve(config: Config, data: Dataset, every: float) -> list[Point]:
    """Train a run, and try it on the test rows after so many epochs each.

    Args:
        config: of the run. data: its data set. every: epochs, or parts of one, between two looks.
    """
    points: list[Point] = []
    with tempfile.TemporaryDirectory() as folder:
        run = create(config, data, Path(folder), torch.device("cpu"))
        clock = Clock()

        def watch(step: Step) -> None:
            epochs = step.epoch + step.done / step.steps
            if epochs >= (len(points) + 1) * every - 1e-9:
                clock.stop()
                points.append(look(run, data, clock.seconds, epochs))
                clock.start()

        for _ in fit(run, training_rows(config, data), resume=False, watch=watch):
            pass
        clock.stop()
        points.append(look(run, data, clock.seconds, float(config.epochs)))
    return points


class Clock:
    """Processor time of this process while it runs; it runs from the start.

    Attributes:
        seconds: up to the last stop.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.start()

    def start(self) -> None:
        """Go on."""
        self._since = time.process_time()

    def stop(self) -> None:
        """Count no further."""
        self.seconds += time.process_time() - self._since


def look(run: Run, data: Dataset, seconds: float, epochs: float) -> Point:
    """Try a run on the test rows, without a trace in its training."""
    modules = list(run.modules.values())
    training = [module.training for module in modules]
    state = torch.get_rng_state()
    test = replace(data, domains=None).subset(data.test)
    found = evaluate(run.model, run.guide, run.objective, test, run.device)
    torch.set_rng_state(state)
    for module, was in zip(modules, training, strict=True):
        module.train(was)
    l1 = 1000 * found["reconstruction_l1"]
    return Point(seconds, epochs, 100 * found["accuracy"], found["bound"], l1)


def first(points: Sequence[Point], accuracy: float, l1: float) -> Point | None:
    """The first moment with at least that accuracy and at most that error."""
    reached = (p for p in points if p.accuracy >= accuracy and p.l1 <= l1)
    return next(reached, None)


def as_table(points: Sequence[Point]) -> str:
    """A curve as Markdown."""
    lines = ["| epochs | processor seconds | accuracy | bound | L1 |", "|---:|---:|---:|---:|---:|"]
    lines += [
        f"| {p.epochs:.1f} | {p.seconds:.0f} | {p.accuracy:.1f} | {p.bound:.0f} | {p.l1:.1f} |"
        for p in points
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
