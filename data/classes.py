"""The classes of all labels side by side, as a row of scores or of probabilities has them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .forms import Form
from .labels import Kind, kinds_of


def by_kind(kinds: Sequence[Kind], row: Tensor) -> list[Tensor]:
    """A row ``(…, ΣK)``, kind by kind and label by label, as a table ``(…, n, K)`` for each kind.

    The tables are views of the row.
    """
    sizes = [len(kind) * kind.classes for kind in kinds]
    parts = row.split(sizes, -1) if len(sizes) > 1 else (row,)
    return [
        part.view(*row.shape[:-1], len(kind), kind.classes)
        for kind, part in zip(kinds, parts, strict=True)
    ]


class ClassColumns(nn.Module):
    """The layout of rows ``(…, ΣK)`` with one column for each class of each of L labels.

    Kind after kind, within a kind label after label, within a label class after class. However many
    labels there are, one comparison finds the columns of their codes. The buffers are constants and
    no part of a checkpoint.

    Args:
        classes: K, the number of classes of each label.
        names: of the labels, for messages; numbers from 1 by default.
        forms: of the labels, nominal by default; the order is that of the kinds.

    Raises:
        ValueError: without a label, or with one that has no classes.

    >>> columns = ClassColumns([2, 3])
    >>> columns(torch.tensor([1.0, 2.0])).int().tolist()
    [0, 1, 0, 0, 1]
    """

    label: Tensor
    code: Tensor
    place: Tensor
    size: Tensor

    def __init__(
        self, classes: Sequence[int], names: Sequence[str] = (), forms: Sequence[Form] = ()
    ) -> None:
        super().__init__()
        self.classes = tuple(classes)
        if not self.classes:
            raise ValueError("expected one label or more, got none; a VAE does without labels")
        if 0 in self.classes:
            raise ValueError(
                "expected labels with classes, got a real one; a number has no columns"
            )
        self.names = tuple(names) or tuple(str(i + 1) for i in range(len(self.classes)))
        self.kinds = kinds_of(self.classes, forms)
        self.width = sum(self.classes)
        order = [column for kind in self.kinds for column in kind.columns]
        columns = [(label, code) for label in order for code in range(self.classes[label])]
        self.sorted = order == sorted(order)
        for name, values in zip(("label", "code"), torch.tensor(columns).T, strict=True):
            self.register_buffer(name, values.contiguous(), persistent=False)
        self.register_buffer("place", torch.tensor(order).argsort(), persistent=False)
        self.register_buffer("size", torch.tensor(self.classes), persistent=False)

    def forward(self, codes: Tensor) -> Tensor:
        """The columns of class codes ``(…, L)``: true there in ``(…, ΣK)``; none for NaN."""
        if len(self.classes) > 1:
            codes = codes.index_select(-1, self.label)
        return codes == self.code

    def by_kind(self, row: Tensor) -> list[Tensor]:
        """A row ``(…, ΣK)`` as :func:`by_kind` cuts it."""
        return by_kind(self.kinds, row)

    def log_softmax(self, scores: Tensor) -> Tensor:
        """Log-probabilities ``(…, ΣK)``, normalised label by label, from scores ``(…, ΣK)``."""
        if len(self.classes) == 1:
            return scores.log_softmax(-1)
        tables = [table.log_softmax(-1).flatten(-2) for table in self.by_kind(scores)]
        return tables[0] if len(tables) == 1 else torch.cat(tables, -1)

    def argmax(self, row: Tensor) -> Tensor:
        """The code of each label's largest column, ``(…, L)``."""
        return self._in_order([table.argmax(-1) for table in self.by_kind(row)])

    def quantile(self, probabilities: Tensor, level: Tensor) -> Tensor:
        """The code at which each label's probabilities add up to more than its level.

        Args:
            probabilities: ``(…, ΣK)``. level: from 0 to below 1, kind by kind, ``(…, L)``.

        Returns:
            ``(…, L)`` in the labels' own order, of the level's type.
        """
        codes, start = [], 0
        for table in self.by_kind(probabilities):
            part = level.narrow(-1, start, table.shape[-2]).unsqueeze(-1)
            codes.append((part >= table[..., :-1].cumsum(-1)).sum(-1))
            start += table.shape[-2]
        return self._in_order(codes).to(level.dtype)

    def _in_order(self, codes: list[Tensor]) -> Tensor:
        """Codes ``(…, n)`` of each kind as those of the labels, ``(…, L)``."""
        joined = codes[0] if len(codes) == 1 else torch.cat(codes, -1)
        return joined if self.sorted else joined.index_select(-1, self.place)
