"""The command line, as its users call it."""

import json
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from html import unescape

import pytest
import torch

from ccvae import commands
from ccvae.cli import build_parser, main
from ccvae.inference.catalogue import PROGRAMS
from ccvae.inference.runs.run import load
from ccvae.stopping import Stopped

from .calling import QUICK, call


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    directory = tmp_path_factory.mktemp("trained") / "run"
    assert main(["train", *QUICK, "--out", str(directory)]) == 0
    return directory


@pytest.fixture(autouse=True)
def _brief(brief_classifiers):
    """Nothing here asks how good a classifier is."""


@pytest.fixture
def run(tmp_path, trained):
    """A copy of a trained run."""
    return shutil.copytree(trained, tmp_path / "run")


def test_train_then_evaluate(run, capsys):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [0, 1]
    summaries = ("epoch", "objective", "bound", "accuracy", "crc")
    terms = {k: v for k, v in lines[1].items() if k not in summaries}
    assert math.isclose(sum(terms.values()), lines[1]["objective"], rel_tol=1e-4)

    status, out, _ = call(capsys, "evaluate", run, "--json")
    result = json.loads(out)
    assert status == 0
    for name in ("accuracy", "majority", "classifier"):
        shares = result[f"{name}_by_label"]
        assert len(shares) == 9
        assert math.isclose(sum(shares.values()) / 9, result[name], abs_tol=1e-6)
    assert result["images"] == 12
    assert result["bound"] < 0 < result["reconstruction_l1"] < 1
    status, out, _ = call(capsys, "evaluate", run)
    assert "Smiling" in out
    assert "classifier" in out


