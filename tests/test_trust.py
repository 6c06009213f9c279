"""Reading a run executes nothing of it, and only what is ours is ever replaced."""

import json
import shutil
import sys

import pytest

from ccvae import commands
from ccvae.cli import main
from ccvae.config import Config

from .calling import QUICK, call

MARK = "from pathlib import Path\nPath('ran').write_text('')\n"

NETWORK = (
    MARK + "from ccvae.networks import MLPDecoder as D, MLPEncoder as E\n"
    "from ccvae.inference import CCVAEObjective as O\n"
    "def model(x, *_, **__): pass\n"
    "guide = batches = model\n"
)

OWN = {"program": "theirs:model,guide", "objective": ""}
"""A pair of one's own; what else of a run's configuration it does not read is as it is left."""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory of its own, forgotten by Python afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("theirs", None)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    directory = tmp_path_factory.mktemp("trained") / "run"
    assert main(["train", *QUICK, "--out", str(directory)]) == 0
    return directory


@pytest.fixture
def run(place, trained):
    """A copy of a trained run."""
    return shutil.copytree(trained, place / "run")


def rewrite(run, **changes):
    """Write other facts into a run's ``config.json``."""
    facts = json.loads((run / "config.json").read_text())
    config = changes.pop("config", {})
    facts["config"] |= config
    (run / "config.json").write_text(json.dumps(facts | changes))


def own(config, **changes):
    """The same configuration for a pair of one's own."""
    return Config.from_json({**config, **OWN}).without_unread().to_json() | changes


COMMANDS = [["evaluate"], ["study", "reconstruction"], ["app", "--port", "0"]]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", [{"network": "theirs:E,D"}, {"objective": "theirs:O"}])
def test_a_run_that_names_code_is_refused_before_anything_is_imported(run, capsys, command, option):
    (run.parent / "theirs.py").write_text(NETWORK)
    (run / "theirs.py").write_text(NETWORK)
    rewrite(run, config=option)
    status, out, err = call(capsys, *command, "run")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "names code of its own, theirs" in err
    assert "--trust theirs" in err
    assert not (run.parent / "ran").exists()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("inputs", ["", "theirs:batches"])
def test_a_run_of_somebodys_pair_is_refused_too(run, capsys, command, inputs):
    (run.parent / "theirs.py").write_text(NETWORK)
    config = json.loads((run / "config.json").read_text())["config"]
    facts = {"shape": None, "labels": []} if inputs else {}
    rewrite(run, config=own(config, inputs=inputs), **facts)
    status, out, err = call(capsys, *command, "run")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "names code of its own, theirs" in err
    assert "--trust theirs" in err
    assert not (run.parent / "ran").exists()


@pytest.mark.parametrize(
    "option",
    [
        {"network": "given:E,D"},
        {"objective": "given:O"},
        {"objective": "0.5*ccvae+given:O"},
        OWN | {"program": "given:model,guide"},
        OWN | {"program": "given:model,guide", "inputs": "given:batches"},
    ],
)
def test_what_was_an_object_in_python_is_no_module(run, capsys, option):
    """The word for it asks for no trust, so that no file of that name may be run for it."""
    (run.parent / "given.py").write_text(NETWORK)
    config = json.loads((run / "config.json").read_text())["config"]
    facts = {"shape": None, "labels": []} if "inputs" in option else {}
    rewrite(run, config=own(config, **option) if "program" in option else option, **facts)
    status, out, err = call(capsys, "evaluate", "run")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "object in Python" in err
    assert not (run.parent / "ran").exists()


def test_a_module_that_the_user_names_is_read(run, capsys):
    (run.parent / "theirs.py").write_text(NETWORK)
    rewrite(run, config={"objective": "theirs:O"})
    status, out, err = call(capsys, "evaluate", "run", "--trust", "theirs", "--json")
    assert status == 0, err
    assert (run.parent / "ran").exists()
    assert json.loads(out)["images"] == 12
    status, _, err = call(capsys, "evaluate", "run", "--trust", "others")
    assert (status, "--trust theirs" in err) == (2, True)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"network": "collections:OrderedDict,OrderedDict"}, "a subclass of torch.nn"),
        ({"network": "math:gcd,gcd"}, "a subclass of torch.nn"),
        ({"objective": "collections:OrderedDict"}, "a subclass of pyro.infer.elbo.ELBO"),
        ({"objective": "platform:node"}, "a subclass of pyro.infer.elbo.ELBO"),
    ],
)
def test_what_a_trusted_module_gives_must_be_a_network_or_an_objective(run, capsys, option, words):
    rewrite(run, config=option)
    module = next(iter(option.values())).partition(":")[0]
    status, _, err = call(capsys, "evaluate", "run", "--trust", module)
    assert (status, err.count("\n")) == (2, 1)
    assert words in err


