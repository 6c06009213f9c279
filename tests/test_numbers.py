"""A table with a number and a grade, from the command line: trained, kept and evaluated."""

import json
from importlib import import_module

import numpy
import pytest
import torch
from PIL import Image

from ccvae.data import Ordinal, Real
from ccvae.inference.runs.run import load

from .calling import call

ROWS, SIDE = 100, 16
OPTIONS = ["--image-size", SIDE, "--network", "mlp", "--style", "2", "--batch-size", "10"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Grey squares that are brighter the older they are; the grade is a third of the ages."""
    folder = tmp_path_factory.mktemp("squares")
    generator = numpy.random.default_rng(0)
    lines = ["file,Age,Grade"]
    for row in range(ROWS):
        age = generator.uniform(0, 90)
        noise = generator.normal(0, 4, (SIDE, SIDE, 3))
        pixels = (20 + 2.2 * age + noise).clip(0, 255).astype("uint8")
        Image.fromarray(pixels).save(folder / f"{row:03}.png")
        written = "" if row % 10 == 3 else f"{age:.1f}"
        lines.append(f"{row:03}.png,{written},{('low', 'mid', 'high')[int(age // 30)]}")
    (folder / "labels.csv").write_text("\n".join(lines))
    return folder


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    module = import_module("ccvae.inference.training.baselines")
    monkeypatch.setattr(module, "CLASSIFIER_STEPS", 100)


def said(capsys, *arguments):
    """What a command says as JSON."""
    status, document, error = call(capsys, *arguments, "--json")
    assert status == 0, error
    return json.loads(document)


def run_of(table, out, capsys, *options):
    asked = ["--data", f"images:{table}", "--kinds", "Grade=ordinal:low<mid<high", *OPTIONS]
    epochs = ["--epochs", "12", "--lr", "0.003", "--labelled", "1", "--out", out]
    return said(capsys, "train", "ccvae", *asked, *epochs, *options)


def test_numbers_and_grades_from_a_table_to_their_errors(table, tmp_path, capsys):
    out = tmp_path / "run"
    run_of(table, out, capsys)
    kept = load(out, torch.device("cpu"))
    age, grade = kept.space.labels
    assert isinstance(age, Real)
    assert isinstance(grade, Ordinal)
    assert 30 < age.mean < 60
    assert json.loads((out / "config.json").read_text())["labels"][0]["kind"] == "real"

    found = said(capsys, "evaluate", out)
    assert found["error_by_label"]["Age"] < 0.5 * found["majority_error_by_label"]["Age"]
    assert found["r2_by_label"]["Age"] > 0.7
    assert found["error_by_label"]["Grade"] < found["majority_error_by_label"]["Grade"]
    assert set(found["accuracy_by_label"]) == {"Grade"}
    assert found["classifier_r2_by_label"]["Age"] > 0.7


def test_a_number_alone_has_no_accuracy(table, tmp_path, capsys):
    out = tmp_path / "run"
    document = run_of(table, out, capsys, "--only", "Age", "--epochs", "1")
    assert "accuracy" not in document
    assert document["r2"] < 1
    found = said(capsys, "evaluate", out)
    assert "accuracy" not in found
    assert set(found["r2_by_label"]) == {"Age"}


def test_m2_refuses_a_number(table, tmp_path, capsys):
    asked = ["--data", f"images:{table}", *OPTIONS, "--out", tmp_path / "run"]
    status, _, error = call(capsys, "train", "m2", *asked)
    assert status == 2
    assert "the program m2, whose sum" in error
    assert "got Age; leave them out with --only" in error
