"""A Pyro program of the user's as a torch module, whatever holds its parameters.

Pyro trains what a program tells its parameter store: by ``pyro.param``, by ``pyro.module``, or by
being a ``PyroModule``. The suite trains the parameters of modules, keeps them in a checkpoint, and
runs every step in an empty store. So a program becomes a module that holds the networks which it is
made of or refers to, and as :class:`Loose` whatever else it asked of the store when it was run on
its first batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyro
import torch
from pyro import poutine
from pyro.infer import ELBO
from pyro.params.param_store import ParamStoreDict
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from torch import Tensor, nn
from torch.distributions import constraints

from ...data import LabelSpace, Real
from ...guides import ClassPrediction, NumberPrediction, Prediction
from ...models.program import Kept
from ..checks.applying import check_applies
from ..objectives.sites import Program
from ..objectives.store import modules
from ..objectives.unweighted import weighs


class Loose(nn.Module):
    """Parameters that stand in Pyro's store alone, shared by both programs of a pair.

    Attributes:
        names: of the parameters there, in the order in which they were asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.constraints: dict[str, constraints.Constraint] = {}

    def take(self, name: str, unconstrained: Tensor, constraint: constraints.Constraint) -> None:
        """Hold one more, which is trained from now on."""
        if not isinstance(unconstrained, nn.Parameter):
            unconstrained = nn.Parameter(unconstrained.detach().clone())
        self.names.append(name)
        self.constraints[name] = constraint
        self.register_parameter(_key(name), unconstrained)

    def announce(self, store: ParamStoreDict) -> None:
        """Put them into a store that does not have them."""
        missing = [name for name in self.names if name not in store]
        if missing:
            held = {name: self.get_parameter(_key(name)) for name in missing}
            bounds = {name: self.constraints[name] for name in missing}
            store.set_state({"params": held, "constraints": bounds})


class Foreign(nn.Module):
    """A program of the user's.

    Args:
        program: a function, a method or a module. loose: shared with the other of the pair.

    Attributes:
        complete: whether it was run on a first batch. weighs: of a model, whether any site of
            the pair had a weight there, so that an objective of Pyro's is no bound.
    """

    def __init__(self, program: Program, loose: Loose) -> None:
        super().__init__()
        self._program = (program,)  # in a tuple, so that it is registered once, among the parts
        self.parts = nn.ModuleList(networks(program))
        self.loose = loose
        self.complete = self.weighs = False

    @property
    def program(self) -> Program:
        """The program as it was given."""
        return self._program[0]

    def forward(self, *args: object, **kwargs: object) -> object:
        """Run the program."""
        self.loose.announce(pyro.get_param_store())
        with Kept(), _Known(self):
            return self.program(*args, **kwargs)


class _Known(Messenger):
    """Refuses a parameter that was not there on the first batch, and so would not be trained."""

    def __init__(self, program: Foreign) -> None:
        super().__init__()
        self.active = program.complete
        self.names = set(program.loose.names)
        self.known = {id(parameter) for parameter in program.parameters()}

    def _pyro_post_param(self, msg: Message) -> None:
        value: Any = msg["value"]
        if not self.active or msg["name"] in self.names or id(value.unconstrained()) in self.known:
            return
        raise ValueError(
            f"the parameter {msg['name']!r} was not asked for on the first batch, so it is not "
            "trained; ask for all of them, by pyro.param or pyro.module, whatever the batch is"
        )


class ForeignClassifier(Foreign):
    """A guide of the user's that predicts.

    Args:
        program, loose: see :class:`Foreign`.
        asked: what it predicts with, ``predict(x)`` or, with minibatches of the user's own,
            whatever of their arguments it takes.
        space: of the labels; empty with such minibatches.
    """

    def __init__(
        self, program: Program, loose: Loose, asked: Callable[..., Any], space: LabelSpace
    ) -> None:
        super().__init__(program, loose)
        self.asked, self.space = asked, space

    def ask(self, **given: object) -> Tensor:
        """What ``predict`` says of arguments by their names: codes, or scores of the classes."""
        with pyro.get_param_store().scope():
            self.loose.announce(pyro.get_param_store())
            said: Tensor = self.asked(**given)
        return said

    def predict(self, x: Tensor) -> list[Prediction]:
        """What it says of the labels of images; see :func:`predictions`."""
        with pyro.get_param_store().scope():
            self.loose.announce(pyro.get_param_store())
            return predictions(self.asked(x), self.space, len(x))


