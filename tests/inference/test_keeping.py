"""Which weights a training keeps: the best epoch's or the last, averaged or as they are."""

import math
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from ccvae.config import Config
from ccvae.data import Binary, Categorical, Dataset, LabelSpace, Ordinal, Real, Symmetries
from ccvae.inference.evaluation.accuracy import accuracy
from ccvae.inference.evaluation.evaluating import evaluate, in_short, share_right
from ccvae.inference.runs.fitting import fit, rows_of_epoch
from ccvae.inference.runs.keeping import Keeper
from ccvae.inference.runs.logbook import METRICS, VALIDATION, read_lines
from ccvae.inference.runs.run import (
    CHECKPOINT,
    create,
    load,
    training_rows,
)
from ccvae.inference.training.average import Average
from ccvae.inference.training.baselines import baseline, train_classifier
from ccvae.inference.training.noise import seed_of
from ccvae.inference.training.validation import split
from ccvae.stopping import Request, Stopped

CPU = torch.device("cpu")
SPACE = LabelSpace([Binary("bright"), Categorical("side", ("left", "top", "right"))])
CONFIG = Config(network="mlp", style=3, epochs=4, batch_size=40, labelled=0.5, validation=0.2)


@pytest.fixture(scope="module")
def data():
    """120 images of 6×6: a bar at one of three sides, bright or dim."""
    generator = torch.Generator().manual_seed(0)
    bright = torch.randint(0, 2, (120,), generator=generator)
    side = torch.randint(0, 3, (120,), generator=generator)
    images = torch.randint(0, 30, (120, 1, 6, 6), generator=generator)
    bars = torch.zeros(3, 6, 6, dtype=torch.long)
    bars[0, :, :2], bars[1, :2], bars[2, :, 4:] = 1, 1, 1
    images += (bars[side] * (90 + 120 * bright)[:, None, None])[:, None]
    rows = torch.arange(120)
    labels = torch.stack([bright, side], 1).float()
    return Dataset("bars", images.byte(), labels, None, SPACE, rows[:100], rows[100:])


def start(directory, data, **options):
    return create(replace(CONFIG, **options), data, directory, CPU)


def finish(run, data, **options):
    return list(fit(run, training_rows(run.config, data), **({"resume": False} | options)))


def scripted(monkeypatch, bounds):
    """Let the epochs' validation find these bounds."""
    found = iter(bounds)
    monkeypatch.setattr(Keeper, "_tried", lambda *_: {"bound": next(found)})


def test_validation_rows_have_labels_and_are_not_trained_on(data):
    config = replace(CONFIG, labelled_schedule="0.5,0.2")
    rows = training_rows(config, data)
    inside, out = split(config, rows)[1:]
    assert torch.equal(rows_of_epoch(config, rows, 3).rows, inside.rows)
    assert rows_of_epoch(config, rows, 3).shown.sum() < inside.shown.sum()
    assert len(out) == 10  # a fifth of the 50 with labels
    assert out.shown.all()
    assert not set(out.rows.tolist()) & set(inside.rows.tolist())
    assert set(out.rows.tolist()) | set(inside.rows.tolist()) == set(data.train.tolist())
    assert not set(out.rows.tolist()) & set(data.test.tolist())
    none = replace(config, validation=0.0)
    assert len(split(none, rows).validation) == 0
    assert len(split(none, rows).train) == 100


def test_the_curves_on_validation_rows_are_logged(tmp_path, data):
    run = start(tmp_path, data)
    lines = finish(run, data)
    names = {"validation_bound", "validation_accuracy", "validation_reconstruction_l1"}
    assert all(names <= line.keys() for line in lines)
    logged = zip(*(read_lines(tmp_path / name) for name in (METRICS, VALIDATION)), strict=True)
    for line, (metrics, found) in zip(lines, logged, strict=True):
        assert metrics["epoch"] == found.pop("epoch")
        assert line == metrics | {f"validation_{name}": value for name, value in found.items()}
    best = max(range(4), key=lambda epoch: lines[epoch]["validation_bound"])
    assert lines[best]["validation_bound"] > lines[0]["validation_bound"]
    # They are of the weights that are kept, if that is the epoch that was kept.
    rows = split(run.config, training_rows(run.config, data)).validation
    kept = load(tmp_path, CPU)
    scores = {}
    for epoch, line in enumerate(lines):
        torch.manual_seed(seed_of(0, epoch, 2))
        found = evaluate(kept.model, kept.guide, kept.objective, rows, CPU)
        scores[epoch] = math.isclose(found["bound"], line["validation_bound"], rel_tol=1e-6)
    assert sum(scores.values()) == 1


