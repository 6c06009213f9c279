"""Labels: what a row of an image data set is annotated with, and how that is laid out in a tensor.

A :class:`LabelSpace` is an ordered collection of :class:`Binary`, :class:`Categorical`,
:class:`Ordinal` and :class:`Real` labels, see :mod:`.forms`. Labels travel as one float tensor
``y`` of shape ``(B, L)``: 0 or 1 for a binary label, the class code 0 … K−1 for a categorical or an
ordinal one, a standardised number for a real one, and NaN wherever the label is missing.

Labels of the same form and with the same number of classes make a :class:`Kind`. A kind is what a
Pyro plate can be vectorised over, so every program has one ``labels`` plate for each kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .forms import FORMS, Binary, Categorical, Form, Label, Ordinal, Real


@dataclass(frozen=True)
class Kind:
    """The labels of one form and one number of classes; they share a plate.

    Attributes:
        classes: K, the number of classes of each of these labels; 0 for real ones.
        columns: their columns in ``y``, in order.
        form: of each of these labels.
    """

    classes: int
    columns: tuple[int, ...]
    form: Form = "nominal"

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def block(self) -> int:
        """Dimensions of a label's characteristic block: K − 1 for classes without order, else 1."""
        return self.classes - 1 if self.form == "nominal" else 1

    @property
    def suffix(self) -> str:
        """What the kind's sites and plate are named by.

        Nothing for binary labels, ``_K`` for categorical, ``_ordinalK`` for ordinal and ``_real``
        for real ones.
        """
        if self.form == "nominal":
            return "" if self.classes == 2 else f"_{self.classes}"
        return "_real" if self.form == "real" else f"_ordinal{self.classes}"

    def of(self, y: Tensor) -> Tensor:
        """The kind's own columns ``(B, n)`` of the labels ``y`` ``(B, L)``."""
        first, count = self.columns[0], len(self.columns)
        if self.columns[-1] == first + count - 1:
            return y.narrow(1, first, count)
        # Columns one by one: a list as index would be copied to the GPU at every step.
        return torch.stack([y[:, column] for column in self.columns], -1)


def kinds_of(classes: Sequence[int], forms: Sequence[Form] = ()) -> tuple[Kind, ...]:
    """Labels of so many classes each, grouped by that number, fewest classes first.

    Args:
        classes: the number of classes of each label, 0 for a real one.
        forms: of each label, nominal by default. Nominal labels come before ordinal ones, and
            these before real ones.
    """
    order: list[Form] = ["nominal", "ordinal", "real"]
    given: Sequence[Form] = forms or order[:1] * len(classes)
    each = list(zip(given, classes, strict=True))
    return tuple(
        Kind(size, tuple(i for i, other in enumerate(each) if other == (form, size)), form)
        for form, size in sorted(set(each), key=lambda kind: (order.index(kind[0]), kind[1]))
    )


