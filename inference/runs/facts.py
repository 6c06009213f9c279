"""What a run's directory says of it: ``config.json``, read and written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec

from ...config import Config
from ...data import LabelSpace
from ...files import is_whole, read_json, sealed, write_atomically
from ...words import GIVEN, modules_in, modules_of_programs
from ..catalogue import Signature
from .identity import Fingerprint
from .logbook import METRICS, STEPS, VALIDATION

CONFIG, CHECKPOINT, EVALUATION = "config.json", "checkpoint.safetensors", "evaluation.json"
NOT_FINITE = "not-finite.safetensors"
FILES = (CHECKPOINT, METRICS, VALIDATION, STEPS, EVALUATION, NOT_FINITE)
"""What a new training removes of an earlier one; ``config.json`` it replaces."""

TRAIN, DEMO, IMPORT = "train", "demo", "import"

CONVOLVED = ((64, 64), (28, 28))
"""Sizes of images for which ``auto`` was not one hidden layer in format 1."""

NO_IMAGES = Signature(LabelSpace(()), (0, 0, 0))
"""What a pair with minibatches of the user's own is made for, as far as the suite knows."""

_Side = Annotated[int, msgspec.Meta(ge=1, le=2**14)]


@dataclass(frozen=True)
class Facts:
    """What a run's directory says of it.

    Attributes:
        config: what it was asked for. signature: what its pair was made for.
        command: what made it. id: the run's name, empty in runs of earlier versions.
        data: what tells its data from others, as far as it is known.
        edited: whether the file is another than was written.
    """

    config: Config
    signature: Signature
    command: str = TRAIN
    id: str = ""
    data: Fingerprint | None = None
    edited: bool = False


class _Label(msgspec.Struct):
    """The types of a label's entry."""

    name: str
    classes: list[str] = []


class _Written(msgspec.Struct):
    """The types and ranges of ``config.json``; the rest is checked by what is made of it."""

    config: dict[str, Any]
    labels: list[_Label]
    shape: tuple[_Side, _Side, _Side] | None
    domains: Annotated[int, msgspec.Meta(ge=0, le=10**6)]
    command: str = TRAIN
    id: str = ""
    data: Fingerprint | None = None


def read_facts(directory: Path) -> Facts | None:
    """What a directory says of the run in it, or None where it is no run's."""
    try:
        return the_facts(directory)
    except ValueError:
        return None


BEFORE_APART = {"taught_apart": False}
"""How a run was trained whose configuration is from before there was a choice."""


def modules_of(config: Config) -> set[str]:
    """The modules of the user's that a configuration names.

    Raises:
        ValueError: where its program or its objective is no word that names one.
    """
    plain = {word.partition(":")[0] for word in (config.network, config.inputs) if ":" in word}
    found = plain | modules_in(config.objective) | modules_of_programs(config.program)
    return found - {GIVEN}


def the_facts(directory: Path) -> Facts:
    """The same of a directory that must be a run's.

    Raises:
        ValueError: where it is not.
    """
    written = read_json(directory / CONFIG)
    if written is None:
        raise ValueError(
            f"{directory} is not a run directory (no readable {CONFIG}); give one that "
            "'ccvae train' or 'ccvae demo' made"
        )
    try:
        run = msgspec.convert(written, _Written)
        config = Config.from_json(BEFORE_APART | run.config)
        space = LabelSpace.from_json(written["labels"])
        if config.inputs and run.shape is None and not run.labels:
            signature = NO_IMAGES
        elif run.shape is None or not run.labels:
            raise ValueError("expected labels and a shape of the images")
        else:
            signature = Signature(space, run.shape, run.domains)
        if run.config.get("version") == 1 and signature.shape[1:] not in CONVOLVED:
            config = replace(config, network=config.network.replace("auto", "mlp"))
        edited = not is_whole(written)
        return Facts(config, signature, run.command, run.id, run.data, edited)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{directory / CONFIG} does not describe a run ({error}); train it again"
        ) from error


def write_facts(directory: Path, facts: Facts) -> None:
    """Write what :func:`read_facts` reads."""
    written = {
        "command": facts.command,
        "config": facts.config.to_json(),
        "labels": facts.signature.space.to_json(),
        "shape": None if facts.signature == NO_IMAGES else facts.signature.shape,
        "domains": facts.signature.domains,
        "id": facts.id,
    }
    if facts.data is not None:
        written["data"] = facts.data.to_json()
    write_atomically(directory / CONFIG, json.dumps(sealed(written), indent=2).encode())
