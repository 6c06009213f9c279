"""What torch's operations do with the entries of their tensors, as far as provenance asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

aten = torch.ops.aten

Operation = Callable[..., Any]

SELECTIONS = {
    aten.select,
    aten.slice,
    aten.index,
    aten.index_select,
    aten.masked_select,
    aten.gather,
    aten.take,
    aten.unsqueeze,
    aten.squeeze,
    aten.view,
    aten._unsafe_view,
    aten._reshape_alias,
    aten.expand,
    aten.permute,
    aten.transpose,
    aten.t,
    aten.flip,
    aten.unfold,
    aten.diagonal,
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

CHOOSING: dict[Operation, tuple[int, ...]] = {
    aten.index: (1,),
    aten.index_select: (2,),
    aten.index_put: (1,),
    aten.index_put_: (1,),
    aten._index_put_impl_: (1,),
    aten._unsafe_index: (1,),
    aten.gather: (2,),
    aten.take: (1,),
    aten.scatter: (2,),
    aten.scatter_: (2,),
    aten.scatter_add: (2,),
    aten.scatter_add_: (2,),
    aten.index_add: (2,),
    aten.index_add_: (2,),
    aten.masked_select: (1,),
    aten.masked_fill: (1,),
    aten.masked_fill_: (1,),
    aten.masked_scatter: (1,),
    aten.masked_scatter_: (1,),
    aten.where: (0,),
    aten.embedding: (1,),
    aten.nonzero: (0,),
    aten.repeat_interleave: (0, 1),
    aten.searchsorted: (0, 1),
    aten.bucketize: (0, 1),
}
"""Operations some of whose arguments, by position, only choose among the entries of others."""

FLAT_IN_PLACES = """
eq ne lt le gt ge eq_ ne_ lt_ gt_ equal isnan isinf isfinite any all heaviside
logical_and logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_not bitwise_xor
floor ceil round trunc frac floor_ round_ floor_divide remainder fmod sign sgn abs nan_to_num
relu relu_ leaky_relu elu threshold hardtanh max_pool2d_with_indices
clamp clamp_ clamp_min clamp_max minimum maximum fmin fmax max min amax amin argmax argmin
sort topk kthvalue median cummax cummin one_hot histc bincount _unique2 unique_dim
bernoulli poisson multinomial binomial
"""

KINKED = {getattr(aten, name) for name in FLAT_IN_PLACES.split() if hasattr(aten, name)}
"""Operations that are flat in places, so that a change of their input may change nothing."""


def chosen(operation: Operation, args: Any, kwargs: Any) -> tuple[Any, Any] | None:
    """The arguments of an operation whose entries it takes, and those that choose among them.

    None where no argument chooses.
    """
    if operation is aten._to_copy and not (kwargs.get("dtype") or torch.float).is_floating_point:
        return args, args
    positions = CHOOSING.get(operation)
    if positions is None or (operation is aten.where and len(args) < 3):
        return None
    values = [arg for place, arg in enumerate(args) if place not in positions]
    return (values, kwargs), [args[place] for place in positions if place < len(args)]


def is_nothing(operation: Operation, args: Any) -> bool:
    """Whether an operation multiplies by a zero that stands in the program.

    A zero that is a tensor may be another number in another run.
    """
    products = (aten.mul, aten.mul_)
    return operation in products and any(isinstance(arg, int | float) and arg == 0 for arg in args)