@dataclass(frozen=True)
class LabelSpace:
    """An ordered collection of labels.

    >>> space = LabelSpace([Binary("Smiling"), Categorical("Hair", ("Bald", "Black", "Blond"))])
    >>> [(kind.classes, kind.columns, kind.suffix) for kind in space.kinds]
    [(2, (0,), ''), (3, (1,), '_3')]
    >>> [kind.suffix for kind in LabelSpace([Real("Age"), Ordinal("Stage", ("I", "II"))]).kinds]
    ['_ordinal2', '_real']
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
        """The number of classes of each label; 0 for a real one."""
        return tuple(len(label.classes) for label in self.labels)

    @property
    def forms(self) -> tuple[Form, ...]:
        """Whether each label's codes are names, an order or a number."""
        return tuple(FORMS[type(label)] for label in self.labels)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The labels grouped by form and number of classes, see :func:`kinds_of`."""
        return kinds_of(self.classes, self.forms)

    @property
    def dimension(self) -> int:
        """Dimensions of all characteristic blocks together."""
        return sum(label.block for label in self.labels)

    def takes(self, what: str, forms: Sequence[Form], because: str = "") -> None:
        """Raise unless every label has one of the forms that ``what`` takes.

        Args:
            because: why it takes no others, in words that follow on a comma.

        Raises:
            ValueError: naming the labels of other forms, and what to do.
        """
        others = [n for n, form in zip(self.names, self.forms, strict=True) if form not in forms]
        if others:
            words = {"nominal": "binary and categorical", "ordinal": "ordinal", "real": "real"}
            reason = f", {because}" if because else ""
            raise ValueError(
                f"expected {' and '.join(words[form] for form in forms)} labels for {what}"
                f"{reason}, got {', '.join(others)}; leave them out with --only, or state "
                "another kind with --kinds"
            )

    def index(self, name: str) -> int:
        """The column of a label.

        Raises:
            ValueError: for a label that is not in this space; the message lists those that are.
        """
        if name not in self.names:
            raise ValueError(f"unknown label {name!r}; this data set has {', '.join(self.names)}")
        return self.names.index(name)

    def check(self, y: Tensor) -> None:
        """Raise unless ``y`` is a float tensor ``(B, L)`` of codes with NaN where missing.

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
            if isinstance(label, Real):
                wrong, expected = codes.isinf(), "a finite number"
            else:
                wrong = ~codes.isnan() & ((codes < 0) | (codes > top) | (codes != codes.round()))
                expected = f"a whole number from 0 to {top} ({', '.join(label.classes)})"
            if wrong.any():
                row = int(wrong.nonzero()[0])
                raise ValueError(
                    f"label {label.name!r} has the code {codes[row].item():g} in row {row}; "
                    f"expected {expected}, or NaN where it is missing"
                )

    def frequencies(self, y: Tensor) -> tuple[Tensor, ...]:
        """How the observed entries are distributed: p(y), smoothed so that it excludes nothing.

        Returns:
            for each kind with classes their frequencies ``(n, K)``, with one more count of each
            class; its rows add up to 1 and no entry is 0. For real labels ``(n, 2)``: mean and
            standard deviation of the codes, with two more entries, −1 and 1.
        """
        tables = []
        for kind in self.kinds:
            codes = kind.of(y)
            if kind.form == "real":
                count = (~codes.isnan()).sum(0) + 2.0
                mean = codes.nansum(0) / count
                variance = (codes.square().nansum(0) + 2) / count - mean.square()
                tables.append(torch.stack([mean, variance.sqrt()], -1))
                continue
            counts = torch.stack([(codes == k).sum(0) for k in range(kind.classes)], -1) + 1.0
            tables.append(counts / counts.sum(-1, keepdim=True))
        return tuple(tables)

    def uniform(self) -> tuple[Tensor, ...]:
        """Equal class frequencies, and mean 0 and deviation 1, as :meth:`frequencies` has them."""
        return tuple(
            torch.tensor([[0.0, 1.0]]).repeat(len(kind), 1)
            if kind.form == "real"
            else torch.full((len(kind), kind.classes), 1 / kind.classes)
            for kind in self.kinds
        )

    def to_json(self) -> list[dict[str, Any]]:
        """The space as plain data; :meth:`from_json` reads it back."""
        return [_to_json(label) for label in self.labels]

    @classmethod
    def from_json(cls, rows: list[dict[str, Any]]) -> LabelSpace:
        """Read what :meth:`to_json` wrote.

        Raises:
            ValueError: for a label of an unknown kind.
        """
        return cls(map(_from_json, rows))


def _to_json(label: Label) -> dict[str, Any]:
    """A label as plain data; a binary or a categorical one needs no word for its kind."""
    match label:
        case Categorical(name, classes):
            return {"name": name, "classes": list(classes)}
        case Ordinal(name, classes):
            return {"name": name, "kind": "ordinal", "classes": list(classes)}
        case Real(name, mean, scale):
            return {"name": name, "kind": "real", "mean": mean, "scale": scale}
    return {"name": label.name}


def _from_json(row: dict[str, Any]) -> Label:
    match row:
        case {"kind": "ordinal", "name": name, "classes": classes}:
            return Ordinal(name, tuple(classes))
        case {"kind": "real", "name": name, "mean": mean, "scale": scale}:
            return Real(name, mean, scale)
        case {"kind": kind}:
            raise ValueError(f"expected a label of the kind ordinal or real, got {kind!r}")
        case {"classes": classes}:
            return Categorical(row["name"], tuple(classes))
    return Binary(row["name"])
