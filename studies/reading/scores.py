r"""MIG, DCI and SAP: how well each of some codes knows its own factor, and that one alone.

A code is a column of latents, a factor is a label. Each score lies between 0 and 1, and is computed
as Locatello et al. (2019, appendix B) do:

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
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def varies(factor: Array) -> bool:
    """Whether class codes ``(N,)`` have two known classes to fit on and some rows to test on."""
    fit, test = (half[~np.isnan(half)] for half in (factor[::2], factor[1::2]))
    return len(np.unique(fit)) > 1 and len(test) > 0
