"""Table ``objectives``: the five columns of the poster's Table 1 on the same rendered faces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ...config import Config
from ...inference.objectives import ccvae, m2
from ...inference.training.alpha import APART
from ..comparing.plan import CLASSIFIER, MAJORITY
from ..comparing.spec import read_spec
from ..drawing.tables import Figure, Measurement, Table, mean_and_error
from .machine import percent, percents, rows_of

SPEC = read_spec("objectives")
"""What is compared, as ``objectives.toml`` beside this module says."""

CONFIG = SPEC.base
"""What all columns share; Laplace pixels of scale 1, as in CC-VAE's paper."""

COLUMNS: dict[str, dict[str, Any]] = {
    "M2": {"program": "m2"},
    "DIVA": {"program": "diva"},
    "Adapted DIVA": {"program": "ccvae", "objective": "adapted-diva"},
    "Our Adapted DIVA": {"program": "ccvae", "objective": "our-adapted-diva"},
    "CC-VAE": {"program": "ccvae", "objective": "ccvae"},
}
"""In what each column differs from the others."""

METHODS = {
    "m2": "M2",
    "diva": "DIVA",
    "ccvae/adapted-diva": "Adapted DIVA",
    "ccvae/our-adapted-diva": "Our Adapted DIVA",
    "ccvae": "CC-VAE",
    CLASSIFIER: CLASSIFIER,
    MAJORITY: MAJORITY,
}
"""What the comparison's methods are called in the table."""

FRACTIONS = SPEC.labelled
"""Shares of the training faces that show their labels."""


def measure(
    seeds: Sequence[int],
    *,
    device: torch.device | str = "cpu",
    config: Config = CONFIG,
    fractions: Sequence[float] = FRACTIONS,
    runs: Path | None = None,
) -> Iterator[Measurement]:
    """Train every column for each seed and share of labelled faces, and both baselines.

    Args:
        runs: a folder that keeps the runs, where the comparison may go on; none by default.

    Yields:
        ``seed``, ``labelled`` (the share), ``method``, ``accuracy`` and ``accuracy_by_label`` in
        per cent; for a column also ``alpha`` (None: the objective's default), ``bound`` (nats per
        face, labels and domains hidden), ``error`` (of the reconstruction, mean absolute, in
        thousandths of the pixel range) and ``seconds`` of training.
    """
    asked = replace(SPEC, base=config, labelled=tuple(fractions), seeds=tuple(seeds))
    for row in rows_of(asked, device, runs):
        found: Measurement = {
            "seed": row["seed"],
            "labelled": row["labelled"],
            "method": METHODS[row["method"]],
            "accuracy": percent(row["accuracy"]),
            "accuracy_by_label": percents(row, "accuracy"),
        }
        if row["program"]:
            found |= {
                "alpha": row["alpha"],
                "bound": round(row["bound"], 4),
                "error": round(1000 * row["reconstruction_l1"], 4),
                "seconds": round(row["seconds"], 1),
            }
        yield found


def arrange(measurements: Sequence[Measurement]) -> Table:
    """Arrange what :func:`measure` yielded."""
    fractions = sorted({m["labelled"] for m in measurements})
    seeds = sorted({m["seed"] for m in measurements})

    def figures(method: str) -> Iterator[Figure | None]:
        for fraction in fractions:
            some = [m for m in measurements if (m["method"], m["labelled"]) == (method, fraction)]
            for key in ("accuracy", "bound", "error"):
                yield mean_and_error(m[key] for m in some if key in m)

    minutes = sum(m.get("seconds", 0.0) for m in measurements) / 60
    return Table(
        name="objectives",
        title="The five columns of Table 1 on the same faces",
        columns=(
            "objective",
            *(
                f"{figure}, F = {fraction:g}"
                for fraction in fractions
                for figure in ("accuracy", "bound", "error")
            ),
        ),
        rows=tuple((name, *figures(name)) for name in (*COLUMNS, CLASSIFIER, MAJORITY)),
        notes=(*_notes(seeds), f"Trained in {minutes:.0f} minutes on one thread."),
        measurements=tuple(measurements),
        settings={**CONFIG.to_json(), "columns": COLUMNS, "seeds": seeds},
    )


def _notes(seeds: Sequence[int]) -> tuple[str, ...]:
    return (
        "Accuracy in per cent, the mean over Eyeglasses (two classes) and Hair (five). *Bound* in "
        "nats per face. *Error* is that of the reconstruction: mean absolute, in thousandths of "
        "the pixel range. All are taken on 1 200 test faces whose labels the guide does not see. "
        "F is the share of the 6 000 training faces that show their labels. "
        + (
            f"Mean ± standard error over {len(seeds)} seeds of labelled faces, weights and noise."
            if len(seeds) > 1
            else "One seed."
        ),
        "*What is equal*: faces averaged down to 32×32, "
        f"networks of one hidden layer (`{CONFIG.network}`), {CONFIG.style} dimensions of style, "
        f"{CONFIG.likelihood.capitalize()} pixels of scale {CONFIG.scale:g}, {CONFIG.epochs} "
        f"epochs in steps of {CONFIG.batch_size}, Adam at {CONFIG.lr:g} with warm-up and cosine. "
        "M2's sum over missing labels runs over the product of their classes, and every setting "
        "is decoded; so there are two labels with ten settings, not nine with 1 280. *What is "
        "not*: DIVA has three encoders and three latents and is shown the domain of every "
        "training face; the last three columns are one program.",
        "*Which bound*: as trained, M2 and CC-VAE contain a bound on log p(x, y) of labelled faces "
        "and log p(x) of others, the two Adapted DIVAs one on log p(x|y) and log p(x), DIVA one "
        "on log p(x|y, d) and log p(x|d). In the table labels and domains are hidden, so that all "
        "five bound log p(x) under the same likelihood and can be compared. None contains an α.",
        "*Which α*, by one rule (docs/alpha.md), c·S·N/N_labelled with the nats S that there are "
        f"to learn about a face: c = {ccvae.LABEL_WEIGHT:g} for DIVA (and α_d = 2000), "
        f"{APART * ccvae.LABEL_WEIGHT:.2g} for Our Adapted DIVA and CC-VAE, whose blocks are "
        f"taught apart from the images (docs/training.md), {m2.LABEL_WEIGHT:g} for M2. Adapted "
        "DIVA as printed has no rule for its α and takes 1.",
        "*How often a label is seen*: three faces in ten of every batch show theirs, five where "
        "blocks are taught apart and for the plain classifier, weighted so "
        "that the objective is that of all faces. No face is mirrored; that would help the plain "
        "classifier as much as the others, and cost all bounds about five nats.",
        "*What it shows*: Adapted DIVA as printed never tells its classifier a label. The others "
        "are to be held against the plain classifier, which has the same labels and as many looks "
        "at them. A classifier is paid for: the blocks that say what the labels are keep less of "
        "the face, so bounds fall and errors rise with α, least where blocks are taught apart in "
        "one trunk.",
        "*What it does not show*: an order of the objectives. Each column stands at one α, and α "
        "decides much. These are two labels, which one hidden layer can see in small images, a "
        "short training, and few seeds, whose errors at F = 0.02 are of the size of the "
        "differences.",
    )
