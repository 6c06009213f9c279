"""Labels: what a row of an image data set is annotated with, and how that is laid out in a tensor.

A :class:`LabelSpace` is an ordered collection of :class:`Binary` and :class:`Categorical` labels.
Labels travel as one float tensor ``y`` of shape ``(B, L)``: 0 or 1 for a binary label, the class
code 0 … K−1 for a categorical one, and NaN wherever the label is missing.

Labels with the same number of classes form a :class:`Kind`. A kind is what a Pyro plate can be
vectorised over, so every program has one ``labels`` plate for each kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Binary:
    """A label that is absent (0) or present (1)."""

    name: str

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the codes 0 and 1."""
        return ("no", "yes")


@dataclass(frozen=True)
class Categorical:
    """A label with named, mutually exclusive classes; class k has the code k.

    Raises:
        ValueError: with fewer than two classes, or a class name that occurs twice.
    """

    name: str
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        if len(self.classes) < 2 or len(set(self.classes)) < len(self.classes):
            raise ValueError(
                f"label {self.name!r}: expected two or more distinct classes, got "
                f"{self.classes}; name every class once"
            )


Label = Binary | Categorical


@dataclass(frozen=True)
class Kind:
    """The labels of one number of classes; they share a plate.

    Attributes:
        classes: K, the number of classes of each of these labels.
        columns: their columns in ``y``, in order.
    """

    classes: int
    columns: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def block(self) -> int:
        """Dimensions of a label's characteristic block: K − 1 (one for a binary label)."""
        return self.classes - 1

    @property
    def suffix(self) -> str:
        """What the kind's sites and plate are named by: nothing for binary labels, else ``_K``."""
        return "" if self.classes == 2 else f"_{self.classes}"

    def of(self, y: Tensor) -> Tensor:
        """The kind's own columns ``(B, n)`` of the labels ``y`` ``(B, L)``."""
        first, count = self.columns[0], len(self.columns)
        if self.columns[-1] == first + count - 1:
            return y.narrow(1, first, count)
        # Columns one by one: a list as index would be copied to the GPU at every step.
        return torch.stack([y[:, column] for column in self.columns], -1)


def kinds_of(classes: Sequence[int]) -> tuple[Kind, ...]:
    """Labels of so many classes each, grouped by that number, fewest classes first."""
    return tuple(
        Kind(size, tuple(i for i, other in enumerate(classes) if other == size))
        for size in sorted(set(classes))
    )


@dataclass(frozen=True)
class LabelSpace:
    """An ordered collection of labels.

    >>> space = LabelSpace([Binary("Smiling"), Categorical("Hair", ("Bald", "Black", "Blond"))])
    >>> [(kind.classes, kind.columns, kind.suffix) for kind in space.kinds]
    [(2, (0,), ''), (3, (1,), '_3')]
    >>> space.index("Hair")
    1

    Raises:
        ValueError: where two labels share a name.
    """

    labels: tuple[Label, ...]

    def __init__(self, labels: Iterable[Label]) -> None:
        object.__setattr__(self, "labels", tuple(labels))
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"expected every label to have its own name, got {self.names}")

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Label]:
        return iter(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The labels' names, in the order of the columns of ``y``."""
        return tuple(label.name for label in self.labels)

    @property
    def classes(self) -> tuple[int, ...]:
        """The number of classes of each label."""
        return tuple(len(label.classes) for label in self.labels)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The labels grouped by number of classes, fewest classes first."""
        return kinds_of(self.classes)

    @property
    def dimension(self) -> int:
        """Dimensions of all characteristic blocks together."""
        return sum(len(label.classes) - 1 for label in self.labels)

    def index(self, name: str) -> int:
        """The column of a label.

        Raises:
            ValueError: for a label that is not in this space; the message lists those that are.
        """
        if name not in self.names:
            raise ValueError(f"unknown label {name!r}; this data set has {', '.join(self.names)}")
        return self.names.index(name)

    def check(self, y: Tensor) -> None:
        """Raise unless ``y`` is a float tensor ``(B, L)`` of class codes with NaN where missing.

        Reads values back from the device: call it on a data set, not in a training step.

        Raises:
            ValueError: naming the first label whose codes do not fit, the code and its row.
        """
        if y.ndim != 2 or y.shape[1] != len(self) or not y.is_floating_point():
            raise ValueError(
                f"expected labels as floats of shape (rows, {len(self)}) for {self.names}, got "
                f"{y.dtype} of shape {tuple(y.shape)}; mark missing entries with NaN"
            )
        for column, label in enumerate(self.labels):
            codes = y[:, column]
            top = len(label.classes) - 1
            wrong = ~codes.isnan() & ((codes < 0) | (codes > top) | (codes != codes.round()))
            if wrong.any():
                row = int(wrong.nonzero()[0])
                raise ValueError(
                    f"label {label.name!r} has the code {codes[row].item():g} in row {row}; "
                    f"expected a whole number from 0 to {top} ({', '.join(label.classes)}), "
                    "or NaN where it is missing"
                )

    def frequencies(self, y: Tensor) -> tuple[Tensor, ...]:
        """Class frequencies among the observed entries, smoothed by one count a class.

        Returns:
            for each kind a tensor ``(n, K)``; its rows add up to 1 and no entry is 0.
        """
        tables = []
        for kind in self.kinds:
            codes = kind.of(y)
            counts = torch.stack([(codes == k).sum(0) for k in range(kind.classes)], -1) + 1.0
            tables.append(counts / counts.sum(-1, keepdim=True))
        return tuple(tables)

    def uniform(self) -> tuple[Tensor, ...]:
        """Equal class frequencies, in the form of :meth:`frequencies`."""
        return tuple(torch.full((len(k), k.classes), 1 / k.classes) for k in self.kinds)

    def to_json(self) -> list[dict[str, Any]]:
        """The space as plain data; :meth:`from_json` reads it back."""
        return [
            {"name": label.name}
            | ({"classes": list(label.classes)} if isinstance(label, Categorical) else {})
            for label in self.labels
        ]

    @classmethod
    def from_json(cls, rows: list[dict[str, Any]]) -> LabelSpace:
        """Read what :meth:`to_json` wrote."""
        return cls(
            Categorical(row["name"], tuple(row["classes"]))
            if "classes" in row
            else Binary(row["name"])
            for row in rows
        )
