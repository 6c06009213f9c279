"""Traversal: one label's block walks the straight line between its classes' means.

Its steps are equal in what they change, see :mod:`ccvae.studies.reading.pace`. Everything else
(the other labels' blocks and z_style) stays at the guide's typical values for the image, its labels
hidden. This is the poster's latent traversal, label by label; the same walks in motion, from class
to class and for two labels at once are in :mod:`ccvae.studies.walks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor

from ..data import Batch, Label
from .drawing.section import Picture, Section, stem
from .drawing.sheets import ABREAST, FAINTEST, heat, sheet, to_rgb, wrapped
from .reading.blocks import find_block
from .reading.effect import Effect, effects
from .reading.examples import evenly
from .reading.pace import TRIED, Evenness, decode_at, evenness, walk
from .reading.steps import Steps
from .reading.subject import Subject
from .walks import PAIRS, draw_crossings, draw_pair, motion, pairs

MEASURED = 128
"""Images over which effects are measured."""

PACED = 16
"""Images over which the evenness of steps is measured."""

MOST = 100
"""Of a ratio of steps; above it is only said so."""

SHOWN, ROWS, COLUMNS = 4, 30, 7
"""At most so many rows, rows in all (more labels, fewer rows each), and columns, where there are
not more classes."""

TRUSTED = 0.8
"""Below this agreement of the guide with itself on reconstructions a caption warns."""


@dataclass(frozen=True)
class Traversal:
    """Images along the path of one label's block.

    Attributes:
        name: the label.
        images: ``(B, S, C, H, W)``.
        stops: class code at each of the S steps, None between classes.
        words: what each step is called, "" where it is neither class nor number.
        belief: q(y = k | image) ``(B, S)``, by encoding the decoded images. With two classes k = 1;
            with more, k is the class of the stop, and NaN between stops. Of a number it is the
            number that is read off the image, in its units.
    """

    name: str
    images: Tensor
    stops: list[int | None]
    words: list[str]
    belief: Tensor

    @property
    def change(self) -> Tensor:
        """How far each pixel ranges over the class means, mean over channels, ``(B, H, W)``.

        With two classes it is the distance of last from first.
        """
        at_means = self.images[:, [i for i, k in enumerate(self.stops) if k is not None]]
        return (at_means.amax(1) - at_means.amin(1)).mean(1)


@torch.no_grad()
def traverse(subject: Subject, batch: Batch, name: str, *, steps: int = COLUMNS - 1) -> Traversal:
    """Walk one label's block through its class means.

    Args:
        subject: whose pair it is.
        batch: the images to start from; their labels are not looked at.
        name: the label to walk.
        steps: how many, about; at least one from class to class.

    Raises:
        ValueError: for a label that is not in the space.
    """
    taken, latents = walk(subject, batch, name, steps), subject.encode(batch)
    images = decode_at(subject.model, batch, latents, find_block(subject.space, name), taken.points)
    return Traversal(
        name, images, taken.stops, taken.words, _seen(subject, name, images, taken.stops)
    )


def _seen(subject: Subject, name: str, images: Tensor, stops: Sequence[int | None]) -> Tensor:
    """A traversal's ``belief`` in its images ``(B, S, C, H, W)``."""
    pictures = images.unbind(1)
    if isinstance(subject.space.labels[subject.space.index(name)], Steps):
        return torch.stack([subject.number(image, name) for image in pictures], 1)
    believed = [subject.beliefs(image)[name] for image in pictures]
    if believed[0].shape[1] == 2:
        return torch.stack([q[:, 1] for q in believed], 1)
    unknown = torch.full_like(believed[0][:, 0], torch.nan)
    return torch.stack(
        [unknown if k is None else q[:, k] for q, k in zip(believed, stops, strict=True)], 1
    )


def draw(traversal: Traversal, inputs: Tensor) -> bytes:
    """Inputs ``(B, C, H, W)``, their traversal with the belief below, and the change, as PNG."""
    shades = heat(traversal.change, full_scale(traversal))
    cells = [to_rgb(inputs)[:, None], to_rgb(traversal.images), shades[:, None]]
    names = [wrapped(word) for word in traversal.words]
    return sheet(
        torch.cat(cells, 1),
        columns=["input", *names, "change"],
        notes=[["", *map(_number, row), ""] for row in traversal.belief.tolist()],
        breaks=(1, len(names) + 1),
    )


def full_scale(traversal: Traversal) -> float:
    """The change that is drawn darkest: the largest one, but at least 0.2 of the pixel range."""
    return max(FAINTEST, traversal.change.max().item())


def _number(q: float) -> str:
    return "" if q != q else f"{q:.2f}" if abs(q) < 10 else f"{q:.0f}"


