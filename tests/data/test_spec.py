"""Specifications, their options, and the commands that take them."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ccvae.cli import main
from ccvae.config import SOURCE
from ccvae.data.spec import load, with_options
from ccvae.specification import short_name, split

from .pictures import write_celeba, write_folder

QUICK = ("--network", "mlp", "--epochs", "1", "--batch-size", "10", "--style", "4")


@pytest.fixture
def call(capsys):
    """Exit status, standard output and standard error of a command."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [f"{i}.png,{i % 2},{['red', 'green', ''][i % 3]}" for i in range(30)]
    write_folder(tmp_path / "own", rows, 30, "file,Odd,Hair")
    return tmp_path / "own"


@given(st.text(min_size=1).filter(lambda s: "\0" not in s), st.integers(1, 99))
def test_options_come_back_as_they_were(kinds: str, size: int) -> None:
    spec = with_options(
        "images:/nowhere", {"kinds": kinds, "image_size": size, "labels": "/a b.csv"}
    )
    body, options = split(spec)
    assert body == "images:/nowhere"
    assert options == {"labels": "/a b.csv", "kinds": kinds, "image_size": str(size)}
    assert with_options(spec, {}) == spec
    assert split(with_options(spec, {"image_size": 5}))[1]["image_size"] == "5"


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert with_options("images:own", {"labels": "a.csv"}) == (
        f"images:{tmp_path}/own?labels={tmp_path}/a.csv"
    )
    assert with_options("celeba:root", {}) == f"celeba:{tmp_path}/root"


def test_other_specifications_stay_as_they_are() -> None:
    for spec in ("faces", "faces:72", "digits", "digits:root", "rotated-digits:30:held-out"):
        assert with_options(spec, dict.fromkeys(SOURCE)) == spec == short_name(spec)
    assert short_name("images:/home/me/own?crop=3") == "images:own"


def test_a_folder_may_have_a_question_mark(tmp_path: Path) -> None:
    write_folder(tmp_path / "what?")
    assert len(load(f"images:{tmp_path}/what?").images) == 20
    assert load(f"images:{tmp_path}/what??image_size=8").shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            "faces:12?labels=a.csv",
            "data set 'faces' has no option labels; it has image-size, missing, data-seed",
        ),
        (
            "images:.?size=3",
            "data set 'images' has no option size; it has labels, kinds, image-size",
        ),
        (
            "images:.?image_size=big",
            "image-size: expected a whole number from 1 to 1024, got 'big'",
        ),
        ("images:.?image_size=0", "image-size: expected a whole number from 1 to 1024, got '0'"),
        ("images:", "expected a folder; write images:DIR"),
        ("celeba", "expected a folder; write celeba:ROOT"),
        ("faces:12?missing=some", "expected missing as a share, or as NAME=SHARE,NAME=SHARE"),
        ("faces:12?missing=Smug=0.1", "unknown label 'Smug'"),
        ("faces:12?missing=2", "expected a share of Smiling between 0 and 1, got 2"),
    ],
)
def test_bad_specifications(spec: str, words: str, call) -> None:
    status, out, err = call("data", spec)
    assert status == 2
    assert out == ""
    assert words in err
    assert len(err.splitlines()) == 1


def test_options_of_a_data_set_without_a_colon() -> None:
    assert split("faces?missing=0.5") == ("faces", {"missing": "0.5"})


def test_labels_missing_at_random() -> None:
    whole = load("faces:120")
    some = load("faces:120?missing=Hair=0.5,Young=0.25")
    gone = some.labels.isnan()
    assert not gone[some.test].any()
    assert dict(zip(some.space.names, gone[some.train].sum(0).tolist(), strict=True)) == {
        name: {"Hair": 50, "Young": 25}.get(name, 0) for name in some.space.names
    }
    assert (some.labels == whole.labels)[~gone].all()
    again = load("faces:120?missing=Hair=0.5", "Hair").labels.isnan()[:, 0]
    assert (again == gone[:, some.space.index("Hair")]).all(), "other labels do not matter"
    other = load("faces:120?missing=Hair=0.5&data_seed=1", "Hair").labels.isnan()[:, 0]
    assert (again != other).any()
    assert load("faces:120?missing=0.1").labels.isnan().sum() == 90


