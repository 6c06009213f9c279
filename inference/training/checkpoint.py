"""Checkpoints in safetensors files: they hold no code, and one is always whole.

Beside the tensors stands one JSON object: where the training stands, of which run it is, a digest
of the weights, by which an evaluation knows its own, and one of everything, which reading checks.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.optim import Optimizer

from ...files import write_atomically
from .moments import load_moments, moments_of

KEPT = ("model", "guide")
"""The modules that an evaluation is of; beside them may stand those in training."""

VERSION = 2
"""2 says where within an epoch a training stands; 1 had whole epochs."""

State = dict[str, Any]
"""Where something stands, as plain data by name."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Stateful(Protocol):
    """What a checkpoint holds: a module, or weights that stand in for one."""

    def state_dict(self) -> State:
        """Its tensors by name."""
        ...

    def load_state_dict(self, state: State) -> object:
        """Take tensors on."""
        ...


class Standing(msgspec.Struct):
    """The types and ranges of what a checkpoint says; the rest is as it was given.

    Attributes:
        best: score of the best epoch, and waited: epochs since then.
        moments: how many parameters the optimiser has a state of.
        run: the run's name. weights: digest of the modules. digest: of everything.
    """

    version: _Count = 0
    epoch: _Count | None = None
    done: _Count | None = None
    total: _Count | None = None
    totals: dict[str, float] | None = None
    epochs: _Count | None = None
    best: float | None = None
    waited: _Count = 0
    moments: _Count | None = None
    run: str = ""
    weights: str = ""
    digest: str = ""


PLACE = ("epoch", "done", "total", "totals")
"""What a training needs to go on."""


def save_checkpoint(
    path: Path,
    modules: Mapping[str, Stateful],
    optimizer: Optimizer | None,
    tensors: dict[str, Tensor] | None = None,
    **facts: object,
) -> None:
    """Write the weights of named modules, an optimiser's state, more tensors, and facts as JSON."""
    tensors = dict(tensors or {}) | _weights(modules)
    if optimizer is not None:
        tensors |= moments_of(optimizer)
        facts["moments"] = len(optimizer.state_dict()["state"])
    tensors = _apart({key: value.detach().cpu().contiguous() for key, value in tensors.items()})
    kept = {name: modules[name] for name in KEPT if name in modules}
    facts |= {"version": VERSION, "weights": weights_digest(kept or modules)}
    facts["digest"] = _digest(tensors, facts)
    write_atomically(path, save(tensors, metadata={"ccvae": json.dumps(facts)}))


