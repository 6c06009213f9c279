"""Locality: how much of the change that an intervention makes lies where the label is seen.

What is measured, and why, is in :mod:`ccvae.studies.reading.locality`; here it is drawn and told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import torch
from torch import Tensor

from ..data import Label
from .drawing.charts import bars
from .drawing.section import Picture, Section, stem
from .drawing.sheets import FAINTEST, MUTED, clean, heat, outlined, panel, png, sheet, to_rgb
from .reading.counterfactuals import Case, cases, true_scenes
from .reading.examples import spread
from .reading.locality import Locality, measure
from .reading.subject import Subject

SHOWN = 3
"""Images that are shown of every label."""


def study(subject: Subject) -> Section:
    """A chart of every label's locality and size of change, and some changes with true outlines."""
    space, found = subject.space, measure(subject)
    chosen = spread(subject.rows, SHOWN)
    some, batch = true_scenes(chosen), subject.batch(chosen)
    pictures = [
        Picture(
            stem("locality", 0),
            chart(found),
            alt="Bars of the locality and of the size of change of every label",
            caption=CHART if some is not None else SIZES,
        )
    ]
    for number, (label, result) in enumerate(zip(space, found, strict=True), 1):
        examples = cases(subject, batch, label.name, some=some)
        picture, top = draw(examples, batch.x, label)
        pictures.append(
            Picture(
                stem("locality", number, label.name),
                picture,
                alt=f"{len(batch.x)} test images, {label.name} changed, and where they change",
                caption=f"{describe(result)} Darkest shade: a change of {top:.2f}.",
                title=label.name,
                span="half",
            )
        )
    text = EXPLANATION if some is not None else WITHOUT_TRUTH
    figures = {each.name: asdict(each) | {"size_inside": each.size_inside} for each in found}
    title = "Locality of interventions"
    return Section("locality", title, (text,), tuple(pictures), figures)


EXPLANATION = (
    "An intervention moves one label's block from the guide's mean code to the mean of another "
    "class of p(z_c | y); everything else is kept. The scenes of these images are known, so the "
    "renderer can make the same change. Locality is the share of the model's change that falls on "
    "pixels which show the label before or after, outlined in the pictures; its size is relative "
    "to the renderer's change. Beside them stand chance, the share of these pixels in the image, "
    "and what the pair makes of the renderer's changed image when it sees it."
)

WITHOUT_TRUTH = (
    "An intervention moves one label's block from the guide's mean code to the mean of another "
    "class of p(z_c | y); everything else is kept. Nobody knows how these images would look with "
    "the label changed, so there is only the size of the change, beside the reconstruction error."
)

CHART = (
    "Left: the share of each label's change that lies in its true region. Black tick: chance, the "
    "share of the region in the image. Ring: the pair on the renderer's changed images. Right: the "
    "size of the change relative to the true one (tick), the part inside the true region dark; "
    "ring as on the left."
)

SIZES = (
    "The mean absolute change of a pixel and channel. Black tick: the mean absolute error of the "
    "reconstructions."
)


def describe(found: Locality) -> str:
    """A label's figures in words."""
    if found.locality is None:
        return (
            f"Mean absolute change {found.change:.4f} of the pixel range, where reconstructions "
            f"are off by {found.error:.4f}."
        )
    return (
        f"Locality {found.locality:.2f} (chance {found.chance:.2f}, seeing the true change "
        f"{found.ceiling:.2f}); size {found.size:.2f} of the true change, {found.size_inside:.2f} "
        f"inside the region (seeing the true change {found.size_ceiling:.2f})."
    )


def draw(found: Sequence[Case], inputs: Tensor, label: Label) -> tuple[bytes, float]:
    """Inputs ``(B, C, H, W)``, one intervention each, its change, as PNG, and the darkest change.

    Row i shows the i-th case, or begins again with the first; where the scenes are known, the
    renderer's change stands beside the model's, both with the outline of the true region.
    """
    pick = [(found[row % len(found)], row) for row in range(len(inputs))]
    changes = [torch.stack([(case.image - case.reconstruction)[row] for case, row in pick])]
    images = [
        inputs,
        torch.stack([case.reconstruction[row] for case, row in pick]),
        torch.stack([case.image[row] for case, row in pick]),
    ]
    columns = ["input", "recon-\nstruction", "inter-\nvention", "change"]
    truths = [(case.truth, row) for case, row in pick if case.truth is not None]
    if truths:
        changes.append(torch.stack([truth.change[row] for truth, row in truths]))
        images.append(torch.stack([truth.after[row] for truth, row in truths]))
        columns = [*columns[:3], "true\nintervention", "change", "true\nchange"]
    shades = [change.abs().mean(1) for change in changes]
    top = max(FAINTEST, *(shade.max().item() for shade in shades))
    maps = [heat(shade, top) for shade in shades]
    if truths:
        region = torch.stack([truth.region[row] for truth, row in truths])
        maps = [outlined(image, region.cpu()) for image in maps]
    cells = torch.stack([*map(to_rgb, images), *maps], 1)
    notes = [["", "", f"→ {label.classes[int(case.target[row])]}"] for case, row in pick]
    blank = [""] * (len(columns) - 3)
    return sheet(
        cells,
        columns=columns,
        notes=[line + blank for line in notes],
        breaks=(1, len(columns) - len(maps)),
    ), top


def chart(found: Sequence[Locality]) -> bytes:
    """Bars of locality and of size with their marks, or of the change alone, as PNG."""
    names = [each.name for each in found]
    figure, left = panel(8.2, 0.9 + 0.3 * len(found))
    if found[0].locality is None:
        values = [each.change for each in found]
        bars(left, names, values, ticks=[each.error for each in found])
        left.set_xlabel("mean absolute change", color=MUTED, fontsize=9.5)
        return png(figure)
    grid = figure.add_gridspec(1, 2, wspace=0.08)
    left.set_subplotspec(grid[0])
    right = clean(figure.add_subplot(grid[1], sharey=left))
    table = {key: [getattr(each, key) for each in found] for key in vars(found[0])}
    bars(left, names, table["locality"], ticks=table["chance"], rings=table["ceiling"])
    inside = [each.size_inside or 0.0 for each in found]
    bars(
        right,
        names,
        table["size"],
        parts=inside,
        ticks=[1.0] * len(found),
        rings=table["size_ceiling"],
    )
    right.tick_params(labelleft=False)
    left.set_xlim(0, 1)
    left.set_xticks((0, 0.5, 1))
    left.set_xlabel("locality", color=MUTED, fontsize=9.5)
    right.set_xlabel("size of the change, true change = 1", color=MUTED, fontsize=9.5)
    return png(figure)
