"""Which tensors a tensor was computed from, followed through every operation of torch.

Pyro's own provenance is a tensor subclass, and is lost through item assignment and ``torch.vmap``.
This one watches torch's dispatcher, below both: the operations arrive there with plain tensors.
Origins are kept for each storage, so that views and writes into them are followed too. What leaves
torch cannot be followed: where a marked tensor is read as a number, that is noted.

Columns of a table can be marked apart (:meth:`Provenance.mark_columns`), or the entries along any
axis (:meth:`Provenance.mark_axes`): a tensor of their numbers then goes through the same selections
as the table itself, so that ``y[:, [2, 5]]`` is known to come from columns 2 and 5 alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .operations import ENTRYWISE, KINKED, SELECTIONS, SHAPES_ONLY, chosen, is_nothing

Origin = str | tuple[str, int] | tuple[str, int, int]
"""A name, a column of a table of that name, or an axis of it and a position along that."""

Origins = frozenset[Origin]

NOTHING: Origins = frozenset()

aten = torch.ops.aten


class Marks(NamedTuple):
    """Where a tensor comes from.

    Attributes:
        origins: all that it was computed from.
        content: those whose entries it holds or was computed from, and that did not only choose.
        kinked: those on whose way lies an operation that is flat in places: a comparison, a choice.
        truths: those on whose way lies a truth value: what masks.
    """

    origins: Origins = NOTHING
    content: Origins = NOTHING
    kinked: Origins = NOTHING
    truths: Origins = NOTHING

    def __or__(self, other: Marks) -> Marks:
        return Marks(*(one | two for one, two in zip(self, other, strict=True)))


NO_MARKS = Marks()


@dataclass(frozen=True)
class Table:
    """A tensor whose entries are told apart: for each axis the positions that they come from.

    The axis None is that of columns: the last one, whose origins have no axis in their name.
    """

    tensor: Tensor
    name: str
    grids: Mapping[int | None, Tensor]

    @cached_property
    def marks(self) -> Marks:
        """Its columns, or its positions along each axis."""
        found: set[Origin] = set()
        for axis, numbers in self.grids.items():
            for number in numbers.unique().tolist():
                if number >= 0:
                    found.add((self.name, number) if axis is None else (self.name, axis, number))
        return Marks(frozenset(found), frozenset(found))


class Provenance(TorchDispatchMode):
    """While entered, follows where tensors come from.

    Attributes:
        read: origins of what was read as Python numbers, beyond which nothing is followed.
        left: the same without whole numbers that were an index alone.

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
        self.read = self.left = NOTHING
        self.looking_up = False
        # The tensors are kept beside, so that no storage is freed and its number used again.
        self._storages: dict[int, tuple[Tensor, Marks]] = {}
        self._tables: dict[int, Table] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Nothing here is compiled, and to say so to the compiler costs two seconds of imports.
        return False

    def mark(self, tensor: Tensor, *origins: Origin) -> None:
        """State where a tensor comes from, whatever it came from before."""
        self._tables.pop(id(tensor), None)
        marks = Marks(frozenset(origins), frozenset(origins))
        self._storages[_storage(tensor)] = (tensor, marks)

    def mark_columns(self, table: Tensor, name: str, *, absent: Tensor | None = None) -> None:
        """Mark every column of a table ``(…, L)`` as an origin ``(name, column)`` of its own.

        Args:
            table: the tensor. name: the origins' name.
            absent: ``(L,)``, true for columns that are no origin.
        """
        numbers = torch.arange(table.shape[-1])
        if absent is not None:
            numbers = numbers.where(~absent, -1)
        self._tables[id(table)] = Table(table, name, {None: numbers.expand(table.shape)})

    def mark_axes(self, table: Tensor, name: str, axes: Iterable[int]) -> None:
        """Mark the positions along some axes as origins ``(name, axis, position)``."""
        grids: dict[int | None, Tensor] = {}
        for axis in axes:
            shape = [-1 if dim == axis else 1 for dim in range(table.dim())]
            grids[axis] = torch.arange(table.shape[axis]).view(shape).expand(table.shape)
        self._tables[id(table)] = Table(table, name, grids)

    def of(self, *values: Any) -> Origins:
        """Where the tensors in ``values`` come from, nested lists and dictionaries included."""
        return self.marks(*values).origins

    def marks(self, *values: Any) -> Marks:
        """The same, with what is only chosen by and what is flat in places told apart."""
        found = NO_MARKS
        for tensor in tree_leaves(values):
            if isinstance(tensor, Tensor) and (own := self._marks(tensor)) != NO_MARKS:
                found = found | own
        return found

    def note_read(self, value: Any) -> None:
        """State that a value leaves torch."""
        origins = self.of(value)
        self.read |= origins
        if not self.looking_up:
            self.left |= origins

    def add(self, tensor: Tensor, marks: Marks) -> None:
        """State what else a tensor comes from."""
        marks = self._marks(tensor) | marks
        self._tables.pop(id(tensor), None)
        self._storages[_storage(tensor)] = (tensor, marks)

    def _marks(self, tensor: Tensor) -> Marks:
        if id(tensor) in self._tables:
            return self._tables[id(tensor)].marks
        return self._storages.get(_storage(tensor), (tensor, NO_MARKS))[1]

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
            self.note_read(args)
        elif packet not in SHAPES_ONLY and not is_nothing(packet, args):
            self._follow(packet, args, kwargs, result)
        return result

    def _follow(
        self, operation: Callable[..., Any], args: Any, kwargs: dict[str, Any], result: Any
    ) -> None:
        if args and id(args[0]) in self._tables and operation in SELECTIONS | ENTRYWISE:
            self._move(operation, args, kwargs, result)
            return
        marks = self._result(operation, args, kwargs)
        if marks == NO_MARKS:
            return
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                own = marks._replace(truths=marks.origins) if tensor.dtype is torch.bool else marks
                before = self._storages.get(_storage(tensor), (tensor, NO_MARKS))[1]
                self._storages[_storage(tensor)] = (tensor, before | own)

    def _move(
        self, operation: Callable[..., Any], args: Any, kwargs: dict[str, Any], result: Any
    ) -> None:
        """A selection of a table: the same one of the numbers of its entries."""
        table = self._tables[id(args[0])]
        if operation in (aten.view, aten._unsafe_view, aten._reshape_alias):
            # The numbers lie otherwise in memory than the table.
            operation, args = aten.reshape, args[:2]
        moved = {
            axis: tree_leaves(
                numbers if operation in ENTRYWISE else operation(numbers, *args[1:], **kwargs)
            )
            for axis, numbers in table.grids.items()
        }
        for place, tensor in enumerate(tree_leaves(result)):
            grids = {axis: parts[place] for axis, parts in moved.items()}
            self._tables[id(tensor)] = Table(tensor, table.name, grids)

    def _result(self, operation: Callable[..., Any], args: Any, kwargs: Any) -> Marks:
        marks = self.marks(args, kwargs)
        if not marks.origins:
            return NO_MARKS
        content, flat = marks.content, NOTHING
        if operation in KINKED:
            flat = marks.origins
        elif (parts := chosen(operation, args, kwargs)) is not None:
            values, choosing = (self.marks(part) for part in parts)
            # What chooses from a table of constants, as an identity's rows, is what it holds.
            content, flat = values.content or choosing.content, choosing.origins
        return marks._replace(content=content, kinked=marks.kinked | flat)


class Reads(TorchFunctionMode):
    """While entered, notes what the dispatcher is not told.

    A whole number that is an index, as in ``means[k]``, is read by torch itself, and NumPy and
    lists take all of a tensor's entries at once.
    """

    def __init__(self, provenance: Provenance) -> None:
        super().__init__()
        self._provenance = provenance

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in (Tensor.tolist, Tensor.numpy, Tensor.__array__):
            self._provenance.note_read(args[0])
        if func not in (Tensor.__getitem__, Tensor.__setitem__):
            return func(*args, **kwargs or {})
        self._provenance.looking_up = True
        try:
            result = func(*args, **kwargs or {})
        finally:
            self._provenance.looking_up = False
        chosen = self._provenance.marks(args[1]).origins
        if chosen:
            # A copy: a view would tell of the whole table what chose one of its entries.
            result = args[0] if result is None else result.clone()
            self._provenance.add(result, Marks(chosen, kinked=chosen))
        return None if func is Tensor.__setitem__ else result


def _storage(tensor: Tensor) -> int:
    try:
        return int(tensor.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):  # sparse tensors have none
        return id(tensor)
