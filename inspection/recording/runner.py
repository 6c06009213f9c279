"""Running programs to note their sites, so that nothing of the runs remains."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyro
import torch
from pyro.poutine.messenger import Messenger
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from ...inference.checks.dry_run import advice
from ...models.program import NetworkProgram
from .arguments import (
    Program,
    bound,
    declared_space,
    innermost,
    mark,
    named,
    referred,
)
from .provenance import Provenance
from .recorder import CONSTANT, INPUT, PART, Recorder, part_of
from .statements import place_of


class Runner:
    """Runs one program, with the same random numbers every time.

    Args:
        program, args, kwargs: what is run, and on what.
        name: of the program, for messages.
        like: the runner of the model where this is its guide, which names the same tensors.
    """

    def __init__(
        self,
        program: Program,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        name: str = "program",
        like: Runner | None = None,
    ) -> None:
        self.program, self.args, self.kwargs, self.name = program, args, dict(kwargs), name
        self.own = is_own(program)
        self._shown = self._differentiates = False
        arguments = bound(program, args, kwargs)
        self.inputs = dict(named(arguments, Tensor))
        self.arrays = dict(named(arguments, np.ndarray))
        self.by_axes = declared_space(program) is None
        if like is not None:
            self.inputs = {**like.inputs, **_others(self.inputs, like.inputs)}
            self.by_axes = like.by_axes

    def run_with(self, value: Any, other: Any, *handlers: Any) -> None:
        """Run the program with another value in the place of one of its arguments."""
        args, kwargs = self.args, self.kwargs
        self.args, self.kwargs = tree_map(lambda v: other if v is value else v, (args, kwargs))
        try:
            self.run(*handlers)
        finally:
            self.args, self.kwargs = args, kwargs

    def run(self, *handlers: Any, seed: int = 0) -> None:
        """Run the program once within handlers, from the outermost to the innermost.

        Raises:
            ValueError: where it fails, with its file and line.
        """
        pyro.set_rng_seed(seed)
        with contextlib.ExitStack() as stack:
            for handler in handlers:
                stack.enter_context(handler)
            try:
                with self._quiet():
                    self._call()
            except Exception as error:
                raise ValueError(self.failure(error)) from error

    def failure(self, error: BaseException) -> str:
        """What a program failed with, in one line."""
        words = " ".join(str(error).split())
        reason = f"{type(error).__name__}: {words}" if words else type(error).__name__
        return f"the {self.name} failed{place_of(error)} with {reason}; {advice(words)}"

    def _call(self) -> None:
        with torch.set_grad_enabled(self._differentiates):
            self.program(*self.args, **self.kwargs)

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """What a program prints is shown once, where it is in nobody's way."""
        out = io.StringIO() if self._shown else sys.stderr
        self._shown = True
        with warnings.catch_warnings(), contextlib.redirect_stdout(out):
            warnings.simplefilter("ignore")
            yield

    def record(self, *handlers: Messenger, deterministic: bool = False, seed: int = 0) -> Recorder:
        """Run the program once under handlers and note its sites."""
        provenance = Provenance()
        self._mark(provenance)
        recorder = Recorder(provenance, deterministic=deterministic)
        reads = () if self.own else (recorder.reads,)
        try:
            self.run(provenance, *reads, recorder, *handlers, seed=seed)
        except ValueError as error:  # a program may differentiate within itself
            if self._differentiates or "require grad" not in str(error.__cause__):
                raise
            self._differentiates = True
            return self.record(*handlers, deterministic=deterministic, seed=seed)
        return recorder

    def _mark(self, provenance: Provenance) -> None:
        if not self.own:
            arguments = {id(tensor) for tensor in self.inputs.values()}
            for name, tensor in referred_tensors(self.program):
                if id(tensor) not in arguments:
                    mark(provenance, f"{INPUT}{CONSTANT}{name}", tensor, by_axes=True)
        module = innermost(self.program)
        for name, tensor in self.inputs.items():
            mark(provenance, f"{INPUT}{name}", tensor, by_axes=self.by_axes)
        if isinstance(module, nn.Module):
            for name, parameter in module.named_parameters():
                provenance.mark(parameter, f"{PART}{part_of(name)}")


def is_own(program: Program) -> bool:
    """Whether a program is one of the suite's, which compute everything by torch."""
    inner = innermost(program)
    ours = type(inner).__module__.partition(".")[0] == __name__.partition(".")[0]
    return ours and isinstance(inner, NetworkProgram)


def referred_tensors(program: Program) -> Iterator[tuple[str, Tensor]]:
    """Tensors that a program refers to and that are no parameters."""
    seen: set[int] = set()
    for name, value in referred(program):
        for path, tensor in named({name: value}, Tensor):
            if not isinstance(tensor, nn.Parameter) and id(tensor) not in seen:
                seen.add(id(tensor))
                yield path, tensor


def _others(own: Mapping[str, Tensor], names: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a program's own that have no name yet."""
    named = {id(tensor) for tensor in names.values()}
    return {name: tensor for name, tensor in own.items() if id(tensor) not in named}
