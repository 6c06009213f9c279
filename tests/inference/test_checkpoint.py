"""Checkpoints: whole or refused, and nothing in them runs."""

import json
import pickle

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import nn

from ccvae.inference.training import checkpoint
from ccvae.inference.training.checkpoint import load_checkpoint, load_training, save_checkpoint
from ccvae.inference.training.feed import check_within


def trained():
    module = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(module.parameters())
    for _ in range(3):
        module(torch.randn(4, 3)).sum().backward()
        optimizer.step()
    return module, optimizer


def test_round_trip_restores_weights_optimizer_and_facts(tmp_path):
    module, optimizer = trained()
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, {"net": module}, optimizer, epochs=7)
    other, state = trained()
    facts = load_checkpoint(path, {"net": other}, state)
    assert facts["epochs"] == 7
    for a, b in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
    before, after = optimizer.state_dict()["state"], state.state_dict()["state"]
    assert before.keys() == after.keys()
    for index, moments in before.items():
        for name, value in moments.items():
            assert torch.equal(value, after[index][name])


PLACE = {"epoch": 1, "done": 2, "total": 5, "totals": {"objective": -3.0}}

AVERAGE, SQUARE, STEP = (f"optimizer.0.{name}" for name in ("exp_avg", "exp_avg_sq", "step"))


def forged(path, tensors, **facts):
    """Write a checkpoint anew, other than it was, with the digest of what it holds now."""
    facts.pop("digest", None)
    facts["digest"] = checkpoint._digest(tensors, facts)
    path.write_bytes(save(tensors, metadata={"ccvae": json.dumps(facts)}))


@pytest.fixture
def kept(tmp_path):
    """A checkpoint's place, its tensors and its facts."""
    path = tmp_path / "c.safetensors"
    module, optimizer = trained()
    save_checkpoint(path, {"net": module}, optimizer, **PLACE)
    with safe_open(path, framework="pt") as file:
        return path, load_file(path), json.loads(file.metadata()["ccvae"])


FORGED = {
    "of no parameter": ({"optimizer.99.step": torch.tensor(1.0)}, "of parameter 99, of which"),
    "without a number": ({"optimizer.x": torch.tensor(1.0)}, "optimizer.x is none of"),
    "below zero": ({"optimizer.-1.step": torch.tensor(1.0)}, "optimizer.-1.step is none of"),
    "another": ({"optimizer.0.foo": torch.zeros(2, 3)}, "optimizer.0.foo is none of"),
    "shape": ({AVERAGE: torch.zeros(3, 2)}, r"of shape \(3, 2\), not \(2, 3\)"),
    "one number": ({SQUARE: torch.tensor(0.0)}, r"of shape \(\), not \(2, 3\)"),
    "several steps": ({STEP: torch.ones(2)}, r"of shape \(2,\), not \(\)"),
    "integers": ({AVERAGE: torch.zeros(2, 3, dtype=torch.long)}, "of torch.int64, not"),
    "half": ({SQUARE: torch.zeros(2, 3).half()}, "of torch.float16, not torch.float32"),
    "NaN": ({AVERAGE: torch.full((2, 3), float("nan"))}, "exp_avg is not finite"),
    "infinite": ({SQUARE: torch.full((2, 3), float("inf"))}, "exp_avg_sq is not finite"),
    "negative": ({SQUARE: torch.full((2, 3), -1.0)}, "exp_avg_sq is negative"),
    "negative step": ({STEP: torch.tensor(-3.0)}, "step is negative"),
    "no step": ({STEP: torch.tensor(float("nan"))}, "step is not finite"),
    "no moment": ({AVERAGE: None}, "no exp_avg of parameter 0"),
    "no parameter": ({AVERAGE: None, SQUARE: None, STEP: None}, "1 parameters are in it, of 2"),
}


@pytest.mark.parametrize("name", FORGED)
def test_moments_that_adam_cannot_have_come_to_are_refused(kept, name):
    path, tensors, facts = kept
    changes, words = FORGED[name]
    forged(path, {k: v for k, v in (tensors | changes).items() if v is not None}, **facts)
    module, optimizer = trained()
    before = optimizer.state_dict()["state"]
    with pytest.raises(ValueError, match=words) as found:
        load_training(path, {"net": module}, optimizer)
    assert str(found.value).startswith(f"{path} is not a whole checkpoint (the optimiser's state: ")
    assert "\n" not in str(found.value)
    assert optimizer.state_dict()["state"] == before
    load_checkpoint(path, {"net": module})  # which no moment matters to


NOWHERE = {
    "epochs without steps": ({"epoch": 10**6}, "5 steps are fewer than 1000000 epochs"),
    "steps without steps": ({"done": 5}, "5 steps are fewer than 1 epochs and 5 steps"),
    "sums of nothing": ({"done": 0}, "of an epoch that has none"),
    "NaN": ({"totals": {"objective": float("nan")}}, "not finite"),
    "infinite": ({"totals": {"objective": 1e999}}, "not finite"),
    "NaN for the best": ({"best": float("nan")}, "not finite"),
    "a word for the best": ({"best": "x"}, "Expected"),
    "a word for the wait": ({"waited": "x"}, "Expected"),
    "fewer than none": ({"waited": -1}, "Expected"),
    "no epoch": ({"epoch": None}, "no epoch of a training in it"),
}


@pytest.mark.parametrize("name", NOWHERE)
def test_a_training_cannot_stand_where_none_can(kept, name):
    path, tensors, facts = kept
    changes, words = NOWHERE[name]
    forged(path, tensors, **facts | changes)
    module, optimizer = trained()
    with pytest.raises(ValueError, match=f"not a whole checkpoint .*{words}"):
        load_training(path, {"net": module}, optimizer)


def test_a_step_beyond_the_epoch_s_last_is_refused():
    class Epoch:
        seen, steps = 30, 3

    check_within(Epoch(), 2)
    with pytest.raises(ValueError, match="3 steps of an epoch are done that has 3"):
        check_within(Epoch(), 3)


def test_weights_of_other_names_are_refused_by_name(tmp_path):
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, {"net": trained()[0]}, None)
    other = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    with pytest.raises(
        ValueError, match=r"this net: expected 0\.bias, 0\.weight and 2 more"
    ) as found:
        load_checkpoint(path, {"net": other})
    assert "where it has bias, weight; " in str(found.value)
    assert "train it again, or use the version that wrote it" in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("dtype", [torch.long, torch.complex64, torch.bool])
def test_weights_of_another_kind_of_number_are_refused(kept, dtype):
    path, tensors, facts = kept
    forged(path, tensors | {"net.weight": tensors["net.weight"].to(dtype)}, **facts)
    with pytest.raises(ValueError, match=f"this net .*weight is of {dtype}, not torch.float32"):
        load_checkpoint(path, {"net": trained()[0]})


def test_a_pickle_is_refused_and_nothing_of_it_runs(tmp_path):
    ran = tmp_path / "ran"

    class Malicious:
        def __reduce__(self):
            return (ran.write_text, ("!",))

    path = tmp_path / "c.safetensors"
    path.write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(ValueError, match="not a whole checkpoint"):
        load_checkpoint(path, {})
    assert not ran.exists()


def test_a_newer_format_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "c.safetensors"
    monkeypatch.setattr("ccvae.inference.training.checkpoint.VERSION", 9)
    save_checkpoint(path, {}, None)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"newer ccvae \(format 9"):
        load_checkpoint(path, {})
