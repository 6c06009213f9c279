"""Checkpoints: whole or refused, and nothing in them runs."""

import pickle

import pytest
import torch
from torch import nn

from ccvae.files import write_atomically
from ccvae.inference.training.checkpoint import load_checkpoint, save_checkpoint


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


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


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
