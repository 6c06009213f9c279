r"""Formulas for a page: the LaTeX that this package writes, as MathML, which browsers draw.

Only what :mod:`ccvae.inspection.notation` and its users write is read: names with scripts, Greek,
``\log``, fractions, sums, products and brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from .factorisation import Writer
from .formulas import Formula, write_term
from .notation import GREEK, LATEX

TOKEN = re.compile(
    r"\\(?:mathrm|text|mathbb)\{(?P<word>[^}]*)\}|\\(?P<command>[A-Za-z]+|.)|(?P<number>\d+)"
    r"|(?P<letter>[A-Za-z])|(?P<sign>\S)"
)

SIGNS = {"mid": "|", "in": "∈", "cdot": "·", "sum": "∑", "prod": "∏", "propto": "∝", "-": "−"}

SPACE = '<mspace width="0.17em"></mspace>'

SILENT = ("left", "right", ",")
"""Commands that only place what stands beside them."""


def mathml(latex: str, sign: str = "") -> str:
    r"""A formula as a ``math`` element.

    Args:
        latex: the formula. sign: what joins it to the one before it, with an operator's space.

    Raises:
        ValueError: for a command that is not known.

    >>> mathml(r"\log q(z_{\setminus c})").count("<msub>")
    1
    """
    joint = f'<mo form="infix">{SIGNS.get(sign, sign)}</mo>' if sign else ""
    return f"<math>{joint}{_row(_Tokens(latex), until='')}</math>"


def broken(latex: str) -> list[str]:
    """A density as several ``math`` elements, so that a line may end between its factors."""
    return [mathml(part) for part in re.split(r"(?<= )\\, |(?<== )", latex)]


def terms(formula: Formula) -> list[tuple[str, str]]:
    """An objective in pieces between which a line may end.

    Returns:
        the names of its terms with their ``math`` elements, each with its sign; first the
        expectation that they stand in and last its closing bracket, both under the name ``""``.
    """
    below = Writer(formula.graph, LATEX, "q").left()
    pieces = [("", mathml(rf"\mathbb{{E}}_{{{below}}}["))]
    for position, name in enumerate(formula.terms):
        term = write_term(name, LATEX)
        sign = "" if not position else "-" if term.startswith("-") else "+"
        pieces.append((name, mathml(term.removeprefix(sign), sign)))
    return [*pieces, ("", mathml("]"))]


class _Tokens:
    """The tokens of a formula, to be taken one by one."""

    def __init__(self, latex: str) -> None:
        self.iterator: Iterator[re.Match[str]] = TOKEN.finditer(latex)
        self.next = next(self.iterator, None)

    def peek(self) -> str:
        """The next token as it is written; ``""`` at the end."""
        return self.next[0] if self.next else ""

    def take(self) -> re.Match[str]:
        """The next token."""
        if self.next is None:
            raise ValueError("a formula ends where a part of it was expected")
        token, self.next = self.next, next(self.iterator, None)
        return token


def _row(tokens: _Tokens, until: str) -> str:
    """Everything up to a closing brace, or to the end."""
    parts: list[str] = []
    while tokens.peek() != until:
        if tokens.peek() == r"\log" and parts:
            parts.append(SPACE)
        parts.append(_scripted(tokens))
    if until:
        tokens.take()
    return "".join(parts)


def _scripted(tokens: _Tokens) -> str:
    """An atom with what is attached below and above it."""
    base, scripts = _atom(tokens), {"_": "", "^": ""}
    while tokens.peek() in ("_", "^"):
        mark = tokens.take()[0]
        scripts[mark] = _atom(tokens)
    name = "".join(part for mark, part in (("_", "sub"), ("^", "sup")) if scripts[mark])
    return f"<m{name}>{base}{scripts['_']}{scripts['^']}</m{name}>" if name else base


def _atom(tokens: _Tokens) -> str:
    token = tokens.take()
    if token[0] == "{":
        return f"<mrow>{_row(tokens, until='}')}</mrow>"
    if token["word"] is not None:
        word = "𝔼" if token[0].startswith(r"\mathbb") else token["word"]
        return f'<mi mathvariant="normal">{escape(word)}</mi>'
    if token["number"]:
        return f"<mn>{token['number']}</mn>"
    if token["letter"]:
        return f"<mi>{token['letter']}</mi>"
    return _command(tokens, token["command"]) if token["command"] else _sign(token["sign"])


def _command(tokens: _Tokens, command: str) -> str:
    if command == "frac":
        return f"<mfrac>{_atom(tokens)}{_atom(tokens)}</mfrac>"
    if command in SILENT:
        return ""
    if command == "log":
        return f"<mi>log</mi>{SPACE}"
    if command == "setminus":
        return '<mi mathvariant="normal">∖</mi>'
    if command in GREEK:
        return f"<mi>{GREEK[command]}</mi>"
    if command in SIGNS:
        return _sign(command)
    raise ValueError(f"cannot write \\{command} as MathML; add it to ccvae.inspection.mathml")


def _sign(sign: str) -> str:
    sign = SIGNS.get(sign, sign)
    return f'<mo stretchy="false">{escape(sign)}</mo>'
