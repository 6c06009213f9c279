"""Any byte of any file of a run or a cache may be wrong: it is refused in a line, or made again."""

import json
import os
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings

from ccvae.cli import main
from ccvae.data import cache
from ccvae.data.decode import Decoding
from ccvae.data.faces import faces
from ccvae.files import read_json
from ccvae.inference.runs import evaluation
from ccvae.inference.runs.facts import the_facts
from ccvae.inference.runs.logbook import read_lines
from ccvae.inference.runs.run import load
from ccvae.inference.training.checkpoint import load_checkpoint, read_standing, save_checkpoint
from ccvae.studies.drawing.section import Section

from .calling import call, gray_images
from .mutations import DEEP, MUTATIONS, mutated, put

COUNT = 260
"""Mutations of each of the eight kinds of files: some two thousand together."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A run with an evaluation and a study, its images and its cache; all of it small."""
    place = tmp_path_factory.mktemp("damage")
    patch = pytest.MonkeyPatch()
    patch.chdir(place)
    patch.setenv("CCVAE_CACHE", str(place / "cache"))
    patch.setattr("ccvae.inference.training.baselines.CLASSIFIER_STEPS", 1)
    gray_images(A=lambda i: i % 2, Hair=lambda i: "abc"[i % 3])
    words = ["--image-size", "8", "--network", "mlp", "--style", "2", "--labelled", "1"]
    train = ["train", "--data", "images:ph", *words, "--batch-size", "8", "--log-every", "1"]
    assert main([*train, "--epochs", "3", "--out", "r"]) == 0
    assert main(["evaluate", "r"]) == 0
    assert main(["study", "reconstruction", "r"]) == 0
    yield place
    patch.undo()


@pytest.fixture(scope="module")
def run(home):
    return load(Path("r"), torch.device("cpu"))


def damaging(path):
    """Runs a test with many mutations of a file, which is as before afterwards."""

    def decorate(check):
        @settings(
            max_examples=COUNT,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(mutation=MUTATIONS)
        def test(home, run, mutation):
            (file,) = home.glob(path)
            content = file.read_bytes()
            try:
                put(file, mutated(content, mutation))
                check(run, file, content)
            finally:
                put(file, content)

        test.__name__ = check.__name__
        return test

    return decorate


def attempted(work, *arguments):
    """What a function returns, and why it refused."""
    try:
        return work(*arguments), ""
    except ValueError as error:
        return None, str(error)


@damaging("r/config.json")
def test_config(run, file, before):
    facts, reason = attempted(the_facts, file.parent)
    if reason:
        assert "config.json" in reason
        assert "\n" not in reason
    else:
        assert facts.edited or facts == run.facts


@damaging("r/checkpoint.safetensors")
def test_checkpoint(run, file, before):
    weights = {k: v.clone() for n in run.modules for k, v in run.modules[n].state_dict().items()}
    read_standing(file)
    _, reason = attempted(load_checkpoint, file, run.modules)
    if reason:
        assert "checkpoint.safetensors" in reason
        return
    found = {k: v for n in run.modules for k, v in run.modules[n].state_dict().items()}
    assert all(torch.equal(weights[name], found[name]) for name in weights)


def check_log(run, file, before):
    lines, kept = [line for line in before.split(b"\n") if line], read_lines(file)
    now = set(file.read_bytes().split(b"\n"))
    whole = [_plain(line) for line in lines if line in now]
    assert all(line in kept for line in whole)  # what is good is still used
    assert all(line in map(_plain, lines) for line in kept)  # and nothing that was changed


def _plain(line):
    return {name: value for name, value in json.loads(line).items() if name != "crc"}


@damaging("r/metrics.jsonl")
def test_metrics(run, file, before):
    check_log(run, file, before)


@damaging("r/steps.jsonl")
def test_steps(run, file, before):
    check_log(run, file, before)


@damaging("r/evaluation.json")
def test_evaluation(run, file, before):
    kept = evaluation._read(file, run.space)
    assert kept in ({}, json.loads(before))


@damaging("r/studies/reconstruction.json")
def test_section(run, file, before):
    try:
        found = Section.from_json(read_json(file) or {}, file.parent.parent / "figures")
    except ValueError:
        return
    assert found.to_json().items() <= json.loads(before).items()


@damaging("cache/images-*.json")
def test_facts_of_a_cache(run, file, before):
    check_cache()


@damaging("cache/images-*.bytes")
def test_bytes_of_a_cache(run, file, before):
    check_cache()
    assert file.read_bytes() == before


def check_cache():
    found = cache.decoded(Path("ph"), [f"{i}.png" for i in range(24)], Decoding(8))
    assert found.skipped == []
    assert [image.unique().tolist() for image in found.images] == [[10 * i] for i in range(24)]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(mutation=MUTATIONS)
def test_the_cache_of_faces(home, mutation):
    folder = home / "faces"
    images = faces(12, pixels=8, cache=folder).images
    (file,) = folder.glob("*.npz")
    content = file.read_bytes()
    put(file, mutated(content, mutation))
    assert torch.equal(faces(12, pixels=8, cache=folder).images, images)


def test_a_good_run_goes_on_beside_bad_logs(home, capsys):
    for name in ("metrics.jsonl", "steps.jsonl"):
        path = home / "r" / name
        first, *rest = path.read_bytes().split(b"\n", 1)
        path.write_bytes(first + b"\xb3\n" + rest[0])
    status, _, err = call(capsys, "study", "reconstruction", "r")
    assert status == 0, err
    # The line that lost its newline is dropped from the curves, the rest is drawn.
    assert (home / "r/figures/training-objective.png").exists()


@pytest.mark.parametrize("content", [b'{"a":1}', DEEP, b"\xff"])
def test_a_bad_evaluation_or_study_is_made_anew(home, capsys, content):
    for name in ("evaluation.json", "studies/reconstruction.json"):
        before = (home / "r" / name).read_bytes()
        (home / "r" / name).write_bytes(content)
        status, _, err = call(capsys, "study", "beliefs", "r")
        assert (status, "Traceback" in err) == (0, False), err
        assert json.loads((home / "r" / name).read_bytes()).keys() == json.loads(before).keys()


def test_a_file_that_may_not_be_read_is_not_missing(tmp_path, monkeypatch):
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, {}, None)
    monkeypatch.setattr("ccvae.inference.training.checkpoint.safe_open", refuse)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ValueError, match="may not be read"):
        load_checkpoint(path, {})


def refuse(*_, **__):
    raise FileNotFoundError("No such file or directory")


def test_json_of_any_depth_is_read_or_refused(tmp_path):
    path = tmp_path / "deep.json"
    for depth in (10, sys.getrecursionlimit() - 200, 10**5):
        path.write_text("[" * depth + "]" * depth)
        assert read_json(path) is None
