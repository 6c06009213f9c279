r"""``python -m ccvae.benchmarks.gradients``: variance and bias of CC-VAE's gradient.

One and the same objective, the paper's with its whole weight (α = 1), for 200 images with 18
observed binary labels, and its gradient by the encoder's parameters, estimated in three ways:

==================  ============================================================================
``exact``           a draw of the guide conditioned on the labels, q(y|x) exactly
                    (:mod:`ccvae.inference.objectives.ccvae`)
``one draw``        a draw of q(z|x) weighed by w = q(y|z_c)/q̂(y|x) with K = 100 draws for q̂,
                    everything differentiated
``half-detached``   the same with z_c detached in log q(y|z_c), as the authors' code has it
                    (:mod:`ccvae.inference.objectives.ccvae_authors`)
==================  ============================================================================

**Variance at equal time**: the networks published with CC-VAE at the start of training. Steps take
turns (:mod:`ccvae.benchmarks.timing`); the variance is the sum over the encoder's parameters, and
what counts is its product with the median time of a step, since n times the time buys the n-th
part of the variance.

**Bias**: a linear decoder with normal pixels, for which the objective is known without sampling
(:mod:`ccvae.benchmarks.quadrature`). The mean of 1 000 estimates differs from the true gradient by
noise and by bias; products of different blocks of the estimates tell them apart (:func:`bias`).
Beyond about 2 standard errors there is a bias. Here too the variances are compared: this decoder
depends on z from the start, the published one hardly does.

The images are rendered faces of 64×64, for the bias averaged to 32×32. The renderer has fewer than
18 labels, so these are coin flips, which is what the classifier takes them for at the start.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from statistics import median
from typing import NamedTuple

import pyro
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ..data.spec import load
from ..inference import CCVAEAuthorsObjective, CCVAEObjective, Objective
from .quadrature import Case, flat, linear, published, true_gradient
from .timing import Step, measure

LABELS, BATCH = 18, 200

BLOCKS = 50
"""Into so many blocks the estimates are summed; pairs of them tell bias from noise."""

LINKS = ("probit", "logit")


def estimators(samples: int = 100) -> dict[str, Objective]:
    """The three, by name; ``samples`` is K."""
    return {
        "exact": CCVAEObjective(alpha=1.0),
        "one draw": CCVAEAuthorsObjective(samples, detach=False),
        "half-detached": CCVAEAuthorsObjective(samples),
    }


class Moments:
    """Sum and sum of squares of the vectors that are added; a variance over all of them."""

    def __init__(self) -> None:
        self.count = 0
        self.total: Tensor | float = 0.0
        self.squares = 0.0

    def add(self, vector: Tensor) -> None:
        """One more."""
        self.count += 1
        self.total = self.total + vector
        self.squares += vector.square().sum().item()

    def variance(self) -> float:
        """Of one vector, summed over its entries."""
        mean = torch.as_tensor(self.total) / self.count
        return (self.squares - self.count * mean.square().sum().item()) / (self.count - 1)


class Bias(NamedTuple):
    """What a mean of estimates misses, and how much they scatter.

    Attributes:
        size: ‖bias‖ by the norm of the true gradient, 0 where the estimate of its square is not
            positive.
        errors: the estimate of ‖bias‖² in units of its standard error where there is no bias.
        variance: of a block's mean, summed over its entries.
    """

    size: float
    errors: float
    variance: float


def bias(blocks: Tensor, truth: Tensor) -> Bias:
    """From means of blocks of estimates.

    Blocks i ≠ j are independent, so the mean of their products (g_i − g)·(g_j − g) estimates
    ‖bias‖² without the noise that ‖mean − g‖² would contain. Where there is no bias these products
    have mean 0 and do not correlate, so that the variance of their sum is the sum of their squares;
    squares of products around the blocks' mean, for a bias is not to count as noise.

    Args:
        blocks: ``(n, P)``. truth: g, ``(P,)``.
    """
    noise = blocks - blocks.mean(0)
    total = _products(blocks - truth).sum()
    error = (2 * _products(noise).square().sum()).sqrt()
    square = (total / (len(blocks) * (len(blocks) - 1))).clamp(min=0)
    variance = noise.square().sum() / (len(blocks) - 1)
    return Bias((square.sqrt() / truth.norm()).item(), (total / error).item(), variance.item())


def _products(vectors: Tensor) -> Tensor:
    """Of each vector ``(n, P)`` with every other, ``(n, n)``; 0 with itself."""
    return (vectors @ vectors.T).fill_diagonal_(0.0)


def biases(case: Case, objectives: dict[str, Objective], repetitions: int) -> dict[str, Bias]:
    """The bias of objectives' estimates on a :func:`linear` case."""
    truth = true_gradient(case)
    each = repetitions // BLOCKS
    found = {}
    for name, objective in objectives.items():
        blocks = torch.zeros(BLOCKS, len(truth), dtype=truth.dtype)
        for block, _ in product(blocks, range(each)):
            block += case.gradient(case.loss(objective)) / each
        found[name] = bias(blocks, truth)
    return found


