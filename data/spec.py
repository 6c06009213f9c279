"""Data sets by specification, as the command line names them.

A specification is one text that says everything, so that a run directory can keep it and every
command can take it: a kind, what the kind needs after a colon, and options as in a web address, for
instance ``images:photos?labels=photos.csv&image_size=32``. The options of ``ccvae train`` and
``ccvae data`` are another way to write these (:func:`with_options`).
"""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from ..config import FILES, SOURCE
from ..ranges import check_fits, whole
from ..specification import check_option, is_naming, split
from .dataset import Dataset

SPECIFICATIONS = {
    "faces": "faces or faces:N, N rendered faces (12 000 by default)",
    "digits": "digits, 5 000 MNIST digits; digits:ROOT, all of MNIST as torchvision keeps it",
    "rotated-digits": (
        "rotated-digits:ANGLE, 1 000 digits at six angles, tested on one of 0 (by default), 15, "
        "30, 45, 60 and 75 degrees; rotated-digits:ANGLE:held-out, tested on other digits"
    ),
    "celeba": "celeba:ROOT, CelebA as torchvision keeps it",
    "images": "images:DIR, your own images with --labels FILE.csv (or images:FILE.npz)",
}
"""For each kind of specification, how it is written."""


def load(spec: str, only: str = "") -> Dataset:
    """The data set of a specification.

    Args:
        spec: one of the kinds above, and options.
        only: names of the labels to keep, separated by commas; all by default (for CelebA the 18
            of the paper).

    Raises:
        OSError: where files are missing, or a cache cannot be written.
        ValueError: for a specification of no known kind, an option that it does not have, a label
            that the data set does not have (the message lists those that exist), or files with
            more faults than are tolerable.
    """
    body, options = split(spec)
    names = [name.strip() for name in only.split(",")] if only else []
    dataset = _load(body, names, options)
    if names and body.partition(":")[0] not in FILES:  # those have kept these alone
        dataset = dataset.only(names)
    if "missing" not in options:
        return dataset
    return dataset.hiding(_shares(options["missing"], dataset), _number("data_seed", options))


def with_options(spec: str, options: Mapping[str, str | int | Path | None]) -> str:
    """A specification with more options; names of files in it become absolute.

    Args:
        spec: with or without options of its own, which the new ones replace.
        options: by name; those that are None are left out.

    Raises:
        ValueError: for an option that its kind does not have.
    """
    body, given = split(spec)
    kind, colon, rest = body.partition(":")
    if kind in FILES and rest:
        body = kind + colon + os.path.abspath(rest)
    for name, value in options.items():
        if value is not None:
            check_option(kind, name)
            given[name] = str(value)
    for name, value in given.items():
        is_path = SOURCE[name].is_path and not is_naming(value)
        given[name] = os.path.abspath(value) if is_path else value
    if not given:
        return body
    ordered = {name: given[name] for name in SOURCE if name in given}
    return f"{body}?{urlencode(ordered, quote_via=quote, safe='/|=,:')}"


def moved(spec: str, data: str | None, labels: str | None) -> str:
    """A specification whose images or table lie elsewhere now.

    Args:
        spec: what it was. data: the specification now, whose options replace those of before.
        labels: the table now. Without it one that lay within the images' folder moves with them.

    Raises:
        ValueError: for an option that the data set does not have.
    """
    body, options = split(spec)
    now, given = split(data) if data else (body, {})
    if data and body.partition(":")[0] == now.partition(":")[0] == "images":
        before, table = Path(body.partition(":")[2]), Path(options.get("labels", ""))
        if table.is_relative_to(before) and not table.exists():
            options["labels"] = str(Path(now.partition(":")[2]) / table.relative_to(before))
        given = options | given
    elif not data:
        given = options
    return with_options(now, {**given, **({"labels": labels} if labels else {})})


def is_there(spec: str) -> bool:
    """Whether the files that a specification names are where it says."""
    body, options = split(spec)
    kind, _, rest = body.partition(":")
    named = [text for name, text in options.items() if SOURCE[name].is_path]
    places = [rest] * (kind in FILES) + [text for text in named if not is_naming(text)]
    return all(os.path.exists(place) for place in places)


def placeless(spec: str) -> str:
    """A specification without the places of its files, as ``images:?image_size=32``."""
    body, options = split(spec)
    kind = body.partition(":")[0]
    if kind not in FILES:
        return spec
    return with_options(
        f"{kind}:", {name: text for name, text in options.items() if not SOURCE[name].is_path}
    )


def _load(body: str, names: list[str], options: Mapping[str, str]) -> Dataset:
    kind, _, rest = body.partition(":")
    if kind in FILES:
        return _from_files(body, names, options)
    if kind == "faces":
        from .faces import faces

        found = faces(_count(body, rest)) if rest else faces()
        return found.averaged(_number("image_size", options, found.shape[1]))
    if kind == "digits":
        from .digits import digits

        return digits(root=Path(rest) if rest else None)
    if kind == "rotated-digits":
        return _rotated(body, rest)
    raise ValueError(f"unknown data set {body!r}; write {'; or '.join(SPECIFICATIONS.values())}")


def _from_files(body: str, names: list[str], options: Mapping[str, str]) -> Dataset:
    from .decode import Decoding

    kind, _, rest = body.partition(":")
    if not rest:
        raise ValueError(f"data set {body!r}: expected a folder; write {SPECIFICATIONS[kind]}")
    decoding = None
    if {"image_size", "crop"} & options.keys():
        decoding = Decoding(_number("image_size", options, 64), _number("crop", options))
    if kind == "celeba":
        from .celeba import celeba

        test_on = options.get("test_on", "test")
        return celeba(Path(rest), only=names, decoding=decoding, test_on=test_on)
    from .images import images

    labels = options.get("labels")
    return images(
        Path(rest),
        labels if labels is None or is_naming(labels) else Path(labels),
        only=names,
        kinds=options.get("kinds", ""),
        decoding=decoding,
        seed=_number("data_seed", options),
        file_column=options.get("file_column", ""),
        missing_marks=options.get("missing_marks"),
        join=options.get("join", ""),
        sided=_yes("sided", options),
    )


def _yes(name: str, options: Mapping[str, str]) -> bool | None:
    text = options.get(name)
    if text not in (None, "yes", "no"):
        raise ValueError(f"expected yes or no for {name}, got {text!r}")
    return None if text is None else text == "yes"


def _number(name: str, options: Mapping[str, str], default: int = 0) -> int:
    text = options.get(name, str(default))
    try:
        return whole(*SOURCE[name].range)(text)
    except ArgumentTypeError as error:
        raise ValueError(f"{name.replace('_', '-')}: {error}") from None


def _shares(text: str, dataset: Dataset) -> dict[str, float]:
    """Shares by label, from one number for all of them or from a list."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, equals, share = part.rpartition("=")
        try:
            number = float(share)
        except ValueError:
            raise ValueError(
                f"expected missing as a share, or as NAME=SHARE,NAME=SHARE, got {text!r}"
            ) from None
        names = [name.strip()] if equals else dataset.space.names
        shares |= dict.fromkeys(names, number)
    return shares


def _count(spec: str, text: str) -> int:
    count = int(text) if text.isdecimal() and len(text) < 20 else 10**20 * text.isdecimal()
    if count < 12:
        raise ValueError(f"data set {spec!r}: expected a number of at least 12 faces, got {text!r}")
    size = count * 3 * 64**2
    check_fits(size, f"the data set {spec[:40]!r}", "choose fewer faces")
    return count


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
