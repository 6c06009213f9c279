"""Characteristics of one image in another."""

import pytest
import torch

from ccvae.data.faces import FACES, faces
from ccvae.inference.evaluation.prediction import decode, encode, reconstruct
from ccvae.studies.swap import measure, study, swapped, turned

from .conftest import make_pair
from .handmade import SPACE, make_handmade

PIXELS = {"First": [0], "Second": [1], "Colour": [2, 3]}


@pytest.fixture
def handmade():
    return make_handmade()


@pytest.mark.parametrize("names", [["First"], ["Colour"], ["Second", "Colour"], list(PIXELS), []])
def test_only_the_named_blocks_are_the_donor_s(handmade, names):
    model, guide, rows = handmade
    batch = rows.batch(torch.arange(8))
    latents = encode(guide, batch)
    host = reconstruct(model, guide, batch)
    image = decode(model, swapped(latents, turned(latents, 1), SPACE, names), batch)
    given = [pixel for name in names for pixel in PIXELS[name]]
    kept = [pixel for pixel in range(host.shape[-1]) if pixel not in given]
    torch.testing.assert_close(image[..., given], host.roll(-1, 0)[..., given])
    torch.testing.assert_close(image[..., kept], host[..., kept])
    torch.testing.assert_close(reconstruct(model, guide, batch), host, rtol=0, atol=0)


def test_an_unknown_label_is_refused(handmade):
    latents = encode(handmade[1], handmade[2].batch(torch.arange(2)))
    with pytest.raises(ValueError, match="unknown label 'Third'"):
        swapped(latents, latents, SPACE, ["Third"])


def test_labels_of_a_separated_pair_follow_the_donor(handmade):
    found = measure(*handmade)
    assert found.followed == found.followed_reconstructed == found.kept == 1
    assert found.distance is None


def test_rendered_faces_are_compared_with_the_true_swap():
    data = faces(72, pixels=32)
    model, guide = make_pair(FACES, data.shape)
    rows = data.subset(data.test)
    found = measure(model, guide, rows)
    assert min(found.distance, found.distance_unmoved, found.distance_seen) > 0
    section = study(model, guide, rows)
    assert "The renderer can draw" in section.text[1]
    assert len(section.pictures) == 2
    assert section.figures["distance"] == found.distance


def test_labels_are_not_looked_at(handmade):
    expected = measure(*handmade)
    handmade[2].labels[:] = torch.nan
    assert measure(*handmade) == expected
