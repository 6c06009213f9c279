"""A run knows its data, its weights and its evaluation, and says what changed."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ccvae
from ccvae import cli
from ccvae.cli import main
from ccvae.config import Config
from ccvae.inference.runs.facts import read_facts
from ccvae.lock import alone, holds_something

from ..calling import call

TRAIN = ["--data", "images:ph", "--image-size", "8", "--network", "mlp", "--batch-size", "24"]
TRAIN += ["--style", "2", "--labelled", "1", "--out", "r"]

ROOTS = [Path(ccvae.__file__).parent.parent]


@pytest.fixture(autouse=True)
def _brief(brief_classifiers):
    """Nothing here asks how good a classifier is."""


def write_images(count=48, bright=255):
    random = np.random.default_rng(0)
    rows = []
    for i in range(count):
        a, b, hair = random.integers(0, 2), random.integers(0, 2), i % 3
        pixels = np.full((8, 8, 3), 40 + 40 * hair, np.uint8)
        pixels[:4, :, 0], pixels[4:, :, 1] = bright * a, bright * b
        Image.fromarray(pixels).save(f"ph/{i:04}.png")
        rows.append((f"{i:04}.png", a, b, ["black", "blond", "red"][hair]))
    with open("ph/labels.csv", "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("file", "A", "B", "Hair"), *rows])


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A run of one epoch on a folder of images."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ph").mkdir()
    write_images()
    assert main(["train", *TRAIN, "--epochs", "1"]) == 0
    return tmp_path


def edit(old, new, lines=slice(None)):
    with open("ph/labels.csv") as file:
        rows = file.readlines()
    rows[lines] = [row.replace(old, new) for row in rows[lines]]
    with open("ph/labels.csv", "w") as file:
        file.writelines(rows)


def drop_rows():
    with open("ph/labels.csv") as file:
        rows = file.readlines()
    with open("ph/labels.csv", "w") as file:
        file.writelines(rows[:31])


CHANGES = {
    "a class renamed": (
        lambda: edit("black", "zebra"),
        "the classes of Hair, black, blond, red, are blond, red, zebra now",
    ),
    "a class merged": (lambda: edit("red", "blond"), "black, blond, red, are "),
    "a new class": (lambda: edit("red", "white", slice(1, 9)), "are black, blond, red, white now"),
    "columns exchanged": (
        lambda: edit("A,B", "B,A", slice(0, 1)),
        "the columns of A and B were exchanged",
    ),
    "images replaced": (lambda: write_images(bright=90), "images were replaced"),
    "rows gone": (drop_rows, "18 of 48 rows are gone, 30 now"),
    "a label gone": (lambda: edit(",B", ",C", slice(0, 1)), "the labels A, B, Hair are A, C, Hair"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changed_is_said_before_a_step_is_made(place, capsys, name):
    change, words = CHANGES[name]
    before = {path.name: path.read_bytes() for path in (place / "r").iterdir() if path.is_file()}
    change()
    status, out, err = call(capsys, "train", *TRAIN, "--epochs", "2", "--resume")
    assert (status, out) == (2, "")
    assert words in err.splitlines()[-1]
    assert "is not what r was trained on" in err
    assert {p.name: p.read_bytes() for p in (place / "r").iterdir() if p.is_file()} == before
    status, _, err = call(capsys, "evaluate", "r")
    assert words in err
    can = name in ("images replaced", "rows gone")  # the same labels: a line, and the figures
    assert status == (0 if can else 2)


@pytest.mark.parametrize("name", CHANGES)
def test_a_training_goes_on_with_other_data_where_that_is_said(place, capsys, name):
    change, words = CHANGES[name]
    change()
    command = ["train", *TRAIN, "--epochs", "2", "--resume"]
    _, _, refused = call(capsys, *command)
    status, _, err = call(capsys, *command, "--changed-data")
    if "--changed-data" not in refused:  # labels of another kind fit no weights
        assert status == 2
        assert words in err
        return
    assert status == 0, err
    assert f"r goes on with other data: {words}" in err
    alpha = ["--alpha", json.loads((place / "r/config.json").read_text())["config"]["alpha"]]
    status, _, err = call(capsys, *command[:-3], *alpha, "--epochs", "3", "--resume")
    assert status == 0, err  # they are the run's own now
    assert "other data" not in err


def test_images_that_moved_are_named(place, capsys):
    (place / "ph").rename(place / "elsewhere")
    assert call(capsys, "evaluate", "r")[0] == 2
    status, _, err = call(capsys, "evaluate", "r", "--data", "images:elsewhere")
    assert status == 0, err
    assert "is what r was trained on" in err
    (place / "elsewhere" / "labels.csv").rename(place / "t.csv")
    for command in (["evaluate", "r"], ["study", "reconstruction", "r"]):
        status, _, err = call(capsys, *command, "--data", "images:elsewhere", "--labels", "t.csv")
        assert status == 0, err
        assert "is what r was trained on" in err


def test_a_training_goes_on_where_its_images_lie_now(place, capsys):
    before = json.loads((place / "r/config.json").read_text())
    (place / "ph").rename(place / "elsewhere")
    words = [word.replace("ph", "elsewhere") for word in TRAIN]
    (place / "elsewhere/labels.csv").rename(place / "t.csv")
    words += ["--labels", "t.csv", "--resume"]
    status, _, err = call(capsys, "train", *words, "--epochs", "2")
    assert status == 0, err
    assert f"'images:{place}/elsewhere?labels={place}/t.csv&image_size=8' is what r was" in err
    after = json.loads((place / "r/config.json").read_text())
    assert after["id"] == before["id"]
    assert f"images:{place}/elsewhere?" in after["config"]["data"]
    status, _, err = call(capsys, "evaluate", "r")  # which knows where they are now
    assert (status, err) == (0, ""), err
    found = json.loads((place / "r/evaluation.json").read_text())
    assert found["of"]["run"] == after["id"]
    status, _, err = call(capsys, "train", *words, "--epochs", "3", "--lr", "0.1")
    assert (status, "with other options (lr 0.001 → 0.1);" in err) == (2, True), err


def test_a_training_does_not_go_on_with_other_images_from_elsewhere(place, capsys):
    (place / "ph").rename(place / "first")
    (place / "ph").mkdir()
    write_images(bright=90)
    (place / "ph").rename(place / "second")
    words = ["train", *(word.replace("ph", "second") for word in TRAIN), "--resume", "--epochs"]
    before = {path.name: path.read_bytes() for path in (place / "r").iterdir() if path.is_file()}
    status, out, err = call(capsys, *words, "2")
    assert (status, out) == (2, "")
    assert "second?image_size=8' is not what r was trained on, 'images:" in err
    assert "ph?image_size=8': images were replaced; give back what it was, go on with them" in err
    assert {p.name: p.read_bytes() for p in (place / "r").iterdir() if p.is_file()} == before
    status, _, err = call(capsys, "train", *TRAIN[:1], "faces:60", *TRAIN[2:], "--resume")
    assert (status, "'faces:60?image_size=8' is not what r was" in err) == (2, True), err
    known = json.loads((place / "r/config.json").read_text())
    del known["data"], known["digest"]  # as an earlier version wrote it
    (place / "r/config.json").write_text(json.dumps(known))
    words = ["train", *(word.replace("ph", "first") for word in TRAIN), "--resume", "--epochs"]
    status, _, err = call(capsys, *words, "2")
    assert (status, "an earlier version kept nothing to tell it from" in err) == (2, True), err
    assert call(capsys, *words, "2", "--changed-data")[0] == 0


def test_an_evaluation_is_of_a_checkpoint_and_of_no_other(place, capsys, monkeypatch):
    assert call(capsys, "evaluate", "r")[0] == 0
    first = json.loads((place / "r/evaluation.json").read_text())
    standing = json.loads((place / "r/config.json").read_text())
    assert first["of"]["run"] == standing["id"]
    assert first["of"]["step"] == 2
    kept = (place / "r/evaluation.json").read_bytes()
    call(capsys, "study", "reconstruction", "r")
    assert (place / "r/evaluation.json").read_bytes() == kept
    call(capsys, "train", *TRAIN, "--epochs", "2", "--resume")
    (place / "r/evaluation.json").write_bytes(kept)  # as if a copy had come back
    call(capsys, "study", "reconstruction", "r")
    second = json.loads((place / "r/evaluation.json").read_text())
    assert second["of"]["step"] == 4
    assert second["of"]["weights"] != first["of"]["weights"]


def test_the_same_words_give_the_same_run(place, capsys):
    again = [*TRAIN[:-1], "again"]
    assert call(capsys, "train", *again, "--epochs", "1")[0] == 0
    names = ("config.json", "checkpoint.safetensors", "metrics.jsonl")
    for name in names:
        assert (place / "r" / name).read_bytes() == (place / "again" / name).read_bytes()
    assert call(capsys, "train", *TRAIN[:-1], "other", "--epochs", "1", "--seed", "1")[0] == 0
    ids = [json.loads((place / d / "config.json").read_text())["id"] for d in ("r", "other")]
    assert ids[0] != ids[1]
    os.replace("other/checkpoint.safetensors", "r/checkpoint.safetensors")
    status, _, err = call(capsys, "evaluate", "r")
    assert status == 2
    assert "put the files of one run together again" in err


def test_a_run_of_before_is_read_and_goes_on(place, capsys):
    path = place / "r/config.json"
    facts = json.loads(path.read_text())
    path.write_text(
        json.dumps({k: v for k, v in facts.items() if k not in ("id", "data", "digest")})
    )
    assert call(capsys, "evaluate", "r")[0] == 0
    status, _, err = call(capsys, "train", *TRAIN, "--epochs", "2", "--resume")
    assert status == 0, err
    assert json.loads(path.read_text())["id"] == facts["id"]


def test_a_second_training_into_one_directory_is_refused_at_once(place, capsys, monkeypatch):
    holder = (
        "import sys; from pathlib import Path; from ccvae.lock import alone\n"
        "with alone(Path('r')): print('held', flush=True); sys.stdin.read()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    path = os.pathsep.join(str(Path(entry).resolve()) for entry in ROOTS)
    environment = {**os.environ, "PYTHONPATH": path}
    with subprocess.Popen([sys.executable, "-c", holder], env=environment, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        monkeypatch.setattr(cli, "import_module", None)  # what takes seconds is not needed for it
        for command in (["--epochs", "2", "--resume"], ["--epochs", "2"]):
            status, out, err = call(capsys, "train", *TRAIN, *command)
            assert (status, out) == (2, "")
            assert err == (
                "ccvae train: another training is writing into r; wait for its end, or give "
                "another --out\n"
            )
        process.kill()  # a killed training's lock is gone with it
    monkeypatch.undo()
    monkeypatch.chdir(place)
    assert call(capsys, "train", *TRAIN, "--epochs", "2", "--resume")[0] == 0


def test_a_lock_leaves_nothing_where_nothing_was_made(tmp_path):
    with pytest.raises(ValueError, match="nothing"), alone(tmp_path / "a" / "b"):
        raise ValueError("nothing")
    assert not (tmp_path / "a").exists()
    with alone(tmp_path / "a"):
        (tmp_path / "a" / "mine").write_text("")
    assert holds_something(tmp_path / "a")


def test_what_a_killed_process_left_half_written_is_no_hindrance(place, capsys):
    (place / "new").mkdir()
    for path in ("new/.config.json.4194305", "r/.checkpoint.safetensors.4194305"):  # no process
        (place / path).write_text("{")
    mine = place / f"r/.evaluation.json.{os.getpid()}"
    mine.write_text("{")
    status, _, err = call(capsys, "train", *TRAIN[:-1], "new", "--epochs", "1")
    assert status == 0, err
    assert call(capsys, "train", *TRAIN, "--epochs", "2", "--resume")[0] == 0
    assert list(place.glob("*/.*.*")) == [mine]  # of a process that runs


def test_a_run_from_before_blocks_could_be_taught_apart_is_what_it_was(tmp_path):
    config = {"version": 2, "program": "ccvae", "data": "images:photos"}
    facts = {"config": config, "labels": [{"name": "A"}], "shape": [3, 8, 8], "domains": 0}
    (tmp_path / "config.json").write_text(json.dumps(facts))
    assert read_facts(tmp_path).config.taught_apart is False
    facts["config"] = Config(data="images:photos").to_json()
    (tmp_path / "config.json").write_text(json.dumps(facts))
    assert read_facts(tmp_path).config.taught_apart is None


@pytest.mark.parametrize(("side", "network"), [(32, "mlp"), (64, "auto")])
def test_a_run_of_format_1_keeps_the_network_that_auto_was(tmp_path, side, network):
    config = {"version": 1, "program": "ccvae", "data": "images:photos"}
    facts = {"config": config, "labels": [{"name": "A"}], "shape": [3, side, side], "domains": 0}
    (tmp_path / "config.json").write_text(json.dumps(facts))
    found = read_facts(tmp_path)
    assert (found.config.network, found.config.trunks) == (network, 1)
