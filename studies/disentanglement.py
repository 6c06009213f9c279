r"""Disentanglement: whether each label has its own part of the latent space, and that part alone.

A code is a column of the guide's mean latents, a factor is a label; the scores are those of
:mod:`ccvae.studies.reading.scores`, by dimension and by group of dimensions. What they mean is
seen beside the labels themselves as codes (correlated labels reach no 1) and the same latents in a
random rotation (the same information, entangled). Probes (:mod:`ccvae.studies.reading.probes`) tell
what the rest of the latent space still knows of a label.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyro
import torch
from pyro import poutine
from torch import Tensor, nn

from ..data import Batch, Rows
from ..inference.evaluation.prediction import Latents
from .drawing.charts import bars, matrix
from .drawing.section import Picture, Section, stem
from .drawing.sheets import MUTED, clean, panel, png
from .reading.blocks import find_block
from .reading.examples import spread
from .reading.probes import Probe, describe, probe, probe_chart
from .reading.scores import Array, Scores, Split, importances, score, varies
from .reading.subject import Subject

MEASURED = 2000
"""Rows that are used; half of them to fit classifiers, half to test them."""


@torch.no_grad()
def latent_codes(subject: Subject, *, seed: int | None = None) -> tuple[Array, list[list[int]]]:
    """The guide's latents with the labels hidden, and which columns belong together.

    Args:
        subject: with N rows.
        seed: of a draw from q(z | x) for each row; the means by default. The random state of torch
            is left as it was.

    Returns:
        codes ``(N, D)``, every label's block in the order of the labels and then z_style; and the
        columns of each of these parts, L + 1 lists.
    """
    space = subject.space
    blocks = [find_block(space, name) for name in space.names]
    parts: list[list[Tensor]] = []
    with torch.random.fork_rng():
        torch.manual_seed(seed or 0)
        for batch in subject.rows.batches(500, device=subject.device):
            latents = subject.encode(batch) if seed is None else _draw(subject.guide, batch)
            style = latents["z_style"].flatten(1)
            parts.append([*(block.of(latents) for block in blocks), style])
    codes = [torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True)]
    ends = np.cumsum([part.shape[1] for part in codes])
    groups = [list(range(end - part.shape[1], end)) for part, end in zip(codes, ends, strict=True)]
    return np.concatenate(codes, 1).astype(np.float64), groups


def _draw(guide: nn.Module, batch: Batch) -> Latents:
    with pyro.get_param_store().scope():
        trace = poutine.trace(guide).get_trace(*batch.hidden().args, **batch.kwargs)
    return {name: trace.nodes[name]["value"] for name in trace.stochastic_nodes}


def perfect(factors: Array, classes: Sequence[int], style: int) -> Array:
    """Codes that are the labels themselves, laid out as :func:`latent_codes` does.

    Args:
        factors: class codes ``(N, L)``, NaN where missing.
        classes: K of each of them; K − 1 columns say whether it is class 1, 2, ….
        style: further columns, of noise.
    """
    columns = [f == k for f, count in zip(factors.T, classes, strict=True) for k in range(1, count)]
    noise = np.random.default_rng(0).normal(size=(len(factors), style))
    return np.concatenate([np.stack(columns, 1).astype(float), noise], 1)


def rotated(codes: Array) -> Array:
    """Codes ``(N, D)``, standardised and turned at random: what they know, entangled."""
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(codes.shape[1],) * 2))[0]
    spread_out = codes.std(0)
    turned: Array = (codes - codes.mean(0)) / np.where(spread_out > 0, spread_out, 1) @ turn
    return turned


@dataclass(frozen=True)
class Disentanglement:
    """What is measured of a guide.

    Attributes:
        names: the labels that have two classes or more among the rows.
        dimensions, parts: the scores with every latent dimension a code, and by blocks.
        perfect_dimensions, perfect_parts: likewise, of the labels themselves.
        rotated_dimensions: of the same latents in a random rotation.
        probes: how well each label is predicted.
    """

    names: tuple[str, ...]
    dimensions: Scores
    parts: Scores
    perfect_dimensions: Scores
    perfect_parts: Scores
    rotated_dimensions: Scores
    probes: tuple[Probe, ...]


def measure(subject: Subject) -> Disentanglement | None:
    """The scores and probes over at most 2 000 rows; None where no label varies."""
    rows = shuffled(spread(subject.rows, MEASURED))
    subject = replace(subject, rows=rows)
    factors = rows.labels.double().numpy()
    kept = [column for column in range(factors.shape[1]) if varies(factors[:, column])]
    if not kept:
        return None
    space = subject.space
    codes, groups = latent_codes(subject)
    classes = [len(label.classes) for label in space]
    ideal = perfect(factors, classes, len(groups[-1]))
    seen, known, turned = (
        Split.halves(each, factors[:, kept]) for each in (codes, ideal, rotated(codes))
    )
    drawn = Split.halves(latent_codes(subject, seed=0)[0], factors[:, kept])
    trees, ideal_trees = importances(seen), importances(known)
    found = tuple(
        probe(seen, drawn, space.names[column], factor, groups[-1], groups[column])
        for factor, column in enumerate(kept)
    )
    return Disentanglement(
        tuple(each.name for each in found),
        dimensions=score(seen, boosted=trees),
        parts=score(seen, groups, boosted=trees),
        perfect_dimensions=score(known, boosted=ideal_trees),
        perfect_parts=score(known, groups, boosted=ideal_trees),
        rotated_dimensions=score(turned),
        probes=found,
    )


def shuffled(rows: Rows) -> Rows:
    """The rows in random order: where classes take turns, every other row is of one class."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
    return Rows(rows.dataset, rows.rows[order], rows.labels[order])


