r"""Every case of a batch once, where labels that are summed over do not differ in every row.

To sum over missing labels Pyro gives their joint settings a dimension of their own, and so every
row of the batch an entry for each setting. In a row whose labels are all observed these entries
stand for the same case. Networks that take labels and images together, as M2's do, would compute it
as often as there are settings. :class:`Cases` has every case computed once and spreads the results
over the settings::

    setting    row 1      row 2     row 3             cases
       0      observed    y = 0    observed           row 1, row 3,
       1         "        y = 1       "        ──►    row 2 with y = 0, 1, 2
       2         "        y = 2       "

The latents of an observed row are one draw, which stands at all settings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from pyro.distributions import TorchDistribution
from pyro.poutine.runtime import get_plates
from torch import Size, Tensor
from torch.distributions import constraints
from torch.overrides import TorchFunctionMode

from ..data import rows_by_missing

Encoder = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class Cases:
    """The C cases of a batch; where they are no fewer than the entries, the entries themselves.

    Made inside the plate ``data``. All shapes below are those of a batch with fewer cases; of one
    without, ``(…, B, 1)`` takes the place of ``(C,)``.

    Attributes:
        codes: of the labels, ``(C, L)``.

    Args:
        y: labels ``(B, L)`` as the program is called with, NaN where missing.
        codes: ``(…, B, 1, L)``, what was missing filled in; enumeration puts its dimensions in
            front.
    """

    def __init__(self, y: Tensor, codes: Tensor) -> None:
        self.known, self.missing = rows_by_missing(y)
        self.codes, self._entries = codes, codes.squeeze(-2)
        # Where there are plates beside ``data``, dimensions in front may be theirs.
        enumerated = codes.dim() > 3 and len(get_plates()) == 1
        self.fewer = enumerated and len(self.known) > 0
        if self.fewer:
            self.shape = codes.shape[:-1]
            self.settings = self.shape[:-2]
            self._order = torch.cat([self.known, self.missing]).argsort()
            self.codes = self.of(codes, event=1)

    def encode(self, encoder: Encoder, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation ``(C, S)`` by an encoder that shares features over settings.

        Args:
            encoder: features ``(B, F)`` and codes ``(…, B, L)`` to both, ``(…, B, S)``.
            features: of the batch, ``(B, F)``.
        """
        if not self.fewer:
            loc, scale = encoder(features, self._entries)
            return loc.unsqueeze(-2), scale.unsqueeze(-2)
        codes = self.codes.narrow(0, 0, len(self.known))
        known = encoder(features.index_select(0, self.known), codes)
        entries = self._entries.index_select(-2, self.missing)
        missing = encoder(features.index_select(0, self.missing), entries)
        loc, scale = (
            torch.cat([one, each.flatten(0, -2)]) for one, each in zip(known, missing, strict=True)
        )
        return loc, scale

    def of(self, value: Tensor, event: int) -> Tensor:
        """What ``value`` ``(…, B, 1, …)`` has for each case, ``(C, …)``.

        Args:
            value: of entries; for an observed row its first counts.
            event: dimensions that follow on those of the batch.
        """
        if not self.fewer:
            return value
        rows = value.squeeze(-1 - event)
        rows = rows.expand(*self.shape[:-1], *rows.shape[rows.dim() - event :])
        depth = len(self.settings)
        first = rows[(0,) * depth]
        missing = rows.index_select(depth, self.missing)
        return torch.cat([first.index_select(0, self.known), missing.flatten(0, depth)])

    def spread(self, value: Tensor) -> Tensor:
        """A value of every case ``(C, …)`` at all entries that it stands for, ``(…, B, 1, …)``."""
        event = value.shape[1:]
        settings, rows = self.settings.numel(), (len(self.known), len(self.missing))
        known, missing = value.split([rows[0], settings * rows[1]])
        known = known.expand(settings, *known.shape)
        entries = torch.cat([known, missing.view(settings, rows[1], *event)], 1)
        return entries.index_select(1, self._order).view(*self.shape, *event)

    def site(self, fn: TorchDistribution) -> TorchDistribution:
        """The distribution ``(…, B, 1)`` of a site of which ``fn`` ``(C,)`` has every case."""
        return EachCase(fn, self) if self.fewer else fn


class EachCase(TorchDistribution):
    """A distribution over the cases of a batch, drawn and evaluated once for each.

    Args:
        base_dist: batch shape ``(C,)``.
        cases: where they stand.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}

    def __init__(self, base_dist: TorchDistribution, cases: Cases) -> None:
        self.base_dist, self.cases = base_dist, cases
        super().__init__(cases.shape, base_dist.event_shape, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        """The base's."""
        support: constraints.Constraint = self.base_dist.support
        return support

    @property
    def has_rsample(self) -> bool:
        """Whether the base has."""
        has: bool = self.base_dist.has_rsample
        return has

    @property
    def mean(self) -> Tensor:
        """The base's, at every entry."""
        return self.cases.spread(self.base_dist.mean)

    def sample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A draw ``(…, B, 1, …)``, the same at all entries of a case."""
        with EntryNoise(self.cases):
            return self.cases.spread(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008
        """A reparameterised draw ``(…, B, 1, …)``, the same at all entries of a case."""
        with EntryNoise(self.cases):
            return self.cases.spread(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density of values ``(…, B, 1, …)``, ``(…, B, 1)``."""
        return self.cases.spread(self.base_dist.log_prob(self.cases.of(value, self.event_dim)))


class EntryNoise(TorchFunctionMode):
    """Within it normal noise for the cases is drawn for all entries, and each case takes its own.

    So a row's noise depends on where the row stands in the batch, and not on how many others miss
    labels: several processes that share a batch can draw as one
    (see :mod:`ccvae.inference.training.noise`). That is all it is for; it makes nothing faster.
    """

    def __init__(self, cases: Cases) -> None:
        super().__init__()
        self.cases = cases

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if getattr(func, "__name__", "") != "normal_":
            return func(*args, **(kwargs or {}))
        noise, *options = args
        event = noise.shape[1:]
        entries = noise.new_empty(*self.cases.shape, *event).normal_(*options, **(kwargs or {}))
        return noise.copy_(self.cases.of(entries, len(event)))
