"""Data sets in memory (or mapped into it), their batches, and which rows keep their labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from types import ModuleType
from zlib import crc32

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from .batch import Batch
from .forms import Real
from .keeping import labelled_rows as labelled_rows
from .labels import LabelSpace
from .missing import noted, rows_by_missing
from .symmetries import NONE, Moves, Symmetries


@dataclass(frozen=True, repr=False)
class Dataset:
    """Images with labels.

    Attributes:
        name: what the data set is called in reports.
        images: ``(N, C, H, W)`` unsigned bytes, which may be a file mapped read-only.
        labels: ``(N, L)`` floats, NaN where missing.
        domains: ``(N,)`` integer codes with −1 where missing, or None.
        space: the meaning of the columns of ``labels``.
        train: rows to train on. test: rows to evaluate on. Both ``(n,)`` integers, disjoint.
        problems: what was found wrong while it was read, and what was done about it.
        notes: what was understood while it was read, where it might be meant otherwise.
        symmetries: what may be done to an image without a change to what is said of it.
        digest: of the images, where what keeps them vouches for it.

    Raises:
        ValueError: where lengths differ or a label's code is out of range.
    """

    name: str
    images: Tensor
    labels: Tensor
    domains: Tensor | None
    space: LabelSpace
    train: Tensor
    test: Tensor
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    symmetries: Symmetries = NONE
    digest: str = ""

    def __post_init__(self) -> None:
        rows = {len(self.images), len(self.labels)}
        if self.domains is not None:
            rows.add(len(self.domains))
        if len(rows) > 1:
            raise ValueError(
                f"{self.name}: expected as many images as label rows (and domains), got "
                f"{sorted(rows)}; every image needs one row"
            )
        self.space.check(self.labels)

    def __repr__(self) -> str:
        return f"{self.in_words}; labels {', '.join(self.space.names)}"

    def _repr_html_(self) -> str:
        html: str = _shown().dataset_page(self)
        return html

    @property
    def in_words(self) -> str:
        """Its sizes in a line."""
        channels, height, width = self.shape
        domains = f", {self.domain_count} domains" if self.domain_count else ""
        return (
            f"{self.name}: {len(self.images)} images of {channels}×{height}×{width}, "
            f"{len(self.train)} to train and {len(self.test)} to test{domains}"
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """An image's shape, (C, H, W)."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @property
    def domain_count(self) -> int:
        """How many domains the rows come from; 0 for a data set without domains."""
        return 0 if self.domains is None else int(self.domains.max()) + 1

    def only(self, names: Sequence[str]) -> Dataset:
        """The same images with some of the labels, in the order given.

        Raises:
            ValueError: for a label that the data set does not have.
        """
        columns = [self.space.index(name) for name in names]
        space = LabelSpace(self.space.labels[column] for column in columns)
        return replace(self, labels=self.labels[:, columns], space=space)

    def averaged(self, side: int) -> Dataset:
        """The same images with fewer pixels along each side, every one the mean of a square.

        Raises:
            ValueError: where the sides are not whole squares' of so many pixels.
        """
        height, width = self.shape[1:]
        if (height, width) == (side, side):
            return self
        if height != width or height % side:
            raise ValueError(
                f"expected an image size that {height} is a whole multiple of, got {side}; choose "
                f"{height // 2} or {height // 4}"
            )
        images = avg_pool2d(self.images.float(), height // side).round().to(torch.uint8)
        return replace(self, images=images, digest="")

    def hiding(self, shares: Mapping[str, float], seed: int) -> Dataset:
        """The same images, with some labels of training rows missing completely at random.

        Args:
            shares: for each label to thin out, the share of its annotated training rows that lose
                it: exactly ``round(share · n)`` of them, chosen independently of other labels.
            seed: of the choice.

        Raises:
            ValueError: for an unknown label, or a share outside [0, 1].
        """
        labels = self.labels.clone()
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"expected a share of {name} between 0 and 1, got {share}")
            column = self.space.index(name)
            known = self.train[~labels[self.train, column].isnan()]
            # Seeded by the name, so that a label loses the same rows whichever others are used.
            generator = torch.Generator().manual_seed(seed * 100_003 + crc32(name.encode()))
            order = torch.randperm(len(known), generator=generator)
            labels[known[order[: round(share * len(known))]], column] = torch.nan
        return replace(self, labels=labels)

    def subset(self, rows: Tensor, labels: Tensor | None = None) -> Rows:
        """The given rows as a set to draw batches from.

        Args:
            rows: positions ``(n,)`` in this data set.
            labels: ``(n, L)`` labels to show in place of the data set's own.
        """
        return Rows(self, rows, self.labels[rows] if labels is None else labels)

    def training(self, fraction: float, seed: int, *, balanced: bool = False) -> Rows:
        """The training rows, of which exactly ``round(fraction · n)`` keep their labels.

        The rows that keep them depend on the seed alone, and those of a smaller fraction are
        among those of a larger one.

        Args:
            fraction: of the training rows. seed: of the choice.
            balanced: take as many of each class as of any other, as far as they go; for data sets
                with one label.

        Raises:
            ValueError: for a fraction outside [0, 1], one that leaves no labelled row although it
                is not 0, or ``balanced`` with several labels.
        """
        if balanced and len(self.space) != 1:
            raise ValueError(
                f"balanced labels need a data set with one label, this one has {len(self.space)}; "
                "choose one of them, or drop the option"
            )
        if balanced and isinstance(self.space.labels[0], Real):
            raise ValueError(
                f"balanced labels need classes, and {self.space.names[0]} is a number; drop the "
                "option, or state another kind with --kinds"
            )
        classes = self.labels[self.train, 0] if balanced else None
        kept = labelled_rows(len(self.train), fraction, seed, classes)
        labels = torch.full_like(self.labels[self.train], torch.nan)
        labels[kept] = self.labels[self.train[kept]]
        return self.subset(self.train, labels)