def test_train_evaluate_and_resume_on_own_images(folder, tmp_path, call, monkeypatch) -> None:
    table = tmp_path / "table.csv"
    (folder / "labels.csv").rename(table)
    monkeypatch.chdir(tmp_path)
    (folder / "7.png").write_bytes(b"")
    asked = ("--data", "images:own", "--labels", "table.csv", "--image-size", "12", *QUICK)
    asked += ("--labelled", "0.8", "--out", tmp_path / "run")
    status, out, err = call("train", *asked, "--json")
    assert status == 0, err
    assert json.loads(out)["epoch"] == 0
    assert "images:own with Odd (binary), Hair (categorical)" in err
    assert "problem: 7.png: an empty file; left out" in err
    monkeypatch.chdir("/")
    status, out, err = call("evaluate", tmp_path / "run", "--json")
    assert status == 0, err
    assert json.loads(out)["images"] == 6
    monkeypatch.chdir(tmp_path)
    more = [*asked, "--resume"]
    more[more.index("--epochs") + 1] = "2"
    status, out, err = call("train", *more, "--json")
    assert status == 0, err
    assert json.loads(out)["epoch"] == 1
    more[more.index("12")] = "16"
    status, _, err = call("train", *more)
    assert status == 2
    assert "image_size=12" in err
    table.rename(tmp_path / "gone.csv")
    status, _, err = call("evaluate", tmp_path / "run")
    assert status == 2
    assert f"cannot read the labels {table}" in err


