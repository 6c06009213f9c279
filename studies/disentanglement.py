r"""Disentanglement: whether each label has its own part of the latent space, and that part alone.

A code is a column of the guide's mean latents, a factor is a label. Three scores, each between 0
and 1, as Locatello et al. (2019, appendix B) compute them:

- MIG (Chen et al. 2018): mutual information of every code, in 20 bins, with a factor; the gap
  between the two best codes in parts of H(y), mean over factors.
- DCI (Eastwood and Williams 2018): importances R of the codes for a factor in gradient boosting.
  Disentanglement is 1 − H(R of a code over the factors), weighted by the codes' importance;
  completeness is 1 − H(R of a factor over the codes), weighted by the factors'; informativeness is
  the accuracy of the prediction.
- SAP (Kumar et al. 2018): accuracy of a linear SVM (C = 0.01, balanced) from every code alone; the
  gap between the two best codes, mean over factors.

A block of several dimensions is one part but several codes, and a good one loses by that: its
second dimension closes the gap. So every score is also computed by *groups* of codes, one for each
label's block and one for all of z_style: a group's mutual information is that of its best code, its
importance the sum over its codes, and its SVM sees all of its codes. Without groups every latent
dimension, those of z_style too, is a code of its own.

What the scores mean is seen beside the labels themselves as codes (correlated labels reach no 1)
and the same latents in a random rotation (the same information, entangled).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyro
import torch
from numpy.typing import NDArray
from pyro import poutine
from torch import Tensor, nn

from ..data import Batch, Rows
from ..inference.prediction import Latents, encode
from .confusion import matrix
from .examples import spread
from .figures import MUTED, clean, panel, png
from .intervention import find_block
from .locality import bars
from .section import Picture, Section, stem

MEASURED = 2000
"""Rows that are used; half of them to fit classifiers, half to test them."""

BINS = 20

Array = NDArray[Any]
Groups = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Split:
    """Codes and factors of some rows to fit on and of others to test on.

    Attributes:
        codes: ``(N, D)``. factors: class codes ``(N, L)``, NaN where missing.
        test_codes, test_factors: of other rows.
    """

    codes: Array
    factors: Array
    test_codes: Array
    test_factors: Array

    @classmethod
    def halves(cls, codes: Array, factors: Array) -> Split:
        """Every other row to fit on, the rest to test on."""
        return cls(codes[::2], factors[::2], codes[1::2], factors[1::2])

    def of(self, factor: int) -> tuple[Array, Array, Array, Array]:
        """Codes and factor, then those to test on, of the rows where one factor is known."""
        known, tested = (~np.isnan(f[:, factor]) for f in (self.factors, self.test_factors))
        return (
            self.codes[known],
            self.factors[known, factor],
            self.test_codes[tested],
            self.test_factors[tested, factor],
        )


@dataclass(frozen=True)
class Scores:
    """The three scores, and what they are made of.

    Attributes:
        mig: mutual information gap; mig_by_factor: its terms ``(L,)``.
        disentanglement, completeness, informativeness: DCI, the last on the rows to test on.
        sap: the gap of accuracies; sap_by_factor: its terms ``(L,)``.
        importance: R, ``(G, L)`` for G groups of codes.
    """

    mig: float
    mig_by_factor: Array
    disentanglement: float
    completeness: float
    informativeness: float
    sap: float
    sap_by_factor: Array
    importance: Array


def score(
    split: Split, groups: Groups | None = None, *, boosted: tuple[Array, Array] | None = None
) -> Scores:
    """MIG, DCI and SAP.

    Args:
        split: the codes and factors; MIG takes the rows of both halves.
        groups: columns of the codes that belong together; by default each is one of its own.
        boosted: what :func:`importances` gives, if it is known already.

    Raises:
        ValueError: with fewer than two groups, between which there is no gap.
    """
    groups = [[column] for column in range(split.codes.shape[1])] if groups is None else groups
    if len(groups) < 2:
        raise ValueError(f"expected two or more groups of codes to compare, got {len(groups)}")
    codes = np.concatenate([split.codes, split.test_codes])
    factors = np.concatenate([split.factors, split.test_factors])
    mig = gaps(information(codes, factors, groups)) / entropies(factors)
    by_code, accuracy = importances(split) if boosted is None else boosted
    importance = np.stack([by_code[list(group)].sum(0) for group in groups])
    sap = gaps(separabilities(split, groups))
    return Scores(
        float(mig.mean()),
        mig,
        disentanglement(importance),
        disentanglement(importance.T),
        float(accuracy.mean()),
        float(sap.mean()),
        sap,
        importance,
    )


def gaps(table: Array) -> Array:
    """Best less second best of every column of ``(G, L)``."""
    ordered = np.sort(table, axis=0)
    gap: Array = ordered[-1] - ordered[-2]
    return gap


def information(codes: Array, factors: Array, groups: Groups) -> Array:
    """Mutual information ``(G, L)`` in nats of a group's best code, in 20 bins, with a factor.

    Args:
        codes: ``(N, D)``. factors: class codes ``(N, L)``, NaN where missing.
        groups: columns of the codes that belong together.
    """
    from sklearn.metrics import mutual_info_score

    edges = [np.histogram(code, BINS)[1][:-1] for code in codes.T]
    binned = [np.digitize(code, edge) for code, edge in zip(codes.T, edges, strict=True)]
    table = np.zeros((codes.shape[1], factors.shape[1]))
    for j, factor in enumerate(factors.T):
        known = ~np.isnan(factor)
        table[:, j] = [mutual_info_score(factor[known], code[known]) for code in binned]
    return np.stack([table[list(group)].max(0) for group in groups])


def entropies(factors: Array) -> Array:
    """H(y) ``(L,)`` in nats of class codes ``(N, L)``."""
    from scipy.stats import entropy

    counts = [np.unique(f[~np.isnan(f)], return_counts=True)[1] for f in factors.T]
    return np.array([entropy(count) for count in counts])


def importances(split: Split) -> tuple[Array, Array]:
    """Importances ``(D, L)`` of the codes in gradient boosting, and its accuracies ``(L,)``."""
    from sklearn.ensemble import GradientBoostingClassifier

    columns, accuracy = [], []
    for factor in range(split.factors.shape[1]):
        codes, target, test_codes, test_target = split.of(factor)
        trees = GradientBoostingClassifier(random_state=0).fit(codes, target)
        columns.append(trees.feature_importances_)
        accuracy.append(trees.score(test_codes, test_target))
    return np.abs(np.stack(columns, 1)), np.array(accuracy)


def disentanglement(importance: Array) -> float:
    """1 − H of every row of importances ``(G, L)`` over its columns, weighted by the rows' sums.

    Of the transposed table it is the completeness. NaN for one column, whose entropy is always 0.
    """
    from scipy.stats import entropy

    if importance.shape[1] == 1:
        return math.nan
    if importance.sum() == 0:
        return 0.0
    by_row = 1 - entropy(importance.T + 1e-11, base=importance.shape[1])
    return float(by_row @ importance.sum(1) / importance.sum())


def separabilities(split: Split, groups: Groups) -> Array:
    """Accuracies ``(G, L)`` of a linear SVM from a group of codes alone to a factor."""
    from sklearn.svm import LinearSVC

    table = np.zeros((len(groups), split.factors.shape[1]))
    for factor in range(split.factors.shape[1]):
        codes, target, test_codes, test_target = split.of(factor)
        for row, group in enumerate(groups):
            columns = list(group)
            machine = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
            machine.fit(codes[:, columns], target)
            table[row, factor] = machine.score(test_codes[:, columns], test_target)
    return table


@torch.no_grad()
def latent_codes(
    guide: nn.Module,
    rows: Rows,
    device: torch.device | str = "cpu",
    *,
    seed: int | None = None,
) -> tuple[Array, list[list[int]]]:
    """The guide's latents with the labels hidden, and which columns belong together.

    Args:
        guide: a trained one. rows: N of them. device: where the guide is.
        seed: of a draw from q(z | x) for each row; the means by default. The random state of torch
            is left as it was.

    Returns:
        codes ``(N, D)``, every label's block in the order of the labels and then z_style; and the
        columns of each of these parts, L + 1 lists.
    """
    space = rows.dataset.space
    blocks = [find_block(space, name) for name in space.names]
    parts: list[list[Tensor]] = []
    with torch.random.fork_rng():
        torch.manual_seed(seed or 0)
        for batch in rows.batches(500, device=device):
            latents = encode(guide, batch) if seed is None else _draw(guide, batch)
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
class Probe:
    """How well a label is predicted from parts of the latents; accuracies on other rows.

    Each is that of the better of a linear and a boosted classifier.

    Attributes:
        name: the label.
        majority: of naming the commonest class: what z_style should not exceed.
        style: from draws of z_style ~ q(z_style | x), which are what the decoder was trained on.
        style_mean: from its means: what the guide knows at all, however drowned in its own noise.
        block: from draws of the label's own block.
        error: the standard error of an accuracy at the majority's.
    """

    name: str
    majority: float
    style: float
    style_mean: float
    block: float
    error: float


def probe(
    means: Split, draws: Split, name: str, factor: int, style: Sequence[int], own: Sequence[int]
) -> Probe:
    """Predict one factor from z_style and from its own block.

    Args:
        means, draws: the codes and factors. name: the label. factor: its column.
        style, own: columns of the codes.
    """
    _, target, _, test_target = means.of(factor)
    values, counts = np.unique(target, return_counts=True)
    majority = float((test_target == values[counts.argmax()]).mean())
    return Probe(
        name,
        majority,
        style=predicted(draws, factor, style),
        style_mean=predicted(means, factor, style),
        block=predicted(draws, factor, own),
        error=math.sqrt(majority * (1 - majority) / len(test_target)),
    )


def predicted(split: Split, factor: int, columns: Sequence[int]) -> float:
    """The better accuracy of two classifiers from some columns of the codes to a factor."""
    codes, target, test_codes, test_target = split.of(factor)
    fitted = (classifier.fit(codes[:, list(columns)], target) for classifier in probes())
    return max(float(each.score(test_codes[:, list(columns)], test_target)) for each in fitted)


def probes() -> tuple[Any, Any]:
    """A linear classifier and one that sees bends and interactions."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return linear, HistGradientBoostingClassifier(max_iter=50, random_state=0)


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


