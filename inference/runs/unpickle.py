r"""Tensors out of what ``torch.save`` wrote, without running any of it.

A pickle is a program: it names functions and calls them. torch's restricted unpickler knows the
few that tensors need and refuses every other. A whole module that was pickled names classes
besides; each of those listed in :data:`CLASSES` is read as :class:`Inert`, which keeps the state
that comes with it and does nothing. The classes themselves need not be there, and neither they nor
``torch.nn`` are called.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.serialization import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)

CLASSES = (
    "models.networks.CELEBADecoder",
    "models.networks.CELEBAEncoder",
    "models.networks.Classifier",
    "models.networks.CondPrior",
    "models.networks.Diagonal",
    "models.networks.View",
    "torch.nn.modules.activation.ReLU",
    "torch.nn.modules.activation.Sigmoid",
    "torch.nn.modules.container.Sequential",
    "torch.nn.modules.conv.Conv2d",
    "torch.nn.modules.conv.ConvTranspose2d",
    "torch.nn.modules.linear.Linear",
)
"""What the networks published with CC-VAE (Joy et al. 2021) are made of, as a pickle names it."""

LARGEST = 64 * 2**20
"""Bytes that the tensors of a file may have together, and that its entries may unpack to: some ten
times what the published networks need."""


class Inert:
    """Stands for a class of :data:`CLASSES`: a module's state, and nothing that acts on it."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Without this method the unpickler would set whatever attributes the file names.
        if not isinstance(state, dict):
            raise ValueError(f"expected a module's state as a dictionary, got {type(state)}")
        self.state = state


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The parameters and buffers of a pickled module or state dict, by their dotted names.

    Returns:
        tensors on the CPU, whatever device they were saved from.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: for a file that names anything but tensors and :data:`CLASSES`, that is
            damaged, or that holds something else.
    """
    try:
        _check_size(path)
        with _nothing_else_allowed(), warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")  # torch warns of oddities that it then refuses
            content = torch.load(file, map_location="cpu", weights_only=True)
        found = dict(_tensors(content, set()))
    except FileNotFoundError:
        raise
    except Exception as error:  # a file can be wrong in any way that a program can
        raise ValueError(f"{path} was refused, and nothing of it ran: {_reason(error)}") from error
    for name, value in found.items():
        if not isinstance(value, Tensor) or value.layout != torch.strided or value.is_meta:
            raise ValueError(
                f"{path}: expected a dense tensor under {name!r}, got {type(value).__name__}; give "
                "a module or its state dict as torch.save wrote it"
            )
    size = sum(value.numel() * value.element_size() for value in found.values())
    if size > LARGEST:
        raise ValueError(
            f"{path}: expected at most {LARGEST >> 20} MiB of tensors, as published networks have, "
            f"got {size >> 20}; give what CC-VAE's published code saved"
        )
    return {name: value.detach() for name, value in found.items()}


@contextmanager
def _nothing_else_allowed() -> Iterator[None]:
    """torch's list of what may be unpickled, with :data:`CLASSES` and no addition of others."""
    others = get_safe_globals()
    clear_safe_globals()
    try:
        with safe_globals([(Inert, name) for name in CLASSES]):
            yield
    finally:
        add_safe_globals(others)


def _check_size(path: Path) -> None:
    """Raise where a file, or what its compressed entries unpack to, is larger than any of ours."""
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = max(size, sum(entry.file_size for entry in archive.infolist()))
    if size > LARGEST:
        raise ValueError(f"it unpacks to {size >> 20} MiB, of which {LARGEST >> 20} are expected")


def _tensors(content: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Tensors by dotted names; a module that stands in several places is listed in the first."""
    if isinstance(content, dict):
        yield from ((str(name), value) for name, value in content.items())
        return
    if not isinstance(content, Inert):
        raise ValueError(f"expected a module or a state dict, got {type(content).__name__}")
    if id(content) in seen:
        return
    seen.add(id(content))
    for kind in ("_parameters", "_buffers"):
        yield from content.state.get(kind, {}).items()
    for name, child in content.state.get("_modules", {}).items():
        yield from ((f"{name}.{rest}", value) for rest, value in _tensors(child, seen))


def _reason(error: Exception) -> str:
    """In one line what the unpickler had against a file."""
    text = str(error)
    named = re.search(r"GLOBAL (\S+)", text)
    if named:
        return (
            f"it names {named[1].rstrip('.')!r}, which is not among the classes of the published "
            "networks"
        )
    if "Only persistent_load of storage" in text:
        return (
            "it is a whole module in the format of torch before 1.6, which carries source code; "
            "save its state_dict() instead"
        )
    if text.startswith("it unpacks to "):
        return text
    text = text.rpartition("WeightsUnpickler error: ")[2].strip()
    first = re.split(r"\. |\n", text)[0] or type(error).__name__
    return f"it is no module or state dict that torch.save wrote whole ({first})"