def test_the_same_seed_gives_the_same_run(run, tmp_path, capsys):
    call(capsys, "train", *QUICK, "--out", tmp_path / "again")
    for name in ("checkpoint.safetensors", "metrics.jsonl"):
        assert (run / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_resume_goes_on_as_if_nothing_had_happened(run, tmp_path, capsys):
    other = tmp_path / "other"
    status, _, _ = call(capsys, "train", *QUICK, "--out", other, "--resume")
    assert status == 0  # without a checkpoint it starts afresh
    full = (other / "checkpoint.safetensors").read_bytes()
    # Put the run back to its first epoch by training one epoch of the same two.
    environment = {**os.environ, "PYTHONPATH": "src"}
    program = (
        "import sys, itertools; from pathlib import Path; import torch\n"
        "from ccvae.inference.runs import create, fit; from ccvae.config import Config\n"
        "from ccvae.data.spec import load\n"
        "torch.set_num_threads(1)\n"
        "c = Config(data='faces:72', network='mlp', epochs=2, batch_size=30); d = load(c.data)\n"
        "r = create(c, d, Path(sys.argv[1]), torch.device('cpu'))\n"
        "next(fit(r, d.training(c.labelled, c.seed), resume=False))\n"
    )
    cut = tmp_path / "cut"
    subprocess.run([sys.executable, "-c", program, cut], check=True, env=environment)
    assert (cut / "checkpoint.safetensors").read_bytes() != full
    status, _, _ = call(capsys, "train", *QUICK, "--out", cut, "--resume")
    assert status == 0
    assert (cut / "checkpoint.safetensors").read_bytes() == full
    assert (cut / "metrics.jsonl").read_bytes() == (other / "metrics.jsonl").read_bytes()


def test_a_killed_training_leaves_its_last_checkpoint_whole(tmp_path, capsys):
    directory = tmp_path / "killed"
    command = [sys.executable, "-m", "ccvae", "train", *QUICK, "--out", str(directory)]
    command[command.index("--epochs") + 1] = "100000"
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert any(line.startswith("epoch 4") for line in process.stderr)
        process.kill()
    load(directory, torch.device("cpu"))  # raises unless the checkpoint is whole


def hints(text):
    """The commands of ours that a text ends its lines with, as lists of words."""
    return [
        shlex.split(line) for line in re.findall(r"\bccvae ((?:train|evaluate) .*)$", text, re.M)
    ]


def test_printed_commands_work(tmp_path, capsys, monkeypatch, write_module):
    """With spaces in their words, and where a run needs a module of its own."""
    monkeypatch.chdir(tmp_path)
    write_module(
        "mine", "from ccvae.inference import VAEObjective\nclass Mine(VAEObjective): ...\n"
    )
    asked = ["vae", *QUICK, "--only", "Smiling", "--objective", "mine:Mine", "--out", "my run"]

    def stop(*_, **__):
        yield from ()
        raise Stopped(0, 3, signal.SIGTERM)

    with monkeypatch.context() as stopping:
        stopping.setattr(commands, "fit", stop)
        status, _, err = call(capsys, "train", *asked)
    assert status == 128 + signal.SIGTERM
    (again,) = hints(err)
    assert again == ["train", *asked, "--resume"]
    status, out, err = call(capsys, *again)
    assert status == 0, err
    (evaluate,) = hints(out)
    assert evaluate == ["evaluate", "my run", "--trust", "mine"]
    status, _, err = call(capsys, *evaluate)
    assert status == 0, err
    call(capsys, "study", "reconstruction", "my run", "--trust", "mine")
    page = unescape((tmp_path / "my run" / "report.html").read_text())
    (same,) = hints(page.replace("</code></pre>", ""))
    status, _, err = call(capsys, *same)
    assert status == 0, err
    assert (tmp_path / "my run-again" / "checkpoint.safetensors").exists()


def test_the_objectives_name_commands_that_are_taken(capsys):
    _, out, _ = call(capsys, "objectives")
    named = [shlex.split(words) for words in re.findall(r"\(ccvae (train .*)\)", out)]
    assert len(named) >= 5
    for words in named:
        options = build_parser().parse_args(words)
        assert options.objective in PROGRAMS[options.program]


@pytest.mark.parametrize(
    ("words", "apart"), [([], None), (["--taught-apart"], True), (["--no-taught-apart"], False)]
)
def test_whether_blocks_are_taught_apart_is_asked_for_or_left_open(words, apart):
    assert build_parser().parse_args(["train", *words]).taught_apart is apart


def test_data_describes(capsys):
    status, out, _ = call(capsys, "data", "faces:72", "--json")
    document = json.loads(out)
    assert status == 0
    assert document["images"] == 72
    assert sum(document["labels"]["Hair"]["classes"].values()) == 72
    status, out, _ = call(capsys, "data", "faces:72")
    assert "Blond_Hair" in out


def test_models_lists_programs_and_objectives(capsys):
    status, out, _ = call(capsys, "models", "--json")
    assert status == 0
    programs = {row["name"]: row["objectives"] for row in json.loads(out)["programs"]}
    assert set(programs) == {"vae", "m2", "diva", "ccvae"}
    assert programs["ccvae"][0] == "ccvae"
    assert {"adapted-diva", "our-adapted-diva"} < set(programs["ccvae"])


@pytest.mark.parametrize(
    ("program", "objective"),
    [("vae", ""), ("m2", ""), ("diva", ""), ("ccvae", "adapted-diva"), ("ccvae", "marginal")],
)
def test_every_program_trains_and_evaluates(tmp_path, capsys, program, objective):
    options = [*QUICK, "--only", "Smiling,Hair", "--objective", objective, "--style", "8"]
    status, _, err = call(capsys, "train", program, *options, "--out", tmp_path / "run")
    assert status == 0, err
    status, out, _ = call(capsys, "evaluate", tmp_path / "run", "--json")
    result = json.loads(out)
    assert status == 0
    assert math.isfinite(result["bound"])
    assert ("accuracy" in result) == (program != "vae")


@pytest.fixture
def write_module(tmp_path, monkeypatch):
    """Writes a module of the user's where Python finds it."""

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setitem(sys.modules, name, None)  # so that it is forgotten afterwards
        del sys.modules[name]

    return write


def test_own_objective_by_name(tmp_path, capsys, write_module):
    write_module(
        "mine",
        "from ccvae.inference import CCVAEObjective\n"
        "class Mine(CCVAEObjective):\n"
        "    def formula(self, draw):\n"
        "        return {'mine': sum(super().formula(draw).values())}\n",
    )
    options = [*QUICK, "--objective", "mine:Mine", "--out", tmp_path / "run", "--json"]
    status, out, _ = call(capsys, "train", *options)
    assert status == 0
    assert "mine" in json.loads(out)


def test_own_network_by_name(tmp_path, capsys, write_module):
    write_module(
        "theirs",
        "from ccvae.networks import MLPDecoder, MLPEncoder\n"
        "class E(MLPEncoder):\n"
        "    def __init__(self, shape, outputs):\n"
        "        super().__init__(shape, outputs, (11,))\n"
        "class D(MLPDecoder):\n"
        "    def __init__(self, inputs, shape):\n"
        "        super().__init__(inputs, shape, (11,))\n",
    )
    run, network = tmp_path / "run", ["--network", "theirs:E,D"]
    status, _, err = call(capsys, "train", *QUICK, *network, "--out", run)
    assert status == 0, err
    made = load(run, torch.device("cpu"), ["theirs"]).model.decoder
    assert made.decoder.trunk[0].out_features == 11
    status, out, _ = call(capsys, "evaluate", run, "--trust", "theirs", "--json")
    assert (status, math.isfinite(json.loads(out)["bound"])) == (0, True)
    for names, words in (
        ("E,E", "the decoder of the network 'theirs:E,E' could not be made as E("),
        ("D,D", "the encoder of the network 'theirs:D,D' could not be made as D("),
    ):
        options = [*QUICK, "--network", f"theirs:{names}", "--out", tmp_path / "other"]
        status, _, err = call(capsys, "train", *options)
        assert status == 2
        assert words in err
    status, _, err = call(capsys, "train", "m2", *QUICK, *network, "--out", tmp_path / "m2")
    assert status == 2
    assert "'theirs:E,D' does not say which" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", *QUICK, "--network", "conv"], "or module:encoder,decoder of your own"),
        (["train", *QUICK, "--network", "./net.py:E,D"], "without a path and without .py"),
        (["train", *QUICK, "--network", "json:loads"], "expected module:encoder,decoder, got"),
        (
            ["train", "nosuch", *QUICK],
            "unknown program 'nosuch'; choose one of vae, m2, diva, ccvae",
        ),
        (["train", "--data", "nosuch"], "unknown data set 'nosuch'"),
        (["train", "--data", "faces:two"], "expected a number of at least 12"),
        (["train", *QUICK, "--objective", "elbo"], "choose one of ccvae, ccvae-authors"),
        (["train", *QUICK, "--objective", "nosuch:Thing"], "cannot load 'nosuch:Thing'"),
        (
            ["train", *QUICK, "--objective", "ccvae-authors", "--alpha", "2"],
            "give --alpha, --alpha-d and --warm-up only to",
        ),
        (["train", *QUICK, "--likelihood", "cauchy"], "choose one of laplace"),
        (["train", *QUICK, "--likelihood", "bernoulli", "--scale", "2"], "has no scale"),
        (["train", *QUICK, "--link", "cloglog"], "choose one of probit, logit"),
        (["train", *QUICK, "--network", "conv28"], "takes images of (28, 28) pixels, got (64, 64)"),
        (["train", *QUICK, "--labelled", "0.001"], "leaves no labelled row"),
        (["train", *QUICK, "--labelled", "0"], "no training row keeps a label"),
        (["train", *QUICK, "--only", "Smiling,Smug"], "unknown label 'Smug'; this data set has"),
        (["train", *QUICK, "--labelled", "1.5"], "between 0 and 1, got 1.5"),
        (["train", *QUICK, "--epochs", "0"], "epochs of at least 1 and at most 1000000, got 0"),
        (["train", *QUICK, "--lr", "-1"], "expected a positive lr, got -1.0"),
        (["train", *QUICK, "--device", "tpu"], "choose one of auto, cpu, cuda"),
        (["train", *QUICK, "--epochs", "many"], "invalid int value: 'many'; see ccvae train"),
        (["evaluate"], "the following arguments are required: DIR"),
        (["table", "nosuch"], "unknown table 'nosuch'; choose one of diva, m2"),
        (["table", "m2", "--seeds", "0"], "--seeds: expected a whole number from 1"),
        (["nosuch"], "unknown command 'nosuch'; choose one of models"),
        (["evaluate", "nosuch"], "nosuch is not a run directory"),
        (["data", "nosuch"], "unknown data set 'nosuch'"),
    ],
)
def test_bad_input_ends_with_status_2_and_one_line(capsys, tmp_path, arguments, words):
    if arguments[0] == "train":
        arguments = [*arguments, "--out", tmp_path / "run"]
    status, out, err = call(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_a_directory_that_holds_a_run_is_not_overwritten(run, capsys):
    before = (run / "checkpoint.safetensors").read_bytes()
    status, _, err = call(capsys, "train", *QUICK, "--out", run)
    assert status == 2
    assert "--resume" in err
    status, _, err = call(capsys, "train", *QUICK, "--lr", "0.5", "--out", run, "--resume")
    assert status == 2
    assert "lr 0.001 → 0.5" in err
    assert (run / "checkpoint.safetensors").read_bytes() == before


@pytest.mark.parametrize("keep", [0, 5, 1000, -1])
def test_a_truncated_checkpoint(run, capsys, keep):
    path = run / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    status, _, err = call(capsys, "evaluate", run)
    assert status == 2
    assert "is not a whole checkpoint" in err


def test_a_checkpoint_of_another_network(run, capsys):
    config = json.loads((run / "config.json").read_text())
    config["config"]["style"] = 3
    (run / "config.json").write_text(json.dumps(config))
    status, _, err = call(capsys, "evaluate", run)
    assert status == 2
    assert "another configuration" in err


def test_a_damaged_or_newer_configuration(run, capsys):
    config = json.loads((run / "config.json").read_text())
    config["config"]["version"] = 99
    (run / "config.json").write_text(json.dumps(config))
    status, _, err = call(capsys, "evaluate", run)
    assert status == 2
    assert "format 99" in err
    (run / "config.json").write_text("{")
    status, _, err = call(capsys, "evaluate", run)
    assert status == 2
    assert "not a run directory" in err


def test_a_study_is_kept_and_goes_into_the_report(run, capsys):
    status, out, _ = call(capsys, "study", "embedding", run, "--json")
    found = json.loads(out)
    assert status == 0
    assert set(found["studies"]) == {"embedding"}
    kept = json.loads((run / "studies" / "embedding.json").read_text())
    assert kept.items() >= found["studies"]["embedding"].items()
    call(capsys, "study", "reconstruction", run)
    page = (run / "report.html").read_text()
    assert 'id="embedding"' in page
    assert 'id="reconstruction"' in page
    status, _, err = call(capsys, "study", "nothing", run)
    assert (status, err.count("\n")) == (2, 1)
    assert "unknown study 'nothing'; choose one of reconstruction" in err


def test_a_study_shows_the_chosen_images_and_labels(run, capsys):
    name = json.loads((run / "config.json").read_text())["labels"][0]["name"]
    asked = ("--images", "2", "--labels", name)
    status, out, _ = call(capsys, "study", "traversal", run, *asked, "--json")
    assert status == 0
    assert set(json.loads(out)["studies"]["traversal"]["figures"]) == {name}
    for arguments, wrong in (
        (("traversal", run, "--images", "x"), "such as 3,14, got 'x'"),
        (("beliefs", run, *asked), "takes neither images nor labels"),
        (("beliefs", run, "--matcher", "sift"), "matches nothing, got the matcher 'sift'"),
    ):
        status, _, err = call(capsys, "study", *arguments)
        assert (status, err.count("\n")) == (2, 1)
        assert wrong in err