def measure(
    guide: nn.Module, rows: Rows, device: torch.device | str = "cpu"
) -> Disentanglement | None:
    """The scores and probes over at most 2 000 rows; None where no label varies.

    Args:
        guide: a trained one.
        rows: annotated rows that it was not trained on; it does not see their labels.
        device: where it is.
    """
    rows = shuffled(spread(rows, MEASURED))
    factors = rows.labels.double().numpy()
    kept = [column for column in range(factors.shape[1]) if varies(factors[:, column])]
    if not kept:
        return None
    space = rows.dataset.space
    codes, groups = latent_codes(guide, rows, device)
    classes = [len(label.classes) for label in space]
    ideal = perfect(factors, classes, len(groups[-1]))
    seen, known, turned = (
        Split.halves(each, factors[:, kept]) for each in (codes, ideal, rotated(codes))
    )
    drawn = Split.halves(latent_codes(guide, rows, device, seed=0)[0], factors[:, kept])
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


def varies(factor: Array) -> bool:
    """Whether class codes ``(N,)`` have two known classes to fit on and some rows to test on."""
    fit, test = (half[~np.isnan(half)] for half in (factor[::2], factor[1::2]))
    return len(np.unique(fit)) > 1 and len(test) > 0


def study(
    model: nn.Module, guide: nn.Module, rows: Rows, device: torch.device | str = "cpu"
) -> Section | None:
    """The scores, what each part of the latents is important for, and the probes.

    Args:
        model, guide: a trained pair.
        rows: annotated rows that it was not trained on.
        device: where the pair is.
    """
    found = measure(guide, rows, device)
    if found is None:
        return None
    space = rows.dataset.space
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


