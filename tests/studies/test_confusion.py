"""Interventions judged by an outsider, on a pair whose answer is known."""

import json
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from ccvae.config import Config
from ccvae.data import LabelSpace
from ccvae.data.faces import FACES, faces
from ccvae.guides import ClassPrediction
from ccvae.inference.training import PlainClassifier, train_judge
from ccvae.studies import Subject
from ccvae.studies.confusion import deviations, study
from ccvae.studies.drawing.charts import matrix
from ccvae.studies.reading.beliefs import beliefs
from ccvae.studies.reading.confusion import diagonal, measure, shifts

from .conftest import DIGIT, make_data, make_pair
from .handmade import SPACE, WIDTH, make_handmade


class Onlooker(nn.Module):
    """Reads labels off the pixels of the hand-made pair's images."""

    def predict(self, x):
        first, second, red, green = x.clamp(1e-4, 1 - 1e-4).logit().flatten(1).T[:4]
        binary = torch.stack([first, second], 1)
        colours = torch.stack([red, green.where(red < 0, -9), (-red - green)], 1)
        return [
            ClassPrediction(torch.stack([-binary, binary], -1).log_softmax(-1)),
            ClassPrediction(colours[:, None].log_softmax(-1)),
        ]


def judged(**made):
    return replace(make_handmade(**made), judge=Onlooker())


def test_shifts_by_hand():
    before = {"A": torch.tensor([[0.9, 0.1]]), "B": torch.tensor([[0.2, 0.5, 0.3]])}
    after = {"A": torch.tensor([[0.1, 0.9]]), "B": torch.tensor([[0.3, 0.25, 0.45]])}
    fall, variation = shifts(before, after)
    assert fall[0].tolist() == pytest.approx([math.log(9), math.log(2)])
    assert variation[0].tolist() == pytest.approx([0.8, 0.25])


def test_an_impossible_class_does_not_make_the_fall_infinite():
    fall, _ = shifts({"A": torch.tensor([[1.0, 0.0]])}, {"A": torch.tensor([[0.0, 1.0]])})
    assert 50 < fall.item() < 100


def test_each_label_of_a_separated_decoder_changes_itself_alone():
    found = measure(judged())
    assert found.names == SPACE.names
    assert diagonal(found.fall) == diagonal(found.variation) == [True, True, True]
    off = ~torch.eye(3, dtype=torch.bool)
    assert found.fall.diagonal().min() > 1
    assert found.fall[off].abs().max() < 1e-4
    assert found.variation[off].max() < 1e-4
    assert found.decoding_fall.abs().max() < 1e-4
    assert found.true_fall is None


def test_a_leaking_decoder_is_found_out():
    mix = torch.eye(WIDTH)
    mix[0, :2] = torch.tensor([0.1, 3.0])  # First hardly shows itself, but paints over Second
    subject = judged(mix=mix)
    found = measure(subject)
    assert diagonal(found.variation) == [False, True, True]
    section = study(subject)
    assert "First (changes Second more)" in section.text[1]
    assert json.loads(json.dumps(section.figures))["diagonal_variation"] == [False, True, True]


def test_labels_are_not_looked_at():
    subject = judged()
    expected = measure(subject)
    subject.rows.labels[:] = torch.nan
    torch.testing.assert_close(measure(subject).fall, expected.fall)


def test_rendered_faces_have_the_matrix_of_a_perfect_model():
    data = faces(48, pixels=32)
    pair = make_pair(FACES, data.shape)
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2 * 8 + 5), Pair())
    judge = PlainClassifier(FACES, encoder)
    section = study(Subject(*pair, data.subset(data.test), judge=judge))
    assert [picture.title for picture in section.pictures] == [
        "Interventions of the model",
        "Interventions of the renderer",
        "Where the judge looks",
        "Variance maps",
    ]
    assert "the renderer's interventions by" in section.text[1]


class Pair(nn.Module):
    def forward(self, x):
        return x, x


def test_a_judge_learns_the_shown_labels():
    subject = make_handmade(200)
    rows = subject.rows
    config = Config(network="mlp", batch_size=100, epochs=1, lr=1e-3)
    state = torch.get_rng_state()
    judge = train_judge(config, rows)
    found = replace(subject, judge=judge).judged(rows.batch(torch.arange(200)).x)
    known = ~rows.labels.isnan()
    assert (found == rows.labels)[known].float().mean() > 0.95
    for q in beliefs(judge, SPACE, rows.batch(torch.arange(3)).x).values():
        assert q.sum(-1).tolist() == pytest.approx([1, 1, 1])
    assert torch.equal(torch.get_rng_state(), state)


def test_only_the_drawn_block_varies():
    subject = make_handmade()
    batch = subject.rows.batch(torch.arange(3))
    state = torch.get_rng_state()
    labels, style = deviations(subject, batch, SPACE.names, count=16)
    assert torch.equal(torch.get_rng_state(), state)
    shown = (labels > 1e-6)[:, :, 0]
    # First, Colour, Second: pixels 0; 2 and 3; 1.
    assert shown[0].int().tolist() == [[1, 0, 0, 0, 0], [0, 0, 1, 1, 0], [0, 1, 0, 0, 0]]
    assert (style > 1e-6)[0, 0].int().tolist() == [0, 0, 0, 0, 1]
    assert 0.1 < labels.max() < 0.6


def test_a_single_label_is_confused_with_none():
    space = LabelSpace([DIGIT])
    data = make_data(space, (1, 7, 7))
    assert study(Subject(*make_pair(space, data.shape), data.subset(data.test))) is None


def test_a_matrix_takes_rows_beyond_the_columns():
    png = matrix([[1.0, -0.001], [0.0, 0.0], [3.0, 4.0]], rows=["a", "b", "c$"], columns=["x", "y"])
    assert png.startswith(b"\x89PNG")
