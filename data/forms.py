"""The four forms of label: yes or no, one of some classes, one of some classes in order, a number.

Each says what its codes mean in a column of labels, see :mod:`.labels`, and how many dimensions its
characteristic block has.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, overload

from torch import Tensor


@dataclass(frozen=True)
class Binary:
    """A label that is absent (0) or present (1)."""

    name: str

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the codes 0 and 1."""
        return ("no", "yes")

    @property
    def block(self) -> int:
        """Dimensions of the label's characteristic block."""
        return 1


@dataclass(frozen=True)
class Classed:
    """A label with named classes; class k has the code k.

    Raises:
        ValueError: with fewer than two classes, or a class name that occurs twice.
    """

    name: str
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", _distinct(self.name, self.classes))


class Categorical(Classed):
    """A label with named, mutually exclusive classes; class k has the code k.

    Raises:
        ValueError: with fewer than two classes, or a class name that occurs twice.
    """

    @property
    def block(self) -> int:
        """Dimensions of the label's characteristic block."""
        return len(self.classes) - 1


class Ordinal(Classed):
    """A label with named classes in an order, lowest first; class k has the code k.

    Raises:
        ValueError: with fewer than two classes, or a class name that occurs twice.
    """

    @property
    def block(self) -> int:
        """Dimensions of the label's characteristic block."""
        return 1


@dataclass(frozen=True)
class Real:
    """A label that is a number. Its codes are standardised: ``(number − mean) / scale``.

    Attributes:
        mean: of the training rows' numbers, in the label's own units.
        scale: their standard deviation, in the same units.

    >>> age = Real("Age", mean=40.0, scale=20.0)
    >>> age.from_units(70.0), age.to_units(1.5)
    (1.5, 70.0)

    Raises:
        ValueError: for a mean or a scale that is not finite, or a scale that is not positive.
    """

    name: str
    mean: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and 0 < self.scale < math.inf):
            raise ValueError(
                f"label {self.name!r}: expected a finite mean and a positive scale, got "
                f"{self.mean} and {self.scale}; leave out a label whose numbers are all the same"
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """None: a number has no classes."""
        return ()

    @property
    def block(self) -> int:
        """Dimensions of the label's characteristic block."""
        return 1

    @overload
    def to_units(self, code: float) -> float: ...

    @overload
    def to_units(self, code: Tensor) -> Tensor: ...

    def to_units(self, code: float | Tensor) -> float | Tensor:
        """A standardised number, or a tensor of them, in the label's own units."""
        return code * self.scale + self.mean

    @overload
    def from_units(self, number: float) -> float: ...

    @overload
    def from_units(self, number: Tensor) -> Tensor: ...

    def from_units(self, number: float | Tensor) -> float | Tensor:
        """A number in the label's own units, or a tensor of them, standardised."""
        return (number - self.mean) / self.scale


def _distinct(name: str, classes: Iterable[str]) -> tuple[str, ...]:
    """The classes of a label, which must be two or more and differ."""
    names = tuple(classes)
    if len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(
            f"label {name!r}: expected two or more distinct classes, got {names}; name every "
            "class once"
        )
    return names


Label = Binary | Categorical | Ordinal | Real

Form = Literal["nominal", "ordinal", "real"]
"""What the codes of a label are: names (two of them for a binary one), an order, or a number."""

FORMS: dict[type, Form] = {
    Binary: "nominal",
    Categorical: "nominal",
    Ordinal: "ordinal",
    Real: "real",
}
