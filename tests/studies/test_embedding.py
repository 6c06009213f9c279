"""Where classes lie in their blocks, and how far apart."""

import math

import pytest
import torch
from pyro import poutine

from ccvae.studies.embedding import components, draws, separation, study


def test_separation_by_hand():
    # Sorted and matched, the samples are 3, 3 and 6 apart: W = 4; s² = (2·1 + 2·7) / 4 = 4.
    a, b = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([9.0, 4.0, 5.0])
    assert separation(a, b) == pytest.approx(4 / 2)
    assert separation(10 * a + 3, 10 * b + 3) == pytest.approx(2)


def test_separation_of_shifted_normals():
    z = torch.randn(4000, generator=torch.Generator().manual_seed(0))
    assert separation(z[:2000], z[:2000] + 1.5) == pytest.approx(1.5, abs=0.06)


@pytest.mark.parametrize(("a", "b"), [([1.0], [2.0, 3.0]), ([1.0, 1.0], [2.0, 2.0])])
def test_no_separation_without_spread(a, b):
    assert math.isnan(separation(torch.tensor(a), torch.tensor(b)))


def test_components_are_those_of_the_longest_axes():
    torch.manual_seed(0)
    block = torch.randn(500, 3) * torch.tensor([1.0, 5.0, 0.1]) + 7
    scores, shares, centre = components(block, block.mean(0, keepdim=True))
    centred = block - block.mean(0)
    assert torch.corrcoef(torch.stack([scores[:, 0], centred[:, 1]]))[0, 1].abs() > 0.999
    assert shares.sum() == pytest.approx(1, abs=1e-2)
    torch.testing.assert_close(centre, torch.zeros(1, 2))


def test_draws_are_those_of_the_guide_without_labels(faces, space):
    _, guide, rows = faces
    torch.manual_seed(5)
    state = torch.get_rng_state()
    found = draws(guide, rows)
    assert torch.equal(torch.get_rng_state(), state)
    assert {name: tuple(z.shape) for name, z in found.items()} == {
        "Smiling": (12, 1),
        "Hair": (12, 2),
        "Young": (12, 1),
    }
    batch = rows.batch(torch.arange(12)).hidden()
    torch.manual_seed(0)
    with torch.no_grad():
        nodes = poutine.trace(guide).get_trace(*batch.args, **batch.kwargs).nodes
    torch.testing.assert_close(found["Young"], nodes["z_c"]["value"][:, 1])
    torch.testing.assert_close(found["Hair"], nodes["z_c_3"]["value"][:, 0])


def test_every_label_has_a_picture_with_its_distance(faces, space):
    _, guide, rows = faces
    section = study(*faces)
    assert [picture.title for picture in section.pictures] == list(space.names)
    known = ~rows.labels[:, 0].isnan()
    z, y = draws(guide, rows)["Smiling"][known, 0], rows.labels[known, 0]
    assert f"{separation(z[y == 0], z[y == 1]):.2f}" in section.pictures[0].caption


@pytest.mark.parametrize("code", [torch.nan, 1.0])
def test_unannotated_and_one_sided_labels_are_said_to_be_so(faces, code):
    model, guide, rows = faces
    rows.labels[:] = code
    captions = [picture.caption for picture in study(model, guide, rows).pictures]
    assert "Too few annotated images" in captions[0]
    assert ("No annotated image" in captions[1]) is math.isnan(code)
