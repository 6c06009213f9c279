"""The plain classifier beside a run is trained once, whatever program and objective the run has."""

from dataclasses import replace

import pytest
import torch

from ccvae.config import Config
from ccvae.data.spec import load
from ccvae.inference.runs import plain
from ccvae.inference.runs.evaluation import evaluate_run
from ccvae.inference.runs.run import create

CONFIG = Config(
    data="faces:60",
    only="Hair",
    network="mlp",
    style=2,
    epochs=1,
    batch_size=20,
    labelled_share=0.5,
)


@pytest.fixture
def trainings(monkeypatch, brief_classifiers, tmp_path):
    """How often a plain classifier is trained, with a cache of its own."""
    monkeypatch.setenv("CCVAE_CACHE", str(tmp_path / "cache"))
    found, baseline = [], plain.baseline

    def counted(config, *rest, **options):
        found.append(config)
        return baseline(config, *rest, **options)

    monkeypatch.setattr(plain, "baseline", counted)
    return found


def created(folder, **options):
    config = replace(CONFIG, **options)
    return create(config, load(config.data, config.only), folder, torch.device("cpu"))


def evaluated(folder, **options):
    return evaluate_run(created(folder, **options))


def test_runs_share_it(tmp_path, trainings):
    first = evaluated(tmp_path / "a")
    second = evaluated(tmp_path / "b", objective="marginal", alpha=5.0, likelihood="normal")
    third = evaluated(tmp_path / "c", program="m2")
    assert len(trainings) == 1
    names = ("classifier", "classifier_by_label")
    assert [second[n] for n in names] == [first[n] for n in names] == [third[n] for n in names]


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"labelled": 0.4}, {"batch_size": 10}, {"data": "faces:66"}]
)
def test_other_data_seeds_and_trainings_have_their_own(tmp_path, trainings, other):
    evaluated(tmp_path / "a")
    evaluated(tmp_path / "b", **other)
    assert len(trainings) == 2


def test_a_damaged_one_is_made_again(tmp_path, trainings):
    first = evaluated(tmp_path / "a")
    (kept,) = (tmp_path / "cache").glob("plain-*.json")
    kept.write_text(kept.read_text().replace("0.", "1.", 1))
    assert evaluated(tmp_path / "b")["classifier"] == first["classifier"]
    assert len(trainings) == 2


def test_it_tells_how_far_it_is(tmp_path, trainings):
    run = created(tmp_path / "a")
    told = []
    evaluate_run(run, watch=lambda *words: told.append(words))
    assert {what for what, _, _ in told} == {"test images", "plain classifier"}
    assert all(0 < done <= total for _, done, total in told)
    assert told[-1][1] == told[-1][2]


def test_an_evaluation_says_the_same_again_and_leaves_the_callers_draws(tmp_path, trainings):
    run = created(tmp_path / "a")
    torch.manual_seed(3)
    first, drawn = evaluate_run(run), torch.randn(())
    second = evaluate_run(run)
    torch.manual_seed(3)
    assert first == second
    assert drawn == torch.randn(())
