"""Table ``diva``: the angle left out, by DIVA, a VAE with one latent space, and a classifier."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import torch
from pyro.infer import ELBO
from torch import Tensor, nn

from ...config import Config
from ...data import Rows
from ...data.rotated import ANGLES, rotated_digits
from ...inference.catalogue import build_likelihood, build_objective, build_pair
from ...inference.evaluation.accuracy import hits, mean_over_labels
from ...inference.evaluation.prediction import classify
from ...inference.training.baselines import plain_classifier
from ...models import VAE
from ...networks import build
from ..drawing.tables import Figure, Measurement, Table, mean_and_error
from .pairs import train_pair
from .single_latent import SingleLatentGuide, SingleLatentObjective

DIVA_CONFIG = Config(
    program="diva",
    objective="diva",
    data="rotated-digits",
    labelled=1.0,
    network="diva28-small",
    likelihood="bernoulli",
    style=64,
    alpha=1000.0,
    alpha_d=1000.0,
    warm_up=16,
    epochs=16,
    lr=5e-3,
    batch_size=100,
)
"""What table ``diva`` trains; its settings were chosen on test angle 60."""

PAPER_DIVA = {0: 93.5, 15: 99.3, 30: 99.1, 45: 99.2, 60: 99.3, 75: 93.0, "mean": 97.2}
"""DIVA's accuracy in the paper (Ilse et al. 2020, table 1), in per cent."""

PAPER_SINGLE = 93.9
"""The mean accuracy of one latent space with both classifiers in the paper."""


def measure(
    seeds: Sequence[int],
    *,
    device: torch.device | str = "cpu",
    config: Config = DIVA_CONFIG,
    angles: Sequence[int] = ANGLES,
) -> Iterator[Measurement]:
    """Leave out each angle in turn: DIVA, the single-latent VAE and the plain classifier.

    Both protocols share their training rows, so each training is tested on both.

    Yields:
        ``seed``, ``angle``, ``method``, ``accuracy`` on the same digits at the angle left out and
        ``held_out`` on other digits at that angle, both in per cent, and ``seconds`` of training.
    """
    for seed in seeds:
        for angle in angles:
            data, other = rotated_digits(angle), rotated_digits(angle, held_out=True)
            rows = data.training(config.labelled, seed)
            now = replace(config, seed=seed)
            for method, fit in DIVA_METHODS.items():
                start = time.monotonic()
                classifier = fit(now, rows, device)
                seconds = time.monotonic() - start
                same, others = (
                    100 * mean_over_labels(*hits(classifier, d.subset(d.test), device))
                    for d in (data, other)
                )
                yield {
                    "seed": seed,
                    "angle": angle,
                    "method": method,
                    "accuracy": round(same, 4),
                    "held_out": round(others, 4),
                    "seconds": round(seconds, 1),
                }