def study(subject: Subject) -> Section | None:
    """The scores, what each part of the latents is important for, and the probes."""
    found = measure(subject)
    if found is None:
        return None
    space = subject.space
    pictures = (
        Picture(
            stem("disentanglement", 1, "scores"),
            chart(found),
            alt="Bars of MIG, DCI and SAP with their baselines",
            caption=CHART,
            title="Scores",
        ),
        Picture(
            stem("disentanglement", 2, "importance"),
            matrix(
                found.parts.importance.T.tolist(),
                rows=found.names,
                columns=[*space.names, "z_style"],
                across="part of the latents",
            ),
            alt="How important each block, and z_style, is for predicting each label",
            caption=IMPORTANCE,
            title="Importances",
            span="half",
        ),
        Picture(
            stem("disentanglement", 3, "probes"),
            probe_chart(found.probes),
            alt="Bars of the accuracy with which z_style predicts every label",
            caption=describe(found.probes),
            title="What z_style knows",
            span="half",
        ),
    )
    figures = _plain(asdict(found))
    return Section("disentanglement", "Disentanglement", (EXPLANATION,), pictures, figures)


def _plain(value: Any) -> Any:
    """Nested data without arrays, and None for what is not a number."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    return None if isinstance(value, float) and math.isnan(value) else value


EXPLANATION = (
    "From the guide's mean latents of test images, their labels hidden. MIG is how much more of a "
    "label's information the best code holds than the second best; DCI asks whether a code is "
    "important for one label only (disentanglement) and a label for one code only (completeness); "
    "SAP is by how much the best code alone predicts better than the second best. Half of the "
    "images fit the classifiers, the other half test them."
)


CHART = (
    "Left: every latent dimension is a code, those of z_style too, as the scores are usually "
    "computed; a label whose block has several dimensions cannot do well. Tick: the same latents "
    "in a random rotation. Right: each label's block is one part, and so is z_style. Ring: the "
    "labels themselves as codes, each as K − 1 zeros or ones, beside noise: correlated labels do "
    "not reach 1."
)


IMPORTANCE = (
    "Share of each part of the latents in predicting a label (a row) by gradient boosting. A "
    "diagonal of ones is perfect."
)


MEASURES = {
    "MIG": "mig",
    "DCI disentanglement": "disentanglement",
    "DCI completeness": "completeness",
    "SAP": "sap",
}


def chart(found: Disentanglement) -> bytes:
    """Bars of the scores by dimension and by part, with their baselines, as PNG."""
    figure, left = panel(8.2, 2.1)
    grid = figure.add_gridspec(1, 2, wspace=0.08)
    left.set_subplotspec(grid[0])
    right = clean(figure.add_subplot(grid[1], sharey=left))
    for axes, title, own, ideal, turned in (
        (left, "dimensions", found.dimensions, found.perfect_dimensions, found.rotated_dimensions),
        (right, "blocks", found.parts, found.perfect_parts, None),
    ):
        bars(
            axes,
            list(MEASURES),
            _values(own),
            ticks=() if turned is None else _values(turned),
            rings=_values(ideal),
        )
        axes.set(xlim=(0, 1.04), xticks=(0, 0.5, 1))
        axes.set_xlabel(f"scores of {title}", color=MUTED, fontsize=9.5)
    right.tick_params(labelleft=False)
    return png(figure)


def _values(scores: Scores) -> list[float]:
    return [float(np.nan_to_num(getattr(scores, key))) for key in MEASURES.values()]
