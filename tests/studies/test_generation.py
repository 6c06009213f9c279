"""Draws given a label, what a judge sees in them, and labels of more than two classes."""

from dataclasses import replace

import pytest
import torch

from ccvae.data import Rows
from ccvae.data.faces import faces
from ccvae.guides import ClassPrediction
from ccvae.studies import Subject, generation, multiclass
from ccvae.studies.generation import generate, given
from ccvae.studies.reading.examples import Choice, whole
from ccvae.studies.reading.latents import draws

from .conftest import make_pair
from .handmade import SPACE, make_handmade


@pytest.fixture
def made():
    return judging_itself(make_handmade(rows=120))


def judging_itself(subject):
    return replace(subject, judge=subject.guide)


@pytest.mark.parametrize(("name", "code"), [("First", 0), ("Second", 1), ("Colour", 2)])
def test_one_label_is_given_and_the_others_are_drawn(made, name, code):
    """The made images show their labels, so the made guide can read which were drawn."""
    like = whole(made.rows)
    state = torch.get_rng_state()
    images = generate(made.model, SPACE, name, code, like)
    assert torch.equal(torch.get_rng_state(), state)
    # Blocks are drawn around their class means with a scale of 1.31, so some cross to another.
    seen = made.classify(images)
    shares = {
        n: (seen[:, i].long().bincount(minlength=3) / len(seen)) for i, n in enumerate(SPACE.names)
    }
    assert shares[name][code] > 0.75
    for other in SPACE.names:
        if other != name:
            known = shares[other][shares[other] > 0]
            assert known.min() > 0.15, other


def test_only_the_given_label_differs_between_classes(made):
    like = whole(made.rows)
    no, yes = (generate(made.model, SPACE, "First", code, like) for code in (0, 1))
    same = (no == yes).flatten(1).all(0)
    # Pixels are First, Second, two of Colour, and the style.
    assert same.tolist() == [False, True, True, True, True]


def test_what_is_given_leaves_the_rest_missing(made):
    like = whole(made.rows)
    batch = given(SPACE, "Colour", 1, like)
    assert (batch.y[:, 1] == 1).all()
    assert batch.y[:, [0, 2]].isnan().all()
    with pytest.raises(ValueError, match="has the code 3"):
        given(SPACE, "Colour", 3, like)


def test_a_judge_who_sees_everything_finds_what_was_given(made):
    for prior in made.model.prior:
        prior.raw_scale.data.fill_(-8.0)
    found = generation.measure(made)
    assert [(each.label, each.value) for each in found] == [
        (label.name, value) for label in SPACE for value in label.classes
    ]
    for each in found:
        assert (each.drawn, each.held, each.reconstructed, each.real) == (1, 1, 1, 1)
    assert sum(each.chance for each in found if each.label == "Colour") == pytest.approx(1)


def test_a_model_that_does_not_use_a_label_is_found_out():
    mix = torch.eye(SPACE.dimension + 1)
    mix[0, 0] = 0  # First has no pixel any more
    made = judging_itself(make_handmade(rows=120))
    made.model.decoder.mix = mix
    found = generation.measure(made)
    assert {each.drawn for each in found[:2]} == {0.0, 1.0}
    assert {each.held for each in found[:2]} == {0.0, 1.0}
    assert "Least in draws: First" in generation.describe(found)


def test_the_section_of_draws(made):
    section = generation.study(made)
    assert len(section.pictures) == 1 + len(SPACE)
    assert len(section.figures["classes"]) == 7


def test_shares_by_hand():
    truth = torch.tensor([0.0, 0.0, 1.0, torch.nan])
    table = multiclass.shares(truth, torch.tensor([0.0, 1.0, 1.0, 0.0]), 3)
    assert table[:2].tolist() == [[0.5, 0.5, 0], [0, 1, 0]]
    assert table[2].isnan().all()


def test_a_label_of_three_classes_that_the_guide_reads_without_fault(made):
    (result,) = multiclass.measure(made, draws(made)).values()
    truth = made.rows.labels[:, 1].long()
    assert (result.accuracy, result.by_judge) == (1, 1)
    assert result.majority == pytest.approx(truth.bincount().max().item() / len(truth))
    assert result.confusion == torch.eye(3).tolist()
    assert result.obeyed == result.expected == [1, 1, 1]
    assert result.silhouette > 0.9 > 0.2 > abs(result.style)


def test_a_judge_that_sees_nothing_is_no_proof(made):
    class Blind(torch.nn.Module):
        def predict(self, x):
            tables = [torch.eye(k.classes)[0].expand(len(x), len(k), -1) for k in SPACE.kinds]
            return [ClassPrediction(table) for table in tables]

    (result,) = multiclass.measure(replace(made, judge=Blind()), draws(made)).values()
    assert result.obeyed == result.expected == [1, 0, 0]


def test_the_section_of_labels_with_more_classes(made):
    section = multiclass.study(made)
    assert [picture.title.partition(":")[0] for picture in section.pictures] == ["Colour"] * 3
    assert "accuracy 100.0%" in section.text[1]
    choice = Choice(labels=("First",))
    assert multiclass.study(replace(made, choice=choice)) is None
    blank = replace(made.rows, labels=torch.full_like(made.rows.labels, torch.nan))
    assert multiclass.study(replace(made, rows=blank)) is None


def test_who_cannot_be_bald_is_not_counted(monkeypatch):
    """Bangs stay where the judge sees them: he takes nobody under bangs for bald."""
    data = faces(60)
    subject = Subject(
        *make_pair(data.space, (3, 64, 64)), Rows(data, torch.arange(60), data.labels)
    )
    monkeypatch.setattr(
        generation,
        "at_classes",
        lambda subject, latents, batch, name: torch.stack([batch.x] * 5, 1),
    )
    monkeypatch.setattr(generation, "generate", lambda *a, **k: data.images[:1].float() / 255)

    def judged(self, x):
        index = [(data.images == (each * 255).round()).flatten(1).all(1) for each in x]
        seen = torch.stack([data.labels[same.nonzero()[0, 0]] for same in index])
        seen[:, -1] = (seen[:, data.space.names.index("Bangs")] == 1).float()
        return seen

    monkeypatch.setattr(Subject, "judged", judged)
    monkeypatch.setattr(Subject, "decode", lambda self, latents, batch: batch.x)
    found = {(each.label, each.value): each for each in generation.measure(subject)}
    assert found["Hair", "Bald"].held == 1
    assert found["Hair", "Black_Hair"].held < 1
