r"""Confusion: what an intervention on one label does to every other, judged by an outsider.

The paper's confusion matrix (Joy et al. 2021, section 5): entry (i, j) is the change of the
log-probability of label j when label i is intervened on, by a classifier that was trained on the
same data and knows nothing of the pair. Here, over images and over all other classes that label i
is moved to,

.. math::

    C_{ij} = \mathbb E\big[ \log r(y^j = c^j \mid \hat x) - \log r(y^j = c^j \mid \hat x_i) \big],
    \qquad c^j = \arg\max_k r(y^j = k \mid \hat x),

with the judge r, the reconstruction x̂ and the image x̂_i after the intervention: by how many nats
falls the class that the judge saw. A label that is left alone gives 0. Beside it stands the total
variation between r(y^j | x̂) and r(y^j | x̂_i), a change of probability between 0 and 1, which no
overconfident judge can inflate.

The variance maps (same section) show how the pixels vary over images decoded from draws of
z_c^i ~ p(z_c^i), all else fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyro
import torch
from pyro import poutine
from torch import Tensor, nn

from ..config import Config
from ..data import Batch, LabelSpace, Rows
from ..inference.evaluation.evaluating import PlainClassifier, train_classifier
from ..inference.evaluation.prediction import Latents, decode, encode
from .beliefs import Beliefs, beliefs
from .drawing.charts import matrix
from .drawing.section import Picture, Section, stem
from .drawing.sheets import heat, sheet, to_rgb, wrapped
from .intervention import ABREAST, find_block, moved
from .reading.counterfactuals import cases, true_scenes
from .reading.examples import spread, whole

MEASURED, SHOWN, DRAWS = 256, 3, 64
"""Images over which is measured, images whose variance is shown, and draws for each of these."""


def train_judge(config: Config, train: Rows, device: torch.device | str = "cpu") -> PlainClassifier:
    """The plain classifier of an evaluation, with another seed than the run and its baseline have.

    Args:
        config: the run's. train: its training rows with the labels that it was shown.
        device: where the judge is to be. The random state of torch is left as it was.
    """
    with torch.random.fork_rng():
        return train_classifier(replace(config, seed=config.seed + 1), train, device)


@dataclass(frozen=True)
class Confusion:
    """How a judge's beliefs follow interventions, ``(L, L)``: label i moved, label j judged.

    Attributes:
        names: the labels.
        fall: C, in nats. variation: the total variation.
        decoding_fall, decoding_variation: ``(L,)``, likewise from the test image to its
            reconstruction: what decoding alone does to the judge.
        true_fall, true_variation: likewise of the renderer's own interventions on the test images:
            the matrix of a perfect model; None where the scenes are not known.
    """

    names: tuple[str, ...]
    fall: Tensor
    variation: Tensor
    decoding_fall: Tensor
    decoding_variation: Tensor
    true_fall: Tensor | None = None
    true_variation: Tensor | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data, and which rows have their maximum on the diagonal."""
        tables = {
            key: value.tolist() for key, value in vars(self).items() if isinstance(value, Tensor)
        }
        return {
            "names": list(self.names),
            **tables,
            "diagonal_fall": diagonal(self.fall),
            "diagonal_variation": diagonal(self.variation),
        }


def diagonal(matrix: Tensor) -> list[bool]:
    """For each row of ``(L, L)`` whether its largest absolute entry is the one on the diagonal."""
    return (matrix.abs().argmax(1) == torch.arange(len(matrix))).tolist()


def shifts(before: Beliefs, after: Beliefs) -> tuple[Tensor, Tensor]:
    """By how much beliefs change: the fall in nats and the total variation, ``(B, L)`` each.

    Args:
        before, after: probabilities ``(B, K)`` by label.
    """
    falls, variations = [], []
    for name, old in before.items():
        new, seen = after[name], old.argmax(-1, keepdim=True)
        tiny = torch.finfo(old.dtype).tiny
        falls.append(
            (old.gather(1, seen).clamp(min=tiny) / new.gather(1, seen).clamp(min=tiny)).log()[:, 0]
        )
        variations.append((old - new).abs().sum(-1) / 2)
    return torch.stack(falls, 1).cpu(), torch.stack(variations, 1).cpu()


