"""Pairs of every kind train on the page: what cannot be drawn of one is said, and ends nothing."""

import pytest
import torch

from ccvae.web.looking import OWN, Theirs
from ccvae.web.steering import Side, Start
from ccvae.web.training import Training

from . import kinds


def training_of(kind, objective):
    side, name = Side(program=OWN, objective=f"pyro:{objective}"), f"{kinds.__name__}:{kind}"
    theirs = Theirs(f"{name}.model,{kind}.guide", f"{name}.inputs")
    return Training(Start(a=side, b=side), theirs)


NO_PLANE = "none lies in a plane"


@pytest.mark.parametrize(
    ("kind", "objective", "rows", "said"),
    [
        ("Wetter", "TraceEnum_ELBO", 50, "no image"),
        ("Wetter", "Trace_ELBO", 50, "no image"),
        ("Scalar", "TraceEnum_ELBO", 0, NO_PLANE),
        ("Counts", "Trace_ELBO", 8, "no image"),
        ("Mixture", "TraceEnum_ELBO", 0, NO_PLANE),
        ("Hidden", "TraceEnum_ELBO", 0, NO_PLANE),
        ("Walk", "Trace_ELBO", 4, "no image"),
        ("Meanless", "Trace_ELBO", 0, "z has no finite mean"),
    ],
)
def test_every_kind_of_pair_trains(kind, objective, rows, said):
    training = training_of(kind, objective)
    assert training.opening()["originals"] == ""
    before = training.frame()
    found = [training.step(always=True) for _ in range(3)][-1]
    assert found["sides"][0] == found["sides"][1]
    for frame in (before[0], found["frame"][0]):
        assert said in frame["said"]
        points = torch.tensor(frame["points"].get("", []))
        assert len(points) == rows
        assert not rows or points.abs().max() == 1000


def fails(*_):
    raise LookupError("nobody looks at me")


def test_what_fails_when_it_is_looked_at_is_said_and_the_training_goes_on(monkeypatch):
    training = training_of("Scalar", "Trace_ELBO")
    monkeypatch.setattr(training.sides[0].looking, "_sites", fails)
    monkeypatch.setattr(training.grounds[0].sketch, "_sites", fails)
    found = training.step(always=True)
    assert found["frame"][0]["said"].endswith("LookupError: nobody looks at me")
    assert training.opening()["sides"][0]["originals"] == ""
    assert training.step()["step"] == 2


def test_a_predict_that_fails_leaves_the_accuracy_out(monkeypatch):
    training = training_of("Scalar", "Trace_ELBO")

    monkeypatch.setattr(training.minibatches, "accuracy", fails)
    found = training.step(always=True)
    assert "accuracy" not in found["sides"][0]
    said = found["frame"][0]["said"]
    assert "the accuracy is not known, as predict failed: " in said
    assert said.endswith("LookupError: nobody looks at me")
