"""From runs of a program to the record of its sites."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pyro
from pyro.infer.autoguide import AutoGuide, AutoStructured

from ...inference.checks.untouched import untouched
from .arguments import Program, declared_space, innermost
from .evidence import weigh
from .experiment import Experiment
from .recorder import CONSTANT, INPUT, PART, Recorder, bare
from .runner import Runner
from .sites import Record

LABELLED = ("z_c", "z_y", "y", "labels")
"""What the contract has one of for each kind of labels, or for each label: ``y_SUFFIX``."""

HALVES = ("_observed", "_unobserved")


def record(program: Program, *args: Any, **kwargs: Any) -> Record:
    """Run a program and note its sites.

    A program of the suite's is run once. Anybody's else is run again with its sites drawn anew, for
    what its tensors do not show: see :mod:`ccvae.inspection.recording.evidence`.

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
