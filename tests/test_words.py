"""What the command line says to a person: near misses, widths, what is written where."""

import subprocess
import sys

import pytest

from ccvae.cli import _STUDIES, build_parser, main
from ccvae.config import Config
from ccvae.flags import VALUES
from ccvae.inference.catalogue import LIKELIHOODS, LINKS
from ccvae.inference.runs.settling import ALPHA_RULES, KEPT
from ccvae.inference.training.engine import PRECISIONS
from ccvae.inference.training.optimisation import SCHEDULES
from ccvae.networks.build import HEADS
from ccvae.studies.report.conduct import STUDIES
from ccvae.texts import epoch_line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "unknown command 'trian' (did you mean 'train'?); choose one of models, "),
        (
            ["train", "--epohcs", "3"],
            "ccvae train: unrecognized arguments: --epohcs (did you mean '--epochs'?)",
        ),
        (
            ["train", "--programs", "m2"],
            "unrecognized arguments: --programs; see ccvae train --help",
        ),
        (["train", "ccave"], "unknown program 'ccave' (did you mean 'ccvae'?)"),
        (["train", "--schedule", "cosin"], "(did you mean 'cosine'?)"),
        (["objectives", "--format", "txet"], "unknown format 'txet' (did you mean 'text'?)"),
        (["study", "beliefz", "."], "unknown study 'beliefz' (did you mean 'beliefs'?)"),
        (["table", "objectivs"], "(did you mean 'objectives'?)"),
        (["xyzzy"], "unknown command 'xyzzy'; choose one of models, "),
    ],
)
def test_a_near_miss_is_answered(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        status = main(words)
    except SystemExit as stop:
        status = stop.code
    err = capsys.readouterr().err
    if words[0] == "study":  # the run is read first
        assert status == 2
        return
    assert (status, err.count("\n")) == (2, 1), err
    assert said in err
    assert not list(tmp_path.iterdir())


def test_help_names_what_there_is():
    assert _STUDIES.replace(", or all", "").split(", ") == list(STUDIES)
    known = {
        "likelihood": LIKELIHOODS,
        "link": LINKS,
        "schedule": SCHEDULES,
        "precision": PRECISIONS,
        "keep": KEPT,
        "alpha_rule": ALPHA_RULES,
        "heads": HEADS,
    }
    assert {name: VALUES[name].split("|") for name in known} == {
        name: list(words) for name, words in known.items()
    }
    commands = next(a for a in build_parser()._actions if a.dest == "command").choices
    for name, parser in commands.items():
        assert "STR" not in {a.metavar for a in parser._actions if a.dest in vars(Config())}, name


@pytest.mark.parametrize("size", [0.001, 1.0, 99999.9, 1e6, 1e12])
@pytest.mark.parametrize("epoch", [0, 99, 999_999])
def test_an_epochs_line_fits(size, epoch):
    found = {"epoch": epoch, "objective": -size, "bound": -size, "accuracy": 0.5, "r2": 0.25}
    tried = {"validation_bound": -size, "validation_accuracy": 0.5, "validation_r2": 0.25}
    terms = {f"term {i}": size for i in range(9)}
    assert len(epoch_line({**found, **terms, **tried})) <= 100


def test_the_head_of_it_is_enough():
    command = f"{sys.executable} -m ccvae models"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; ({command}; echo $? >&2) | exec true"],
        capture_output=True,
        text=True,
    )
    assert done.stderr.strip() in ("141", "0")


def test_a_training_says_each_epoch_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = "train vae --data faces:60 --network mlp --epochs 2 --batch-size 20 --out run"
    assert main(words.split()) == 0
    said = capsys.readouterr()
    assert (said.out + said.err).count("epoch 2: ") == 1
    assert said.out == "run: ccvae evaluate run\n"
