"""Hair in other ways: as five binary labels, on one dimension, with class means that start equal.

These are the arms of table ``multiclass`` (:mod:`ccvae.studies.comparisons.multiclass`): pairs that
differ in how they treat one label, and what has to know of it when they are asked about that label.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ...config import Config
from ...data import Batch, Binary, Dataset, LabelSpace, Rows
from ...data.faces import FACES, Scenes
from ...guides import CCVAEGuide, Classifier
from ...inference.catalogue import build_likelihood
from ...inference.evaluation.prediction import Latents
from ...models import CCVAE
from ...models.priors import ConditionalPrior
from ...networks import build as networks
from ..reading.beliefs import beliefs
from ..reading.blocks import class_means, find_block, moved
from ..reading.counterfactuals import Case, render_change
from ..reading.subject import Subject
from .one_dimension import LineClassifier

LABEL = "Hair"
CLASSES = FACES.labels[FACES.index(LABEL)].classes


def by_class(data: Dataset) -> Dataset:
    """The same images with one binary label for each class of Hair in its place, at the end."""
    codes = data.labels[:, data.space.index(LABEL), None]
    columns = (codes == torch.arange(len(CLASSES))).float()
    columns = torch.where(codes.isnan(), torch.nan, columns)
    rest = data.only([name for name in data.space.names if name != LABEL])
    space = LabelSpace([*rest.space, *map(Binary, CLASSES)])
    return replace(data, labels=torch.cat([rest.labels, columns], 1), space=space)


@dataclass(frozen=True)
class Arm:
    """A way to treat Hair.

    Attributes:
        means: where its class means start, ``(5, D)``; the suite's own by default.
        view: the data set as this arm sees it.
    """

    means: Tensor | None = None
    view: Callable[[Dataset], Dataset] = lambda data: data


ARMS: dict[str, Arm] = {
    "one label, 4 dimensions, means apart": Arm(),
    "one label, 4 dimensions, means equal": Arm(torch.zeros(5, 4)),
    "one label, 1 dimension, means apart": Arm(torch.linspace(-2, 2, 5)[:, None]),
    "one label, 1 dimension, means equal": Arm(torch.zeros(5, 1)),
    "five binary labels": Arm(view=by_class),
}
"""The first is the suite's way, the fourth the poster's; the next two differ in one thing each."""


def build(config: Config, rows: Rows, means: Tensor | None) -> tuple[CCVAE, CCVAEGuide]:
    """The untrained pair of an arm, with the labels of the rows' data set.

    Args:
        config: see :data:`CONFIG`. rows: those to train on. means: see :class:`Arm`.
    """
    space, shape = rows.dataset.space, rows.dataset.shape
    torch.manual_seed(config.seed)
    likelihood = build_likelihood(config)
    blocks = [
        means.shape[1] if means is not None and kind.classes > 2 else kind.block
        for kind in space.kinds
        for _ in kind.columns
    ]
    latents = sum(blocks) + config.style
    numbers = shape[0] * likelihood.parameters_per_channel
    decoder = networks.decoder(config.network, shape, latents, numbers)
    frequencies = space.frequencies(rows.labels)
    model = CCVAE(space, decoder, likelihood, style=config.style, frequencies=frequencies)
    encoder = networks.encoder(config.network, shape, latents)
    guide = CCVAEGuide(space, encoder, style=config.style, link=config.link)
    for position, kind in enumerate(space.kinds):
        if means is not None and kind.classes > 2:
            model.prior[position] = ConditionalPrior(kind, means)
            if means.shape[1] == 1:
                guide.classifier[position] = LineClassifier(kind)
    return model, guide


@torch.no_grad()
def probabilities(judge: nn.Module | Classifier, space: LabelSpace, x: Tensor) -> Tensor:
    """What is believed of Hair's classes, ``(B, 5)``: q(y = k|x), or five times q(y_k = 1|x)."""
    table = beliefs(judge, space, x)
    if LABEL in table:
        return table[LABEL]
    return torch.stack([table[name][:, 1] for name in CLASSES], 1)


def with_hair(subject: Subject, latents: Latents, codes: Tensor) -> Latents:
    """Latents with Hair's block, or the five blocks of its classes, at the means of codes (B,)."""
    space = subject.space
    names = [LABEL] if LABEL in space.names else CLASSES
    for k, name in enumerate(names):
        means = class_means(subject.model, space, name)
        chosen = codes if name == LABEL else (codes == k).long()
        latents = moved(latents, find_block(space, name), means[chosen])
    return latents


@torch.no_grad()
def interventions(subject: Subject, batch: Batch, some: Scenes) -> list[Case]:
    """Hair moved to each of its other classes, with the renderer's change beside.

    Args:
        subject: a trained pair with its arm's labels.
        batch: B images, whose labels are not looked at. some: their scenes.
    """
    source = some.labels[:, FACES.index(LABEL)].long().to(batch.x.device)
    latents = subject.encode(batch)
    before = subject.decode(latents, batch)
    found = []
    for step in range(1, len(CLASSES)):
        codes = (source + step) % len(CLASSES)
        truth = render_change(some, LABEL, codes, batch.x)
        found.append(
            Case(
                LABEL,
                source,
                codes,
                before,
                subject.decode(with_hair(subject, latents, codes), batch),
                truth,
                subject.reconstruct(replace(batch, x=truth.after)),
            )
        )
    return found
