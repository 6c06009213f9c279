"""Beliefs: what the guide holds of every label of an image that it sees without labels."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from torch import Tensor

from ..data import LabelSpace
from .drawing.section import Picture, Section, stem
from .drawing.sheets import FAINT, INK, MUTED, RIGHT, WRONG, clean, panel, png, to_rgb
from .reading.beliefs import Beliefs
from .reading.subject import Subject

SHOWN = 6

EXPLANATION = (
    "Bars are q(y | x), exact, for some test images with their labels hidden. A ring marks "
    "the annotated truth. A bar is blue where the label's likeliest class is the annotated one, "
    "orange where it is not, and grey where there is no annotation."
)


def study(subject: Subject) -> Section:
    """Some test images with bars of q(y | x) for every label, and the true values."""
    space, batch = subject.space, subject.some(SHOWN)
    table = subject.beliefs(batch.x)
    pictures = []
    for row, truth in enumerate(batch.y.tolist()):
        bars = list_bars(space, {name: q[row] for name, q in table.items()}, truth)
        wrong = ", ".join(dict.fromkeys(bar.label for bar in bars if bar.correct is False))
        pictures.append(
            Picture(
                stem("beliefs", row + 1),
                draw(batch.x[row], bars),
                alt=f"Test image {row + 1} beside bars of the probability of every label",
                caption=f"Wrong: {wrong}." if wrong else "No annotated label is wrong.",
                span="half",
            )
        )
    return Section("beliefs", "What the model believes", (EXPLANATION,), tuple(pictures))


@dataclass(frozen=True)
class Bar:
    """A line of a drawing of beliefs.

    Attributes:
        label: the label that it belongs to.
        text: what stands beside it.
        value: the probability; None for a heading without a bar.
        truth: what it would be if all were known, 0 or 1; None where it is not, or for no mark.
        correct: whether the label's likeliest class is the annotated one; None where unknown.
    """

    label: str
    text: str
    value: float | None
    truth: float | None
    correct: bool | None

    @property
    def colour(self) -> str:
        """Of the bar."""
        return MUTED if self.correct is None else RIGHT if self.correct else WRONG


def list_bars(space: LabelSpace, table: Beliefs, truth: list[float]) -> list[Bar]:
    """The bars of one image: one for a label of two classes, else a heading and one for each class.

    Args:
        space: the labels. table: q(y = k | x) by label, ``(K,)``.
        truth: L class codes, NaN where unknown.
    """
    bars = []
    for label, code in zip(space, truth, strict=True):
        q = table[label.name].tolist()
        known = code == code
        correct = q.index(max(q)) == code if known else None
        if len(q) == 2:
            of = "" if label.classes[1] == "yes" else f": {label.classes[1]}"
            bars.append(Bar(label.name, label.name + of, q[1], code if known else None, correct))
            continue
        bars.append(Bar(label.name, label.name, None, None, correct))
        for k, name in enumerate(label.classes):
            bars.append(Bar(label.name, name, q[k], 1.0 if k == code else None, correct))
    return bars


def draw(image: Tensor, bars: list[Bar]) -> bytes:
    """One image ``(C, H, W)`` beside its bars, as PNG."""
    figure, axes = panel(4.7, 0.5 + 0.225 * max(len(bars), 7))
    picture = figure.add_axes((0.01, 0.0, 0.25, 0.97), anchor="N")
    picture.imshow(to_rgb(image).movedim(0, -1).numpy(), interpolation="nearest")
    picture.set_axis_off()
    figure.get_layout_engine().set(rect=(0.27, 0.0, 0.73, 1.0))  # type: ignore[union-attr, call-arg]
    _bars(clean(axes), bars)
    return png(figure)


def _bars(axes: Axes, bars: list[Bar]) -> None:
    for y, bar in enumerate(bars):
        if bar.value is None:
            continue
        axes.barh(y, 1, 0.62, color=FAINT, alpha=0.45)
        axes.barh(y, bar.value, 0.62, color=bar.colour)
        axes.text(1.06, y, f"{bar.value:.2f}", va="center", fontsize=9, color=MUTED)
        if bar.truth is not None:
            axes.plot(bar.truth, y, "o", mfc="white", mec=INK, ms=6, clip_on=False, zorder=3)
    axes.set_yticks(range(len(bars)), [bar.text for bar in bars])
    for tick, bar in zip(axes.get_yticklabels(), bars, strict=True):
        tick.set(color=INK, weight="bold" if bar.value is None else "normal")
    axes.set(xlim=(0, 1.2), ylim=(len(bars) - 0.4, -0.6), xticks=(0, 0.5, 1))
    axes.tick_params(axis="y", pad=7)
    axes.spines["bottom"].set_visible(False)
