"""The flat face: `import ccvae` costs nothing, and its words train, look and show themselves."""

import ast
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import ccvae
from ccvae.data.faces import faces
from ccvae.inference import MarginalObjective
from ccvae.inference.catalogue import build_pair

DATA = faces(90, pixels=16).only(["Eyeglasses", "Hair"])
SMALL = {"network": "mlp", "style": 2, "batch_size": 20, "epochs": 2, "progress": False}


@pytest.fixture(scope="module")
def run():
    return ccvae.train("ccvae", DATA, objective="marginal", labelled=0.5, **SMALL)


def parsed(html):
    return ET.fromstring(f"<div>{html}</div>".replace("&nbsp;", " "))


def words(html):
    return " ".join(
        text for text in parsed(re.sub("<style>.*?</style>", "", html, flags=re.S)).itertext()
    )


def test_importing_it_imports_nothing_else():
    code = "import sys, ccvae; dir(ccvae); print(len({'torch', 'pyro', 'numpy'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_the_stub_has_what_the_face_has():
    stub = Path(ccvae.__file__).with_suffix(".pyi").read_text()
    imported = [node for node in ast.parse(stub).body if isinstance(node, ast.ImportFrom)]
    assert {alias.name: node.module for node in imported for alias in node.names} == ccvae.FACE
    assert set(ccvae.FACE) <= set(dir(ccvae))
    assert all(callable(getattr(ccvae, name)) for name in ccvae.FACE)


def test_what_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        ccvae.trian  # noqa: B018


def test_inspecting_by_name_and_by_programs():
    by_name = ccvae.inspect("vae", network="mlp", data="digits")
    assert "p(x,z) = p(z) p(x|z)" in by_name.to_text().replace("model      ", "")
    assert repr(by_name) == by_name.to_text()
    model, guide = build_pair(ccvae.Config(network="mlp", style=2), DATA.space, DATA.shape)
    batch = next(DATA.training(0.5, seed=0).batches(4))
    found = ccvae.inspect(
        model, guide, *batch.args, objective=MarginalObjective(alpha=1.0), **batch.kwargs
    )
    assert found.formula.write().startswith("E_{q")
    ccvae.check_pair(model, guide, *batch.args, **batch.kwargs)
    with pytest.raises(ValueError, match="did you mean 'ccvae'"):
        ccvae.inspect("ccave")


def test_a_run_and_its_history(run):
    assert run.config.objective == "marginal"
    history = run.history
    assert list(history.index) == [1, 2]
    assert history.index.name == "epoch"
    assert {"objective", "bound", "accuracy", "validation_bound", "log p(x|z)"} <= {*history}
    assert history.notna().all().all()
    assert run.curves.pictures[0].name == "training-objective"
    text = words(run._repr_html_())
    assert "ccvae with the objective marginal on faces: 2 of 2 epochs" in text
    pictures = parsed(run._repr_html_()).findall(".//img")
    assert len(pictures) == 4
    assert {picture.get("class") for picture in pictures} == {"chart"}
    assert repr(run).endswith(str(run.directory))


def test_a_run_is_evaluated_studied_and_reported(run, tmp_path, brief_classifiers):
    found = run.evaluate()
    assert list(found.table.index) == ["Eyeglasses", "Hair"]
    assert found["accuracy"] == pytest.approx(found.table["model"].mean())
    assert f"{found['accuracy']:.3f}" in words(found._repr_html_())
    assert "bound on the evidence" in repr(found)
    section = run.study("beliefs")
    assert "What the model believes" in words(section._repr_html_())
    assert repr(section).startswith("What the model believes")
    with pytest.raises(ValueError, match=r"unknown study 'belief' .did you mean 'beliefs'"):
        run.study("belief")
    report = run.report(tmp_path / "report.html")
    assert Path(report).read_text().startswith("<!doctype html>")
    assert (tmp_path / "report.html").as_uri() in report._repr_html_()


def test_a_run_is_kept_where_one_says_and_loaded(tmp_path):
    made = ccvae.train(
        "vae", "faces:60", out=tmp_path / "run", only="Hair", **{**SMALL, "epochs": 1}
    )
    again = ccvae.load(tmp_path / "run")
    assert again.config == made.config
    assert again.history.equals(made.history)
    gone = ccvae.train("vae", DATA, **{**SMALL, "epochs": 1})
    folder = gone.directory
    assert folder.exists()
    del gone
    assert not folder.exists()


def test_words_that_are_none():
    with pytest.raises(ValueError, match=r"unknown option 'epoch' .did you mean 'epochs'"):
        ccvae.train(data=DATA, epoch=3)
    with pytest.raises(ValueError, match="epochs of at least 1"):
        ccvae.train(data=DATA, epochs=0)
    with pytest.raises(ValueError, match=r"unknown objective .*'m2'"):
        ccvae.train("ccvae", DATA, objective="m2")


def test_a_data_set_shows_its_labels_and_no_pixels():
    html = DATA._repr_html_()
    text = words(html)
    assert "faces: 90 images of 3×16×16" in text
    assert {"Eyeglasses", "Black_Hair", "binary", "categorical"} <= set(text.split())
    pictures = parsed(html).findall(".//img")
    assert len(pictures) == 2 + 5
    assert len(html) < 120_000
    assert len(repr(DATA)) < 200
    rows = DATA.training(0.5, seed=0)
    assert repr(rows) == f"{len(rows)} rows of faces, {len(rows.labelled)} with labels"
    batch = next(rows.batches(4))
    assert repr(batch).startswith("4 of")
    assert "tensor" not in repr(batch)


def test_a_large_data_set_is_bounded():
    many = faces(400)
    html = many._repr_html_()
    assert len(html) < 250_000
    missing = many.hiding({"Hair": 0.5}, seed=0)
    assert "missing" in words(missing._repr_html_())


def test_objectives_say_what_they_are():
    text = repr(ccvae.CCVAEObjective())
    assert text.startswith("CCVAEObjective: ")
    assert "\n" not in text
