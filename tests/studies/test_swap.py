"""Characteristics of one image in another."""

import pytest
import torch

from ccvae.data.faces import FACES, faces
from ccvae.studies import Subject
from ccvae.studies.swap import measure, study, swapped, turned

from .conftest import make_pair
from .handmade import SPACE, make_handmade

PIXELS = {"First": [0], "Second": [1], "Colour": [2, 3]}


@pytest.fixture
def handmade():
    return make_handmade()


@pytest.mark.parametrize("names", [["First"], ["Colour"], ["Second", "Colour"], list(PIXELS), []])
def test_only_the_named_blocks_are_the_donor_s(handmade, names):
    batch = handmade.rows.batch(torch.arange(8))
    latents = handmade.encode(batch)
    host = handmade.reconstruct(batch)
    image = handmade.decode(swapped(latents, turned(latents, 1), SPACE, names), batch)
    given = [pixel for name in names for pixel in PIXELS[name]]
    kept = [pixel for pixel in range(host.shape[-1]) if pixel not in given]
    torch.testing.assert_close(image[..., given], host.roll(-1, 0)[..., given])
    torch.testing.assert_close(image[..., kept], host[..., kept])
    torch.testing.assert_close(handmade.reconstruct(batch), host, rtol=0, atol=0)


def test_an_unknown_label_is_refused(handmade):
    latents = handmade.encode(handmade.rows.batch(torch.arange(2)))
    with pytest.raises(ValueError, match="unknown label 'Third'"):
        swapped(latents, latents, SPACE, ["Third"])


def test_labels_of_a_separated_pair_follow_the_donor(handmade):
    found = measure(handmade)
    assert found.followed == found.followed_reconstructed == found.kept == 1
    assert found.distance is None


def test_rendered_faces_are_compared_with_the_true_swap():
    data = faces(72, pixels=32)
    subject = Subject(*make_pair(FACES, data.shape), data.subset(data.test))
    found = measure(subject)
    assert min(found.distance, found.distance_unmoved, found.distance_seen) > 0
    section = study(subject)
    assert "The renderer can draw" in section.text[1]
    assert len(section.pictures) == 2
    assert section.figures["distance"] == found.distance


def test_labels_are_not_looked_at(handmade):
    expected = measure(handmade)
    handmade.rows.labels[:] = torch.nan
    assert measure(handmade) == expected
