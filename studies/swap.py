"""Swap: the characteristics of one image moved into another.

A donor gives the blocks of all labels, or that of one; the host keeps everything else, z_style
above all. Both are the guide's typical values, labels hidden (Joy et al. 2021, section 5:
"characteristic swap").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor

from ..data import Batch, LabelSpace, Rows
from ..data.faces import FACES, render
from ..inference.evaluation.prediction import Latents
from .drawing.section import Picture, Section, stem
from .drawing.sheets import ABREAST, sheet, to_rgb, wrapped
from .reading.blocks import find_block, moved
from .reading.counterfactuals import true_scenes
from .reading.examples import spread
from .reading.subject import Subject

MEASURED, SHOWN, PAIRS = 256, 6, 4
"""Images over which is measured, images in the grid, and pairs with each label swapped alone."""


def swapped(host: Latents, donor: Latents, space: LabelSpace, names: Sequence[str]) -> Latents:
    """The host's latents with the donor's blocks of some labels.

    Args:
        host, donor: latents of B images each, by site. space: the labels. names: those to move.

    Raises:
        ValueError: for a label that is not in the space.
    """
    for name in names:
        block = find_block(space, name)
        host = moved(host, block, block.of(donor))
    return host


def turned(latents: Latents, by: int) -> Latents:
    """Latents of B images with the rows moved up, the first ones to the end."""
    return {site: value.roll(-by, 0) for site, value in latents.items()}


@dataclass(frozen=True)
class Swap:
    """What becomes of labels and pixels where every image takes the blocks of another.

    Attributes:
        followed: share of the labels in which donor and host differ, as the guide sees them, that
            it finds changed to the donor's in the swapped image.
        followed_reconstructed: likewise in the donor's own reconstruction, which is the most that
            can be expected. (Of the host's own image it would be 0.)
        kept: share of the labels in which they agree that stay as they are. Each of these is None
            where there are no such labels.
        distance: mean absolute difference of the swapped image from the renderer's image of the
            host's scene with the donor's labels; None where the scenes are not known, as are both
            below.
        distance_unmoved: of the host's reconstruction from it: what doing nothing gives.
        distance_seen: of the reconstruction of the renderer's image itself from it.
    """

    followed: float | None
    followed_reconstructed: float | None
    kept: float | None
    distance: float | None = None
    distance_unmoved: float | None = None
    distance_seen: float | None = None


@torch.no_grad()
def measure(subject: Subject) -> Swap:
    """Every one of at most 256 rows takes all blocks of the next; no label is looked at."""
    space = subject.space
    chosen = spread(subject.rows, MEASURED)
    batch = subject.batch(chosen)
    latents = subject.encode(batch)
    host = subject.decode(latents, batch)
    image = subject.decode(swapped(latents, turned(latents, 1), space, space.names), batch)
    own, found, again = map(subject.classify, (batch.x, image, host))
    donated = own.roll(-1, 0)
    differ = own != donated
    shares = [
        _share((found == donated)[differ]),
        _share((again.roll(-1, 0) == donated)[differ]),
        _share((found == donated)[~differ]),
    ]
    truth = _truth(chosen, batch.x)
    if truth is None:
        return Swap(*shares)
    expected, valid = truth
    seen = subject.reconstruct(replace(batch, x=expected))
    return Swap(*shares, *((x - expected)[valid].abs().mean().item() for x in (image, host, seen)))


def _share(right: Tensor) -> float | None:
    return right.float().mean().item() if len(right) else None


def _truth(rows: Rows, like: Tensor) -> tuple[Tensor, Tensor] | None:
    """The scenes of rows drawn with the labels of the next row, and which of them can be drawn."""
    some = true_scenes(rows)
    if some is None:
        return None
    changed = some
    for name in rows.dataset.space.names:
        changed = changed.set(name, some.labels[:, FACES.index(name)].roll(-1, 0))
    images = render(changed, pixels=like.shape[-1]).to(like) / 255
    return images, changed.possible.to(like.device)


def study(subject: Subject) -> Section:
    """A grid of hosts and donors, and some pairs with each label swapped alone."""
    space = subject.space
    pictures = [
        Picture(
            stem("swap", 1, "all"),
            grid(subject, subject.some(SHOWN)),
            alt="A table of images: style from the row's image, characteristics from the column's",
            caption=GRID,
            title="All characteristics",
        )
    ]
    if len(space) > 1:
        batch = subject.some(PAIRS)
        for number, first in enumerate(range(0, len(space), ABREAST), 2):
            names = space.names[first : first + ABREAST]
            pictures.append(
                Picture(
                    stem("swap", number, "each"),
                    one_by_one(subject, batch, names),
                    alt="Pairs of images; in each further column one label is moved to the first",
                    caption="" if first else EACH,
                    title="" if first else "One characteristic at a time",
                )
            )
    found = measure(subject)
    text = (EXPLANATION, describe(found))
    title = "Characteristics of one image in another"
    return Section("swap", title, text, tuple(pictures), asdict(found))


EXPLANATION = (
    "The guide's mean codes of two test images, their labels hidden: the host gives z_style, the "
    "donor the blocks of all labels, or of one."
)

GRID = (
    "Each image is decoded from the z_style of its row's image and the characteristics of its "
    "column's. On the diagonal stand the reconstructions."
)

EACH = (
    "Host, donor, and the host's reconstruction; then the host with all of the donor's blocks, and "
    "with one of them. The class below is the one that the guide believes of the donor, where it "
    "differs from the host's; where it does not, little should change."
)


def describe(found: Swap) -> str:
    """What was measured, in words."""
    words = []
    if found.followed is not None:
        words.append(
            "Where donor and host differ in a label, the guide finds the donor's class in "
            f"{found.followed:.0%} of the swapped images (in the donor's reconstruction: "
            f"{found.followed_reconstructed:.0%})."
        )
    if found.kept is not None:
        words.append(f"Where they agree, it stays in {found.kept:.0%}.")
    if found.distance is not None:
        words.append(
            "The renderer can draw the host with the donor's labels: the swapped images are off by "
            f"{found.distance:.3f} of the pixel range, the host's reconstruction by "
            f"{found.distance_unmoved:.3f}, and what the pair reconstructs of the renderer's image "
            f"by {found.distance_seen:.3f}."
        )
    return " ".join(words)


def grid(subject: Subject, batch: Batch) -> bytes:
    """B × B images, hosts down and donors across, with the inputs beside and above, as PNG."""
    space, latents = subject.space, subject.encode(batch)
    swaps = [
        subject.decode(swapped(latents, _all(latents, donor), space, space.names), batch)
        for donor in range(len(batch.x))
    ]
    table = torch.cat([batch.x[:, None], torch.stack(swaps, 1)], 1)
    corner = torch.ones_like(batch.x[:1])
    cells = torch.cat([torch.cat([corner, batch.x])[None], table])
    return sheet(to_rgb(cells), rows=["donor", *["host"] * len(table)], breaks=(1,))


def _all(latents: Latents, row: int) -> Latents:
    """One image's latents, as often as there are images."""
    return {site: value[row : row + 1].expand_as(value) for site, value in latents.items()}


def one_by_one(subject: Subject, batch: Batch, names: Sequence[str]) -> bytes:
    """Every image with the next one's blocks, all and then one at a time, as PNG."""
    space, latents = subject.space, subject.encode(batch)
    donor = turned(latents, 1)
    parts = [(), space.names, *((name,) for name in names)]
    images = [subject.decode(swapped(latents, donor, space, part), batch) for part in parts]
    own = subject.classify(batch.x)
    donated = own.roll(-1, 0)
    notes = []
    for row in range(len(batch.x)):
        line = ["", "", "", ""]
        for name in names:
            column = space.index(name)
            code = int(donated[row, column])
            same = code == int(own[row, column])
            line.append("" if same else space.labels[column].classes[code])
        notes.append(line)
    return sheet(
        torch.stack([batch.x, batch.x.roll(-1, 0), *images], 1),
        columns=["host", "donor", "recon-\nstruction", "all", *map(wrapped, names)],
        notes=notes,
        breaks=(2, 3, 4),
    )