def test_own_images_have_a_run_directory_by_default(folder, tmp_path, call, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = call("train", "--data", f"images:{folder}", *QUICK, "--json")
    assert status == 0, err
    assert json.loads(out)["run"] == "runs/ccvae-ccvae-images_own-0"


def test_train_on_celeba(tmp_path: Path, call) -> None:
    values = np.random.default_rng(0).choice([-1, 1], (40, 40))
    write_celeba(tmp_path, values, [0] * 25 + [1] * 5 + [2] * 10)
    asked = ("--data", f"celeba:{tmp_path}", "--only", "Male,Hair", "--labelled", "1", *QUICK)
    status, _, err = call("train", *asked, "--out", tmp_path / "run")
    assert status == 0, err
    assert "celeba with Male (binary), Hair (categorical)" in err
    status, out, err = call("evaluate", tmp_path / "run", "--json")
    assert status == 0, err
    assert json.loads(out)["images"] == 10


def test_data_describes_and_draws(folder: Path, tmp_path: Path, call) -> None:
    sheet = tmp_path / "sheet.png"
    status, out, err = call("data", f"images:{folder}", "--sheet", sheet, "--json")
    assert status == 0, err
    document = json.loads(out)
    assert document["images"] == 30
    assert document["train"] == 24
    assert document["labels"]["Odd"] == {
        "kind": "binary",
        "classes": {"no": 15, "yes": 15},
        "missing": 0,
        "majority": 0.5,
    }
    assert document["labels"]["Hair"]["missing"] == 10
    assert document["correlations"] == {"Odd": {"Hair": pytest.approx(0)}}
    assert document["majority"] == 0.5
    assert document["problems"] == [
        "24 training rows are fewer than a batch of 100; give a smaller --batch-size"
    ]
    assert document["sheet"] == str(sheet)
    with Image.open(sheet) as image:
        assert image.height == 4 * 66
    status, out, _ = call("data", f"images:{folder}", "--only", "Hair")
    assert "categorical" in out
    assert "Odd" not in out
    assert "fewer than a batch" in out


def test_a_sheet_of_no_known_format(call, tmp_path: Path) -> None:
    status, _, err = call("data", "faces:12", "--sheet", tmp_path / "sheet.xyz")
    assert status == 2
    assert "expected a picture such as sheet.png" in err


def test_only_celeba_can_be_downloaded(call) -> None:
    status, _, err = call("data", "faces:12", "--download")
    assert status == 2
    assert "only celeba:ROOT can be downloaded, not 'faces:12'" in err


def table_with_ages(folder: Path) -> Path:
    rows = ["picture;Age;Black;Blond;Mood;Glasses"]
    for i in range(30):
        hair = ["1;0", "0;1", "0;0"][i % 3]
        glasses = ["None", "round", "?"][i % 3]
        rows.append(f"{i};{20 + i};{hair};{['low', 'mid', 'high'][i % 3]};{glasses}")
    (folder / "ages.csv").write_text("\n".join(rows))
    return folder / "ages.csv"


AGES = ("--file-column", "picture", "--join", "Hair=Black|Blond", "--missing-marks", "Glasses=?")
AGES += ("--kinds", "Age=real,Mood=ordinal:low<mid<high")


def test_what_a_table_means_can_be_said(folder: Path, tmp_path: Path, call) -> None:
    table, sheet = table_with_ages(folder), tmp_path / "sheet.png"
    status, out, err = call("data", f"images:{folder}", "--labels", table, *AGES, "--json")
    assert status == 0, err
    document = json.loads(out)
    labels = document["labels"]
    assert {name: label["kind"] for name, label in labels.items()} == {
        "Age": "real",
        "Hair": "categorical",
        "Mood": "ordinal",
        "Glasses": "categorical",
    }
    assert labels["Age"]["numbers"]["min"] == pytest.approx(20)
    assert labels["Age"]["numbers"]["mean"] == pytest.approx(34.5)
    assert labels["Age"]["majority"] is None
    assert labels["Mood"]["classes"] == {"low": 10, "mid": 10, "high": 10}
    assert labels["Glasses"]["classes"] == {"None": 10, "round": 10}
    assert labels["Hair"]["missing"] == 10
    assert "30 names: with an ending added" in document["notes"]
    asked = (f"images:{folder}", "--labels", table, *AGES, "--sheet", sheet)
    status, out, err = call("data", *asked)
    assert status == 0, err
    assert "20 to 49, mean 34.5, deviation 8.655" in out
    assert "understood: files are named by 'picture'" in out
    with Image.open(sheet) as image:
        assert image.height == (5 + 2 + 3 + 2) * 66
    status, out, _ = call("data", f"images:{folder}", "--labels", table, *AGES, "--only", "Hair")
    assert status == 0
    assert "Age" not in out.split("understood")[0]


def test_labels_in_names_by_the_command(tmp_path: Path, call, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "own")
    for i in range(20):
        (tmp_path / "own" / f"{i}.png").rename(tmp_path / "own" / f"{20 + i}_{i % 2}_x.png")
    spec = with_options("images:own", {"labels": "pattern:{Age:real}_{Odd}_*"})
    assert spec == f"images:{tmp_path}/own?labels=pattern:%7BAge:real%7D_%7BOdd%7D_%2A"
    assert load(spec).space.names == ("Age", "Odd")
    assert split(with_options(spec, {}))[1] == {"labels": "pattern:{Age:real}_{Odd}_*"}
    status, out, err = call("data", "images:own", "--labels", "pattern:{Age:real}_{Odd}_*")
    assert status == 0, err
    assert "Age    real" in out
    assert with_options("images:own", {"labels": "folders"}).endswith("?labels=folders")


def test_a_table_is_told_before_training(folder: Path, tmp_path: Path, call) -> None:
    rows = [
        f"{i}.png,{'ab'[i % 2] if i < 24 else 'c'},{'NA' if i % 3 else i % 2}" for i in range(30)
    ]
    parts = ["train" if i < 24 else "test" for i in range(30)]
    lines = [f"{row},{part}" for row, part in zip(rows, parts, strict=True)]
    (folder / "labels.csv").write_text("\n".join(["path,C,D,split", *lines]))
    asked = ("--data", f"images:{folder}", "--image-size", "16", "--labelled", "0.05")
    asked += ("--style", "4", "--epochs", "1", "--batch-size", "12", "--out", tmp_path / "run")
    status, _, err = call("train", *asked)
    assert status == 0, err
    assert "network conv-any, made for colour images of 16×16" in err
    assert "understood: files are named by 'path'" in err
    assert "understood: 'NA' is taken as missing in D (20 rows)" in err
    assert "problem: C: no training row has the class c (6 other rows have it)" in err
    assert "problem: C: no row that shows its labels has the class b" in err


def test_bad_readings_end_with_one_line(folder: Path, call) -> None:
    table = table_with_ages(folder)
    beside = ("data", f"images:{folder}", "--labels", table)
    named = ("--file-column", "picture")
    for options, words in (
        ((*named, "--kinds", "Age=imaginary"), "real, ordinal:low<high or several, got 'imaginary"),
        ((*named, "--join", "Hair=Black"), "expected labels to join as NAME=COLUMN|COLUMN"),
        ((*named, "--join", "Hair=Black|Red"), "unknown label 'Red'; this table has Age, Black"),
        (("--file-column", "file"), "expected a first line with a column 'file', got picture"),
        ((), "'picture' could be it: --file-column picture"),
    ):
        status, out, err = call(*beside, *options)
        assert status == 2, options
        assert out == ""
        assert words in err
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda own: (own / "labels.csv").unlink(), "cannot read the labels"),
        (lambda own: (own / "labels.csv").write_bytes(b"\xff\xfe\0"), "labels.csv"),
        (lambda own: [(own / f"{i}.png").write_bytes(b"") for i in range(3)], "at most 5% of 30"),
        (lambda own: [(own / f"{i}.png").unlink() for i in range(3)], "0.png: no such file"),
    ],
)
def test_bad_folders_end_with_one_line(folder: Path, call, change, words: str) -> None:
    change(folder)
    for command in (("data", f"images:{folder}"), ("train", "--data", f"images:{folder}")):
        status, out, err = call(*command)
        assert status == 2
        assert out == ""
        assert words in err
        assert len(err.splitlines()) == 1
    assert not Path("runs").exists() or "images_own" not in "".join(os.listdir("runs"))


def test_files_are_mirrored_and_arrays_are_not_unless_it_is_said(folder: Path) -> None:
    images, odd = np.zeros((30, 8, 8), np.uint8), np.arange(30) % 2
    array = folder.parent / "own.npz"
    np.savez(array, images=images, Odd=odd)
    for path, mirrored in ((folder, True), (array, False)):
        assert load(f"images:{path}").symmetries.mirrored == mirrored
        for word in ("yes", "no"):
            spec = with_options(f"images:{path}", {"sided": word})
            assert load(spec).symmetries.mirrored == (word == "no")
    with pytest.raises(ValueError, match="expected yes or no for sided, got 'left'"):
        load(f"images:{folder}?sided=left")
