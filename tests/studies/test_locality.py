"""Where interventions change an image, against the renderer's own."""

import json
from dataclasses import replace

import pytest
import torch

from ccvae.data.faces import FACES, faces, scenes
from ccvae.studies import Subject
from ccvae.studies.drawing.sheets import outlined
from ccvae.studies.locality import study
from ccvae.studies.reading.blocks import class_means, find_block, moved
from ccvae.studies.reading.counterfactuals import Case, cases, render_change, true_scenes
from ccvae.studies.reading.locality import measure, share_inside, summarise

from .conftest import make_data, make_pair

ROWS = 24


@pytest.fixture(scope="module")
def rows():
    data = faces(6 * ROWS, pixels=32)
    return data.subset(data.test)


@pytest.fixture(scope="module")
def subject(rows):
    return Subject(*make_pair(FACES, (3, 32, 32)), rows)


@pytest.fixture
def some(rows):
    return true_scenes(rows)


def case_of(some, rows, name, change):
    """A case whose reconstruction is the renderer's image, with a change made of the true one."""
    source = some.labels[:, FACES.index(name)].long()
    target = (source + 1) % len(FACES.labels[FACES.index(name)].classes)
    x = rows.batch(torch.arange(len(rows))).x
    truth = render_change(some, name, target, x)
    image = truth.before + change(truth)
    return Case(name, source, target, truth.before, image, truth, truth.after), x


def test_scenes_are_those_of_the_rows(rows, some):
    expected = scenes(6 * ROWS)[rows.rows]
    assert torch.equal(some.draws, expected.draws)
    assert torch.equal(some.labels, rows.labels)


def test_scenes_are_found_where_some_labels_are_used_and_none_is_shown(rows):
    data = rows.dataset.only(["Hair", "Smiling"])
    hidden = data.subset(rows.rows, torch.full((ROWS, 2), torch.nan))
    assert torch.equal(true_scenes(hidden).labels, rows.labels)


def test_no_scenes_of_other_images(space, rows):
    other = faces(6 * ROWS, seed=1, pixels=32)
    assert true_scenes(other.subset(other.test)) is None
    made = make_data(space, (3, 8, 8))
    assert true_scenes(made.subset(made.test)) is None
    assert true_scenes(rows.first(0)) is None


@pytest.mark.parametrize("name", FACES.names)
def test_the_counterfactual_itself_is_local(some, rows, name):
    found = summarise(*_listed(case_of(some, rows, name, lambda truth: truth.change)))
    assert found.locality == pytest.approx(1)
    assert found.size == pytest.approx(1)
    assert found.ceiling == pytest.approx(1)
    assert found.error == pytest.approx(0, abs=1e-6)
    assert 0 < found.chance < 0.4


@pytest.mark.parametrize("name", FACES.names)
def test_noise_is_as_local_as_chance(some, rows, name):
    def noise(truth):
        return torch.randn(truth.before.shape, generator=torch.Generator().manual_seed(0))

    found = summarise(*_listed(case_of(some, rows, name, noise)))
    assert found.locality == pytest.approx(found.chance, abs=0.01)


def test_half_of_the_change_is_as_local_and_half_as_large(some, rows):
    found = summarise(*_listed(case_of(some, rows, "Bangs", lambda truth: truth.change / 2)))
    assert found.locality == pytest.approx(1)
    assert found.size == found.size_inside == pytest.approx(0.5)


def _listed(case_and_images):
    case, x = case_and_images
    return [case], x


def test_what_cannot_be_drawn_does_not_count(some, rows):
    (case,), x = _listed(case_of(some, rows, "Bangs", lambda truth: truth.change))
    bald = (some.labels[:, FACES.index("Hair")] == 0) & (case.target == 1)
    assert bald.any()
    assert torch.equal(case.counts, ~bald)
    assert summarise([case], x).images == (~bald).sum()


def test_share_inside_by_hand():
    change = torch.tensor([[[[1.0, -3.0]], [[0.0, 1.0]]]])
    region = torch.tensor([[[False, True]]])
    assert share_inside(change, region) == pytest.approx(4 / 5)
    assert share_inside(torch.zeros_like(change), region) == 0


def test_every_other_class_is_a_target(subject, rows):
    batch = rows.batch(torch.arange(6))
    some = true_scenes(rows)[:6]
    hair = cases(subject, batch, "Hair", some=some)
    codes = torch.stack([hair[0].source, *(case.target for case in hair)])
    assert torch.equal(codes.sort(0).values, torch.arange(5)[:, None].expand(5, 6))
    means = class_means(subject.model, FACES, "Hair")
    latents = subject.encode(batch)
    latents = moved(latents, find_block(FACES, "Hair"), means[hair[2].target])
    expected = subject.decode(latents, batch)
    torch.testing.assert_close(hair[2].image, expected)
    torch.testing.assert_close(hair[2].reconstruction, subject.reconstruct(batch))
    assert torch.equal(hair[2].truth.before, batch.x)


def test_a_stated_target_leaves_out_those_that_are_there(subject, rows):
    batch = rows.batch(torch.arange(len(rows)))
    some = true_scenes(rows)
    (case,) = cases(subject, batch, "Smiling", some=some, target=1)
    assert torch.equal(case.counts, some.labels[:, 0] == 0)
    smiling = some.set("Smiling", 1)
    there = cases(subject, batch, "Smiling", some=smiling, target=1)
    with pytest.raises(ValueError, match="expected images whose Smiling can be changed"):
        summarise(there, batch.x)


def test_labels_are_not_looked_at(subject, rows):
    hidden = replace(rows, labels=torch.full_like(rows.labels, torch.nan))
    hidden, shown = (replace(subject, rows=each.first(5)) for each in (hidden, rows))
    assert measure(hidden) == measure(shown)


def test_an_outline_lies_just_outside(rows):
    region = torch.zeros(1, 5, 5, dtype=torch.bool)
    region[0, 2, 2] = True
    (image,) = outlined(torch.ones(1, 3, 5, 5), region)
    painted = (image != 1).any(0)
    assert painted.sum() == 8
    assert not painted[2, 2]


def bald_under(rows):
    """How many faces with bangs there are: none of them can be made bald."""
    return int(rows.labels[:, FACES.index("Bangs")].sum())


def test_a_study_with_ground_truth_names_chance(subject, rows):
    section = study(subject)
    assert json.loads(json.dumps(section.figures))["Hair"]["images"] == 4 * ROWS - bald_under(rows)
    chart, *labels = section.pictures
    assert [picture.title for picture in labels] == list(FACES.names)
    assert "chance" in chart.caption
    assert all("chance" in picture.caption for picture in labels)


def test_a_study_without_it_gives_the_size_alone(faces):
    section = study(faces)
    assert len(section.pictures) == 4
    assert "Mean absolute change" in section.pictures[1].caption
    assert "Nobody knows" in section.text[0]
    found = measure(faces)
    assert found[0].locality is found[0].size_inside is None
    assert found[0].change > 0
