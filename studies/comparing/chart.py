"""What the pictures of a comparison share: a chart as PNG and PDF, names, colours, signs."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib import rc_context
from matplotlib.figure import Figure

from ..drawing.section import Picture
from ..drawing.sheets import INK, MUTED, class_colours, png
from .plan import CLASSIFIER, MAJORITY
from .rows import Row, methods_of

LETTERS = 28
"""In a line of a method's name within a picture."""


@dataclass(frozen=True)
class Chart(Picture):
    """A picture of the report that a paper can have too.

    Attributes:
        pdf: the same without pixels, the same bytes whenever it is drawn.
    """

    pdf: bytes = b""


def chart(figure: Figure, name: str, *, alt: str, caption: str) -> Chart:
    """A figure as the report and a paper have it."""
    raster, buffer = png(figure), io.BytesIO()
    with rc_context({"pdf.fonttype": 42}):  # letters as letters
        figure.savefig(buffer, format="pdf", metadata={"CreationDate": None})
    return Chart(name, raster, alt, caption, span="half", pdf=buffer.getvalue())


def colours_of(rows: Sequence[Row]) -> dict[str, str]:
    """A colour for each method; the baselines are grey."""
    names = [name for name in methods_of(rows) if name not in (CLASSIFIER, MAJORITY)]
    found = dict(zip(names, class_colours(len(names)), strict=True))
    return {**found, CLASSIFIER: INK, MAJORITY: MUTED}


def signed(text: str) -> str:
    """A text whose negative numbers have real minus signs.

    >>> signed("our-adapted-diva -1.5")
    'our-adapted-diva −1.5'
    """
    return re.sub(r"-(?=\d)", "−", text)


def brief(method: str) -> str:
    """A method's name where a picture has little room for it: modules without their packages.

    >>> print(brief("ccvae/marginal"))
    ccvae/marginal
    >>> print(brief("our.lab.ssvae:model,guide/our.lab.objectives:SemiSupervisedObjective"))
    ssvae:model,guide/
    objectives:SemiSupervisedO…
    """
    if len(method) <= LETTERS:
        return method
    pieces = [re.sub(r"[\w.]+\.(\w+:)", r"\1", piece) for piece in method.split("/")]
    return "/\n".join(
        piece if len(piece) < LETTERS else f"{piece[: LETTERS - 2]}…" for piece in pieces
    )