@dataclass(frozen=True, repr=False)
class Rows:
    """Some rows of a data set, with the labels that are shown of them.

    Attributes:
        dataset: where the images come from.
        rows: positions ``(n,)`` in it.
        labels: ``(n, L)`` labels as shown, NaN where hidden or missing.
    """

    dataset: Dataset
    rows: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"{len(self)} rows of {self.dataset.name}, {int(self.shown.sum())} with labels"

    @property
    def labelled(self) -> Rows:
        """Those rows of which at least one label is shown."""
        return self.at(self.shown)

    @property
    def labelled_share(self) -> float:
        """The share of those rows."""
        return self.shown.float().mean().item()

    @property
    def shown(self) -> Tensor:
        """Of which rows at least one label is shown, ``(n,)``."""
        return ~self.labels.isnan().all(-1)

    def at(self, index: Tensor) -> Rows:
        """The rows at ``index`` ``(m,)``, or where it is true ``(n,)``."""
        return Rows(self.dataset, self.rows[index], self.labels[index])

    def first(self, count: int) -> Rows:
        """The first ``count`` rows, or all where there are fewer."""
        return Rows(self.dataset, self.rows[:count], self.labels[:count])

    def batch(
        self,
        index: Tensor,
        device: torch.device | str = "cpu",
        *,
        weights: Tensor | None = None,
        moves: Moves | None = None,
    ) -> Batch:
        """The rows at ``index`` ``(B,)`` of this set, as floats on ``device``.

        Args:
            index: positions in this set. device: where the batch is put.
            weights: what each row counts for in a loss, ``(B,)``.
            moves: what is done to the images first.
        """
        rows = self.rows[index]
        labels = self.labels[index]
        domains = self.dataset.domains
        # On bytes, index_select takes a twentieth of the time of images[rows].
        images = self.dataset.images.index_select(0, rows)
        if moves is not None:
            images = moves.apply(images)
        return Batch(
            # Bytes travel and become floats where they arrive, in the layout of the networks.
            x=_floats(_move(images, device)),
            y=noted(
                _move(labels, device), *(_move(part, device) for part in rows_by_missing(labels))
            ),
            d=None if domains is None else _move(domains[rows], device),
            index=_move(index, device),
            size=len(self),
            weights=None if weights is None else _move(weights.float(), device),
        )

    def batches(
        self, size: int, seed: int | None = None, device: torch.device | str = "cpu"
    ) -> Iterator[Batch]:
        """One pass over the rows in batches of at most ``size``.

        Args:
            size: rows per batch; the last batch may be smaller.
            seed: shuffles the pass; None keeps the order.
            device: where the batches are put.
        """
        order = torch.arange(len(self)) if seed is None else self.order(seed)
        for index in order.split(size):
            yield self.batch(index, device)

    def moves(self, count: int, seed: int) -> Moves | None:
        """What is done to so many images in training; None where nothing may be done to them."""
        symmetries = self.dataset.symmetries
        return symmetries.draw(count, seed) if symmetries else None

    def order(self, seed: int) -> Tensor:
        """The rows' positions ``(n,)`` in a random order."""
        return torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))


def _shown() -> ModuleType:
    """What draws data sets in a notebook. It lies above this layer, and only a notebook asks."""
    return import_module("..inspection.notebook.datasets", __package__)


def _floats(images: Tensor) -> Tensor:
    """Bytes as floats in [0, 1], channels last."""
    return images.to(torch.float32, memory_format=torch.channels_last).div_(255)


def _move(tensor: Tensor, device: torch.device | str) -> Tensor:
    """The tensor on a device; the copy to a GPU does not wait, nor make the next step wait."""
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