@pytest.mark.parametrize(
    "change",
    [
        {"shape": ["3", 64, 64]},
        {"shape": [3, 64]},
        {"shape": [3, -64, 64]},
        {"shape": [3, 10**9, 64]},
        {"shape": None},
        {"domains": "4"},
        {"domains": -1},
        {"labels": []},
        {"labels": "Smiling"},
        {"labels": [{"name": 3}]},
        {"labels": [{"classes": ["a", "b"]}]},
        {"labels": [{"name": "Hair", "classes": [1, 2]}]},
        {"config": {"data": 3}},
        {"config": {"only": None}},
        {"config": {"labelled_schedule": 0.5}},
        {"config": {"seed": "zero"}},
        {"config": {"seed": 1.5}},
        {"config": {"alpha": "x"}},
        {"config": {"alpha": -1.0}},
        {"config": {"style": 10**12}},
        {"config": {"balanced": 1}},
        {"config": {"nothing": 1}},
        {"config": {"schedule": "stairs"}},
        {"config": {"precision": "half"}},
        {"config": {"keep": "first"}},
        {"config": {"alpha_rule": "mine"}},
        {"config": {"objective": "pyro:Trace_ELBO(num_particles=10**9)"}},
        {"labels": [{"name": "Hair", "classes": [str(i) for i in range(10**5)]}]},
        {"config": {"version": "1"}},
    ],
)
def test_types_and_ranges_of_a_run_are_checked_before_it_is_built(run, capsys, change):
    rewrite(run, **change)
    status, out, err = call(capsys, "evaluate", "run")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "config.json does not describe a run" in err


def test_options_out_of_their_range_are_refused(place, capsys):
    for option, value in (("alpha", -1.0), ("patience", -1), ("seed", -1), ("style", 10**9)):
        flag = f"--{option.replace('_', '-')}"
        status, _, err = call(capsys, "train", *QUICK, flag, str(value), "--out", "run")
        assert (status, err.count("\n")) == (2, 1)
        assert f"expected {option} of at least" in err


THESIS = {"config.json": '{"mine": 1}', "thesis.tex": "x", "metrics.jsonl": "mine"}


@pytest.fixture
def project(place):
    """Somebody's directory, with files of the names that ours have."""
    folder = place / "project"
    folder.mkdir()
    for name, content in THESIS.items():
        (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize("command", [["demo"], ["train", *QUICK], ["train", *QUICK, "--resume"]])
def test_a_directory_of_something_else_is_refused_and_left_alone(project, capsys, command):
    status, out, err = call(capsys, *command, "--out", "project")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "is not empty and holds no run of ccvae" in err
    assert {path.name: path.read_text() for path in project.iterdir()} == THESIS


def test_a_demo_does_not_replace_a_run_of_train(run, capsys):
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    status, _, err = call(capsys, "demo", "--out", "run")
    assert status == 2
    assert "holds a run of ccvae train, which a demo does not replace" in err
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == before


@pytest.fixture
def small(monkeypatch, brief_classifiers):
    """The demo at a size for tests."""
    config = Config(
        data="faces:72", network="mlp", epochs=2, batch_size=30, only="Smiling,Hair", alpha=9.0
    )
    monkeypatch.setattr(commands, "DEMO", config)


def test_a_demo_replaces_its_own_files_one_by_one(place, capsys, small):
    status, _, err = call(capsys, "demo", "--out", "demo")
    assert status == 0, err
    (place / "demo" / "notes.txt").write_text("mine")
    (place / "demo" / "studies" / "locality.json").write_text("{}")
    first = (place / "demo" / "checkpoint.safetensors").read_bytes()
    status, _, err = call(capsys, "demo", "--out", "demo", "--seed", "1")
    assert status == 0, err
    assert (place / "demo" / "notes.txt").read_text() == "mine"
    assert not (place / "demo" / "studies" / "locality.json").exists()
    assert (place / "demo" / "checkpoint.safetensors").read_bytes() != first


def test_a_stopped_demo_goes_on_where_it_stands(place, capsys, small, monkeypatch):
    fit = commands.fit

    def one_epoch(*args, **kwargs):
        yield next(fit(*args, **kwargs))
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "fit", one_epoch)
    status, _, _ = call(capsys, "demo", "--out", "demo")
    assert status == 130
    monkeypatch.setattr(commands, "fit", fit)
    status, _, err = call(capsys, "demo", "--out", "demo")
    assert (status, "epoch 2" in err, "epoch 1:" in err) == (0, True, False), err
    status, _, err = call(capsys, "demo", "--out", "demo", "--resume")
    assert (status, "epoch" in err) == (0, False)  # nothing left to train