def test_the_best_epoch_is_kept_and_loaded(tmp_path, data, monkeypatch):
    weights = {}
    for epochs in (2, 4):
        scripted(monkeypatch, [1.0, 3.0, 2.0, 2.5])
        run = start(tmp_path / str(epochs), data, epochs=epochs, schedule="constant", lr=1e-3)
        finish(run, data)
        weights[epochs] = load_file(run.directory / CHECKPOINT)
        kept = {k: v for k, v in weights[epochs].items() if k.startswith(("model.", "guide."))}
        loaded = load(run.directory, CPU)
        for mine, theirs in zip(loaded.guide.parameters(), run.guide.parameters(), strict=True):
            assert torch.equal(mine, theirs)
        weights[f"kept {epochs}"] = kept
    last = weights["kept 2"]
    # With a constant step size the second epoch of four is the last of two.
    assert all(torch.equal(value, weights[2][f"training_{name}"]) for name, value in last.items())
    apart = [
        not torch.equal(value, weights[4][f"training_{name}"])
        for name, value in weights["kept 4"].items()
    ]
    assert any(apart)


def test_without_validation_or_asked_for_the_last_epoch_is_kept(tmp_path, data, monkeypatch):
    scripted(monkeypatch, [3.0, 2.0, 1.0, 0.0])
    for number, options in enumerate(({"keep": "last"}, {"validation": 0.0})):
        run = start(tmp_path / str(number), data, **options)
        finish(run, data)
        checkpoint = load_file(run.directory / CHECKPOINT)
        for name, value in run.model.state_dict().items():
            assert torch.equal(checkpoint[f"model.{name}"], value)
        assert not [name for name in checkpoint if name.startswith("training_")]


def test_training_ends_when_it_has_waited_long_enough(tmp_path, data, monkeypatch):
    scripted(monkeypatch, [1.0, 3.0, 2.0, 2.9, 2.8, 9.0])
    run = start(tmp_path, data, epochs=6, patience=3)
    assert len(finish(run, data)) == 5
    # Taken up again it still has waited long enough.
    assert finish(load(tmp_path, CPU), data, resume=True) == []


class After(Request):
    """A request to stop that comes after so many steps."""

    def __init__(self, steps):
        self.left = steps

    def count(self, _):
        self.left -= 1
        self.signal = 15 if self.left <= 0 else 0


@pytest.mark.parametrize("options", [{"average": 0.9}, {"by_class": True}, {"trunks": 2}])
def test_a_training_stopped_anywhere_ends_with_the_same_bits(tmp_path, data, options):
    options |= {"labelled": 0.1, "validation": 0.3}
    lively = replace(data, symmetries=Symmetries(mirrored=True, shift=1))
    finish(start(tmp_path / "whole", lively, **options), lively)
    run, resume = start(tmp_path / "left", lively, **options), False
    for _ in range(4):
        stop = After(2)
        with pytest.raises(Stopped):
            finish(run, lively, resume=resume, stop=stop, watch=stop.count)
        run, resume = load(tmp_path / "left", CPU), True
    finish(run, lively, resume=True)
    one, two = (load_file(tmp_path / folder / CHECKPOINT) for folder in ("whole", "left"))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_an_average_forgets_where_it_started():
    module = torch.nn.BatchNorm1d(2)
    average = Average(module, 0.5)
    expected = 1.0
    for steps, value in enumerate([3.0, 5.0, 9.0] * 4, 1):
        with torch.no_grad():
            module.weight.fill_(value)
            module.num_batches_tracked += 1
        decay = min(0.5, (1 + steps) / (10 + steps))
        expected = decay * expected + (1 - decay) * value
        average.update(steps)
        assert average.module.weight[0].item() == pytest.approx(expected)
    assert average.module.num_batches_tracked == 12
    assert not average.module.training


