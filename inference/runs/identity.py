"""Which run it is, and on which data: what resuming, evaluating and studying compare.

Both follow from the content alone, so that one command gives the same bytes wherever it runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from zlib import crc32

import msgspec
import torch
from torch import Tensor

from ...config import Config
from ...data import Dataset, LabelSpace
from ...data.spec import placeless
from ..catalogue import Signature
from ..foreign import Inputs

WHOLE = 256 * 2**20
"""Bytes of images that are read to the last; of more, rows that are evenly spaced are."""

CHUNK = 512
"""Rows that are read at a time."""


class Fingerprint(msgspec.Struct, frozen=True):
    """What tells data sets apart, in parts.

    Attributes:
        rows: how many there are. images, domains: of all rows. labels: of each label's codes.
        train, test: of the rows' positions.
    """

    rows: int
    images: str
    labels: dict[str, str]
    domains: str
    train: str
    test: str

    @classmethod
    def of(cls, dataset: Dataset) -> Fingerprint:
        """The fingerprint of a data set; reads its images, unless what keeps them vouches."""
        names = dataset.space.names
        domains = dataset.domains
        return cls(
            rows=len(dataset.images),
            images=dataset.digest or _of_images(dataset.images),
            labels={name: _of_codes(dataset.labels[:, i]) for i, name in enumerate(names)},
            domains="" if domains is None else _of_numbers(domains),
            train=_of_numbers(dataset.train),
            test=_of_numbers(dataset.test),
        )

    def to_json(self) -> dict[str, object]:
        """The same as plain data."""
        plain: dict[str, object] = msgspec.to_builtins(self)
        return plain


def fingerprint_of(inputs: Inputs) -> Fingerprint:
    """What tells a user's own minibatches from others: the first, and how many there are."""
    return Fingerprint(
        rows=len(inputs), images=inputs.fingerprint, labels={}, domains="", train="", test=""
    )


def run_id(config: Config, signature: Signature, data: Fingerprint) -> str:
    """The name of a run: of what decides its weights at every step, but for how far it goes.

    Where its images lie decides nothing.
    """
    options = config.to_json()
    options["data"] = placeless(config.data)
    del options["epochs"]
    if not config.inputs:  # which runs of before do not have
        del options["inputs"]
    parts = [options, signature.space.to_json(), signature.shape, signature.domains, data.to_json()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def changes(
    before: Signature, then: Fingerprint | None, now: Signature, data: Fingerprint
) -> list[str]:
    """What is other than it was, in words; empty where it is the same.

    Args:
        before, then: what the run keeps of its data; no fingerprint in runs of earlier versions.
        now, data: the data set as it is.
    """
    found = _of_spaces(before.space, now.space)
    if before.shape != now.shape:
        found.append(f"images of {before.shape} are of {now.shape} now")
    if before.domains != now.domains:
        found.append(f"{before.domains} domains are {now.domains} now")
    return found if then is None else found + _of_rows(then, data)


def _of_spaces(before: LabelSpace, now: LabelSpace) -> list[str]:
    if sorted(before.names) != sorted(now.names):
        return [f"the labels {', '.join(before.names)} are {', '.join(now.names)} now"]
    found = []
    if before.names != now.names:
        found.append(f"the labels' order {', '.join(before.names)} is {', '.join(now.names)} now")
    for label in before:
        other = now.labels[now.index(label.name)]
        if label == other:
            continue
        if label.classes != other.classes:
            old, new = (", ".join(each.classes) or "a number" for each in (label, other))
            found.append(f"the classes of {label.name}, {old}, are {new} now")
        elif type(label) is not type(other):
            kinds = [type(each).__name__.lower() for each in (label, other)]
            found.append(f"{label.name} was {kinds[0]} and is {kinds[1]} now")
        else:
            found.append(f"the mean or the deviation of {label.name} is another")
    return found


def _of_rows(then: Fingerprint, now: Fingerprint) -> list[str]:
    if then.rows != now.rows:
        what = "gone" if now.rows < then.rows else "new"
        return [f"{abs(now.rows - then.rows)} of {then.rows} rows are {what}, {now.rows} now"]
    found = ["images were replaced"] if then.images != now.images else []
    other = [name for name in then.labels if now.labels.get(name, "") != then.labels[name]]
    other = [name for name in other if name in now.labels]
    if other and sorted(then.labels[n] for n in other) == sorted(now.labels[n] for n in other):
        found.append(f"the columns of {' and '.join(other)} were exchanged")
    elif other:
        found.append(f"entries of {', '.join(other)} were changed")
    named = {"domains": "domains", "train": "rows to train on", "test": "rows to test on"}
    for part, words in named.items():
        if getattr(then, part) != getattr(now, part):
            found.append(f"the {words} are others")
    return found


def _of_images(images: Tensor) -> str:
    """A sum over bytes ``(N, C, H, W)``: all, or those of evenly spaced rows."""
    rows, size = len(images), images[:1].numel()
    if rows * size <= WHOLE:
        return _summed(rows, lambda start: images[start : start + CHUNK])
    count = max(1, WHOLE // max(size, 1))
    some = torch.linspace(0, rows - 1, count, dtype=torch.float64).round().long()
    return _summed(count, lambda start: images.index_select(0, some[start : start + CHUNK]))


def _summed(rows: int, part: Callable[[int], Tensor]) -> str:
    total = 0
    for start in range(0, rows, CHUNK):
        total = crc32(part(start).contiguous().numpy().data, total)
    return f"{total:08x}"


def _of_codes(codes: Tensor) -> str:
    """Of codes to four decimals, so that rounding on other machines does not count."""
    return _of_numbers((codes.double().nan_to_num(-1e9) * 1e4).round().long())


def _of_numbers(numbers: Tensor) -> str:
    return f"{crc32(numbers.long().contiguous().numpy().data):08x}"
