"""Training and evaluation on small data whose answers are known."""

import math

import pytest
import torch
from pyro.infer import Trace_ELBO

from ccvae.config import Config
from ccvae.data import Binary, Categorical, Dataset, LabelSpace
from ccvae.inference import CCVAEObjective
from ccvae.inference.catalogue import build_objective, build_pair
from ccvae.inference.evaluation.evaluating import evaluate, majority
from ccvae.inference.evaluation.prediction import classify, decode, encode, reconstruct
from ccvae.inference.training.baselines import baseline
from ccvae.inference.training.loop import Training
from ccvae.inference.training.optimisation import adam, warm_cosine

NO_TERMS = {"epoch", "objective", "bound", "accuracy"}
SPACE = LabelSpace([Binary("bright"), Categorical("side", ("left", "top", "right"))])
CONFIG = Config(network="mlp", style=3, epochs=30, batch_size=50, labelled=0.5, lr=3e-3)


@pytest.fixture(scope="module")
def data():
    """300 images of 6×6: a bar at one of three sides, bright or dim."""
    generator = torch.Generator().manual_seed(0)
    bright = torch.randint(0, 2, (300,), generator=generator)
    side = torch.randint(0, 3, (300,), generator=generator)
    images = torch.randint(0, 30, (300, 1, 6, 6), generator=generator)
    bars = torch.zeros(3, 6, 6, dtype=torch.long)
    bars[0, :, :2], bars[1, :2], bars[2, :, 4:] = 1, 1, 1
    images += (bars[side] * (90 + 120 * bright)[:, None, None])[:, None]
    labels = torch.stack([bright, side], 1).float()
    rows = torch.arange(300)
    return Dataset("bars", images.byte(), labels, None, SPACE, rows[:240], rows[240:])


def fitted(data, **options):
    config = CONFIG if not options else Config(**{**vars(CONFIG), **options})
    torch.manual_seed(config.seed)
    rows = data.training(config.labelled, config.seed)
    model, guide = build_pair(config, data.space, data.shape, data.space.frequencies(rows.labels))
    module = build_objective(config)(model, guide)
    log = list(
        Training(
            module,
            adam(module, config.lr),
            rows,
            epochs=config.epochs,
            batch_size=config.batch_size,
            seed=config.seed,
            rate=lambda progress: config.lr * warm_cosine(progress),
        ).metrics()
    )
    return model, guide, log


@pytest.fixture(scope="module")
def pair(data):
    return fitted(data)


def test_training_improves_the_objective_and_logs_its_terms(pair):
    *_, log = pair
    assert log[-1]["objective"] > log[0]["objective"]
    assert log[-1]["accuracy"] > 0.95 > log[0]["accuracy"]
    for line in log:
        terms = {k: v for k, v in line.items() if k not in NO_TERMS}
        assert math.isclose(sum(terms.values()), line["objective"], rel_tol=1e-4)
        classifier = terms["(alpha-1) log q(y_observed|x)"]
        assert math.isclose(line["bound"], line["objective"] - classifier, rel_tol=1e-4)


def test_evaluation_hides_the_labels_and_stands_beside_its_baselines(pair, data):
    model, guide, _ = pair
    test = data.subset(data.test)
    result = evaluate(model, guide, CCVAEObjective(), test, "cpu")
    shuffled = data.subset(data.test, torch.full_like(test.labels, torch.nan))
    assert result["accuracy"] > 0.95
    assert set(result["balanced_by_label"]) == {"bright", "side"}
    assert math.isnan(evaluate(model, guide, CCVAEObjective(), shuffled, "cpu")["accuracy"])
    pixels = data.images.float() / 255
    mean_image_error = (pixels[data.test] - pixels[data.train].mean(0)).abs().mean()
    assert result["reconstruction_l1"] < 0.8 * mean_image_error
    plain = baseline(CONFIG, data.training(0.5, 0), test, "cpu")
    assert plain["classifier"] > 0.95


def test_majority_class_by_hand(data):
    train_rows, test = data.training(1.0, 0), data.subset(data.test)
    expected = []
    for column in range(2):
        commonest = train_rows.labels[:, column].mode().values
        expected.append((test.labels[:, column] == commonest).float().mean().item())
    result = majority(train_rows, test)
    assert result["majority"] == pytest.approx(sum(expected) / 2)


def test_a_code_decodes_to_the_reconstruction(pair, data):
    model, guide, _ = pair
    batch = data.subset(data.test).batch(torch.arange(5))
    latents = encode(guide, batch)
    assert torch.equal(decode(model, latents, batch), reconstruct(model, guide, batch))
    # What the guide is shown makes no difference: it never sees the labels here.
    assert torch.equal(latents["z_c"], encode(guide, batch.hidden())["z_c"])
    moved = {**latents, "z_c": -latents["z_c"]}
    assert not torch.equal(decode(model, moved, batch), reconstruct(model, guide, batch))
    assert torch.equal(classify(guide, data.space, batch.x), batch.y)


def test_the_authors_estimator_and_pyros_own_elbo_train_too(data):
    *_, log = fitted(data, objective="ccvae-authors", epochs=6)
    assert log[-1]["objective"] > log[0]["objective"]
    assert "w log p(x|z)" in log[0]
    rows = data.training(0.0, 0)
    model, guide = build_pair(CONFIG, data.space, data.shape)
    # A pair of modules and an ELBO of Pyro's, which names no terms.
    module = Trace_ELBO()(model, guide)
    log = list(
        Training(
            module,
            adam(module, 1e-3),
            rows,
            epochs=1,
            batch_size=240,
            seed=0,
            rate=lambda _: 1e-3,
        ).metrics()
    )
    assert set(log[0]) == {"epoch", "objective"}


def test_a_nan_image_stops_the_training(data):
    model, guide = build_pair(CONFIG, data.space, data.shape)
    module = CCVAEObjective()(model, guide)
    with torch.no_grad():
        next(guide.encoder.style.parameters()).fill_(torch.nan)
    with pytest.raises(ValueError, match=r"guide site .z_style.*in 60 of 60 rows"):
        next(
            Training(
                module,
                adam(module, 1e-3),
                data.training(0.5, 0),
                epochs=1,
                batch_size=60,
                seed=0,
                rate=lambda _: 1e-3,
            ).run()
        )