def test_an_averaged_run_is_loaded_as_averaged(tmp_path, data):
    run = start(tmp_path, data, average=0.9, keep="last")
    finish(run, data)
    checkpoint = load_file(tmp_path / CHECKPOINT)
    for name, value in load(tmp_path, CPU).model.state_dict().items():
        assert torch.equal(checkpoint[f"average_model.{name}"], value)
    name = "decoder.decoder.trunk.0.weight"
    assert not torch.equal(checkpoint[f"training_model.{name}"], run.model.state_dict()[name])


def test_the_plain_classifier_keeps_its_best_epoch_too(data, monkeypatch):
    monkeypatch.setattr("ccvae.inference.training.baselines.CLASSIFIER_STEPS", 1)
    config = replace(CONFIG, lr=3e-3, average=0.5)
    train = training_rows(config, data)
    out = split(config, train).validation
    kept = train_classifier(config, train, CPU)
    last = train_classifier(replace(config, keep="last"), train, CPU)
    found, plain = (accuracy(c, out)["accuracy"] for c in (kept, last))
    assert found >= plain
    assert not kept.training


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keep": "worst"}, "choose one of best, last"),
        ({"alpha_rule": "mine"}, "choose one of measured, paper"),
    ],
)
def test_settings_that_cannot_be(tmp_path, data, options, words):
    with pytest.raises(ValueError, match=words):
        start(tmp_path / "run", data, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"validation": 1.0}, "validation of at least 0 and below 1, got 1.0"),
        ({"average": -0.1}, "average of at least 0 and below 1"),
        ({"patience": -1}, "patience of at least 0 .*, got -1"),
        ({"labelled_share": 1.0}, "labelled share of at least 0 and below 1, got 1.0"),
        ({"trunks": 3}, "trunks of at least 1 and at most 2, got 3"),
    ],
)
def test_numbers_out_of_range(options, words):
    with pytest.raises(ValueError, match=words):
        Config(**options)


def test_of_numbers_what_is_explained_counts_as_right():
    space = LabelSpace([Binary("bright"), Real("width"), Real("height")])
    found = in_short({"bound": -3.0, "accuracy": 0.9, "r2_by_label": {"width": 0.5, "height": 0.1}})
    assert found == {"bound": -3.0, "accuracy": 0.9, "r2": pytest.approx(0.3)}
    assert share_right(space, found) == pytest.approx((0.9 + 2 * 0.3) / 3)
    assert share_right(space, {"r2": -4.0, "accuracy": math.nan}) == 0.0


def test_runs_on_ordered_labels_and_numbers_keep_their_best_epoch(tmp_path, data):
    """Validated, sampled by class and averaged, with a plain classifier beside that has it all."""
    space = LabelSpace([Ordinal("side", ("left", "top", "right")), Real("bright")])
    labels = data.labels.flip(-1) * torch.tensor([1.0, 2.0]) - torch.tensor([0.0, 1.0])
    numbers = replace(data, labels=labels, space=space)
    options = {"labelled": 0.2, "validation": 0.2, "by_class": True, "average": 0.9, "epochs": 2}
    for dataset, name in ((numbers, "accuracy"), (numbers.only(["bright"]), "r2")):
        run = start(tmp_path / name, dataset, **options)
        assert run.config.labelled_share == 0.5
        for line in finish(run, dataset):
            assert f"validation_{name}" in line
            assert "validation_r2" in line
    train = training_rows(run.config, dataset)
    found = baseline(run.config, train, dataset.subset(dataset.test), CPU)
    assert found["classifier_r2_by_label"].keys() == {"bright"}


def test_what_was_asked_for_in_the_format_of_before_is_read():
    """Options that are gone are passed over; what is new is as it was then."""
    before = {"version": 1, "alpha": 300.0, "repeat": 3, "labelled_epochs": 2, "epochs": 7}
    config = Config.from_json(before)
    assert (config.alpha, config.epochs, config.trunks, config.keep) == (300.0, 7, 1, "last")
    assert (config.labelled_share, config.validation, config.still) == (0.0, 0.0, True)
    assert Config.from_json(config.to_json()) == config
    assert config.taught_apart is False
    assert Config.from_json({"version": 2}).taught_apart is None  # what somebody asks for now
    with pytest.raises(ValueError, match="unknown options labelled_epochs, repeat"):
        Config.from_json(before | {"version": 2})
