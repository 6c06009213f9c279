"""Tables: how figures are summed up and written, and table diva at a small size."""

import json
from dataclasses import replace

import pytest
import torch

from ccvae.config import Config
from ccvae.data import Batch, Binary, Categorical, LabelSpace
from ccvae.data.rotated import rotated_digits
from ccvae.inference.objectives import ccvae, m2
from ccvae.inference.training.alpha import APART
from ccvae.models import VAE, Bernoulli
from ccvae.networks import MLPDecoder, MLPEncoder
from ccvae.studies.comparisons import diva as table_diva
from ccvae.studies.comparisons import objectives as table_objectives
from ccvae.studies.comparisons import single_latent_pair
from ccvae.studies.comparisons.run import run_table
from ccvae.studies.comparisons.single_latent import SingleLatentGuide, SingleLatentObjective
from ccvae.studies.drawing.tables import Figure, Table, mean_and_error


def small_table(**changes):
    facts = {
        "name": "t",
        "title": "A title",
        "columns": ("row", "mine", "paper"),
        "rows": (("a", Figure(0.5), 1), ("b", Figure(1.25, 0.05, 3), None)),
        "notes": ("A note.",),
        "digits": 2,
    }
    return Table(**facts | changes)


def test_mean_and_standard_error():
    assert mean_and_error([]) is None
    assert mean_and_error([2.0]) == Figure(2.0)
    assert mean_and_error(iter([1.0, 3.0])) == Figure(2.0, 1.0, 2)


def test_markdown():
    assert small_table().to_markdown() == (
        "# A title\n\n"
        "| row | mine | paper |\n"
        "| --- | ---: | ---: |\n"
        "| a | 0.50 | 1.00 |\n"
        "| b | 1.25 ± 0.05 |  |\n\n"
        "A note.\n"
    )


def test_files(tmp_path):
    table = small_table()
    markdown, document = table.write(tmp_path / "new")
    assert markdown.read_text(encoding="utf-8") == table.to_markdown()
    content = json.loads(document.read_text())
    assert content["rows"][1] == ["b", {"mean": 1.25, "error": 0.05, "count": 3}, None]
    assert content["columns"] == ["row", "mine", "paper"]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"expected 3 cells a row .* got 2 in the row 'a'"):
        small_table(rows=(("a", 1.0),))


def measurement(method, angle, seed, accuracy):
    return {
        "seed": seed,
        "angle": angle,
        "method": method,
        "accuracy": accuracy,
        "held_out": accuracy - 2,
        "seconds": 60.0,
    }


def test_diva_table_has_a_row_an_angle_and_their_mean():
    table = table_diva.arrange(
        [measurement("DIVA", a, s, 90 + a / 15 + s) for a in (0, 30) for s in (0, 2)]
        + [measurement("single latent", 0, 0, 80.0)]
    )
    heading, *rows = table.rows
    assert heading[0] == "0°"
    assert heading[1] == Figure(91.0, 1.0, 2)
    assert heading[2] == Figure(80.0)
    assert heading[3] is None
    assert heading[4] == 93.5
    assert heading[5] == Figure(89.0, 1.0, 2)
    assert [row[0] for row in rows] == ["30°", "mean"]
    assert rows[-1][1] == Figure(92.0, 1.0, 2)  # over the two angles
    assert rows[-1][4] == 97.2
    assert "5 minutes" in table.notes[-1]


def test_running_a_table_measures_and_writes(tmp_path, brief_classifiers, monkeypatch):
    """Its classifiers see each image alone: batch normalisation does not look at the others."""
    found = []

    def kept(*args):
        found.append(classifier_of(*args))
        return found[-1]

    classifier_of = table_diva._classifier
    monkeypatch.setattr(table_diva, "_classifier", kept)
    config = replace(
        table_diva.CONFIG, network="mlp", style=2, epochs=1, batch_size=1000, warm_up=0
    )
    lines = []
    table = run_table("diva", folder=tmp_path, report=lines.append, config=config, angles=(60,))
    assert [json.loads(line)["method"] for line in lines] == list(table_diva.COLUMNS)
    assert all(0 <= m["held_out"] <= 100 for m in table.measurements)
    assert {path.name for path in tmp_path.iterdir()} == {"diva.md", "diva.json"}
    assert table.settings["alpha_d"] == table_diva.CONFIG.alpha_d == 1000
    x = rotated_digits(60).subset(torch.arange(20)).batch(torch.arange(20)).x
    for classifier in found:
        assert torch.equal(classifier(x), torch.cat([classifier(image[None]) for image in x]))


def test_the_single_latent_has_as_many_dimensions_as_divas_three():
    assert 3 * table_diva.CONFIG.style == single_latent_pair.STYLE
    assert table_diva.CONFIG.network == single_latent_pair.NETWORK
    assert set(table_diva.METHODS) == {
        "diva",
        "ccvae.studies.comparisons.single_latent_pair:model,guide/"
        "ccvae.studies.comparisons.single_latent:SingleLatentObjective",
        "plain classifier",
    }