def predictions(said: Any, space: LabelSpace, rows: int) -> list[Prediction]:
    """What a user's ``predict`` returned as the suite's guides say it.

    Args:
        said: codes ``(B, L)``, or ``(B,)`` of one label; scores of the classes ``(B, K)`` of one
            label; or a list with a :class:`~ccvae.guides.Prediction` for each kind of label.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(said, list | tuple) and len(said) == len(space.kinds):
        return list(said)
    one = len(space) == 1 and isinstance(said, Tensor)
    if one and said.dim() == 1:
        said = said[:, None]
    if one and said.dim() == 2 and said.shape[1] == (space.classes[0] or 0) > 1:
        said = said.argmax(1, keepdim=True)
    if not isinstance(said, Tensor) or said.shape != (rows, len(space)):
        got = tuple(said.shape) if isinstance(said, Tensor) else type(said).__name__
        raise ValueError(
            f"expected predict(x) to return codes of shape ({rows}, {len(space)}), got {got}; "
            "return one code for each label, in the order of the labels"
        )
    return [_sure(said, kind.columns, space) for kind in space.kinds]


def _sure(codes: Tensor, columns: Sequence[int], space: LabelSpace) -> Prediction:
    """A prediction that leaves no doubt."""
    own = codes[:, list(columns)].float()
    first = space.labels[columns[0]]
    if isinstance(first, Real):
        return NumberPrediction(own, torch.zeros_like(own))
    hits = own[..., None] == torch.arange(len(first.classes), device=own.device)
    return ClassPrediction(hits.float().log(), space.forms[columns[0]] == "ordinal")


def networks(program: Program) -> list[nn.Module]:
    """The modules that a program is made of or refers to, without those within others."""
    found = modules(program)
    within = {id(part) for one in found for part in one.modules() if part is not one}
    return [part for part in found if id(part) not in within]


@torch.no_grad()
def complete(
    model: Foreign,
    guide: Foreign,
    args: Sequence[object],
    kwargs: Mapping[str, object],
    objective: ELBO | None = None,
) -> None:
    """Run both programs once, and hold every parameter that they ask Pyro's store for.

    What builds itself at its first run, as automatic guides and lazy layers do, is built by it.

    Args:
        args, kwargs: of a batch.
        objective: where given, the pair is checked under it first, so that what is wrong is said
            in words.

    Raises:
        ValueError: where the pair does not fit together.
    """
    if objective is not None:
        with pyro.get_param_store().scope():
            check_applies(model, guide, *args, objective=objective, **kwargs)
    store = pyro.get_param_store()
    with store.scope(), poutine.block():
        trace = poutine.trace(guide).get_trace(*args, **kwargs)
        played = poutine.trace(poutine.replay(model, trace=trace)).get_trace(*args, **kwargs)
        asked = dict(store.named_parameters())
        bounds: dict[str, constraints.Constraint] = store.get_state()["constraints"]
    known = {id(parameter) for side in (model, guide) for parameter in side.parameters()}
    for name, unconstrained in asked.items():
        if id(unconstrained) not in known:
            model.loose.take(name, unconstrained, bounds.get(name, constraints.real))
    model.complete = guide.complete = True
    model.weighs = weighs(trace) or weighs(played)
    if objective is not None:
        _check_trains(model, guide)


def _check_trains(*programs: nn.Module) -> None:
    """Raise where there is nothing to train."""
    if any(held.requires_grad for each in programs for held in each.parameters()):
        return
    raise ValueError(
        "neither program has a parameter that is trained: no pyro.param or pyro.module was run, and"
        " no network that they refer to has one that requires a gradient; let one of them have some"
    )


def _key(name: str) -> str:
    """A name of Pyro's as torch takes one."""
    return name.replace(".", "/") or "_"
