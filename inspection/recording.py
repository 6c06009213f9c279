"""Running programs to note their sites, so that nothing of the runs remains."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pyro
import torch
from pyro.infer.autoguide import AutoGuide, AutoStructured
from pyro.poutine.messenger import Messenger
from torch import Tensor, nn

from ..inference.checks.dry_run import advice
from ..inference.checks.untouched import untouched
from ..models.program import Program as OwnProgram
from .arguments import (
    bound,
    declared_space,
    innermost,
    mark,
    named_tensors,
    referred,
)
from .provenance import Provenance
from .recorder import CONSTANT, INPUT, PART, Recorder, bare, part_of
from .sites import Record
from .statements import place_of

Program = Callable[..., Any]

LABELLED = ("z_c", "z_y", "y", "labels")
"""What the contract has one of for each kind of labels, or for each label: ``y_SUFFIX``."""

HALVES = ("_observed", "_unobserved")


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
        self._shown = False
        named = bound(program, args, kwargs)
        self.inputs = dict(named_tensors(named))
        self.arrays = {n: a for n, a in named.items() if isinstance(a, np.ndarray)}
        self.by_axes = declared_space(program) is None
        if like is not None:
            self.inputs = {**like.inputs, **_others(self.inputs, like.inputs)}
            self.by_axes = like.by_axes

    def run_with(self, value: Any, other: Any, *handlers: Any) -> None:
        """Run the program with another value in the place of one of its arguments."""
        args, kwargs = self.args, self.kwargs
        self.args = tuple(other if item is value else item for item in args)
        self.kwargs = {name: other if item is value else item for name, item in kwargs.items()}
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
        with torch.no_grad():
            try:
                self.program(*self.args, **self.kwargs)
                return
            except RuntimeError as error:  # a program may differentiate within itself
                if "require grad" not in str(error):
                    raise
        with torch.enable_grad():
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
        self.run(provenance, *reads, recorder, *handlers, seed=seed)
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


def record(program: Program, *args: Any, **kwargs: Any) -> Record:
    """Run a program and note its sites.

    A program of the suite's is run once. Anybody's else is run again with its sites drawn anew, for
    what its tensors do not show: see :mod:`ccvae.inspection.evidence`.

    The program's parameters, Pyro's parameter store, the random state and torch's default type are
    left as they were.

    Args:
        program: with Pyro's sample statements.
        args, kwargs: what it is called with. A missing entry (NaN, or −1 in a vector of codes) is
            no origin: what is all missing does not count as an input.

    Raises:
        ValueError: where the program fails, with its file and line.
    """
    return examined(Runner(program, args, kwargs))


def examined(runner: Runner, *, deterministic: bool = False) -> Record:
    """The record of a program, its edges weighed by redrawing where the program is not ours.

    Args:
        runner: of the program. deterministic: note ``pyro.deterministic`` as a site.
    """
    with sealed(runner.program):
        first = runner.record(deterministic=deterministic)
        found = record_of(runner, first)
        if runner.own or isinstance(innermost(runner.program), AutoGuide):
            return found
        from .evidence import weigh
        from .experiment import Experiment

        experiment = Experiment(runner, first, deterministic=deterministic)
        experiment.perform()
        return weigh(found, experiment)


@contextlib.contextmanager
def sealed(*programs: Program) -> Iterator[None]:
    """Run programs inside without validation and without leaving a trace of it."""
    with untouched(*programs), pyro.validation_enabled(False):
        yield


def record_of(runner: Runner, recorder: Recorder) -> Record:
    """A run as a record."""
    read = sorted({bare(origin) for origin in _of_variables(recorder)})
    halves = dict(recorder.halves)
    if declared_space(runner.program) is not None:
        halves |= declared_halves(recorder)
    names = [*recorder.sites, *recorder.plate_names, *halves.values()]
    return Record(
        recorder.sites,
        tuple(read),
        halves,
        label_kinds(runner.program, names),
        problems=tuple(dict.fromkeys(recorder.problems)),
        stated=stated_by(runner.program, recorder),
        observations=recorder.observations,
    )


def stated_by(program: Program, recorder: Recorder) -> dict[str, frozenset[str]]:
    """What a structured guide of Pyro's says that it draws its sites given.

    It computes a site's noise from the noise of all that come before its parents, too, which the
    parents' values make no difference to.
    """
    inner = innermost(program)
    if not isinstance(inner, AutoStructured):
        return {}
    return {name: frozenset(inner.dependencies.get(name, ())) for name in recorder.sites}


def _of_variables(recorder: Recorder) -> list[Any]:
    names = [
        origin if isinstance(origin, str) else origin[0] for origin in recorder.provenance.read
    ]
    return [name for name in names if name[0] != PART and not name.startswith(f"{INPUT}{CONSTANT}")]


def is_own(program: Program) -> bool:
    """Whether a program is one of the suite's, which compute everything by torch."""
    inner = innermost(program)
    ours = type(inner).__module__.partition(".")[0] == __name__.partition(".")[0]
    return ours and isinstance(inner, OwnProgram)


def referred_tensors(program: Program) -> Iterator[tuple[str, Tensor]]:
    """Tensors that a program refers to and that are no parameters."""
    seen: set[int] = set()
    for name, value in referred(program):
        for path, tensor in named_tensors({name: value}):
            if not isinstance(tensor, nn.Parameter) and id(tensor) not in seen:
                seen.add(id(tensor))
                yield path, tensor


def label_kinds(program: Program, names: list[str]) -> dict[str, str]:
    """Sites and plates that differ in the kind or the name of a label alone, as a space states."""
    space = declared_space(program)
    if space is None:
        return {}
    suffixes = [kind.suffix for kind in space.kinds] + [f"_{name}" for name in space.names]
    ends = {suffix + half for suffix in ["", *suffixes] for half in ("", *HALVES)}
    return {
        name: base
        for base in LABELLED
        for name in names
        if name.startswith(base) and name.removeprefix(base) in ends
    }


def declared_halves(recorder: Recorder) -> dict[str, str]:
    """The two sites of a label that a program with a label space writes out itself."""
    found: dict[str, str] = {}
    for name, site in recorder.sites.items():
        whole = name.removesuffix(HALVES[0])
        if whole != name and site.observed and whole + HALVES[1] in recorder.sites:
            found |= {whole + half: whole for half in HALVES}
    return found


def _others(own: Mapping[str, Tensor], names: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a program's own that have no name yet."""
    named = {id(tensor) for tensor in names.values()}
    return {name: tensor for name, tensor in own.items() if id(tensor) not in named}
