"""What is checked of a run's directory before anything is written there or read from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from ...config import Config
from ...data import Dataset
from ...data.spec import is_there, load
from ...files import say
from ...lock import holds_something
from ..catalogue import Signature
from .facts import CHECKPOINT, CONFIG, Facts, modules_of, read_facts
from .identity import Fingerprint, changes


def check_free(directory: Path) -> None:
    """Raise unless a new run may be written here: nothing but a run's own files is ever replaced.

    Raises:
        ValueError: where the directory holds a checkpoint, or anything beside a run that has none.
    """
    if (directory / CHECKPOINT).exists() and read_facts(directory) is not None:
        raise ValueError(
            f"{directory} already holds a trained run; give --resume to go on with it, or "
            "another --out"
        )
    if strange(directory):
        raise ValueError(
            f"{directory} is not empty and holds no run of ccvae, so nothing was written there; "
            "give another --out"
        )


def strange(directory: Path) -> bool:
    """Whether a directory holds something, and no run of ours."""
    return holds_something(directory) and read_facts(directory) is None


def check_own(directory: Path, name: str, standing: Mapping[str, object]) -> None:
    """Raise where a checkpoint says that it is another run's than the directory's.

    Raises:
        ValueError: naming both.
    """
    other = standing.get("run", "")
    if other and name and other != name:
        raise ValueError(
            f"{directory / CHECKPOINT} is of the run {other}, and {CONFIG} beside it of {name}; "
            "put the files of one run together again, or train again"
        )


def check_trusted(directory: Path, facts: Facts, trust: Collection[str]) -> None:
    """Raise where a run names modules of the user's that are not trusted.

    Raises:
        ValueError: with what to repeat the command with; or where it names what cannot be read.
    """
    try:
        foreign = sorted(modules_of(facts.config) - set(trust))
    except ValueError as error:
        raise ValueError(
            f"{directory / CONFIG} does not describe a run ({error}); train it again"
        ) from error
    if foreign:
        raise ValueError(
            f"{directory} names code of its own, {', '.join(foreign)}, which reading it would run; "
            f"if you know it, repeat the command with --trust {' --trust '.join(foreign)}"
        )


def check_same(
    directory: Path, facts: Facts, source: str, dataset: Dataset, *, other: bool = False
) -> Fingerprint:
    """Raise where a data set is not the one that a run was trained on; its fingerprint, if it is.

    Args:
        source: what names it, maybe another place than the run's.
        other: images and entries may be others, as long as labels and shape are the run's.

    Raises:
        ValueError: with what changed, or where a run of an earlier version cannot tell.
    """
    now, signature = Fingerprint.of(dataset), Signature.of(dataset)
    changed = changes(facts.signature, facts.data, signature, now)
    fits = facts.signature == signature
    moved = source != facts.config.data
    if moved and facts.data is None and not changed:
        changed = [f"an earlier version kept nothing to tell it from {facts.config.data!r} by"]
    if changed and not (other and fits):
        way = ", go on with them by --changed-data," if fits else ""
        then = f", {facts.config.data!r}" if moved else ""
        raise ValueError(
            f"{source!r} is not what {directory} was trained on{then}: {'; '.join(changed)}; give "
            f"back what it was{way} or give another --out"
        )
    if changed:
        say(f"{directory} goes on with other data: {'; '.join(changed)}")
    elif moved:
        say_same(directory, source)
    return now


def say_same(directory: Path, source: str) -> None:
    """Say that data that lie elsewhere now are a run's own."""
    say(f"{source!r} is what {directory} was trained on")


def data_of(directory: Path, source: str, only: str, *, moved: bool) -> Dataset:
    """The data set of a run.

    Args:
        source, only: what names it. moved: whether somebody said where it lies now.

    Raises:
        ValueError: where it is not there, with how to say where it is.
    """
    try:
        return load(source, only)
    except (ValueError, OSError) as error:
        if moved or is_there(source):
            raise
        raise ValueError(
            f"{error}; where the data of {directory} lie elsewhere now, 'ccvae evaluate', "
            "'ccvae study' and 'ccvae train --resume' take --data and --labels"
        ) from error


def compare(directory: Path, facts: Facts, source: str, dataset: Dataset, *, moved: bool) -> None:
    """Say what is other about a run's data.

    Args:
        moved: whether they lie elsewhere now, so that it is worth saying that they are the same.

    Raises:
        ValueError: for other labels or images of another shape, which the run cannot take.
    """
    now, signature = Fingerprint.of(dataset), Signature.of(dataset)
    changed = changes(facts.signature, facts.data, signature, now)
    what = f"{source!r} is not what {directory} was trained on: {'; '.join(changed)}"
    before = facts.signature
    if (signature.space, signature.shape) != (before.space, before.shape):
        raise ValueError(f"{what}; give back what it was, or train again")
    if changed:
        say(what)
    elif moved and facts.data is not None:
        say_same(directory, source)


def check_asked(directory: Path, before: Config, now: Config) -> None:
    """Raise where a run was asked for something else, but for how far it goes.

    Raises:
        ValueError: with what is other.
    """
    then, asked = before.to_json(), replace(now, epochs=before.epochs).to_json()
    changed = [f"{key} {then[key]} → {asked[key]}" for key in asked if then[key] != asked[key]]
    if changed:
        raise ValueError(
            f"{directory} was trained with other options ({'; '.join(changed)}); repeat them as "
            "they were, or give another --out"
        )


def check_single(config: Config, processes: int) -> None:
    """Raise where several processes are to share what only one can do.

    Raises:
        ValueError: saying what that is.
    """
    if processes > 1:
        what = f"minibatches of {config.inputs}" if config.inputs else config.objective_name
        raise ValueError(f"{what} cannot be shared by {processes} processes; give --devices 1")