@torch.no_grad()
def measure(
    model: nn.Module,
    guide: nn.Module,
    judge: nn.Module,
    rows: Rows,
    device: torch.device | str = "cpu",
) -> Confusion:
    """The confusion matrix over at most 256 of the rows.

    Args:
        model, guide: a trained pair.
        judge: what has ``predict(x)`` as a guide has, with log-probabilities of the same labels.
        rows: rows that it was not trained on; their labels are not looked at.
        device: where all of them are.
    """
    space = rows.dataset.space
    chosen = spread(rows, MEASURED)
    some = true_scenes(chosen)
    batch = whole(chosen, device)
    inputs = beliefs(judge, space, batch.x)
    again = beliefs(judge, space, decode(model, encode(guide, batch), batch))
    model_rows, true_rows = [], []
    for name in space.names:
        found = cases(model, guide, batch, space, name, some=some)
        kept = [case.counts.cpu() for case in found]
        model_rows.append(
            _mean([shifts(again, beliefs(judge, space, case.image)) for case in found], kept)
        )
        if some is not None:
            pairs = [case.truth.after for case in found if case.truth is not None]
            true_rows.append(_mean([shifts(inputs, beliefs(judge, space, x)) for x in pairs], kept))
    fall, variation = map(torch.stack, zip(*model_rows, strict=True))
    decoded = [shift.mean(0) for shift in shifts(inputs, again)]
    truth = map(torch.stack, zip(*true_rows, strict=True)) if true_rows else (None, None)
    return Confusion(space.names, fall, variation, *decoded, *truth)


def _mean(found: Sequence[tuple[Tensor, Tensor]], kept: Sequence[Tensor]) -> list[Tensor]:
    """Means ``(L,)`` of falls and of variations ``(B, L)`` over the rows ``(B,)`` that count."""
    return [
        torch.cat([part[rows] for part, rows in zip(parts, kept, strict=True)]).mean(0)
        for parts in zip(*found, strict=True)
    ]


