"""Data sets by specification, as the command line names them."""

from __future__ import annotations

from pathlib import Path

from .dataset import Dataset

SPECIFICATIONS = {
    "faces": "faces or faces:N, N rendered faces (12 000 by default)",
    "digits": "digits, 5 000 MNIST digits; digits:ROOT, all of MNIST as torchvision keeps it",
}
"""For each kind of specification, how it is written."""


def load(spec: str, only: str = "") -> Dataset:
    """The data set of a specification.

    Args:
        spec: one of the kinds above.
        only: names of the labels to keep, separated by commas; all by default.

    Raises:
        ValueError: for a specification of no known kind or a label that the data set does not
            have; the message lists those that exist.
    """
    dataset = _load(spec)
    return dataset.only([name.strip() for name in only.split(",")]) if only else dataset


def _load(spec: str) -> Dataset:
    kind, _, rest = spec.partition(":")
    if kind == "faces":
        from .faces import faces

        return faces(_count(spec, rest)) if rest else faces()
    if kind == "digits":
        from .digits import digits

        return digits(root=Path(rest) if rest else None)
    raise ValueError(f"unknown data set {spec!r}; write {'; or '.join(SPECIFICATIONS.values())}")


def _count(spec: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 12:
        raise ValueError(f"data set {spec!r}: expected a number of at least 12 faces, got {text!r}")
    return int(text)
