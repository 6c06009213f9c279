"""Confusion: what an intervention on one label does to every other, judged by an outsider.

The matrix is measured in :mod:`ccvae.studies.reading.confusion`; here it is drawn and told. The
variance maps (Joy et al. 2021, section 5) show how the pixels vary over images decoded from draws
of z_c^i ~ p(z_c^i), all else fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pyro
import torch
from pyro import poutine
from torch import Tensor

from ..data import Batch
from ..inference.evaluation.prediction import Latents
from .drawing.charts import matrix
from .drawing.section import Picture, Section, stem
from .drawing.sheets import ABREAST, heat, sheet, to_rgb, wrapped
from .reading import attention
from .reading.blocks import find_block, moved
from .reading.confusion import Confusion, diagonal, measure
from .reading.subject import Subject

SHOWN, DRAWS = 3, 64
"""Images whose variance is shown, and draws for each of these."""


@torch.no_grad()
def deviations(
    subject: Subject, batch: Batch, names: Sequence[str], *, count: int = DRAWS, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """How pixels vary with one block drawn from p(z_c^i), and with z_style drawn from p(z_style).

    All else stays at the guide's mean code of the image. The random state of torch is left as it
    was.

    Args:
        subject: whose pair it is. batch: B images, whose labels are not looked at.
        names: labels whose blocks are drawn, one at a time.
        count: draws. seed: of the draws.

    Returns:
        standard deviations ``(B, n, H, W)`` of a pixel, the root of its variance's mean over the
        channels, for the n labels; and ``(B, H, W)`` for z_style.
    """
    latents = subject.encode(batch)
    with torch.random.fork_rng(), pyro.get_param_store().scope():
        torch.manual_seed(seed)
        _, y, d = batch.hidden().args
        program = poutine.trace(subject.model)
        nodes = [program.get_trace(None, y, d, **batch.kwargs).nodes for _ in range(count)]

    def deviation(changed: Sequence[Latents]) -> Tensor:
        images = torch.stack([subject.decode(each, batch) for each in changed])
        return images.var(0).mean(1).sqrt()

    maps = []
    for name in names:
        block = find_block(subject.space, name)
        drawn = [node[block.site]["value"][:, block.position] for node in nodes]
        maps.append(deviation([moved(latents, block, value) for value in drawn]))
    style = deviation([{**latents, "z_style": node["z_style"]["value"]} for node in nodes])
    return torch.stack(maps, 1), style


def study(subject: Subject) -> Section | None:
    """The confusion matrix, that of the true interventions, and variance maps.

    Returns:
        None for a single label, which has no other to be confused with.
    """
    space = subject.space
    if len(space) == 1:
        return None
    found, seen = measure(subject), attention.measure(subject)
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
    pictures.append(
        Picture(
            stem("confusion", 3, "attention"),
            attention.attention_chart(seen),
            alt=f"Bars for every label. {attention.describe(seen)}",
            caption=attention.CAPTION,
            title="Where the judge looks",
        )
    )
    batch = subject.some(SHOWN)
    for number, first in enumerate(range(0, len(space), ABREAST), 4):
        names = space.names[first : first + ABREAST]
        pictures.append(
            Picture(
                stem("confusion", number, "variance"),
                draw_deviations(subject, batch, names),
                alt="Test images beside maps of how their pixels vary with each label's block",
                caption="" if first else VARIANCE,
                title="" if first else "Variance maps",
            )
        )
    text = (EXPLANATION, describe(found), attention.describe(seen))
    figures = found.to_json() | {"attention": [asdict(each) for each in seen]}
    title = "What an intervention changes"
    return Section("confusion", title, text, tuple(pictures), figures)


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
        f"off it (most: {_most(found)}), where decoding alone moves them by "
        f"{found.decoding_variation.mean():.2f}"
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


def _most(found: Confusion) -> str:
    """The largest entry off the diagonal, in words."""
    beside = found.variation - torch.diag(found.variation.diagonal())
    row, column = divmod(int(beside.argmax()), len(beside))
    return f"{found.names[row]} on {found.names[column]}, {beside[row, column]:.2f}"


def _matrices(fall: Tensor, beneath: Tensor | None, names: Sequence[str]) -> bytes:
    values = fall if beneath is None else torch.cat([fall, beneath[None]])
    rows = [*names, *([] if beneath is None else ["no label"])]
    return matrix(values.tolist(), rows=rows, columns=names, across="judged", down="moved")


def draw_deviations(subject: Subject, batch: Batch, names: Sequence[str]) -> bytes:
    """Test images, their reconstructions and the :func:`deviations` of some labels, as PNG."""
    labels, style = deviations(subject, batch, names)
    maps = torch.cat([labels, style[:, None]], 1)
    tops = maps.amax((0, 2, 3)).clamp(min=1e-6)
    shades = torch.stack(
        [heat(column, top) for column, top in zip(maps.unbind(1), tops.tolist(), strict=True)], 1
    )
    images = torch.stack([batch.x, subject.reconstruct(batch)], 1)
    blank = [[""] * (len(tops) + 2)] * (len(maps) - 1)
    return sheet(
        torch.cat([to_rgb(images), shades], 1),
        columns=["input", "recon-\nstruction", *map(wrapped, names), "z_style"],
        notes=[*blank, ["", "", *(f"{top:.2f}" for top in tops.tolist())]],
        breaks=(2, 2 + len(names)),
    )
