"""Data sets by specification, as the command line names them."""

from __future__ import annotations

from pathlib import Path

from .dataset import Dataset

SPECIFICATIONS = {
    "faces": "faces or faces:N, N rendered faces (12 000 by default)",
    "digits": "digits, 5 000 MNIST digits; digits:ROOT, all of MNIST as torchvision keeps it",
    "rotated-digits": (
        "rotated-digits:ANGLE, 1 000 digits at six angles, tested on one of 0 (by default), 15, "
        "30, 45, 60 and 75 degrees; rotated-digits:ANGLE:held-out, tested on other digits"
    ),
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
    if kind == "rotated-digits":
        return _rotated(spec, rest)
    raise ValueError(f"unknown data set {spec!r}; write {'; or '.join(SPECIFICATIONS.values())}")


def _count(spec: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 12:
        raise ValueError(f"data set {spec!r}: expected a number of at least 12 faces, got {text!r}")
    return int(text)


def _rotated(spec: str, rest: str) -> Dataset:
    from .rotated import ANGLES, rotated_digits

    angle, _, test = rest.partition(":")
    if (angle or "0") not in map(str, ANGLES):
        raise ValueError(
            f"data set {spec!r}: expected a left-out angle among {', '.join(map(str, ANGLES))}, "
            f"got {angle!r}; write rotated-digits:ANGLE or rotated-digits:ANGLE:held-out"
        )
    if test not in ("", "held-out"):
        raise ValueError(
            f"data set {spec!r}: expected nothing or held-out after the angle, got {test!r}; "
            f"write rotated-digits:{angle} or rotated-digits:{angle}:held-out"
        )
    return rotated_digits(int(angle or 0), held_out=test == "held-out")
