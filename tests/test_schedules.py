"""Schedules of weights: what they may say, and how options put them together."""

import math

import pytest

from ccvae.cli import build_parser
from ccvae.config import Config
from ccvae.schedules import Schedule, read_schedules


def test_shapes_begin_and_end_where_they_say():
    for shape in ("linear", "cosine"):
        schedule = Schedule("alpha", shape, 4.0, 1.0, 8.0)
        assert [schedule.at(epoch) for epoch in (0, 4, 8, 20)] == pytest.approx([4, 2.5, 1, 1])
    assert Schedule("beta", "cosine", 0.0, 1.0, 4.0).at(1.0) == pytest.approx(
        (1 - math.sqrt(0.5)) / 2
    )
    ((_, schedules),) = [read_schedules("alpha=constant:7")]
    assert {schedules[0].at(epoch) for epoch in (0, 1, 5)} == {7.0}


@pytest.mark.parametrize(
    "text",
    [
        "linear,cosine",
        "alpha=linear:0:1",
        "alpha=linear:0:1:0",
        "alpha=linear:0:1:-3",
        "alpha=linear:-1:1:3",
        "alpha=linear:0:inf:3",
        "alpha=linear:0:nan:3",
        "alpha=steps:0:1:3",
        "alpha=constant",
        "=constant:1",
        "1a=constant:1",
        "alpha=constant:1,alpha=constant:2",
        "alpha=linear:0:1:1e9",
    ],
)
def test_what_is_no_schedule_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        Config(schedule=text)


def test_a_weight_is_said_once():
    for options in ({"alpha": 3.0}, {"warm_up": 2}):
        name = "alpha" if "alpha" in options else "beta"
        with pytest.raises(ValueError, match=f"expected {name} once"):
            Config(schedule=f"{name}=linear:0:1:3", **options)


@pytest.mark.parametrize(
    ("words", "rate", "names"),
    [
        ([], "cosine", []),
        (["linear"], "linear", []),
        (["alpha=constant:1"], "cosine", ["alpha"]),
        (["alpha=constant:1", "constant", "beta=linear:0:1:2"], "constant", ["alpha", "beta"]),
    ],
)
def test_the_option_is_given_as_often_as_there_are_weights(words, rate, names):
    flags = [part for word in words for part in ("--schedule", word)]
    config = Config(schedule=build_parser().parse_args(["train", *flags]).schedule)
    assert config.rate_schedule == rate
    assert [each.name for each in config.weight_schedules] == names
    assert Config.from_json(config.to_json()) == config
