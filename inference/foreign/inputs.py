"""Minibatches of a user's own, drawn from a stream that a training can take up anywhere.

A function of the user's returns what both programs are called with: a sequence of arguments, a
dictionary of keywords or a pair of both, which is one step an epoch; or an iterator (a generator, a
``DataLoader``) of these, of which each is a step. It may take ``part`` (``"train"``,
``"validation"`` or ``"test"``) and ``epoch``. It has random numbers of its own, which follow from
the training's seed and the epoch, so that no step of the training changes what it draws.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import pyro
import torch
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from pyro.poutine.util import site_is_subsample
from torch import Tensor

from ...faults import place_of
from ...loading import load_attribute
from ...seeds import seed_of
from ..objectives.draw import DATA
from .pair import SEEDS

PARTS = ("train", "validation", "test")
"""What minibatches may be for."""

MOST = 10**6
"""Minibatches of an epoch."""

Source = Callable[..., object] | Iterable[object]
"""A function of the user's that gives minibatches, or these themselves."""

DRAWN = 3
"""What tells the seed of an epoch's minibatches from those of its steps, whose noise would else be
the very numbers that a minibatch was drawn with."""


@dataclass
class Minibatch:
    """What both programs are called with.

    Attributes:
        args, kwargs: arguments and keywords.
        rows, size: how many rows its plate has here, and in all; known once it was run.
        weights: none, as all rows count alike.
    """

    args: tuple[object, ...]
    kwargs: dict[str, object]
    rows: int = 1
    size: int = 1
    weights: None = None

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Its tensors by name."""
        every = [*((str(i), value) for i, value in enumerate(self.args)), *self.kwargs.items()]
        return {name: value for name, value in every if isinstance(value, Tensor)}

    def to(self, device: torch.device | str) -> Minibatch:
        """The same with its tensors on a device."""
        return replace(self, args=_moved(self.args, device), kwargs=_moved(self.kwargs, device))


class Extent(Messenger):
    """Notes how many rows a minibatch has as its programs run: of the plate ``data``, or else of
    the outermost plate in which all observed sites lie; one where there is none.
    """

    def __init__(self, batch: Minibatch) -> None:
        super().__init__()
        self.batch = batch
        self.shared: dict[str, tuple[int, int, int]] | None = None

    def _pyro_sample(self, msg: Message) -> None:
        if not msg["is_observed"] or site_is_subsample(msg):
            return
        frames = {
            frame.name: (frame.dim or 0, frame.size, frame.full_size or frame.size)
            for frame in msg["cond_indep_stack"]
            if frame.vectorized and frame.size > 0
        }
        before = frames if self.shared is None else self.shared
        self.shared = {name: found for name, found in before.items() if name in frames}

    def __exit__(self, *stack: object) -> Any:
        shared = self.shared or {}
        if shared:
            _, rows, size = shared.get(DATA) or min(shared.values())
            self.batch.rows, self.batch.size = rows, size
        return super().__exit__(*stack)


class Inputs:
    """The minibatches of a training.

    Args:
        source: a function of the user's, see the module; or what one would return again and again:
            arguments, or a ``DataLoader``.
        word: what it is called in messages. seed: of the training.

    Raises:
        ValueError: for something else, or a function that fails.
    """

    def __init__(self, source: Source, word: str, seed: int) -> None:
        self.function, self.word, self.seed = _function(source, word), word, seed
        parameters = inspect.signature(self.function).parameters
        self.takes = {name for name in ("part", "epoch") if name in parameters}
        self._length = 0
        self.count = self._counted()

    @classmethod
    def named(cls, word: str, seed: int) -> Inputs:
        """Those of ``module:function``.

        Raises:
            ValueError: where there is no such function, or it fails.
        """
        return cls(load_attribute(word), word, seed)

    def __len__(self) -> int:
        """Minibatches of an epoch."""
        return self.count

    @property
    def first(self) -> Minibatch:
        """The first of the first epoch."""
        found = next(self.batches("train", 0), None)
        if found is None:
            raise ValueError(
                f"{self.word} gave minibatches and gives none when it is asked again; let every "
                "call return a new iterator"
            )
        return found

    def check_repeatable(self) -> None:
        """Raise where the same seed gives other minibatches, so that no training could resume.

        Raises:
            ValueError: saying what to draw from.
        """
        first = self.fingerprint
        if self.fingerprint != first:
            raise ValueError(
                f"{self.word} gives other minibatches every time that it is asked for those of one "
                "epoch, so that a training could not be taken up; draw from torch's, NumPy's or "
                "Python's own random numbers, which are seeded, or make the generator within it"
            )

    def has(self, part: str) -> bool:
        """Whether there are minibatches for a part."""
        return "part" in self.takes and next(self.batches(part, 0), None) is not None

    @property
    def fingerprint(self) -> str:
        """What tells them from others: of the first minibatch, and how many there are."""
        found = crc32(str(self.count).encode())
        for name, tensor in sorted(self.first.tensors.items()):
            value = tensor.detach().cpu().contiguous()
            found = crc32(f"{name}{value.dtype}{tuple(value.shape)}".encode(), found)
            found = crc32(value.reshape(-1).view(torch.uint8).numpy().data, found)
        return f"{found:08x}"

    def batches(self, part: str, epoch: int) -> Iterator[Minibatch]:
        """The minibatches of a part in an epoch.

        Raises:
            ValueError: where the function fails, or gives something that no program is called with.
        """
        asked: dict[str, object] = {"part": part, "epoch": epoch}
        outside = pyro.util.get_rng_state()
        pyro.set_rng_seed(seed_of(self.seed, epoch, PARTS.index(part), DRAWN) % SEEDS)
        own = pyro.util.get_rng_state()
        pyro.util.set_rng_state(outside)
        source: Iterator[object] | None = None
        for _ in range(MOST):
            outside = pyro.util.get_rng_state()
            pyro.util.set_rng_state(own)
            try:
                if source is None:
                    source = self._source(self.function(**{n: asked[n] for n in self.takes}))
                given = next(source, None)
            except Exception as error:
                words = f"{type(error).__name__}: {' '.join(str(error).split())}"
                place = place_of(error)
                where = f" at {place}" if place else ""
                raise ValueError(
                    f"{self.word} failed{where} with {words}; correct it, or name another function"
                ) from error
            finally:
                own = pyro.util.get_rng_state()
                pyro.util.set_rng_state(outside)
            if given is None:
                return
            yield self._minibatch(given)
        raise ValueError(
            f"{self.word} gives more than {MOST} minibatches an epoch; let it come to an end"
        )

    def _source(self, found: Any) -> Iterator[object]:
        if found is None:
            return iter(())
        if isinstance(found, list | tuple | dict | Tensor) or not _gives(found):
            return iter([found])
        self._length = len(found) if isinstance(found, Sized) else 0
        return iter(found)

    def _minibatch(self, given: object) -> Minibatch:
        match given:
            case Tensor():
                return Minibatch((given,), {})
            case (list() | tuple() as args, dict() as kwargs):
                return Minibatch(tuple(args), dict(kwargs))
            case list() | tuple():
                return Minibatch(tuple(given), {})
            case dict():
                return Minibatch((), dict(given))
        raise ValueError(
            f"expected {self.word} to return a sequence of arguments, a dictionary of keywords, a "
            f"pair of both, or an iterator of these, got {type(given).__name__}"
        )

    def _counted(self) -> int:
        """How many there are in the first epoch, by its length where it has one."""
        count = 0
        for _ in self.batches("train", 0):
            if self._length:
                return self._length
            count += 1
        if not count:
            raise ValueError(f"{self.word} gave no minibatch; return at least one for training")
        return count


def _function(source: Source, word: str) -> Callable[..., object]:
    """A function of minibatches, of what is one or would be returned by one.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(source, Iterator):
        raise ValueError(
            f"{word} is used up after one epoch; give a function that returns a new iterator"
        )
    if not callable(source) and isinstance(source, Iterable):
        return lambda: source
    if not callable(source):
        raise ValueError(
            f"{word} is neither minibatches nor a function that returns some, but "
            f"{type(source).__name__}"
        )
    return source


def _gives(found: object) -> bool:
    """Whether something gives minibatches one after the other; arrays and tables give rows."""
    return isinstance(found, Iterable) and not (
        isinstance(found, str) or hasattr(type(found), "__array__")
    )


def _moved(value: Any, device: torch.device | str) -> Any:
    """Whatever holds tensors, with these on a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, Mapping):
        return {name: _moved(part, device) for name, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_moved(part, device) for part in value)
    return value
