"""Noise keyed by seed, step and row: the same however often a training stops, wherever it runs.

Every step seeds the generator from the training's seed and the step's own number, so nothing that
came before decides its noise, and a checkpoint needs no random state. Where several processes share
a step, :class:`RowNoise` gives each row the noise that it would have had in one. It makes nothing
faster, and one process does not use it; by it two processes train to the weights of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from pyro.poutine.util import site_is_subsample
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ...seeds import seed_of as seed_of
from ..objectives.draw import DATA

NORMAL, UNIFORM = ("randn_like", "normal_"), ("rand_like", "uniform_")
"""What draws elementwise noise, in torch's distributions and in the suite's own."""


def part_of(rank: int, processes: int) -> slice:
    """Which rows of a batch are a process's."""
    return slice(rank, None, processes)


@contextmanager
def keyed_noise(seed: int, rows: int, rank: int = 0, processes: int = 1) -> Iterator[None]:
    """Noise for a step on so many rows, of which a process has its part.

    Args:
        seed: of the step, the same in all processes. rows: of the whole batch.
        rank: of this process. processes: that share the batch.
    """
    if processes == 1:
        torch.manual_seed(seed)
        yield
    else:
        torch.manual_seed(seed_of(seed, rank))
        with RowNoise(seed, rows, part_of(rank, processes)):
            yield


class RowNoise(Messenger):
    """Draw the sites of a process's rows as part of the whole batch's draw.

    Each process draws the noise of all rows from one seed and keeps that of its own: a few numbers
    for every latent dimension, where a step costs millions. Sites outside the plate ``data``, and
    noise that is not elementwise, are left to the process's own generator.

    Args:
        seed: of the step, the same in all processes.
        rows: of the whole batch.
        part: which of them are this process's.
    """

    def __init__(self, seed: int, rows: int, part: slice) -> None:
        super().__init__()
        self.seed, self.rows, self.part = seed, rows, part
        self.generator: torch.Generator | None = None

    def _pyro_sample(self, msg: Message) -> None:
        if msg["done"] or msg["is_observed"] or site_is_subsample(msg):
            return
        for frame in msg["cond_indep_stack"]:
            if frame.name == DATA and frame.dim is not None:
                dim = frame.dim - len(msg["fn"].event_shape)
                with _Widened(self, dim):
                    msg["value"] = msg["fn"](*msg["args"], **msg["kwargs"])
                msg["done"] = True

    def draw(self, like: Tensor, dim: int, method: str, *args: object, **kwargs: object) -> Tensor:
        """This process's rows of noise for all rows.

        Args:
            like: of the noise's shape, dtype and device. dim: its dimension of rows.
            method: that fills a tensor with noise. args, kwargs: of that method.
        """
        if self.generator is None:
            self.generator = torch.Generator(like.device).manual_seed(self.seed)
        shape = list(like.shape)
        shape[dim] = self.rows
        whole = like.new_empty(shape)
        getattr(whole, method)(*args, **kwargs, generator=self.generator)
        return whole.movedim(dim, 0)[self.part].movedim(0, dim)


class _Widened(TorchFunctionMode):
    """Within a site: elementwise noise is a part of the whole batch's."""

    def __init__(self, noise: RowNoise, dim: int) -> None:
        super().__init__()
        self.noise, self.dim = noise, dim
        self.local = len(range(noise.rows)[noise.part])

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        kwargs = kwargs or {}
        for like, in_place in (NORMAL, UNIFORM):
            if name in (like, in_place) and self._has_rows(args[0]):
                noise = self.noise.draw(args[0], self.dim, in_place, *args[1:], **kwargs)
                return noise if name == like else args[0].copy_(noise)
        return func(*args, **kwargs)

    def _has_rows(self, noise: Tensor) -> bool:
        return noise.ndim >= -self.dim and noise.shape[self.dim] == self.local