def probe_chart(found: Sequence[Probe]) -> bytes:
    """Bars of the accuracy from z_style, with majority and own block, as PNG."""
    figure, axes = panel(4.7, 0.9 + 0.3 * len(found))
    bars(
        axes,
        [each.name for each in found],
        [each.style_mean for each in found],
        parts=[each.style for each in found],
        ticks=[each.majority for each in found],
        rings=[each.block for each in found],
    )
    axes.set(xlim=(0, 1.04), xticks=(0, 0.5, 1))
    axes.set_xlabel("accuracy from z_style", color=MUTED, fontsize=9.5)
    return png(figure)


def describe(found: Sequence[Probe]) -> str:
    """What the probes found, in words."""
    words = (
        "How well z_style predicts each label, by the better of a linear and a boosted classifier: "
        "dark from draws of q(z_style | x), light and in figures from its means. Tick: the "
        "commonest class, which z_style should not exceed. Ring: draws of the label's own block. "
    )
    over = [
        f"{each.name} by {100 * (each.style - each.majority):.1f}"
        for each in found
        if each.style - each.majority > 2 * each.error
    ]
    if not over:
        return words + "No draws of z_style exceed the commonest class by two standard errors."
    return words + (
        "By more than two standard errors, in points, draws of z_style exceed it on "
        f"{', '.join(over)}."
    )
