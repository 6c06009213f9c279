"""What the programs with a plate ``labels`` share: p(y), and how a row shows its labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypedDict, TypeVar, cast

from pyro.distributions import TorchDistribution
from torch import Tensor, nn

from ..data import Kind, LabelSpace
from .priors import label_prior
from .program import NetworkProgram

Part = TypeVar("Part", bound=nn.Module)


class EachKind(nn.ModuleList, Generic[Part]):
    """A part of a program for every kind of its labels, in their order."""

    def __init__(self, parts: Iterable[Part]) -> None:
        super().__init__(parts)

    def __iter__(self) -> Iterator[Part]:
        return cast(Iterator[Part], super().__iter__())


class Shown(TypedDict):
    """How ``pyro.sample`` is told what is observed."""

    obs: Tensor
    obs_mask: Tensor


class Labelled(NetworkProgram):
    """A generative program whose labels are independent of each other, each kind in its plate.

    Args:
        space: the labels.
        frequencies: p(y), for each kind of label a table ``(n, K)``, for real ones mean and
            deviation ``(n, 2)``; uniform by default.
    """

    def __init__(self, space: LabelSpace, frequencies: Sequence[Tensor] | None) -> None:
        super().__init__()
        self.space = space
        tables = space.uniform() if frequencies is None else frequencies
        for kind, table in zip(space.kinds, tables, strict=True):
            self.register_buffer(f"frequencies{kind.suffix}", table)

    def p_y(self, kind: Kind) -> TorchDistribution:
        """p(y) of one kind of labels, batch ``(n,)``."""
        return label_prior(kind, self.get_buffer(f"frequencies{kind.suffix}"))


def shown(y: Tensor) -> Shown:
    """Codes ``(B, n)``, NaN where missing, as an observation of those that are not."""
    return {"obs": y.nan_to_num(), "obs_mask": ~y.isnan()}
