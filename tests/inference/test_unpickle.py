"""What is planted in a checkpoint does not run, wherever it is planted and however it is saved."""

import io
import os
import pickle
import subprocess
import zipfile

import pytest
import torch
from torch import nn
from torch.serialization import safe_globals

from ccvae.cli import main
from ccvae.inference.runs import unpickle
from ccvae.inference.runs.unpickle import Inert, read_tensors

from .published import importable, networks, save


class Reduced:
    """Pickled as a call of ``function`` with ``arguments``."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class WithSetState:
    """A class that can be imported and runs code when its state is set."""

    def __init__(self, path):
        self.path = path

    def __getstate__(self):
        return {"path": self.path}

    def __setstate__(self, state):
        open(state["path"], "w").close()


PLANTS = {
    "os.system": lambda path: Reduced(os.system, f"touch {path}"),
    "eval": lambda path: Reduced(eval, f"open({str(path)!r}, 'w').close()"),
    "subprocess.Popen": lambda path: Reduced(subprocess.Popen, ["touch", str(path)]),
    "getattr": lambda path: Reduced(getattr, path, "touch"),
    "__setstate__": lambda path: WithSetState(str(path)),
}


def in_state_dict(path, plant):
    torch.save({"decoder.0.weight": torch.ones(2), "more": plant}, path)


def in_old_state_dict(path, plant):
    content = {"decoder.0.weight": torch.ones(2), "more": plant}
    torch.save(content, path, _use_new_zipfile_serialization=False)


def in_module(path, plant):
    decoder = networks()["decoder"]
    decoder.decoder[3].more = plant
    with importable():
        torch.save(decoder, path)


def in_parameter(path, plant):
    """Among what a parameter carries besides its numbers."""
    weight = nn.Parameter(torch.ones(2))
    weight.more = plant
    torch.save({"decoder.0.weight": weight}, path)


def alone(path, plant):
    path.write_bytes(pickle.dumps(plant, protocol=2))


def alone_in_today_s_protocol(path, plant):
    path.write_bytes(pickle.dumps(plant))


class Persistent(pickle.Pickler):
    """Writes its plant where torch expects to find which storage a tensor has."""

    plant = None

    def persistent_id(self, item):
        return ("storage", self.plant, "0", "cpu", 1) if isinstance(item, nn.Module) else None


def in_storage(path, plant):
    """In the persistent id of a storage, of a file whose archive is written by hand."""
    file = io.BytesIO()
    pickler = Persistent(file, protocol=2)
    pickler.plant = plant
    pickler.dump({"decoder.0.weight": nn.Identity()})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", file.getvalue())
        archive.writestr("archive/version", "3\n")


PLACES = (
    in_state_dict,
    in_old_state_dict,
    in_module,
    in_parameter,
    alone,
    alone_in_today_s_protocol,
    in_storage,
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("plant", PLANTS)
def test_nothing_planted_runs(tmp_path, capsys, place, plant):
    ran = tmp_path / "ran"
    source = save(tmp_path / "theirs", networks())
    place(source / "decoder.pt", PLANTS[plant](ran))
    status = main(["import", str(source), "--out", str(tmp_path / "run")])
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "decoder.pt was refused, and nothing of it ran: it" in err
    assert not ran.exists()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("plant", ["os.system", "eval", "__setstate__"])
def test_the_plants_do_run_where_a_file_is_trusted(tmp_path, plant):
    ran = tmp_path / "ran"
    in_state_dict(tmp_path / "decoder.pt", PLANTS[plant](ran))
    torch.load(tmp_path / "decoder.pt", weights_only=False)
    assert ran.exists()


@pytest.mark.parametrize(("plant", "name"), [("os.system", f"{os.name}.system"), ("eval", "eval")])
def test_the_refusal_names_what_was_planted(tmp_path, plant, name):
    in_state_dict(tmp_path / "x.pt", PLANTS[plant](tmp_path / "ran"))
    with pytest.raises(ValueError, match=f"it names '{name}'"):
        read_tensors(tmp_path / "x.pt")


def test_what_others_allow_is_not_allowed_here(tmp_path):
    """torch's list is the process's; a library that lengthens it must not lengthen this one."""
    path, ran = tmp_path / "x.pt", tmp_path / "ran"
    in_state_dict(path, WithSetState(str(ran)))
    with safe_globals([WithSetState]):
        with pytest.raises(ValueError, match=r"it names '.*WithSetState'"):
            read_tensors(path)
        assert not ran.exists()
        torch.load(path, weights_only=True)
        assert ran.exists()


def test_a_stand_in_takes_no_attributes_from_a_file(tmp_path):
    """Not through the pair of a state and slots, which Python's protocol would set one by one."""
    with pytest.raises(ValueError, match="expected a module's state as a dictionary"):
        Inert().__setstate__(({}, {"__class__": nn.Linear}))


def test_old_whole_modules_are_refused_with_what_to_do(tmp_path):
    with pytest.warns(UserWarning, match="source code"):
        save(tmp_path, {"decoder": networks()["decoder"]}, zipped=False)
    with pytest.raises(ValueError, match=r"torch before 1\.6.*save its state_dict"):
        read_tensors(tmp_path / "decoder.pt")


def test_a_checkpoint_replaced_by_a_pickle(tmp_path, capsys):
    ran = tmp_path / "ran"
    source = save(tmp_path / "theirs", networks())
    main(["import", str(source), "--out", str(tmp_path / "run")])
    alone(tmp_path / "run" / "checkpoint.safetensors", PLANTS["os.system"](ran))
    capsys.readouterr()
    status = main(["evaluate", str(tmp_path / "run")])
    _, err = capsys.readouterr()
    assert (status, err.count("\n")) == (2, 1)
    assert "is not a whole checkpoint" in err
    assert not ran.exists()


def test_a_module_that_stands_in_many_places_is_visited_once(tmp_path):
    """Two children that are one, in each of twenty floors: a million names, or forty-one."""
    module = Inert()
    module.state = {"_parameters": {"weight": torch.ones(1)}}
    for _ in range(20):
        above = Inert()
        above.state = {"_modules": {"a": module, "b": module}}
        module = above
    assert [name for name, _ in unpickle._tensors(module, set())] == [f"{'a.' * 20}weight"]


@pytest.mark.parametrize("make", [lambda n: torch.zeros(n), lambda n: torch.zeros(1).expand(n)])
def test_more_than_networks_have_is_refused(tmp_path, monkeypatch, make):
    path = tmp_path / "decoder.pt"
    torch.save({"decoder.0.weight": make(6000)}, path)
    monkeypatch.setattr(unpickle, "LARGEST", 20_000)
    with pytest.raises(ValueError, match=r"unpacks to 0 MiB|at most 0 MiB") as raised:
        read_tensors(path)
    assert str(path) in str(raised.value)
    torch.save({"decoder.0.weight": torch.zeros(1000)}, path)
    assert read_tensors(path)["decoder.0.weight"].shape == (1000,)


def test_an_entry_that_unpacks_to_more_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "decoder.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(50_000))
    monkeypatch.setattr(unpickle, "LARGEST", 20_000)
    assert path.stat().st_size < 1000
    with pytest.raises(ValueError, match="it unpacks to"):
        read_tensors(path)