def study(subject: Subject) -> Section:
    """Traversals of labels for some test images, and how far beliefs follow them."""
    names = subject.choice.names(subject.space)
    measured, few = subject.some(MEASURED), subject.some(PACED)
    found = [e for e in effects(subject, measured) if e.name in names]
    even = {name: evenness(subject, few, name) for name in names}
    shown = subject.choice.rows(subject.rows, max(1, min(SHOWN, ROWS // len(names))))
    batch, one = subject.batch(shown), subject.batch(shown.first(1))
    pictures = [
        *_moving(subject, batch, names),
        *(_along(subject, batch, effect, even[effect.name]) for effect in found),
        *_across(subject, one, names),
        *_together(subject, one, names),
    ]
    text = (EXPLANATION, paced(even), summarise(found, len(measured.x)))
    named = [
        replace(picture, name=stem("traversal", number, picture.name))
        for number, picture in enumerate(pictures)
    ]
    figures = {
        effect.name: asdict(effect) | {"largest_step": even[effect.name]._asdict()}
        for effect in found
    }
    return Section("traversal", "Traversals", text, tuple(named), figures)


def _moving(subject: Subject, batch: Batch, names: Sequence[str]) -> Iterator[Picture]:
    """All labels walking at once, some abreast."""
    for first in range(0, len(names), ABREAST):
        abreast = names[first : first + ABREAST]
        still, moving = motion(subject, batch, abreast)
        yield Picture(
            "motion",
            still,
            alt=f"{len(batch.x)} test images in rows; each column walks one label through its "
            f"classes: {', '.join(abreast)}. Every step stands in the pictures below",
            caption="" if first else MOTION,
            title="" if first else "In motion",
            webp=moving,
        )


def _along(subject: Subject, batch: Batch, effect: Effect, even: Evenness) -> Picture:
    """One label, class by class."""
    label = subject.space.labels[subject.space.index(effect.name)]
    traversal = traverse(subject, batch, label.name)
    walk = f"{label.classes[0]} to {label.classes[-1]}"
    return Picture(
        label.name,
        draw(traversal, batch.x),
        alt=f"{len(batch.x)} test images; in each row {label.name} goes from {walk}",
        caption=f"{describe(effect, label)} The largest of {TRIED} steps is {times(even.walk)} "
        f"the median; with steps even in z, {times(even.z)}. Darkest shade: a change of "
        f"{full_scale(traversal):.2f}.",
        title=label.name,
    )


def _across(subject: Subject, one: Batch, names: Sequence[str]) -> Iterator[Picture]:
    """Labels of more than two classes, from the image's own class to each other."""
    for name in names:
        if subject.space.classes[subject.space.index(name)] > 2:
            yield Picture(
                f"{name} to each",
                draw_crossings(subject, one, name, COLUMNS - 1),
                alt=f"A test image; in each row its {name} goes to another class",
                caption=ACROSS,
                title=f"{name}, from class to class",
            )


def _together(subject: Subject, one: Batch, names: Sequence[str]) -> Iterator[Picture]:
    """Pairs of labels on a grid."""
    every = pairs(names)
    for number, position in enumerate(evenly(len(every), PAIRS).tolist()):
        first, second = every[position]
        yield Picture(
            f"{first} {second}",
            draw_pair(subject, one, (first, second)),
            alt=f"A test image on a grid: {first} changes downwards, {second} to the right",
            caption="" if number else TOGETHER,
            title=f"{first} and {second}",
            span="half",
        )


EXPLANATION = (
    "In each row one label's block walks the straight line from class mean to class mean of "
    "p(z_c | y) in steps that change the picture equally (a number: in its unit); everything else "
    "stays at the guide's mean code of the input. Below each image: "
    "what the guide believes on seeing it, q(yes) of a label with two classes, and q of the class "
    "that heads the column of one with more; of a number, that number. Last column: how far each "
    "pixel moves between the class means."
)

MOTION = (
    "Each column walks one label through its classes and back; below it stands the class whose "
    "mean is nearest. Where less motion is asked for, only the last step is shown."
)

ACROSS = (
    "The first test image on the straight way from the class that the guide believes to each other "
    "class; below, the guide's belief in the class that the row goes to. A straight way may lead "
    "past other classes."
)

TOGETHER = (
    "Two labels walk at once, in the first test image: where they are independent, every row shows "
    "the same change, and so does every column."
)


JUDGE = (
    "The judge is the guide itself: these numbers say that model and guide agree, not that the "
    "picture is right. Look at it."
)


def describe(effect: Effect, label: Label) -> str:
    """What moving a label did, in words."""
    target = label.classes[1] if len(label.classes) == 2 else "its class"
    moves = f"{effect.before:.2f} to {effect.after:.2f}"
    words = f"Moving {label.name} moves the guide's mean belief in {target} from {moves}"
    if len(label.classes) > 2:
        words += f" (least: {effect.weakest[0]}, {effect.weakest[1]:.2f})"
    if effect.other is not None:
        words += f"; the largest change of another label is {effect.other}, "
        words += f"{effect.change:+.2f}".replace("-", "−")
    if not effect.local:
        words += ": more than its own"
    words += "."
    if effect.agreement < TRUSTED:
        words += (
            " These numbers say little: the guide names the same class for an image and its "
            f"reconstruction only {100 * effect.agreement:.0f}\u00a0% of the time."
        )
    return words


def paced(even: dict[str, Evenness]) -> str:
    """How even the steps are, in words."""
    worst, jumpy = (max(even, key=lambda n: getattr(even[n], way)) for way in ("walk", "z"))
    return (
        f"Of {TRIED} steps through a label's classes the largest changes the picture at most "
        f"{times(even[worst].walk)} as much as the median one ({worst}); with steps even in z it "
        f"would be {times(even[jumpy].z)} ({jumpy})."
    )


def times(ratio: float) -> str:
    """A ratio in words; where nearly nothing is the median, its size says nothing.

    >>> times(1.24), times(3000.0)
    ('1.2 times', 'more than 100 times')
    """
    return f"{ratio:.1f} times" if ratio < MOST else f"more than {MOST} times"


def summarise(found: list[Effect], images: int) -> str:
    """How many labels the guide recognises best when they are moved, and which it does not."""
    if len(found) == 1:
        return f"Numbers are means over {images} test images. {JUDGE}"
    failing = [effect.name for effect in found if not effect.local]
    words = (
        f"Over {images} test images, {len(found) - len(failing)} of {len(found)} labels change the "
        "guide's belief in themselves more than in any other label"
    )
    words += f"; not so {', '.join(failing)}." if failing else "."
    return f"{words} {JUDGE}"
