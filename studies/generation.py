"""Conditional generation: images that the model draws given one label, judged by an outsider.

Given y^i = k the model draws z_c^i from p(z_c^i | y^i = k), every other label from p(y) with its
block, and z_style from p(z_style). Missing is a value of the data, and so is what is given: a row
of labels with one entry known and the others NaN *is* the condition, also where Pyro's
``condition`` and ``do`` would set all labels of a kind at once (:func:`given`).

Beside the draws stand images with the same label held and the rest of a test image, and, as what
the judge can be expected to see, reconstructions of test images of that class and these images
themselves.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pyro
import torch
from pyro import poutine
from torch import Tensor, nn

from ..data import Batch, LabelSpace
from .drawing.charts import bars
from .drawing.section import Picture, Section, stem
from .drawing.sheets import MUTED, panel, png, sheet
from .reading.blocks import at_classes
from .reading.counterfactuals import true_scenes
from .reading.examples import spread
from .reading.steps import code_of
from .reading.subject import Subject

DRAWS, MEASURED, SHOWN = 256, 512, 8
"""Draws of every class, test images over which is measured, and draws that are shown."""


def given(space: LabelSpace, name: str, code: float, like: Batch) -> Batch:
    """A batch of as many rows in which one label is known and all others are missing.

    Args:
        space: the labels. name: the one that is given. code: its class, the place of a number's
            step, or where the space is that of the programs a standardised number.
        like: how many rows.

    Raises:
        ValueError: for a label that is not in the space, or a code that it does not have.
    """
    column, hidden = space.index(name), like.hidden()
    asked = torch.full((1, len(space)), torch.nan)
    asked[:, column] = code
    space.check(asked)
    label = space.labels[column]
    hidden.y[:, column] = code_of(label, int(code)) if label.classes else code
    return hidden


@torch.no_grad()
def generate(
    model: nn.Module, space: LabelSpace, name: str, code: float, like: Batch, *, seed: int = 0
) -> Tensor:
    """Images ``(B, C, H, W)`` that the model draws given one label, without the noise of pixels.

    The same seed draws the same other labels and the same style for every class. The random state
    of torch is left as it was.

    Args:
        model: a trained one. space: the labels. name, code: what is given.
        like: a batch of B rows, whose images and labels are not looked at. seed: of the draws.
    """
    _, y, d = given(space, name, code, like).args
    with torch.random.fork_rng(), pyro.get_param_store().scope():
        torch.manual_seed(seed)
        trace = poutine.trace(model).get_trace(None, y, d, **like.kwargs)
    image: Tensor = trace.nodes["x"]["fn"].mean
    return image.squeeze(-4)


@dataclass(frozen=True)
class Shown:
    """In how many images of one class a judge sees that class; shares, None where there are none.

    Attributes:
        label, value: the label and the class's name.
        drawn: of the model's draws given the label.
        held: of test images of other classes with the label's block at the class mean, all else
            kept; where the renderer is known, of those that it can draw so (nobody is bald under
            bangs).
        reconstructed, real: of reconstructions of test images of the class, and of these.
        chance: share of the class among what the judge sees in all test images.
    """

    label: str
    value: str
    drawn: float
    held: float | None
    reconstructed: float | None
    real: float | None
    chance: float


@torch.no_grad()
def measure(subject: Subject) -> list[Shown]:
    """What the judge sees in draws, interventions, reconstructions and at most 512 of the rows."""
    space, judged = subject.space, subject.judged
    chosen, like = spread(subject.rows, MEASURED), subject.some(DRAWS)
    some, batch = true_scenes(chosen), subject.batch(chosen)
    latents = subject.encode(batch)
    real, again = judged(batch.x), judged(subject.decode(latents, batch))
    found = []
    for column, label in enumerate(space):
        held = at_classes(subject, latents, batch, label.name)
        for code, value in enumerate(label.classes):
            own = batch.y[:, column] == code
            other = ~own & ~batch.y[:, column].isnan()
            if some is not None:
                other &= some.set(label.name, code).possible.to(other.device)
            drawn = judged(generate(subject.model, space, label.name, code, like))
            moved = judged(held[:, code])
            found.append(
                Shown(
                    label.name,
                    value,
                    drawn=(drawn[:, column] == code).float().mean().item(),
                    held=_share(moved[:, column] == code, other),
                    reconstructed=_share(again[:, column] == code, own),
                    real=_share(real[:, column] == code, own),
                    chance=(real[:, column] == code).float().mean().item(),
                )
            )
    return found


def _share(hits: Tensor, among: Tensor) -> float | None:
    return hits[among].float().mean().item() if among.any() else None


def study(subject: Subject) -> Section:
    """Draws given every class of every label, and how often a judge sees it in them."""
    model, space = subject.model, subject.space
    found = measure(subject)
    pictures = [
        Picture(
            stem("generation", 0),
            chart(found),
            alt="For every class of every label, bars of how often the judge sees it in draws",
            caption=CHART,
            title="What the judge sees in the draws",
        )
    ]
    like = subject.some(SHOWN)
    for number, label in enumerate(space, 1):
        drawn = [generate(model, space, label.name, k, like) for k in range(len(label.classes))]
        pictures.append(
            Picture(
                stem("generation", number, label.name),
                sheet(torch.stack(drawn), rows=label.classes),
                alt=f"Draws of the model given each class of {label.name}, a class a row",
                caption="" if number > 1 else DRAWN,
                title=label.name,
                span="half",
            )
        )
    figures = {"classes": [asdict(each) for each in found]}
    text = (EXPLANATION, describe(found))
    return Section("generation", "Images drawn given a label", text, tuple(pictures), figures)


EXPLANATION = (
    "One label is given; its block is drawn from p(z_c | y), every other label from p(y), and "
    "z_style from its prior. A classifier that was trained on the same images and labels, but "
    "apart from the pair, says what it sees."
)

CHART = (
    f"Share of {DRAWS} draws in which the judge sees the class that was given. Ring: of test "
    "images of other classes with the label moved to this one and the rest held. Black tick: of "
    "reconstructions of test images of the class, which is what can be expected."
)

DRAWN = "Each column shares its other labels and its style; only the given label differs."


def describe(found: list[Shown]) -> str:
    """The means of what the judge sees, and where it sees a class least."""
    means = {
        key: [value for each in found if (value := getattr(each, key)) is not None]
        for key in ("drawn", "held", "reconstructed", "real", "chance")
    }
    mean = {key: sum(values) / len(values) for key, values in means.items() if values}
    words = f"The judge sees the given class in {mean['drawn']:.0%} of the draws"
    beside = (
        ("held", "where the rest of a test image is held"),
        ("reconstructed", "in reconstructions of images of the class"),
        ("real", "in these images themselves"),
    )
    words += "".join(f", {mean[key]:.0%} {what}" for key, what in beside if key in mean)
    worst = min(found, key=lambda each: each.drawn)
    return (
        f"{words} (means over classes; a class is seen in {mean['chance']:.0%} of all test "
        f"images). Least in draws: {worst.label} {worst.value}, {worst.drawn:.0%}."
    )


def chart(found: list[Shown]) -> bytes:
    """Bars of the draws, a line for every class, as PNG."""
    figure, axes = panel(7.0, 0.9 + 0.27 * len(found))
    missing = float("nan")
    bars(
        axes,
        [each.label if each.value == "yes" else f"{each.label}: {each.value}" for each in found],
        [each.drawn for each in found],
        ticks=[missing if each.reconstructed is None else each.reconstructed for each in found],
        rings=[missing if each.held is None else each.held for each in found],
    )
    axes.set(xlim=(0, 1.01), xticks=(0, 0.5, 1))
    axes.set_xlabel("share in which the judge sees the class", color=MUTED, fontsize=9.5)
    return png(figure)
