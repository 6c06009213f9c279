"""Moving one label's block: what changes, what does not, and what is said about it."""

from dataclasses import replace

import pytest
import torch

from ccvae.data import LabelSpace
from ccvae.studies import Subject
from ccvae.studies.intervention import overview
from ccvae.studies.reading.blocks import at_classes, class_means, find_block, moved
from ccvae.studies.reading.effect import effects
from ccvae.studies.traversal import describe, study, traverse

from .conftest import DIGIT, make_data, make_pair


@pytest.fixture
def batch(faces):
    return faces.rows.batch(torch.arange(4))


@pytest.mark.parametrize("name", ["Smiling", "Hair", "Young"])
def test_only_the_own_block_is_moved(faces, space, batch, name):
    latents = faces.encode(batch)
    before = {site: value.clone() for site, value in latents.items()}
    block = find_block(space, name)
    value = class_means(faces.model, space, name)[1]
    after = moved(latents, block, value)
    torch.testing.assert_close(block.of(after), value.expand(4, -1))
    for site, old in before.items():
        torch.testing.assert_close(latents[site], old, rtol=0, atol=0)
        same = after[site] == old
        if site == block.site:
            same[:, block.position] = True
        assert same.all(), site


@pytest.mark.parametrize("name", ["Smiling", "Hair", "Young"])
def test_a_traversal_passes_through_the_class_means(faces, space, batch, name):
    walk = traverse(faces, batch, name)
    classes = space.labels[space.index(name)].classes
    assert [k for k in walk.stops if k is not None] == list(range(len(classes)))
    latents = faces.encode(batch)
    block, means = find_block(space, name), class_means(faces.model, space, name)
    for step, k in enumerate(walk.stops):
        if k is not None:
            expected = faces.decode(moved(latents, block, means[k]), batch)
            torch.testing.assert_close(walk.images[:, step], expected)
    first, last = walk.images[:, 0], walk.images[:, -1]
    assert (first - last).abs().max() > 1e-3
    if len(classes) == 2:
        torch.testing.assert_close(walk.change, (last - first).abs().mean(1))


def test_the_belief_along_a_traversal_is_the_guide_s(faces, space, batch):
    walk = traverse(faces, batch, "Hair", steps=4)
    assert len(walk.stops) == 5
    place = walk.stops.index(1)
    q = faces.beliefs(walk.images[:, place])["Hair"]
    torch.testing.assert_close(walk.belief[:, place], q[:, 1])
    between = walk.stops.index(None)
    assert walk.belief[:, between].isnan().all()


def test_labels_of_the_batch_are_not_looked_at(faces, space, batch):
    other = replace(batch, y=1 - batch.y.nan_to_num().clamp(0, 1))
    a = traverse(faces, batch, "Young")
    b = traverse(faces, other, "Young")
    torch.testing.assert_close(a.images, b.images, rtol=0, atol=0)


def test_a_block_at_its_own_value_gives_the_reconstruction(faces, space, batch):
    latents = faces.encode(batch)
    block = find_block(space, "Hair")
    image = faces.decode(moved(latents, block, block.of(latents)), batch)
    torch.testing.assert_close(image, faces.reconstruct(batch))


def test_effects_are_mean_beliefs_at_the_class_means(faces, space, batch):
    smiling, hair, _ = effects(faces, batch)
    images = at_classes(faces, faces.encode(batch), batch, "Smiling")
    no, yes = (faces.beliefs(image) for image in images.unbind(1))
    assert smiling.before == pytest.approx(no["Smiling"][:, 1].mean().item())
    assert smiling.after == pytest.approx(yes["Smiling"][:, 1].mean().item())
    changes = {
        "Young": (yes["Young"] - no["Young"]).mean(0)[1].item(),
        "Hair": max((yes["Hair"] - no["Hair"]).mean(0).tolist(), key=abs),
    }
    assert smiling.other == max(changes, key=lambda name: abs(changes[name]))
    assert smiling.change == pytest.approx(changes[smiling.other], abs=1e-6)
    images = at_classes(faces, faces.encode(batch), batch, "Hair")
    table = torch.stack([faces.beliefs(i)["Hair"].mean(0) for i in images.unbind(1)])
    assert hair.after == pytest.approx(table.diagonal().mean().item())
    # A row adds up to 1, so the mean over the other rows is what the diagonal leaves.
    assert hair.before == pytest.approx((1 - hair.after) / 2, abs=1e-6)
    assert hair.weakest[0] == space.labels[1].classes[int(table.diagonal().argmin())]


def test_a_caption_admits_a_larger_change_elsewhere(faces, space, batch):
    for label, effect in zip(space, effects(faces, batch), strict=True):
        text = describe(effect, label)
        assert f"{effect.before:.2f} to {effect.after:.2f}" in text
        assert ("more than its own" in text) is not effect.local


def test_a_single_label_has_no_other_to_change():
    space = LabelSpace([DIGIT])
    data = make_data(space, (1, 7, 7))
    subject = Subject(*make_pair(space, data.shape), data.subset(data.test))
    (effect,) = effects(subject, subject.rows.batch(torch.arange(3)))
    assert effect.other is None
    assert effect.change == 0
    titles = [picture.title for picture in study(subject).pictures]
    assert titles == ["In motion", "Digit", "Digit, from class to class"]


def test_an_overview_shows_the_names_it_is_given(faces, space, batch):
    png = overview(faces, batch, ["Young"])
    assert png.startswith(b"\x89PNG")


def test_an_unknown_label_is_refused(faces, space, batch):
    with pytest.raises(ValueError, match="unknown label 'Old'; this data set has Smiling, Hair"):
        traverse(faces, batch, "Old")
