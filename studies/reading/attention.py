r"""Attention: whether an intervention changes what a judge looks at, and how much it sees change.

Where nobody knows the true region of a label, an outsider says where it lies: the judge of
:mod:`.judge`, by how its answer follows each pixel. For a row that is moved from class a to class b
its saliency is

.. math::

    s(u) = \mathbb E_\varepsilon \sum_c \Big| \frac{\partial}{\partial x_{c,u}}
           \big(\log r(y = b \mid x + \varepsilon) - \log r(y = a \mid x + \varepsilon)\big) \Big|

over a little noise (Smilkov et al. 2017) and a small neighbourhood, as single gradients are grainy.
The figure is the share of the change Δ in the half of the pixels where s is largest. A change that
is the same everywhere has .5; one of the label alone should have more.

How much of the picture the judge sees changed is a distance of its features, as Zhang et al. (2018)
measure: those of every convolutional layer, of length 1 in each place, squared difference, mean
over places and layers. It stands beside that from the input to its reconstruction and that to the
reconstruction of another image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize

from ..drawing.charts import bars
from ..drawing.sheets import MUTED, clean, panel, png
from .counterfactuals import Case, cases, true_scenes
from .examples import spread
from .judge import Perceiving
from .locality import share_inside
from .steps import probabilities
from .subject import Subject

MEASURED = 128
"""Images over which is measured."""

COPIES, NOISE, AROUND = 4, 0.1, 5
"""Noisy copies of an image, noise in parts of the pixel range, and pixels of a neighbourhood."""


@dataclass(frozen=True)
class Attention:
    """What a judge looks at and sees changed where one label is moved to its next class.

    Attributes:
        name: the label.
        share: of the change in the half of the pixels that the judge looks at.
        true_share: likewise of the renderer's change; None where the scenes are not known.
        distance: of the judge's features from the reconstruction to the intervention; None for a
            judge without convolutions, as are those below.
        decoding: from the input to its reconstruction. other: to that of another image.
    """

    name: str
    share: float
    true_share: float | None = None
    distance: float | None = None
    decoding: float | None = None
    other: float | None = None


@torch.enable_grad()
def saliency(
    subject: Subject, x: Tensor, name: str, source: Tensor, target: Tensor, *, seed: int = 0
) -> Tensor:
    """Where the judge looks for a label, ``(B, H, W)``.

    Args:
        subject: whose judge is asked. x: images ``(B, C, H, W)``. name: the label.
        source, target: the classes ``(B,)`` that it is to tell apart. seed: of the noise.
    """
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros_like(x[:, 0])
    for _ in range(COPIES):
        noise = NOISE * torch.randn(x.shape, generator=generator)
        noisy = (x + noise.to(x)).requires_grad_()
        chances = _chances(subject, noisy, name)
        wanted, left = (chances.gather(1, code[:, None]) for code in (target, source))
        tiny = torch.finfo(chances.dtype).tiny
        odds = wanted.clamp(min=tiny).log() - left.clamp(min=tiny).log()
        (slope,) = torch.autograd.grad(odds.sum(), noisy)
        total += slope.abs().sum(1)
    side = min(AROUND, *x.shape[-2:])
    side -= 1 - side % 2  # odd, so that a neighbourhood has a middle
    return avg_pool2d(total[:, None], side, 1, side // 2, count_include_pad=False)[:, 0]


def _chances(subject: Subject, x: Tensor, name: str) -> Tensor:
    space = subject.space
    column = space.index(name)
    kinds = zip(space.kinds, subject.judge.predict(x), strict=True)
    kind, said = next((kind, said) for kind, said in kinds if column in kind.columns)
    return probabilities(said, kind.columns.index(column), space.labels[column])


def watched(salient: Tensor) -> Tensor:
    """The half of the pixels, ``(B, H, W)``, where a saliency ``(B, H, W)`` is largest."""
    flat = salient.flatten(1)
    half = torch.zeros_like(flat, dtype=torch.bool)
    half.scatter_(1, flat.topk(flat.shape[1] // 2, dim=1).indices, True)
    return half.view_as(salient)


def distance(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """How far features ``(B, C, H, W)`` of images lie apart, by image, ``(B,)``."""
    each = [
        (normalize(one) - normalize(other)).square().sum(1).mean((1, 2))
        for one, other in zip(a, b, strict=True)
    ]
    return torch.stack(each).mean(0)


def measure(subject: Subject) -> list[Attention]:
    """Every label moved to its next class, over at most 128 of the rows, labels not looked at."""
    chosen = spread(subject.rows, MEASURED)
    some, batch = true_scenes(chosen), subject.batch(chosen)
    return [
        attention(subject, batch.x, cases(subject, batch, name, some=some)[0])
        for name in subject.space.names
    ]


def attention(subject: Subject, x: Tensor, case: Case) -> Attention:
    """The attention of one case on images ``x`` ``(B, C, H, W)``."""
    half = watched(saliency(subject, x, case.name, case.source, case.target))
    rows, before = case.counts, case.reconstruction
    found = Attention(case.name, share_inside((case.image - before)[rows], half[rows]))
    if case.truth is not None:
        found = replace(found, true_share=share_inside(case.truth.change[rows], half[rows]))
    return _perceived(subject, x, case, found)


@torch.no_grad()
def _perceived(subject: Subject, x: Tensor, case: Case, found: Attention) -> Attention:
    judge = subject.judge
    if not isinstance(judge, Perceiving) or not judge.features(x[:1]):
        return found
    inputs, before, after = map(judge.features, (x, case.reconstruction, case.image))
    other = [each.roll(len(x) // 2, 0) for each in before]  # half a set away, see matching
    return replace(
        found,
        distance=distance(before, after)[case.counts].mean().item(),
        decoding=distance(inputs, before).mean().item(),
        other=distance(inputs, other).mean().item(),
    )


CAPTION = (
    "Left: the share of each label's change that lies in the half of the pixels where the judge "
    "looks for the label. Tick: of a change that is the same everywhere; ring: of the renderer's, "
    "where it is known. Right: how far the judge's features of the reconstruction and of the "
    "intervention lie apart. Tick: those of the input and of its reconstruction; ring: those of "
    "the input and of another image's reconstruction."
)


def attention_chart(found: Sequence[Attention]) -> bytes:
    """Bars of the shares, and of the distances where there are any, as PNG."""
    names = [each.name for each in found]
    true = [each.true_share for each in found if each.true_share is not None]
    figure, left = panel(8.2, 0.9 + 0.3 * len(found))
    far = [each for each in found if each.distance is not None]
    if far:
        grid = figure.add_gridspec(1, 2, wspace=0.08)
        left.set_subplotspec(grid[0])
        right = clean(figure.add_subplot(grid[1], sharey=left))
        columns = zip(*((e.distance, e.decoding, e.other) for e in far), strict=True)
        values, ticks, rings = ([part or 0.0 for part in column] for column in columns)
        bars(right, names, values, ticks=ticks, rings=rings)
        right.tick_params(labelleft=False)
        right.set_xlabel("distance of the judge's features", color=MUTED, fontsize=9.5)
    bars(left, names, [each.share for each in found], ticks=[0.5] * len(found), rings=true)
    left.set(xlim=(0, 1), xticks=(0, 0.5, 1))
    left.set_xlabel("change where the judge looks", color=MUTED, fontsize=9.5)
    return png(figure)


def describe(found: Sequence[Attention]) -> str:
    """Shares and distances in words."""
    shares = ", ".join(f"{each.name} {each.share:.2f}" for each in found)
    words = (
        "Share of the change in the half of the pixels where the judge looks for the label (even "
        f"change: 0.50): {shares}."
    )
    true = [each.true_share for each in found if each.true_share is not None]
    if true:
        words += f" Of the renderer's own changes it is {sum(true) / len(true):.2f} in the mean."
    far = [each.distance for each in found if each.distance is not None]
    if far:
        each = ", ".join(f"{e.name} {e.distance:.3f}" for e in found if e.distance is not None)
        words += (
            f" The judge's features move by {sum(far) / len(far):.3f} in the mean ({each}), from "
            f"the input to its reconstruction by {found[0].decoding or 0:.3f}, to another image's "
            f"by {found[0].other or 0:.3f}."
        )
    return words
