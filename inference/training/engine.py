"""The processes and devices that a training runs on, through Lightning Fabric.

Fabric starts the processes, averages their gradients and sets the precision of the networks. It is
imported where there is any of that to do; one process in float32 does not wait for it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import torch
from pyro.infer.elbo import ELBOModule
from torch import Tensor, nn
from torch.optim import Optimizer

from ...loading import choose
from ...networks.heads import Decoder, Encoder

if TYPE_CHECKING:
    from lightning_fabric import Fabric

T = TypeVar("T")

PRECISIONS: dict[str, Literal["32-true", "bf16-mixed"]] = {"32": "32-true", "bf16": "bf16-mixed"}
"""In the second the networks compute in bfloat16; densities and parameters stay as they are."""


class Alone:
    """One process on one device in float32: what a training asks of Fabric, and nothing to do.

    Args:
        device: where the steps are.
    """

    world_size, global_rank, is_global_zero = 1, 0, True

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            self.device = torch.device("cuda", device.index or 0)
            torch.cuda.set_device(self.device)

    def launch(self) -> None:
        """There is no other process to start."""

    def setup(self, module: ELBOModule, optimizer: Optimizer, *, move_to_device: bool) -> Any:
        """The module and its optimiser as they are, which are where they should be."""
        return module, optimizer

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of a loss to the parameters'."""
        loss.backward()

    def all_reduce(self, value: Tensor, **_: Any) -> Tensor:
        """The same, as there are no others."""
        return value

    def broadcast(self, value: T) -> T:
        """The same, as there are no others."""
        return value


if TYPE_CHECKING:
    Engine: TypeAlias = Fabric | Alone


def engine(
    device: torch.device, *, devices: int = 1, nodes: int = 1, precision: str = "32"
) -> Engine:
    """What runs the steps of a training.

    Args:
        device: the kind of device; its index counts where there is one of them.
        devices: how many on each machine, with a process each.
        nodes: machines; start the command on each, as ``torchrun`` or a cluster does.
        precision: a name of :data:`PRECISIONS`.

    Raises:
        ValueError: for more devices than there are.
    """
    choose("precision", precision, PRECISIONS)
    if devices < 1 or nodes < 1:
        raise ValueError(f"expected at least one device and node, got {devices} and {nodes}")
    there = torch.cuda.device_count() if device.type == "cuda" else devices
    if devices > there:
        raise ValueError(f"{devices} devices were asked for and {there} are here; lower --devices")
    several = devices * nodes > 1
    if not several and precision == "32" and "WORLD_SIZE" not in os.environ:
        return Alone(device)
    from lightning_fabric import Fabric
    from lightning_fabric.strategies import DDPStrategy

    return Fabric(
        # A module on the meta device, where tests count read-backs, has no accelerator.
        accelerator="cuda" if device.type == "cuda" else "cpu",
        devices=[device.index or 0] if device.type == "cuda" and not several else devices,
        num_nodes=nodes,
        # A batch without labels leaves the classifiers' parameters without a gradient.
        strategy=DDPStrategy(find_unused_parameters=True) if several else "auto",
        precision=PRECISIONS[precision],
    )


def single(device: torch.device) -> Engine:
    """One process on one device, in float32."""
    return engine(device)


def compile_networks(*programs: nn.Module) -> None:
    """Compile the trunks of all encoders and decoders in place, on their first call.

    Their parameters keep their names. On a CPU this needs a C++ compiler.
    """
    for program in programs:
        for part in program.modules():
            if isinstance(part, Encoder | Decoder):
                part.trunk.compile()


M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h


def keep_freed_memory() -> None:
    """Let glibc keep what a step frees for the next one, for the rest of the process.

    By default it gives large blocks back to the system at once, and the next step takes the same
    ones page by page: a step of CC-VAE on 100 images of 64×64 takes 220 ms of a processor with this
    and 260 ms without. Elsewhere than on Linux with glibc nothing happens.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_MMAP_MAX, 0)  # blocks of any size from the heap, which is not given back
            mallopt(M_TRIM_THRESHOLD, -1)
