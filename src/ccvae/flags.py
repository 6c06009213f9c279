"""The options of a training as flags of a command; nothing but the standard library is imported."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

from .schedules import RATE


class Joined(argparse.Action):
    """An option that may be given several times: the step size's schedule, and weights'."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add what was given; a schedule of the step size takes the place of the last."""
        given = str(values)
        # A command that leaves out what was not given has no default.
        kept = str(vars(namespace).get(self.dest, RATE)).split(",")
        if "=" not in given:
            kept = [piece for piece in kept if "=" in piece]
        setattr(namespace, self.dest, ",".join([*kept, given]))


def add_option(parser: argparse.ArgumentParser, option: dataclasses.Field[Any]) -> None:
    """A flag for a field of a configuration, with its text and its default."""
    flag = f"--{option.name.replace('_', '-')}"
    text = option.metadata["help"]
    if option.default is False:
        parser.add_argument(flag, action="store_true", help=text)
        return
    if "bool" in str(option.type):  # one that is open
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        return
    open_kind = int if "int" in str(option.type) else float
    kind = open_kind if option.default is None else type(option.default)
    default = "" if option.default in (None, "") else f" ({option.default})"
    parser.add_argument(
        flag,
        action=Joined if option.name == "schedule" else "store",
        type=kind,
        default=option.default,
        metavar=VALUES.get(option.name, kind.__name__.upper()),
        help=text + default,
    )


VALUES = {
    "objective": "NAME",
    "alpha_rule": "measured|paper",
    "data": "SPEC",
    "inputs": "MODULE:FUNCTION",
    "only": "NAMES",
    "labelled_schedule": "F,F,…",
    "network": "NAME",
    "heads": "auto|stick|softmax",
    "likelihood": "laplace|normal|bernoulli|levels",
    "link": "probit|logit",
    "schedule": "cosine|linear|constant",
    "precision": "32|bf16",
    "keep": "best|last",
}
"""What stands for the value of an option that is a word, in its help."""
