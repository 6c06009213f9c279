"""Where a judge looks, and how much it sees changed, on a judge that is known."""

import json

import pytest
import torch
from torch import nn

from ccvae.data import Binary, LabelSpace
from ccvae.data.faces import FACES, faces
from ccvae.guides import ClassPrediction
from ccvae.inference.training import PlainClassifier
from ccvae.studies import Subject
from ccvae.studies.confusion import study
from ccvae.studies.reading.attention import attention, distance, measure, saliency, watched
from ccvae.studies.reading.counterfactuals import Case
from ccvae.studies.reading.judge import Perceiving

from .conftest import make_data, make_pair
from .test_confusion import judged

SIDE = 12


class LeftLooker(nn.Module):
    """Says yes to every binary label the brighter the left third of an image is."""

    def __init__(self, labels):
        super().__init__()
        self.labels = labels

    def predict(self, x):
        score = x[..., : SIDE // 3].mean((1, 2, 3))[:, None].expand(-1, self.labels)
        return [ClassPrediction(torch.stack([-score, score], -1).log_softmax(-1))]


@pytest.fixture
def subject():
    space = LabelSpace([Binary("A"), Binary("B")])
    data = make_data(space, (3, SIDE, SIDE))
    pair = make_pair(space, data.shape)
    return Subject(*pair, data.subset(data.test), judge=LeftLooker(len(space)))


def test_it_looks_where_its_answer_comes_from(subject):
    x = torch.rand(5, 3, SIDE, SIDE)
    found = saliency(subject, x, "A", torch.zeros(5).long(), torch.ones(5).long())
    assert found.shape == (5, SIDE, SIDE)
    assert (found[..., : SIDE // 3] > 0).all()
    assert not found[..., SIDE // 3 + 2 :].any()
    again = saliency(subject, x, "A", torch.zeros(5).long(), torch.ones(5).long())
    assert torch.equal(found, again)


def test_half_of_the_pixels_are_watched():
    salient = torch.rand(3, 4, 5)
    half = watched(salient)
    assert half.flatten(1).sum(1).tolist() == [10, 10, 10]
    for one, chosen in zip(salient, half, strict=True):
        assert one[chosen].min() > one[~chosen].max()


@pytest.mark.parametrize(("columns", "share"), [(slice(0, 4), 1.0), (slice(8, 12), 0.0)])
def test_the_share_of_a_change_there(subject, columns, share):
    x = torch.full((4, 3, SIDE, SIDE), 0.5)
    after = x.clone()
    after[..., columns] += 0.2
    case = Case("A", torch.zeros(4).long(), torch.ones(4).long(), x, after)
    found = attention(subject, x, case)
    assert found.share == pytest.approx(share, abs=1e-6)
    assert found.true_share is found.distance is None


def test_features_of_the_same_images_are_at_no_distance():
    a = [torch.randn(3, 4, 5, 5), torch.randn(3, 2, 1, 1)]
    assert distance(a, [2 * each for each in a]).tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert distance(a, [-each for each in a]).tolist() == pytest.approx([4, 4, 4])


def test_a_classifier_shows_what_its_convolutions_make():
    class Two(nn.Sequential):
        def forward(self, x):
            return super().forward(x), None

    judge = PlainClassifier(FACES, Two(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)))
    assert isinstance(judge, Perceiving)
    assert [each.shape for each in judge.features(torch.rand(2, 3, 8, 8))] == [
        (2, 4, 6, 6),
        (2, 2, 4, 4),
    ]
    before = [len(layer._forward_hooks) for layer in judge.modules()]
    assert not any(before)


def test_rendered_faces_have_the_renderers_share_beside_the_models():
    data = faces(48, pixels=16)
    torch.manual_seed(0)

    class Judge(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Conv2d(3, 2 * 8 + 5, 16)

        def forward(self, x):
            return self.body(x).flatten(1), None

    judge = PlainClassifier(FACES, Judge())
    subject = Subject(*make_pair(FACES, data.shape), data.subset(data.test), judge=judge)
    found = measure(subject)
    assert [each.name for each in found] == list(FACES.names)
    for each in found:
        assert 0 < each.share < 1
        assert 0 <= each.true_share <= 1
        assert 0 < each.distance < 4
        assert 0 < each.decoding < 4
    section = study(subject)
    assert "where the judge looks" in section.text[2]
    assert "renderer's own changes" in section.text[2]
    assert "The judge's features move by" in section.text[2]
    assert len(json.loads(json.dumps(section.figures))["attention"]) == len(FACES)


def test_a_judge_without_convolutions_sees_no_distance():
    section = study(judged())
    assert "features" not in section.text[2]
    assert section.figures["attention"][0]["distance"] is None
