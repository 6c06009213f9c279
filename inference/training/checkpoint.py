"""Checkpoints in safetensors files: they hold no code, and one is always whole."""

from __future__ import annotations

import json
from collections.abc import Set
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from ...files import write_atomically

VERSION = 2
"""2 says where within an epoch a training stands; 1 had whole epochs."""


def save_checkpoint(
    path: Path,
    modules: dict[str, nn.Module],
    optimizer: Optimizer | None,
    tensors: dict[str, Tensor] | None = None,
    **facts: Any,
) -> None:
    """Write the weights of named modules, an optimiser's state, more tensors, and facts as JSON."""
    tensors = dict(tensors or {}) | {
        f"{name}.{key}": value
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }
    if optimizer is not None:
        tensors |= {
            f"optimizer.{index}.{key}": torch.as_tensor(value)
            for index, state in optimizer.state_dict()["state"].items()
            for key, value in state.items()
        }
    tensors = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    facts["version"] = VERSION
    write_atomically(path, save(tensors, metadata={"ccvae": json.dumps(facts)}))


def load_checkpoint(
    path: Path, modules: dict[str, nn.Module], optimizer: Optimizer | None = None
) -> dict[str, Any]:
    """Read what :func:`save_checkpoint` wrote into the modules and the optimiser.

    Returns:
        the facts.

    Raises:
        ValueError: for a file that is missing, damaged, of a newer version, or of other modules.
    """
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get("ccvae", "{}"))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise ValueError(f"{path} does not exist; train the run first") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(
            f"{path} is not a whole checkpoint ({error}); train again, with --resume if another "
            "checkpoint of the run is left"
        ) from error
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
        _load_optimizer(optimizer, tensors)
    return facts


def _few(names: Set[str]) -> str:
    """Some of the names, and how many more there are."""
    shown = sorted(names)[:2]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") if shown else "nothing"


def _load_module(path: Path, name: str, module: nn.Module, tensors: dict[str, Tensor]) -> None:
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
        module.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(
            f"{path} does not hold the weights of this {name} ({reason}); its run has another "
            "configuration"
        ) from error


def _load_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".", 2)
            states.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": states})
    # Fused steps walk through a parameter and its moments in the order of memory, which a file
    # does not keep: channels-last weights need channels-last moments.
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter).copy_(value)
