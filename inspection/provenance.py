"""Which tensors a tensor was computed from, followed through every operation of torch.

Pyro's own provenance is a tensor subclass, and is lost through item assignment and ``torch.vmap``.
This one watches torch's dispatcher, below both: the operations arrive there with plain tensors.
Origins are kept for each storage, so that views and writes into them are followed too. What leaves
torch cannot be followed: where a marked tensor is read as a number, that is noted.

Columns of a table can be marked apart (:meth:`Provenance.mark_columns`): a tensor of column numbers
then goes through the same selections as the table itself, so that ``y[:, [2, 5]]`` is known to
come from columns 2 and 5 alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Origin = str | tuple[str, int]
"""A name, or a column of a table of that name."""

Origins = frozenset[Origin]

NOTHING: Origins = frozenset()

aten = torch.ops.aten

SELECTIONS = {
    aten.select,
    aten.slice,
    aten.index,
    aten.index_select,
    aten.unsqueeze,
    aten.squeeze,
    aten.view,
    aten._unsafe_view,
    aten.expand,
    aten.permute,
    aten.transpose,
    aten.t,
    aten.alias,
    aten.detach,
    aten.clone,
    aten.unbind,
    aten.split,
    aten.split_with_sizes,
}
"""Operations that move entries and compute nothing."""

ENTRYWISE = {aten._to_copy, aten.nan_to_num, aten.isnan, aten.bitwise_not, aten.logical_not}
"""Operations on each entry of one tensor alone."""

SHAPES_ONLY = {
    aten.zeros_like,
    aten.ones_like,
    aten.full_like,
    aten.empty_like,
    aten.rand_like,
    aten.randn_like,
    aten.new_zeros,
    aten.new_ones,
    aten.new_full,
    aten.new_empty,
    aten.new_empty_strided,
}
"""Operations that look at a tensor's shape, type and device, and not at its entries."""


class Provenance(TorchDispatchMode):
    """While entered, follows where tensors come from.

    Attributes:
        read: origins of what was read as Python numbers, beyond which nothing is followed.

    >>> a, b, c = torch.ones(3), torch.ones(3), torch.zeros(3)
    >>> with Provenance() as provenance:
    ...     provenance.mark(a, "a")
    ...     provenance.mark(b, "b")
    ...     c[0] = (a * b).sum()
    >>> sorted(provenance.of(c))
    ['a', 'b']
    """

    def __init__(self) -> None:
        super().__init__()
        self.read: Origins = NOTHING
        # The tensors are kept beside, so that no storage is freed and its number used again.
        self._storages: dict[int, tuple[Tensor, Origins]] = {}
        self._columns: dict[int, tuple[Tensor, str, Tensor]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Nothing here is compiled, and to say so to the compiler costs two seconds of imports.
        return False

    def mark(self, tensor: Tensor, *origins: Origin) -> None:
        """State where a tensor comes from, whatever it came from before."""
        self._columns.pop(id(tensor), None)
        self._storages[_storage(tensor)] = (tensor, frozenset(origins))

    def mark_columns(self, table: Tensor, name: str, *, absent: Tensor | None = None) -> None:
        """Mark every column of a table ``(…, L)`` as an origin ``(name, column)`` of its own.

        Args:
            table: the tensor. name: the origins' name.
            absent: ``(L,)``, true for columns that are no origin.
        """
        numbers = torch.arange(table.shape[-1])
        if absent is not None:
            numbers = numbers.where(~absent, -1)
        numbers = numbers.expand(table.shape)
        self._columns[id(table)] = (table, name, numbers)

    def of(self, *values: Any) -> Origins:
        """Where the tensors in ``values`` come from, nested lists and dictionaries included."""
        found: set[Origin] = set()
        for tensor in tree_leaves(values):
            if isinstance(tensor, Tensor):
                found |= self._of(tensor)
        return frozenset(found)

    def _of(self, tensor: Tensor) -> Origins:
        if id(tensor) in self._columns:
            _, name, numbers = self._columns[id(tensor)]
            return frozenset((name, column) for column in numbers.unique().tolist() if column >= 0)
        return self._storages.get(_storage(tensor), (tensor, NOTHING))[1]

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        packet = func.overloadpacket
        if packet is aten._local_scalar_dense:
            self.read |= self.of(args)
        elif packet not in SHAPES_ONLY:
            self._follow(packet, args, kwargs, result)
        return result

    def _follow(
        self, operation: Callable[..., Any], args: Any, kwargs: dict[str, Any], result: Any
    ) -> None:
        if args and id(args[0]) in self._columns and operation in SELECTIONS | ENTRYWISE:
            _, name, numbers = self._columns[id(args[0])]
            moved = numbers if operation in ENTRYWISE else operation(numbers, *args[1:], **kwargs)
            for tensor, part in zip(tree_leaves(result), tree_leaves(moved), strict=True):
                self._columns[id(tensor)] = (tensor, name, part)
            return
        origins = self.of(args, kwargs)
        if not origins:
            return
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                before = self._storages.get(_storage(tensor), (tensor, NOTHING))[1]
                self._storages[_storage(tensor)] = (tensor, before | origins)


def _storage(tensor: Tensor) -> int:
    try:
        return int(tensor.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):  # sparse tensors have none
        return id(tensor)
