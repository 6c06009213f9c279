r"""How names are written: ``z_style`` as :math:`z_{\setminus c}`, ``mu_0`` as :math:`\mu_0`.

Two notations, LaTeX and plain text; MathML is a third, in :mod:`.mathml`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from .base import LABELS, SIZES, STYLE, Notation, Symbol, size_of

__all__ = [
    "EVENTS",
    "GREEK",
    "LABELS",
    "LATEX",
    "SIZES",
    "STYLE",
    "UNICODE",
    "Notation",
    "Symbol",
    "paragraph",
    "size_of",
]

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


UNSAFE = r"""[^\w.:\-\[\]/()+*,;!?@<>='" ]"""

ESCAPED = {sign: f"\\{sign}" for sign in "%#$"}
"""Signs of a name that LaTeX takes for its own; it has no letters for those that are not here."""

COMMANDS = {"∝": r"\propto", "∈": r"\in", "→": r"\to", "…": r"\ldots", "·": r"\cdot", "∼": r"\sim"}
"""Signs that stand for themselves everywhere but in LaTeX."""


class _Latex(Notation):
    space = r" \, "

    def plain(self, text: str) -> str:
        return "".join(COMMANDS.get(sign, sign) for sign in text)

    def word(self, word: str) -> str:
        if word in GREEK:
            return f"\\{word}"
        safe = re.sub(UNSAFE, lambda sign: ESCAPED.get(sign[0], ""), word) or "?"
        plain = len(safe) <= 1 or word.isdigit()
        return safe if plain else rf"\mathrm{{{safe.replace(' ', '~')}}}"

    def words(self, text: str) -> str:
        return r"\text{" + text.replace("_", r"\_") + "}"

    def scripted(self, base: str, below: str, above: str) -> str:
        return base + "".join(
            f"{mark}{{{part}}}" for mark, part in (("_", below), ("^", above)) if part
        )

    def density(self, side: str, of: Sequence[str], given: Sequence[str]) -> str:
        return f"{side}({self.inside(of, given)})"

    def inside(self, of: Sequence[str], given: Sequence[str]) -> str:
        return ", ".join(of) + (rf" \mid {', '.join(given)}" if given else "")

    def product(self, lower: str, upper: str, factors: str) -> str:
        return rf"\prod_{{{lower}}}" + (f"^{{{upper}}}" if upper else "") + f" {factors}"

    def total(self, over: str) -> str:
        return rf"\sum_{{{over}}} "

    def mean(self, above: str, below: str) -> str:
        return rf"\frac{{1}}{{P}} \sum_{{p=1}}^{{P}} \frac{{{above}}}{{{below}}}"

    def expectation(self, below: str, total: str) -> str:
        return rf"\mathbb{{E}}_{{{below}}}\left[{total}\right]"

    def style(self) -> str:
        return r"\setminus c"

    def do(self, symbol: str) -> str:
        return rf"\mathrm{{do}}({symbol})"

    @property
    def log(self) -> str:
        return r"\log "

    def group(self, formula: str) -> str:
        return f"{{{formula}}}"

    def math(self, formula: str) -> str:
        return f"${formula}$"


class _Unicode(Notation):
    def plain(self, text: str) -> str:
        return text.replace(" ∈ ", "∈")

    def word(self, word: str) -> str:
        return GREEK.get(word, word)

    def words(self, text: str) -> str:
        return text

    def scripted(self, base: str, below: str, above: str) -> str:
        steps = any(sign in below for sign in ":-,")
        text = base + (f"_{{{below}}}" if steps else f"_{below}" if below else "")
        return text + (f"^{{{above}}}" if len(above) > 1 else f"^{above}" if above else "")

    def density(self, side: str, of: Sequence[str], given: Sequence[str]) -> str:
        return f"{side}({self.inside(of, given)})"

    def inside(self, of: Sequence[str], given: Sequence[str]) -> str:
        return ",".join(of) + (f"|{','.join(given)}" if given else "")

    def product(self, lower: str, upper: str, factors: str) -> str:
        return f"∏_{{{lower}}}" + (f"^{{{upper}}}" if upper else "") + f" {factors}"

    def total(self, over: str) -> str:
        return f"∑_{{{over}}} "

    def mean(self, above: str, below: str) -> str:
        return f"1/P ∑_p {above}/{below}"

    def expectation(self, below: str, total: str) -> str:
        return f"E_{{{below}}}[ {total} ]"

    def style(self) -> str:
        return "\\c"

    def do(self, symbol: str) -> str:
        return f"do({symbol})"

    @property
    def minus(self) -> str:
        return "−"

    @property
    def log(self) -> str:
        return "log "


LATEX: Notation = _Latex()
UNICODE: Notation = _Unicode()


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
