"""A data set's specification taken apart, and the names that follow from it; no data are needed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qsl

from .config import FILES, SOURCE

COMMON = ("images", "image", "img", "imgs", "pictures", "data", "files", "train", "png", "jpg")
"""Names of folders that say nothing of what is in them."""


FOLDERS, PATTERN = "folders", "pattern:"
"""How ``--labels`` begins where there is no table."""


def is_naming(labels: object) -> bool:
    """Whether labels are in names, and not in a table of this name."""
    return isinstance(labels, str) and bool(
        re.fullmatch(rf"{FOLDERS}(:.*)?|{PATTERN}.*", labels, re.DOTALL)
    )


def split(spec: str) -> tuple[str, dict[str, str]]:
    """A specification without its options, and these.

    Raises:
        ValueError: for an option that its kind does not have.
    """
    body, mark, query = spec.rpartition("?")
    # A folder's name may have a question mark in it.
    folder = spec.partition(":")[2]
    if not mark or (folder and Path(folder).is_dir()):
        return spec, {}
    options = dict(parse_qsl(query, keep_blank_values=True))
    kind = body.partition(":")[0]
    for name in options:
        check_option(kind, name)
    return body, options


def check_option(kind: str, name: str) -> None:
    """Raise unless a kind of data sets has an option.

    Raises:
        ValueError: with the options that it has.
    """
    known = [key for key, option in SOURCE.items() if not option.kinds or kind in option.kinds]
    if name not in known:
        raise ValueError(
            f"data set {kind!r} has no option {name.replace('_', '-')}; it has "
            f"{', '.join(key.replace('_', '-') for key in known)}"
        )


def short_name(spec: str) -> str:
    """A specification without folders and options, to name files by."""
    body, _ = split(spec)
    kind, colon, rest = body.partition(":")
    return f"{kind}{colon}{Path(os.path.abspath(rest)).name}" if kind in FILES else spec


def title_of(spec: str) -> str:
    """The short name for people: with the folder around one whose name says nothing.

    >>> title_of("images:/home/me/faces/images?crop=3"), title_of("images:photos")
    ('images:faces/images', 'images:photos')
    """
    body, _ = split(spec)
    kind, _, rest = body.partition(":")
    path = Path(os.path.abspath(rest))
    if kind in FILES and path.name.lower() in COMMON and path.parent.name:
        return f"{kind}:{path.parent.name}/{path.name}"
    return short_name(spec)


def default_directory(program: str, objective: str, data: str, seed: int) -> Path:
    """Where a run is kept if nothing else is said.

    Args:
        objective: its name. data: its specification.
    """
    parts = (program, objective, short_name(data), str(seed))
    return Path("runs") / "-".join(re.sub(r"[^\w.,=-]", "_", part) for part in parts)
