"""What the steps of a training are called with: rows of a data set, or a user's own minibatches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import torch
from torch import nn

from ...data import Batch, Rows
from ..evaluation.accuracy import accuracy
from ..foreign import Inputs, Minibatch
from .noise import part_of, seed_of
from .sampling import Drawn, Sampler

MONITORED = 512
"""Labelled training rows on which the accuracy is watched."""

MOVES = 1
"""What tells the seed of a step's mirrored images from that of its noise."""

Called = Batch | Minibatch
"""What both programs are called with."""


def thinned(batch: Called, rows: int | None) -> Called:
    """So many rows at most of a batch of a data set's; all of a user's own, or for None."""
    return batch.thinned(rows) if rows is not None and isinstance(batch, Batch) else batch


class Portion(NamedTuple):
    """What one step sees.

    Attributes:
        batch: this process's share. rows: of all processes; None where nobody knows it
            before the programs ran. last: whether it ends the epoch.
    """

    batch: Called
    rows: int | None
    last: bool


class Epoch(Protocol):
    """What an epoch's steps see."""

    @property
    def steps(self) -> int:
        """How many there are, or in an epoch like it."""
        ...

    @property
    def seen(self) -> int | None:
        """Rows of all its steps; None where nobody knows it before."""
        ...

    @property
    def labelled(self) -> float | None:
        """The share of its rows that have labels; None where there are none to have."""
        ...

    def portions(self, first: int) -> Iterator[Portion]:
        """What its steps see, from one of them on."""
        ...

    def watched(self, guide: nn.Module) -> dict[str, float]:
        """What is measured of a guide at its end."""
        ...


class Feed(Protocol):
    """What the epochs of a training see."""

    def epoch(self, number: int) -> Epoch:
        """One of them, counted from 0."""
        ...


class RowsFeed:
    """Rows of a data set, in the order of a sampler.

    Args:
        rows: of an epoch. size: of a batch, all processes together. seed: of order and moves.
        sampler: which rows each step sees. still: never move an image.
        device: where the batches are put. rank: of this process. processes: that share a batch.
    """

    def __init__(
        self,
        rows: Callable[[int], Rows],
        size: int,
        seed: int,
        sampler: Sampler,
        *,
        still: bool,
        device: torch.device,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self.rows, self.size, self.seed, self.sampler = rows, size, seed, sampler
        self.still, self.device, self.processes = still, device, processes
        self.part = part_of(rank, processes)

    def epoch(self, number: int) -> RowsEpoch:
        """The rows of an epoch, cut into steps: at least one row for every process."""
        rows = self.rows(number)
        batches = self.sampler(rows, self.size, self.seed, number)
        if len(batches) > 1 and len(batches[-1].rows) < self.processes:
            # Only where each row is seen once is a last batch smaller, and there none has weights.
            batches[-2:] = [Drawn(torch.cat([drawn.rows for drawn in batches[-2:]]), None)]
        return RowsEpoch(self, rows, batches, number)


class RowsEpoch:
    """The rows of an epoch; see :class:`Epoch`."""

    def __init__(self, feed: RowsFeed, rows: Rows, batches: list[Drawn], number: int) -> None:
        self.feed, self.rows, self.batches, self.number = feed, rows, batches, number

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.batches)

    @property
    def seen(self) -> int:
        """Rows of all its steps."""
        return sum(len(drawn.rows) for drawn in self.batches)

    @property
    def labelled(self) -> float:
        """The share of its rows that have labels."""
        return self.rows.labelled_share

    def portions(self, first: int) -> Iterator[Portion]:
        """What its steps see, from one of them on."""
        for step, drawn in list(enumerate(self.batches))[first:]:
            last = step == len(self.batches) - 1
            yield Portion(self._batch(drawn, step), len(drawn.rows), last)

    def watched(self, guide: nn.Module) -> dict[str, float]:
        """The accuracy on labelled rows, where the guide has a classifier."""
        return accuracy(guide, self.rows.labelled.first(MONITORED), self.feed.device)

    def _batch(self, drawn: Drawn, step: int) -> Batch:
        feed, moves = self.feed, None
        if not feed.still:
            seed = seed_of(feed.seed, self.number, step, MOVES)
            moves = self.rows.moves(len(drawn.rows), seed)
        index, weights = drawn.part(feed.part)
        return self.rows.batch(
            index,
            feed.device,
            weights=weights,
            moves=None if moves is None else moves.part(feed.part),
        )


class InputsFeed:
    """A user's own minibatches.

    Args:
        inputs: them. device: where their tensors are put.
    """

    def __init__(self, inputs: Inputs, device: torch.device) -> None:
        self.inputs, self.device = inputs, device

    def epoch(self, number: int) -> InputsEpoch:
        """Those of an epoch."""
        return InputsEpoch(self, number)


class InputsEpoch:
    """A user's own minibatches of an epoch; see :class:`Epoch`."""

    seen, labelled = None, None

    def __init__(self, feed: InputsFeed, number: int) -> None:
        self.feed, self.number = feed, number

    @property
    def steps(self) -> int:
        """How many there are in the first epoch."""
        return self.feed.inputs.count

    def portions(self, first: int) -> Iterator[Portion]:
        """What its steps see, from one of them on; those before are drawn as well."""
        before: Minibatch | None = None
        for step, batch in enumerate(self.feed.inputs.batches("train", self.number)):
            if before is not None:
                yield Portion(before.to(self.feed.device), None, last=False)
            before = batch if step >= first else None
        if before is None:
            raise ValueError(
                f"{self.feed.inputs.word} gave no minibatch of epoch {self.number + 1} beyond "
                f"step {first}; give as many in every epoch"
            )
        yield Portion(before.to(self.feed.device), None, last=True)

    def watched(self, guide: nn.Module) -> dict[str, float]:
        """Nothing."""
        return {}


def check_within(epoch: Epoch, done: int) -> None:
    """Raise where an epoch ends before a step that is said to be done.

    Raises:
        ValueError: there. Minibatches of the user's own are counted as they are drawn.
    """
    if epoch.seen is not None and done >= epoch.steps:
        raise ValueError(f"{done} steps of an epoch are done that has {epoch.steps}")


def count_of(batch: Called, count: int | None) -> int:
    """Rows of a step, of which a minibatch knows once the programs ran."""
    return batch.rows if count is None else count


def share_of(batch: Called) -> float:
    """What turns a total of the data set into the sum over the rows of a batch."""
    return batch.rows / batch.size