def steps(case: Case, moments: dict[str, Moments]) -> dict[str, Step]:
    """For every estimator a training step, but for the optimiser's, that keeps the gradient."""
    others = [*case.guide.classifier.parameters(), *case.model.parameters()]

    def step(objective: Objective, kept: Moments) -> Tensor:
        loss = case.loss(objective)
        gradients = torch.autograd.grad(loss, [*case.parameters, *others])
        kept.add(flat(gradients[: -len(others)]))
        return loss

    return {
        name: partial(step, objective, moments[name]) for name, objective in estimators().items()
    }


def batch() -> tuple[Tensor, Tensor]:
    """Faces ``(200, 3, 64, 64)`` and coin flips ``(200, 18)``."""
    data = load(f"faces:{2 * BATCH}")
    images = data.subset(data.train).batch(torch.arange(BATCH)).x
    return images, torch.randint(2, (BATCH, LABELS)).float()


def rows(link: str, seconds: float, repetitions: int) -> Iterator[str]:
    """Measure with one link, and yield the lines of its table."""
    torch.manual_seed(0)
    x, y = batch()
    moments = {name: Moments() for name in estimators()}
    taken = measure(steps(published(x, y, link), moments), seconds)
    missed = biases(linear(avg_pool2d(x, 2), y, link), estimators(), repetitions)
    cost = {name: kept.variance() * median(taken[name]) for name, kept in moments.items()}
    for name, kept in moments.items():
        size, errors, variance = missed[name]
        yield (
            f"{link:8}{name:15}{1e3 * median(taken[name]):9.0f}{kept.variance():11.2g}"
            f"{cost[name] / cost['exact']:15.3g}{variance / missed['exact'].variance:18.3g}"
            f"{size:10.1%}{errors:11.1f}"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m ccvae.benchmarks.gradients",
        description="Variance at equal time, and bias, of three estimates of CC-VAE's gradient.",
    )
    text = "how long to measure the variance with each link (40)"
    parser.add_argument("--seconds", type=float, default=40.0, help=text)
    text = "estimates whose mean is compared with the true gradient (1000)"
    parser.add_argument("--repetitions", type=int, default=1000, help=text)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(
        f"{BATCH} images, {LABELS} labels, α = 1, one thread. Variances at equal time and on the "
        f"linear case in units of exact's; bias of {options.repetitions} estimates on the linear "
        "case in units of the true gradient's norm, and in its standard errors"
    )
    print(
        f"{'link':8}{'estimator':15}{'step, ms':>9}{'variance':>11}{'at equal time':>15}"
        f"{'on the linear':>18}{'bias':>10}{'in errors':>11}"
    )
    with pyro.settings.context(module_local_params=True), pyro.validation_enabled(False):
        for link in LINKS:
            for row in rows(link, options.seconds, options.repetitions):
                print(row, flush=True)


if __name__ == "__main__":
    main()