def _apart(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same, with a copy of what stands under two names, which safetensors does not write."""
    seen: set[int] = set()
    for name, tensor in tensors.items():
        if tensor.data_ptr() in seen:
            tensors[name] = tensor.clone()
        seen.add(tensor.data_ptr())
    return tensors


def weights_digest(modules: Mapping[str, Stateful]) -> str:
    """What tells the weights of some modules from all others."""
    return _digest(_weights(modules))


def _weights(modules: Mapping[str, Stateful]) -> dict[str, Tensor]:
    return {
        f"{name}.{key}": value
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }


def _digest(tensors: dict[str, Tensor], facts: State | None = None) -> str:
    """A digest of tensors with their names, types and shapes, and of facts."""
    found = hashlib.sha256(json.dumps(facts or {}, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        value = tensor.detach().cpu().contiguous()
        found.update(repr((name, value.dtype, tuple(value.shape))).encode())
        found.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()[:32]


def read_standing(path: Path) -> Standing | None:
    """What a checkpoint says of itself, without its tensors; None where it cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            return msgspec.convert(_facts(file.metadata() or {}), Standing)
    except (SafetensorError, OSError, ValueError, RecursionError):
        return None


def _facts(metadata: dict[str, str]) -> State:
    """The object beside the tensors; an empty one in files of the earliest versions.

    Raises:
        ValueError: where it is not of the types that it should be.
    """
    if "ccvae" not in metadata and metadata.keys() - {"format"}:
        raise ValueError("it says nothing of its training")
    facts = json.loads(metadata.get("ccvae", "{}"))
    msgspec.convert(facts, Standing)
    if "weights" in facts and "digest" not in facts:
        raise ValueError("its digest is missing")
    found: State = facts
    return found


def load_training(path: Path, modules: Mapping[str, Stateful], optimizer: Optimizer) -> State:
    """The same as :func:`load_checkpoint` of one that a training can go on from.

    Raises:
        ValueError: as there, or where it does not say where its training stands.
    """
    facts = load_checkpoint(path, modules, optimizer)
    missing = [name for name in PLACE if facts.get(name) is None]
    if missing:
        raise NotWholeError(path, f"no {', '.join(missing)} of a training in it")
    if reason := _impossible(facts):
        raise NotWholeError(path, reason)
    return facts


def _impossible(facts: State) -> str:
    """Why no training can stand where the facts say; empty where one can."""
    epoch, done, total, totals = (facts[name] for name in PLACE)
    if epoch + done > total and facts["version"] > 1:
        return f"{total} steps are fewer than {epoch} epochs and {done} steps"
    if not all(math.isfinite(value) for value in (*totals.values(), facts.get("best") or 0.0)):
        return "what it counts is not finite"
    return "it counts steps of an epoch that has none" if totals and not done else ""


def load_checkpoint(
    path: Path, modules: Mapping[str, Stateful], optimizer: Optimizer | None = None
) -> State:
    """Read what :func:`save_checkpoint` wrote into the modules and the optimiser.

    Returns:
        the facts.

    Raises:
        ValueError: for a file that is missing, damaged, of a newer version, or of other modules.
    """
    try:
        with safe_open(path, framework="pt") as file:
            facts = _facts(file.metadata() or {})
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error
    written = {key: value for key, value in facts.items() if key != "digest"}
    if "digest" in facts and facts["digest"] != _digest(tensors, written):
        raise NotWholeError(path, "what it holds is not what was written")
    version = facts.get("version", 0)
    if version == 1 and "epochs" in facts:
        facts |= {"epoch": facts["epochs"], "done": 0, "total": 0, "totals": {}}
    if version > VERSION:
        raise ValueError(
            f"{path} was written by a newer ccvae (format {facts['version']}, this one reads "
            f"{VERSION}); upgrade ccvae"
        )
    for name, module in modules.items():
        _load_module(path, name, module, tensors)
    if optimizer is not None:
        try:
            load_moments(optimizer, tensors, facts.get("moments"))
        except (ValueError, KeyError, RuntimeError) as error:
            raise NotWholeError(path, f"the optimiser's state: {error}") from error
    return facts


def _unreadable(path: Path, error: Exception) -> ValueError:
    """Why a file is none that can be read."""
    if not path.exists():
        return ValueError(f"{path} does not exist; train the run first")
    # safetensors says of a file that it may not open that there is none.
    if path.is_file() and not os.access(path, os.R_OK):
        return ValueError(f"{path} may not be read; give yourself permission to read it")
    return NotWholeError(path, error)


class NotWholeError(ValueError):
    """A checkpoint that cannot be used.

    Args:
        path: of the file. reason: why.
    """

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(
            f"{path} is not a whole checkpoint ({reason}); train again, with --resume if another "
            "checkpoint of the run is left"
        )
        self.path = path


def _few(names: Set[str]) -> str:
    """Some of the names, and how many more there are."""
    shown = sorted(names)[:2]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") if shown else "nothing"


def _load_module(path: Path, name: str, module: Stateful, tensors: dict[str, Tensor]) -> None:
    state = {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
    own = module.state_dict()
    if own.keys() != state.keys():
        expected, got = _few(own.keys() - state.keys()), _few(state.keys() - own.keys())
        raise ValueError(
            f"{path} does not hold the weights of this {name}: expected {expected} where it has "
            f"{got}; its run has another configuration or is of another version of ccvae, so train "
            "it again, or use the version that wrote it"
        )
    try:
        for key, tensor in state.items():
            if (tensor.is_floating_point(), tensor.is_complex()) != (
                own[key].is_floating_point(),
                own[key].is_complex(),
            ):
                raise RuntimeError(f"{key} is of {tensor.dtype}, not {own[key].dtype}")
        module.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(
            f"{path} does not hold the weights of this {name} ({reason}); its run has another "
            "configuration"
        ) from error
