"""Table ``m2``: M2 on digits with few labels, beside a plain classifier with the same labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ...config import Config
from ...data.spec import load
from ..comparing.plan import CLASSIFIER
from ..comparing.spec import read_spec
from ..drawing.tables import Measurement, Table, mean_and_error
from .machine import percent, rows_of

SPEC = read_spec("m2")
"""What is compared, as ``m2.toml`` beside this module says."""

CONFIG = SPEC.base
"""Kingma et al. (2014) with convolutions and fewer latents, on 4 000 digits."""

LABELS = (100, 1000)
"""Labelled digits, as many of each class."""

PAPER = {100: 100 - 11.97, 1000: 100 - 3.60}
"""M2's accuracy in the paper, from 50 000 digits of which so many were labelled, in per cent."""


def measure(
    seeds: Sequence[int],
    *,
    device: torch.device | str = "cpu",
    config: Config = CONFIG,
    labels: Sequence[int] = LABELS,
    runs: Path | None = None,
) -> Iterator[Measurement]:
    """Train M2 and the plain classifier for each seed and number of labels.

    Args:
        runs: a folder that keeps the runs, where the comparison may go on; none by default.

    Yields:
        ``seed``, ``labels``, ``m2`` and ``classifier`` (accuracy on the test digits in per cent),
        ``bound`` (nats per test image, labels hidden) and ``seconds`` of M2's training.
    """
    rows = len(load(config.data).train)
    counts = {count / rows: count for count in labels}
    asked = replace(SPEC, base=config, labelled=tuple(counts), seeds=tuple(seeds))
    found = rows_of(asked, device, runs)
    plain = {(r["seed"], r["labelled"]): r for r in found if r["method"] == CLASSIFIER}
    for row in found:
        if row["program"]:
            beside = plain[row["seed"], row["labelled"]]
            yield {
                "seed": row["seed"],
                "labels": counts[row["labelled"]],
                "m2": percent(row["accuracy"]),
                "classifier": percent(beside["accuracy"]),
                "bound": round(row["bound"], 4),
                "seconds": round(row["seconds"], 1),
            }


def arrange(measurements: Sequence[Measurement]) -> Table:
    """Arrange what :func:`measure` yielded."""
    rows = []
    for count in sorted({m["labels"] for m in measurements}):
        some = [m for m in measurements if m["labels"] == count]
        figures = [mean_and_error(m[key] for m in some) for key in ("m2", "classifier", "bound")]
        rows.append((str(count), *figures, PAPER.get(count)))
    seeds = sorted({m["seed"] for m in measurements})
    minutes = sum(m["seconds"] for m in measurements) / 60
    return Table(
        name="m2",
        title="M2 on digits with few labels",
        columns=("labels", "M2", "plain classifier", "M2's bound on log p(x)", "M2, paper"),
        rows=tuple(rows),
        notes=(
            "Accuracy in per cent on 1 000 digits, and nats per digit. Both methods see the same "
            "4 000 training digits, M2 the unlabelled ones too, and the same labels, as many of "
            f"each class. Mean ± standard error over {len(seeds)} seeds, which decide the labelled "
            "digits, the weights and the noise.",
            "The classifier has the encoder of M2's q(y|x) and is trained by cross-entropy alone. "
            "The paper's figures are for 50 000 training digits and the full test set, so they say "
            "what is possible with more unlabelled data and are no target for this one.",
            f"{CONFIG.epochs} epochs in steps of {CONFIG.batch_size}, half of which have labels; "
            f"{CONFIG.style} latents for the paper's 50; α by the rule of docs/alpha.md; "
            "convolutions that q(y|x) and q(z|x,y) share, in bfloat16; exact sums over the ten "
            f"classes; Adam at {CONFIG.lr:g}. Trained in {minutes:.0f} minutes.",
            "M2's bound does not single out the classes. With one hidden layer of 500, as in the "
            "paper, 15 epochs with all 4 000 labels shown ended at a bound of −150.5 nats on the "
            "training digits, 15 epochs with 100 labels at −144.5 with 77 % of the digits right: "
            "more training does not correct the others. What helps is how often a label is seen, "
            "how much it weighs (docs/alpha.md), what the networks share, small steps, and fewer "
            "latents, beside which the class says more. With 100 labels and seed 0, 15 epochs in "
            "steps of 200 at 0.003 ended with 50 latents at 79.5 % and −144.8 nats, with 8 at 83.5 "
            "% and −125.0; in steps of 50 at 0.002, 20 epochs with 8 latents at 85.0 % and −111.8, "
            "12 with 4 at 87.5 % and −124.3, and 12 with 8 and a fifteenth of the rule's α at 82.3 "
            "% and −115.3. With 1 000 labels, 20 epochs with 8 latents ended at 95.9 % and −110.1.",
        ),
        measurements=tuple(measurements),
        settings=CONFIG.to_json(),
    )
