"""What a configuration leaves open, settled once its training rows are known."""

from __future__ import annotations

from dataclasses import replace

from ...config import Config
from ...data import Rows
from ...loading import choose
from ...networks.build import LOCAL, TRUNKS, check
from ...words import OF_DATA, is_own
from ..catalogue import ENTRIES, objective_class
from ..objectives.base import Objective
from ..objectives.pyros import WHOLE_ROWS
from ..training.alpha import APART, measured_alpha
from ..training.engine import PRECISIONS
from ..training.optimisation import SCHEDULES
from ..training.sampling import LABELLED_SHARE, SHARE_APART
from ..training.validation import split

KEPT = ("best", "last")
"""Of which epoch the weights may be kept."""

SCORED = 100
"""Labelled rows a class from which a score for every class is better; see docs/training.md."""

ALPHA_RULES = ("measured", "paper")
"""How an objective's α may be chosen."""


def check_words(config: Config) -> None:
    """Raise unless every option that is a word is one of those that there are, and is read.

    Raises:
        ValueError: for another one.
    """
    check_choices(config)
    check_read(config)


def check_choices(config: Config) -> None:
    """Raise unless every option that is a word is one of those that there are.

    Raises:
        ValueError: for another one.
    """
    if not is_own(config.program):
        choose("program", config.program, ENTRIES)
    choose("schedule", config.rate_schedule, SCHEDULES)
    choose("precision", config.precision, PRECISIONS)
    choose("keep", config.keep, KEPT)
    choose("alpha rule", config.alpha_rule, ALPHA_RULES)


def check_read(config: Config) -> None:
    """Raise for an option that nothing would read, as programs or minibatches are the user's own.

    Raises:
        ValueError: naming it.
    """
    default = config.without_unread()
    for name in config.unread:
        if getattr(config, name) != getattr(default, name):
            whose = "programs of the suite" if is_own(config.program) else "module:model,guide"
            whose = "a data set" if name in OF_DATA else whose
            raise ValueError(
                f"--{name.replace('_', '-')} is of {whose}, and {config.program} would not read "
                "it; leave it out"
            )


def settled(config: Config, rows: Rows) -> Config:
    """The configuration with what it leaves open: network, how its blocks are taught, the rest.

    Heads, α and the share of labelled rows follow from the rows.

    Args:
        config: as it was asked for. rows: the training rows, with those that validate.
    """
    rows = split(config, rows).train
    config = _with_trunks(_with_apart(_with_network(config, rows)))
    return _with_share(_with_alpha(_with_heads(config, rows), rows), rows)


def _with_network(config: Config, rows: Rows) -> Config:
    """The configuration with the network that ``auto`` is for this version."""
    if is_own(config.program):
        return config
    return replace(config, network=check(config.network, rows.dataset.shape))


def _with_apart(config: Config) -> Config:
    """The configuration whose blocks are taught apart where an α teaches them what labels are.

    The paper's α goes with the gradient of the paper's bound, and a decoder that keeps images from
    blocks by itself stays as it is.
    """
    if config.taught_apart is not None or not _has_blocks(config) or config.network in LOCAL:
        return config
    kind, measured = objective_class(config), config.alpha_rule == "measured"
    told = issubclass(kind, Objective) and kind.label_weight and kind.suggested_alpha(1, 1)
    return replace(config, taught_apart=bool(told and measured))


def _with_trunks(config: Config) -> Config:
    """The configuration with one trunk where the images' gradient ends there, and two elsewhere.

    Blocks that are taught apart share what the images teach the trunk, and the style is not held
    up by the classifier's gradient.
    """
    if config.trunks or not _has_blocks(config):
        return config
    return replace(config, trunks=1 if config.taught_apart else TRUNKS)


def _has_blocks(config: Config) -> bool:
    return not is_own(config.program) and ENTRIES[config.program].has_blocks


def _with_heads(config: Config, rows: Rows) -> Config:
    """The configuration with ``softmax`` where each class has rows enough for a score.

    Where no image moves a block, a score for every class is better with few rows too.
    """
    if is_own(config.program) or config.heads != "auto":
        return config
    many = config.trunks != 1 and rows_of_a_class(rows) >= SCORED
    return replace(config, heads="softmax" if config.taught_apart or many else "stick")


def rows_of_a_class(rows: Rows) -> float:
    """Labelled rows for each class, of the label without order that has fewest; 0 without one."""
    space, known = rows.dataset.space, (~rows.labels.isnan()).sum(0).tolist()
    each = zip(space.forms, space.classes, known, strict=True)
    counts = (count / classes for form, classes, count in each if form == "nominal" and classes > 2)
    return min(counts, default=0.0)


def settled_as(config: Config, before: Config, *, other: bool = False) -> Config:
    """The configuration of a run that goes on, with what it leaves open as it was settled.

    Args:
        config: as it is asked for now. before: as it was settled.
        other: whether on other rows, so that what follows from them is taken as it was, too.
    """
    if config.heads == "auto":  # of an earlier version it was another
        config = replace(config, heads=before.heads)
    names = ("taught_apart", "trunks", *(("alpha", "labelled_share") if other else ()))
    open_ = [name for name in names if getattr(config, name) is None]
    return replace(config, **{name: getattr(before, name) for name in open_})


def _with_share(config: Config, rows: Rows) -> Config:
    """The configuration with the share of labelled rows in a batch, 0 where enough have labels."""
    if issubclass(objective_class(config), WHOLE_ROWS):
        if config.labelled_share:
            raise ValueError(
                f"{config.objective_name} cannot weigh rows, so that a share of labelled ones "
                "would change what it bounds; leave --labelled-share out"
            )
        return replace(config, labelled_share=0.0)
    if config.labelled_share is not None:
        return config
    share = SHARE_APART if config.taught_apart else LABELLED_SHARE
    few = 0 < rows.labelled_share < share
    return replace(config, labelled_share=share if few else 0.0)


def _with_alpha(config: Config, rows: Rows) -> Config:
    """The configuration with an α by its rule, for an objective with one where none was given."""
    kind, scheduled = objective_class(config), {each.name for each in config.weight_schedules}
    given = config.alpha is not None or "alpha" in scheduled
    if given or not issubclass(kind, Objective) or is_own(config.program):
        return config
    paper = kind.suggested_alpha(len(rows), len(rows.labelled))
    if paper is None or config.alpha_rule == "paper" or not kind.label_weight:
        return replace(config, alpha=paper)
    weight = kind.label_weight * (APART if config.taught_apart else 1.0)
    return replace(config, alpha=measured_alpha(config, weight, rows))
