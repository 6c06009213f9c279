r"""How names are written: ``z_style`` as :math:`z_{\setminus c}`, ``mu_0`` as :math:`\mu_0`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

GREEK = dict(
    zip(
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "pi",
            "rho",
            "sigma",
            "tau",
            "upsilon",
            "phi",
            "chi",
            "psi",
            "omega",
        ],
        "αβγδεζηθικλμνξπρστυφχψω",
        strict=True,
    )
)

STYLE = "z_style"
"""The contract's name of the latents that belong to no label."""

LABELS = "labels"
"""The contract's name of the plate over labels."""

SIZES = {"data": "N", LABELS: "L"}
"""What the sizes of the contract's plates are called."""

EVENTS = {
    "x": ("C", "H", "W"),
    "y": ("L",),
    "z": ("S",),
    "z_style": ("S",),
    "z_x": ("S",),
    "z_d": ("S",),
    "z_y": ("D",),
    "z_c": ("K−1",),
}
"""What the dimensions of the contract's sites are called."""


@dataclass(frozen=True)
class Notation:
    """One of two ways to write the same formula."""

    latex: bool

    def symbol(self, name: str, subscript: str = "", superscript: str = "") -> str:
        r"""A variable with what is attached to it.

        >>> LATEX.symbol("z_c", superscript="i"), UNICODE.symbol("z_c", superscript="i")
        ('z_{c}^{i}', 'z_c^i')
        >>> LATEX.symbol("z_style"), LATEX.symbol("mu_0"), UNICODE.symbol("mu_0")
        ('z_{\\setminus c}', '\\mu_{0}', 'μ_0')
        """
        head, *rest = name.split("_")
        below = "".join([self._subscript(name, rest), subscript])
        if not self.latex:
            steps = any(sign in subscript for sign in ":-")
            text = GREEK.get(head, head)
            text += f"_{{{below}}}" if steps else f"_{below}" if below else ""
            above = f"{{{superscript}}}" if len(superscript) > 1 else superscript
            return text + (f"^{above}" if superscript else "")
        text = self._word(head)
        return text + "".join(
            f"{mark}{{{part}}}" for mark, part in (("_", below), ("^", superscript)) if part
        )

    def _subscript(self, name: str, words: Sequence[str]) -> str:
        if name == STYLE:
            return r"\setminus c" if self.latex else "\\c"
        if self.latex:
            return ",".join(self._word(word) for word in words if word)
        return ",".join(words)

    def _word(self, word: str) -> str:
        if word in GREEK:
            return f"\\{word}"
        return word if len(word) <= 1 or word.isdigit() else rf"\mathrm{{{word}}}"

    def density(self, side: str, of: Sequence[str], given: Sequence[str]) -> str:
        """``p(of | given)``; one of several variables is followed by a comma."""
        bar = r" \mid " if self.latex else "|"
        comma = ", " if self.latex else ","
        return f"{side}({comma.join(of)}{bar + comma.join(given) if given else ''})"

    def do(self, symbol: str) -> str:
        """``do(y)``, for what is set from outside."""
        return (r"\mathrm{do}" if self.latex else "do") + f"({symbol})"

    def product(self, over: str, factors: str) -> str:
        r"""∏ with its range below (and above, for ``i=1..L``)."""
        index, _, end = over.partition("..")
        if self.latex:
            return rf"\prod_{{{index}}}" + (f"^{{{end}}}" if end else "") + f" {factors}"
        sign = f"∏_{{{index}}}^{{{end}}}" if end else f"∏_{{{index}}}"
        return f"{sign} {factors}"

    @property
    def minus(self) -> str:
        """The sign."""
        return "-" if self.latex else "−"

    @property
    def proportional(self) -> str:
        """The sign between what is equal but for a constant."""
        return r"\propto" if self.latex else "∝"

    @property
    def log(self) -> str:
        """The natural logarithm."""
        return r"\log" if self.latex else "log"

    def group(self, formula: str) -> str:
        """A part of a formula that is not broken at the end of a line."""
        return f"{{{formula}}}" if self.latex else formula

    def total(self, over: str) -> str:
        """∑ with its range below."""
        return rf"\sum_{{{over}}}" if self.latex else f"∑_{{{over}}}"

    def member(self, index: str, group: str) -> str:
        r"""``i ∈ U``."""
        return rf"{index} \in {group}" if self.latex else f"{index}∈{group}"

    def plate(self, name: str) -> str:
        """The upper end of a plate's index: N, L, or the plate's own name counted."""
        return SIZES.get(name) or self.symbol(f"N_{name}")


LATEX = Notation(latex=True)
UNICODE = Notation(latex=False)

WIDTH = 100
"""Of text, in characters."""


def paragraph(heading: str, text: str, *, solid: bool = False) -> str:
    """Text behind a heading, in lines of equal width.

    Args:
        heading: stands in front. text: what is broken into lines.
        solid: break a sum between its terms only.
    """
    if solid:
        text = re.sub(r" (?![+−] )", "\u00a0", text)
    lines = textwrap.fill(
        text,
        WIDTH,
        initial_indent=f"{heading:<11}",
        subsequent_indent=" " * 11,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines.replace("\u00a0", " ")
