r"""Formulas for a page as MathML, which browsers draw: a notation beside LaTeX and plain text.

A formula is one or more ``math`` elements, between which a line may end: after ``=`` and between
factors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from ...inference.objectives.terms import parse
from ..graphs.structure import Structure
from .factorisation import guide_density, joint
from .formulas import Formula, write_term, write_unsigned
from .notation import GREEK, Notation

SPACE = '<mspace width="0.17em"></mspace>'

TOKEN = re.compile(r"\d+|\S| ")


class _MathML(Notation):
    space = "</math> <math>"

    def plain(self, text: str) -> str:
        return "".join(map(_sign, TOKEN.findall(text.replace(" ∈ ", "∈").strip(" ") or text)))

    def word(self, word: str) -> str:
        if word in GREEK:
            return f"<mi>{GREEK[word]}</mi>"
        if word.isdigit():
            return f"<mn>{word}</mn>"
        upright = ' mathvariant="normal"' if len(word) > 1 else ""
        return f"<mi{upright}>{escape(word)}</mi>"

    def words(self, text: str) -> str:
        return f"<mtext>{escape(text)}</mtext>"

    def scripted(self, base: str, below: str, above: str) -> str:
        name = "".join(mark for mark, part in (("sub", below), ("sup", above)) if part)
        rows = "".join(f"<mrow>{part}</mrow>" for part in (below, above) if part)
        return f"<m{name}>{base}{rows}</m{name}>" if name else base

    def density(self, side: str, of: Sequence[str], given: Sequence[str]) -> str:
        return f"{side}{_sign('(')}{self.inside(of, given)}{_sign(')')}"

    def inside(self, of: Sequence[str], given: Sequence[str]) -> str:
        bar = _sign("|") if given else ""
        return f"{_sign(',').join(of)}{bar}{_sign(',').join(given)}"

    def product(self, lower: str, upper: str, factors: str) -> str:
        return self.scripted(_sign("∏"), lower, upper) + factors

    def total(self, over: str) -> str:
        return self.scripted(_sign("∑"), over, "")

    def mean(self, above: str, below: str) -> str:
        many = self.scripted(_sign("∑"), self.plain("p=1"), self.plain("P"))
        return _ratio(self.plain("1"), self.plain("P")) + many + _ratio(above, below)

    def expectation(self, below: str, total: str) -> str:
        return self.scripted(EXPECTED, below, "") + self.brackets(total)

    def style(self) -> str:
        return '<mi mathvariant="normal">∖</mi><mi>c</mi>'

    def do(self, symbol: str) -> str:
        return f"{self.word('do')}{_sign('(')}{symbol}{_sign(')')}"

    def equation(self, left: str, sign: str, right: str) -> str:
        return f"{left}{_sign(sign)}{self.space}{right}"

    def formula(self, parts: Sequence[str]) -> str:
        return f"<math>{f'{_sign(chr(44))}{self.space}'.join(parts)}</math>"

    @property
    def log(self) -> str:
        return f"<mi>log</mi>{SPACE}"

    def math(self, formula: str) -> str:
        return f"<math>{formula}</math>"


EXPECTED = '<mi mathvariant="normal">𝔼</mi>'


def _sign(token: str) -> str:
    if token == " ":
        return SPACE
    if token.isdigit():
        return f"<mn>{token}</mn>"
    if token.isalpha():
        return f"<mi>{token}</mi>"
    return f'<mo stretchy="false">{escape(token.replace("-", "−"))}</mo>'


def _ratio(above: str, below: str) -> str:
    return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"


MATHML: Notation = _MathML()


def densities_of(graph: Structure) -> dict[str, str]:
    """The densities of model and guide, each in as many elements as it may have lines."""
    return {"model": joint(graph, MATHML), "guide": guide_density(graph, MATHML)}


def term(name: str) -> str:
    """A term of an objective, with its sign.

    >>> term("log q(z_style)").count("<msub>")
    1
    """
    return MATHML.math(write_term(name, MATHML))


def terms(formula: Formula) -> list[tuple[str, str]]:
    """An objective in pieces between which a line may end.

    Returns:
        the names of its terms with their ``math`` elements, each with its sign; first the
        expectation that they stand in and last its closing bracket, both under the name ``""``.
    """
    start = MATHML.scripted(EXPECTED, formula.below(MATHML), "") + _sign("[")
    pieces = [("", MATHML.math(start))]
    for position, name in enumerate(formula.terms):
        sign = "−" if parse(name).negative else "+" if position else ""
        joint = f'<mo form="infix">{sign}</mo>' if sign else ""
        pieces.append((name, MATHML.math(joint + write_unsigned(name, MATHML))))
    return [*pieces, ("", MATHML.math(_sign("]")))]