@torch.no_grad()
def deviations(
    model: nn.Module,
    guide: nn.Module,
    batch: Batch,
    space: LabelSpace,
    names: Sequence[str],
    *,
    count: int = DRAWS,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """How pixels vary with one block drawn from p(z_c^i), and with z_style drawn from p(z_style).

    All else stays at the guide's mean code of the image. The random state of torch is left as it
    was.

    Args:
        model, guide: a trained pair. batch: B images, whose labels are not looked at.
        space: the labels. names: those whose blocks are drawn, one at a time.
        count: draws. seed: of the draws.

    Returns:
        standard deviations ``(B, n, H, W)`` of a pixel, the root of its variance's mean over the
        channels, for the n labels; and ``(B, H, W)`` for z_style.
    """
    latents = encode(guide, batch)
    with torch.random.fork_rng(), pyro.get_param_store().scope():
        torch.manual_seed(seed)
        _, y, d = batch.hidden().args
        program = poutine.trace(model)
        nodes = [program.get_trace(None, y, d, **batch.kwargs).nodes for _ in range(count)]

    def deviation(changed: Sequence[Latents]) -> Tensor:
        images = torch.stack([decode(model, each, batch) for each in changed])
        return images.var(0).mean(1).sqrt()

    maps = []
    for name in names:
        block = find_block(space, name)
        drawn = [node[block.site]["value"][:, block.position] for node in nodes]
        maps.append(deviation([moved(latents, block, value) for value in drawn]))
    style = deviation([{**latents, "z_style": node["z_style"]["value"]} for node in nodes])
    return torch.stack(maps, 1), style


def study(
    model: nn.Module,
    guide: nn.Module,
    rows: Rows,
    device: torch.device | str = "cpu",
    *,
    judge: nn.Module,
) -> Section | None:
    """The confusion matrix, that of the true interventions, and variance maps.

    Args:
        model, guide: a trained pair.
        rows: rows that it was not trained on; their labels are not looked at.
        device: where the pair is.
        judge: see :func:`train_judge`.

    Returns:
        None for a single label, which has no other to be confused with.
    """
    space = rows.dataset.space
    if len(space) == 1:
        return None
    found = measure(model, guide, judge, rows, device)
    pictures = [
        Picture(
            stem("confusion", 1, "matrix"),
            _matrices(found.fall, found.decoding_fall, found.names),
            alt="Matrix of the judge's change in every label for an intervention on every label",
            caption=CAPTION,
            title="Interventions of the model",
            span="half",
        )
    ]
    if found.true_fall is not None:
        pictures.append(
            Picture(
                stem("confusion", 2, "truth"),
                _matrices(found.true_fall, None, found.names),
                alt="The same matrix of the renderer's own interventions",
                caption="The same for test images whose scene the renderer draws with the label "
                "changed: what the judge makes of a perfect model.",
                title="Interventions of the renderer",
                span="half",
            )
        )
    chosen = spread(rows, SHOWN)
    batch = whole(chosen, device)
    for number, first in enumerate(range(0, len(space), ABREAST), 3):
        names = space.names[first : first + ABREAST]
        pictures.append(
            Picture(
                stem("confusion", number, "variance"),
                draw_deviations(model, guide, batch, space, names),
                alt="Test images beside maps of how their pixels vary with each label's block",
                caption="" if first else VARIANCE,
                title="" if first else "Variance maps",
            )
        )
    text = (EXPLANATION, describe(found))
    title = "What an intervention changes"
    return Section("confusion", title, text, tuple(pictures), found.to_json())


EXPLANATION = (
    "A classifier that was trained on the same images and labels, but apart from the pair, judges "
    "reconstructions before and after an intervention on each label, to every other class in turn."
)

CAPTION = (
    "By how many nats the log-probability of the class falls that the judge saw in the "
    "reconstruction: the label of the row is moved, that of the column is judged. Each row is "
    "shaded relative to its largest entry, which is bold. Last row: the same from the test image "
    "to its reconstruction, with no label moved."
)

VARIANCE = (
    "Standard deviation of the pixels over 64 draws of one label's block from p(z_c), and of "
    "z_style from its prior in the last column, all else fixed. It is the root of the variance, "
    "so that faint changes show. Each column has its own scale, whose darkest shade is written "
    "below."
)


def describe(found: Confusion) -> str:
    """Whether each label's own change is the largest of its row, in nats and in probability."""
    words = []
    for matrix_, unit in ((found.fall, "nats"), (found.variation, "probability (total variation)")):
        failing = [
            f"{name} (changes {found.names[int(row.abs().argmax())]} more)"
            for name, row, right in zip(found.names, matrix_, diagonal(matrix_), strict=True)
            if not right
        ]
        words.append(
            f"In {unit} {len(found.names) - len(failing)} of {len(found.names)} labels change "
            "themselves more than any other"
            + (f"; not so {', '.join(failing)}." if failing else ".")
        )
    own = found.variation.diagonal()
    weakest = int(own.argmin())
    words.append(
        f"The judge's probabilities move by {own.mean():.2f} on the diagonal (least: "
        f"{found.names[weakest]}, {own[weakest]:.2f}) and by {_off_diagonal(found.variation):.2f} "
        f"off it, where decoding alone moves them by {found.decoding_variation.mean():.2f}"
    )
    if found.true_variation is not None:
        truth = found.true_variation
        words[-1] += (
            f" and the renderer's interventions by {truth.diagonal().mean():.2f} and "
            f"{_off_diagonal(truth):.2f}"
        )
    return " ".join(words) + "."


def _off_diagonal(matrix_: Tensor) -> float:
    count = len(matrix_)
    return ((matrix_.sum() - matrix_.trace()) / (count * (count - 1))).item()


def _matrices(fall: Tensor, beneath: Tensor | None, names: Sequence[str]) -> bytes:
    values = fall if beneath is None else torch.cat([fall, beneath[None]])
    rows = [*names, *([] if beneath is None else ["no label"])]
    return matrix(values.tolist(), rows=rows, columns=names, across="judged", down="moved")


def draw_deviations(
    model: nn.Module, guide: nn.Module, batch: Batch, space: LabelSpace, names: Sequence[str]
) -> bytes:
    """Test images, their reconstructions and the :func:`deviations` of some labels, as PNG."""
    labels, style = deviations(model, guide, batch, space, names)
    maps = torch.cat([labels, style[:, None]], 1)
    tops = maps.amax((0, 2, 3)).clamp(min=1e-6)
    shades = torch.stack(
        [heat(column, top) for column, top in zip(maps.unbind(1), tops.tolist(), strict=True)], 1
    )
    images = torch.stack([batch.x, decode(model, encode(guide, batch), batch)], 1)
    blank = [[""] * (len(tops) + 2)] * (len(maps) - 1)
    return sheet(
        torch.cat([to_rgb(images), shades], 1),
        columns=["input", "recon-\nstruction", *map(wrapped, names), "z_style"],
        notes=[*blank, ["", "", *(f"{top:.2f}" for top in tops.tolist())]],
        breaks=(2, 2 + len(names)),
    )