def test_the_five_objectives_are_measured_on_the_same_faces(tmp_path, brief_classifiers):
    config = replace(table_objectives.CONFIG, data="faces:120?image_size=32", style=2, epochs=1)
    lines = []
    table = run_table(
        "objectives", folder=tmp_path, report=lines.append, config=config, fractions=(0.2,)
    )
    columns = list(table_objectives.COLUMNS)
    assert columns == ["M2", "DIVA", "Adapted DIVA", "Our Adapted DIVA", "CC-VAE"]
    assert [row[0] for row in table.rows] == [*columns, "plain classifier", "majority class"]
    alphas = {m["method"]: m["alpha"] for m in map(json.loads, lines) if "alpha" in m}
    assert alphas["Adapted DIVA"] == 1  # its constructor's, for it has no rule
    assert alphas["Our Adapted DIVA"] == alphas["CC-VAE"]
    assert alphas["CC-VAE"] == pytest.approx(APART * alphas["DIVA"], rel=0.1)
    ratio = APART * ccvae.LABEL_WEIGHT / m2.LABEL_WEIGHT
    assert alphas["CC-VAE"] == pytest.approx(ratio * alphas["M2"], rel=0.1)  # of two digits
    for name, accuracy, bound, error in table.rows[:5]:
        assert 0 <= accuracy.mean <= 100, name
        assert bound.mean < 0 < error.mean, name
    assert all(row[2:] == (None, None) for row in table.rows[5:])
    assert {path.name for path in tmp_path.iterdir()} == {"objectives.md", "objectives.json"}


def test_objectives_table_has_three_figures_a_fraction():
    shared = {"method": "M2", "accuracy": 60.0, "bound": -10.0, "error": 50.0, "seconds": 60.0}
    table = table_objectives.arrange(
        [
            {**shared, "seed": s, "labelled": f, "bound": -10.0 - s}
            for f in (0.2, 0.02)
            for s in (0, 2)
        ]
        + [{"method": "majority class", "seed": 0, "labelled": 0.2, "accuracy": 40.0}]
    )
    assert table.columns[1:4] == ("accuracy, F = 0.02", "bound, F = 0.02", "error, F = 0.02")
    assert table.rows[0] == (
        "M2",
        *(Figure(60.0, 0.0, 2), Figure(-11.0, 1.0, 2), Figure(50.0, 0.0, 2)) * 2,
    )
    assert table.rows[-1] == ("majority class", None, None, None, Figure(40.0), None, None)
    assert "4 minutes" in table.notes[-1]


def test_unknown_tables_and_no_seeds_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"unknown table 'x'; choose one of .*diva"):
        run_table("x", folder=tmp_path)
    with pytest.raises(ValueError, match="at least one seed"):
        run_table("diva", seeds=(), folder=tmp_path)


def single_latent():
    space = LabelSpace([Binary("a"), Categorical("b", ("u", "v", "w"))])
    model = VAE(MLPDecoder(4, (1, 3, 3), (6,)), Bernoulli(), style=4)
    guide = SingleLatentGuide(space, 2, MLPEncoder((1, 3, 3), 4, (6,)), style=4)
    batch = Batch(
        x=torch.rand(3, 1, 3, 3),
        y=torch.tensor([[1.0, 2.0], [0.0, torch.nan], [torch.nan, torch.nan]]),
        d=torch.tensor([1, -1, 0]),
        index=torch.arange(3),
        size=6,
    )
    return model, guide, batch


def test_single_latent_terms_are_the_formula():
    model, guide, batch = single_latent()
    objective = SingleLatentObjective(7.0, 3.0)
    torch.manual_seed(1)
    terms = objective.terms(model, guide, *batch.args, **batch.kwargs)
    torch.manual_seed(1)
    loss = objective.differentiable_loss(model, guide, *batch.args, **batch.kwargs)
    torch.testing.assert_close(loss, -2 * torch.stack(list(terms.values())).sum())
    loss.backward()
    assert all(p.grad.isfinite().all() for p in guide.parameters())

    torch.manual_seed(1)
    loc, scale = guide.encoder(batch.x)
    z = torch.distributions.Normal(loc[:, None], scale[:, None]).sample()
    a, b = (classifier.log_classes(z) for classifier in guide.classifier)
    d = guide.domain_classifier.log_classes(z)
    labels = torch.stack([a[0, 0, 1] + b[0, 0, 2], a[1, 0, 0], torch.zeros(())])
    domains = torch.stack([d[0, 0, 1], torch.zeros(()), d[2, 0, 0]])
    torch.testing.assert_close(terms["alpha_y log q(y|z)"], 7 * labels)
    torch.testing.assert_close(terms["alpha_d log q(d|z)"], 3 * domains)
    torch.testing.assert_close(
        objective.evidence_bound(terms),
        terms["log p(x|z)"] + terms["beta log p(z)"] + terms["-beta log q(z|x)"],
    )


def test_single_latent_predicts_every_label():
    _, guide, batch = single_latent()
    shapes = [said.log_classes.shape for said in guide.predict(batch.x)]
    assert shapes == [(3, 1, 2), (3, 1, 3)]


def test_the_settings_of_table_diva_are_a_valid_run():
    assert Config.from_json(table_diva.CONFIG.to_json()) == table_diva.CONFIG