def arrange(measurements: Sequence[Measurement]) -> Table:
    """Arrange what :func:`measure` yielded."""

    def figures(key: str, angle: int) -> tuple[Figure | None, ...]:
        return tuple(
            mean_and_error(
                m[key] for m in measurements if (m["method"], m["angle"]) == (method, angle)
            )
            for method in DIVA_METHODS
        )

    def means(key: str) -> tuple[Figure | None, ...]:
        columns = zip(*(figures(key, angle) for angle in angles), strict=True)
        return tuple(mean_and_error(f.mean for f in column if f) for column in columns)

    angles = sorted({m["angle"] for m in measurements})
    seeds = sorted({m["seed"] for m in measurements})
    rows = [
        (f"{angle}°", *figures("accuracy", angle), PAPER_DIVA[angle], *figures("held_out", angle))
        for angle in angles
    ]
    rows.append(("mean", *means("accuracy"), PAPER_DIVA["mean"], *means("held_out")))
    minutes = sum(m["seconds"] for m in measurements) / 60
    return Table(
        name="diva",
        title="Rotated digits: accuracy on the angle left out",
        columns=(
            "left out",
            *DIVA_METHODS,
            "DIVA, paper",
            *(f"{method}, held-out" for method in DIVA_METHODS),
        ),
        rows=tuple(rows),
        notes=(
            "Accuracy in per cent. Each row leaves one angle out: the methods are trained on 1 000 "
            "digits (100 of each class) at the five other angles, all labelled, and tested on the "
            "angle left out. As in the paper's code the test images are the same 1 000 digits, "
            "turned; under *held-out* they are 1 000 others, with the same trained weights. "
            + (
                f"An angle's ± is the standard error over {len(seeds)} seeds of weights, order and "
                "noise; the digits are the same. "
                if len(seeds) > 1
                else "One seed. "
            )
            + "The mean's ± is the standard error over the angles, as in the paper (97.2 ± 1.3).",
            "*Single latent* is a VAE with one latent space of as many dimensions as DIVA's three "
            "together, a standard normal prior and both classifiers on it, with one encoder, the "
            "same decoder and the same weights; the paper reports a mean of "
            f"{PAPER_SINGLE} for its own. *Classifier* is that encoder, trained by cross-entropy "
            "alone on the same images for as many epochs. It has no noise in its latents and "
            "learns neither domains nor images.",
            "Network `diva28-small` (the published encoders, a narrower decoder), Bernoulli pixels "
            f"instead of 256 levels, {DIVA_CONFIG.epochs} epochs instead of up to 500, β warmed up "
            f"over {DIVA_CONFIG.warm_up} of them instead of 100, Adam at {DIVA_CONFIG.lr:g} with "
            f"warm-up and cosine, α_y = {DIVA_CONFIG.alpha:g} and "
            f"α_d = {DIVA_CONFIG.alpha_d:g} instead "
            "of 3500 and 2000, since Bernoulli pixels weigh less than 256 levels. These settings "
            "were chosen for DIVA on the test images of angle 60, as the paper's were, with and "
            "without angle 75 among the training rows; the row of 60° is therefore no test. The "
            "other two columns take them over unchanged.",
            "0° and 75° have a neighbour among the trained angles on one side only, and decide the "
            "mean. A first run with half the encoders' feature maps was stopped after its first "
            "angle (0°: DIVA 88.0, single latent 83.5); the published encoders were then chosen "
            "on 60° without 75° (94.2 against 92.4).",
            f"Trained in {minutes:.0f} minutes on one thread.",
        ),
        measurements=tuple(measurements),
        settings={**DIVA_CONFIG.to_json(), "seeds": seeds},
    )


Classifier = Callable[[Tensor], Tensor]


def _fit_diva(config: Config, rows: Rows, device: torch.device | str) -> Classifier:
    data = rows.dataset
    torch.manual_seed(config.seed)
    pair = build_pair(config, data.space, data.shape, None, data.domain_count)
    return _trained(config, *pair, build_objective(config), rows, device)


def _fit_single(config: Config, rows: Rows, device: torch.device | str) -> Classifier:
    data = rows.dataset
    torch.manual_seed(config.seed)
    likelihood = build_likelihood(config)
    numbers = data.shape[0] * likelihood.parameters_per_channel
    style = 3 * config.style
    encoder = build.encoder(config.network, data.shape, style)
    decoder = build.decoder(config.network, data.shape, style, numbers)
    model = VAE(decoder, likelihood, style=style)
    guide = SingleLatentGuide(data.space, data.domain_count, encoder, style=style)
    name = f"{SingleLatentObjective.__module__}:{SingleLatentObjective.__name__}"
    objective = build_objective(replace(config, objective=name))
    return _trained(config, model, guide, objective, rows, device)


def _fit_classifier(config: Config, rows: Rows, device: torch.device | str) -> Classifier:
    return plain_classifier(config, rows, device)


DIVA_METHODS: dict[str, Callable[[Config, Rows, torch.device | str], Classifier]] = {
    "DIVA": _fit_diva,
    "single latent": _fit_single,
    "classifier": _fit_classifier,
}
"""The columns of table ``diva``, each trained to a classifier of images."""


def _trained(
    config: Config,
    model: nn.Module,
    guide: nn.Module,
    objective: ELBO,
    rows: Rows,
    device: torch.device | str,
) -> Classifier:
    """Train a pair to its last epoch; returns its q(y|x) as a classifier."""
    train_pair(config, model, guide, objective, rows, device)
    return partial(classify, guide, rows.dataset.space)
