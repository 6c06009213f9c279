"""What every notation has, and what variables are called before they are written in one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

STYLE = "z_style"
"""The contract's name of the latents that belong to no label."""

LABELS = "labels"
"""The contract's name of the plate over labels."""

SIZES = {"data": "N", LABELS: "L"}
"""What the sizes of the contract's plates are called."""


class Notation(ABC):
    """A way to write formulas. What is given to a method beside names is written already.

    A formula is made of its parts, one within the other, so that no notation is read back from
    another.
    """

    space = " "
    """Between factors; a line may end there."""

    @abstractmethod
    def plain(self, text: str) -> str:
        """Letters, numbers and signs that stand for themselves: ``1:T``, ``t-1 → t``."""

    @abstractmethod
    def word(self, word: str) -> str:
        """A part of a name: a letter, a number, a Greek letter by its name, or a word."""

    @abstractmethod
    def words(self, text: str) -> str:
        """Words that are no name."""

    @abstractmethod
    def scripted(self, base: str, below: str, above: str) -> str:
        """Something with what is attached below and above it, if anything is."""

    @abstractmethod
    def density(self, side: str, of: Sequence[str], given: Sequence[str]) -> str:
        """``p(of | given)``, where the side is written too."""

    @abstractmethod
    def inside(self, of: Sequence[str], given: Sequence[str]) -> str:
        """``of | given``."""

    @abstractmethod
    def product(self, lower: str, upper: str, factors: str) -> str:
        """∏ over a range; it has no upper end where that is empty."""

    @abstractmethod
    def total(self, over: str) -> str:
        """∑ with its range below."""

    @abstractmethod
    def mean(self, above: str, below: str) -> str:
        """The mean of a ratio over particles."""

    @abstractmethod
    def expectation(self, below: str, total: str) -> str:
        """The expectation of a sum."""

    def symbol(self, name: str, below: str = "", above: str = "") -> str:
        r"""A variable with what is attached to it.

        >>> from ccvae.inspection import LATEX, UNICODE
        >>> LATEX.symbol("z_c", above="i"), UNICODE.symbol("z_c", above="i")
        ('z_{c}^{i}', 'z_c^i')
        >>> LATEX.symbol("z_style"), LATEX.symbol("mu_0"), UNICODE.symbol("mu_0")
        ('z_{\\setminus c}', '\\mu_{0}', 'μ_0')
        """
        return self.scripted(*self.pieces(name, below, above))

    def pieces(self, name: str, below: str = "", above: str = "") -> tuple[str, str, str]:
        """A variable's letter or word, and all that is attached below and above it."""
        head, *rest = (name.strip("_") or "?").split("_")
        own = self.style() if name == STYLE else self.joined([self.word(w) for w in rest if w])
        return self.word(head), own + below, above

    def joined(self, parts: Sequence[str]) -> str:
        """Parts of what is attached, with commas between them."""
        return self.plain(",").join(parts)

    @abstractmethod
    def style(self) -> str:
        """What stands below the latents that belong to no label: without c."""

    @abstractmethod
    def do(self, symbol: str) -> str:
        """``do(y)``, for what is set from outside."""

    def plate(self, name: str) -> str:
        """The upper end of a plate's index: N, L, or the plate's own name counted."""
        return size_of(name).write(self)

    def member(self, index: str, group: str) -> str:
        """``i ∈ U``."""
        return self.plain(f"{index} ∈ {group}")

    def brackets(self, formula: str) -> str:
        """Square ones."""
        return f"{self.plain('[')}{formula}{self.plain(']')}"

    def equation(self, left: str, sign: str, right: str) -> str:
        """Two sides with ``=`` or ``∝`` between them."""
        return f"{left} {self.plain(sign)} {right}"

    def formula(self, parts: Sequence[str]) -> str:
        """Formulas beside each other, complete."""
        return ", ".join(parts)

    @property
    def minus(self) -> str:
        """The sign."""
        return self.plain("-")

    @property
    @abstractmethod
    def log(self) -> str:
        """The natural logarithm, with a space behind it."""

    def group(self, formula: str) -> str:
        """A part of a formula that is not broken at the end of a line."""
        return formula

    def math(self, formula: str) -> str:
        """A formula among words."""
        return formula


@dataclass(frozen=True)
class Symbol:
    """A variable's name with what is attached to it, in no notation yet.

    Attributes:
        name: the variable's. below, above: signs that stand for themselves, as ``t-1`` and ``i,j``.
    """

    name: str
    below: str = ""
    above: str = ""

    def write(self, notation: Notation) -> str:
        """It in a notation."""
        return notation.scripted(*self.pieces(notation))

    def pieces(self, notation: Notation) -> tuple[str, str, str]:
        """Its letter or word, what is below and what is above."""
        return notation.pieces(self.name, notation.plain(self.below), notation.plain(self.above))


def size_of(plate: str) -> Symbol:
    """The symbol of a plate's size."""
    return Symbol(SIZES.get(plate) or f"N_{plate}")
