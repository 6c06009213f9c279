"""Ways of running a training step on a device, timed beside the bare networks of the same turns."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import pyro
import torch
from pyro.infer.elbo import ELBOModule
from torch import Tensor

from ..config import Config
from ..data import Batch, Dataset
from ..data.spec import load
from ..inference.catalogue import build_objective, build_pair
from ..inference.training.engine import compile_networks, engine
from ..inference.training.optimisation import adam
from .step import CONFIGS, Bare, bare_step
from .timing import Step


@dataclass(frozen=True)
class Scale:
    """How much is measured.

    Attributes:
        batch: images in a timed step. turns: timed steps. parity: rows of a compared batch.
        rows, epochs: of the small training. network: of the timed steps and the training.
    """

    batch: int = 200
    turns: int = 30
    parity: int = 12
    rows: int = 3000
    epochs: int = 6
    network: str = "auto"


SMALL = Scale(batch=24, turns=2, rows=120, epochs=1, network="mlp")
"""For the CPU beside itself."""


def timed_config(program: str, scale: Scale) -> Config:
    """What is timed of a program."""
    network = CONFIGS[program].network if program == "m2" else scale.network
    return replace(CONFIGS[program], network=network)


def timed(program: str, way: str, device: torch.device, scale: Scale) -> dict[str, Any]:
    """One way of running a program's step, beside its bare networks in the same turns."""
    row: dict[str, Any] = {"program": program, "way": way}
    try:
        config = timed_config(program, scale)
        data = load("digits" if program == "m2" else f"faces:{2 * scale.batch}")
        batch = data.training(0.5, 0).batch(torch.arange(scale.batch), device)
        step = WAYS[way](config, module_of(config, data, device), batch, device)
        _reset_peak(device)
        with torch.device(device):
            bare = bare_step(config, data, batch, Bare(1, "mixed", sampled=False))
        taken: dict[str, list[float]] = {"step": [], "bare": []}
        for turn in range(scale.turns + 3):
            for name, run in (("step", step), ("bare", bare)):
                start = time.perf_counter()
                run()
                _wait(device)
                if turn > 2:
                    taken[name].append(time.perf_counter() - start)
    except (RuntimeError, ValueError) as error:
        return {**row, "failed": str(error).splitlines()[0][:200]}
    seconds = median(taken["step"])
    ratio = median(s / b for s, b in zip(taken["step"], taken["bare"], strict=True))
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    return {
        **row,
        "ms": round(1e3 * seconds, 3),
        "ratio": round(ratio, 3),
        "images_per_second": round(scale.batch / seconds),
        "peak_mib": round(peak / 2**20),
    }


def module_of(config: Config, data: Dataset, device: torch.device) -> ELBOModule:
    """A configuration's objective of its pair, on a device."""
    model, guide = build_pair(config, data.space, data.shape, None, data.domain_count)
    return build_objective(config)(model.to(device), guide.to(device))


def _eager(config: Config, module: ELBOModule, batch: Batch, device: torch.device) -> Step:
    fabric = engine(device, precision=config.precision)
    wrapped, optimizer = fabric.setup(module, adam(module, config.lr), move_to_device=False)

    def step() -> Tensor:
        optimizer.zero_grad()
        with pyro.get_param_store().scope(), pyro.validation_enabled(False):
            loss: Tensor = wrapped(*batch.args, **batch.kwargs)
        fabric.backward(loss)
        optimizer.step()
        return loss

    return step


def _bfloat16(config: Config, module: ELBOModule, batch: Batch, device: torch.device) -> Step:
    return _eager(replace(config, precision="bf16"), module, batch, device)


def _compiled(config: Config, module: ELBOModule, batch: Batch, device: torch.device) -> Step:
    compile_networks(module.model, module.guide)
    return _eager(config, module, batch, device)


def _graph(config: Config, module: ELBOModule, batch: Batch, device: torch.device) -> Step:
    """The whole step captured once and replayed; its rows stay in the same memory."""
    if device.type != "cuda":
        raise ValueError("a CUDA graph needs a CUDA device")
    optimizer = torch.optim.Adam(module.parameters(), lr=config.lr, capturable=True)
    loss = torch.zeros((), device=device)

    def step() -> None:
        optimizer.zero_grad(set_to_none=False)
        with pyro.get_param_store().scope(), pyro.validation_enabled(False):
            value = module(*batch.args, **batch.kwargs)
        value.backward()
        optimizer.step()
        loss.copy_(value.detach())

    aside = torch.cuda.Stream(device)
    aside.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream(device).wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()

    def replay() -> Tensor:
        graph.replay()
        return loss

    return replay


WAYS = {"eager": _eager, "bfloat16": _bfloat16, "compiled": _compiled, "CUDA graph": _graph}
"""How a step can be run."""


def _reset_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
