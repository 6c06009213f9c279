"""Where classes lie in their blocks, and how far apart."""

import math

import numpy as np
import pytest
import torch
from pyro import poutine
from scipy.integrate import trapezoid

from ccvae.studies.arviz_draws import arviz, densities
from ccvae.studies.embedding import measure, study
from ccvae.studies.reading.latents import components, draws, separation, silhouette

from .handmade import make_handmade


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
    guide, rows = faces.guide, faces.rows
    torch.manual_seed(5)
    state = torch.get_rng_state()
    found, style = draws(faces)
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
    torch.testing.assert_close(style, nodes["z_style"]["value"][:, 0])


def test_every_label_has_a_picture_with_its_distance(faces, space):
    rows = faces.rows
    section = study(faces)
    assert [picture.title for picture in section.pictures[1:]] == list(space.names)
    z, y = draws(faces).blocks["Smiling"][:, 0], rows.labels[:, 0]
    distance = separation(z[y == 0], z[y == 1])
    assert f"{distance:.2f}" in section.pictures[1].caption
    assert section.figures["Smiling"]["block"] == distance
    assert section.figures["Hair"]["measure"] == "silhouette"


@pytest.mark.parametrize("code", [torch.nan, 1.0])
def test_unannotated_and_one_sided_labels_are_said_to_be_so(faces, code):
    faces.rows.labels[:] = code
    captions = [picture.caption for picture in study(faces).pictures[1:]]
    assert "Too few annotated images" in captions[0]
    assert "Too few annotated images" in captions[1]


def test_silhouette_by_hand():
    # Of 0 and 2 against 10: (9, 10) and (8, 10) apart, and 2 from each other.
    z = torch.tensor([[0.0], [2.0], [10.0], [10.0]])
    codes = torch.tensor([0.0, 0.0, 1.0, 1.0])
    assert silhouette(z, codes) == pytest.approx(((10 - 2) / 10 + (8 - 2) / 8 + 1 + 1) / 4)
    assert math.isnan(silhouette(z, torch.zeros(4)))
    assert math.isnan(silhouette(z, torch.arange(4.0)))


def test_silhouette_leaves_unknown_classes_out():
    z, codes = torch.randn(40, 2), torch.arange(40.0) % 2
    known = torch.cat([codes, torch.full((9,), torch.nan)])
    assert silhouette(torch.cat([z, 99 + torch.randn(9, 2)]), known) == silhouette(z, codes)


def test_distances_are_those_of_the_images_that_were_made():
    """Blocks stand at their class means, ±2 with a spread of 0.05; the style knows no label."""
    subject = make_handmade(rows=300)
    distances = measure(subject.space, draws(subject), subject.rows.labels)
    assert distances["First"].block > 20
    assert distances["First"].style < 0.5
    assert distances["Colour"].block > 0.9
    assert abs(distances["Colour"].style) < 0.2


def test_the_draws_are_kept_in_arviz_s_format(faces, space, tmp_path):
    rows = faces.rows
    path = tmp_path / "embedding.nc"
    path.write_bytes(study(faces).files["embedding.nc"])
    kept = arviz().from_netcdf(path)
    found = draws(faces)
    posterior, codes = kept["posterior"], kept["constant_data"]
    assert posterior["z_c_Hair"].dims == ("chain", "draw", "z_c_Hair_component")
    np.testing.assert_array_equal(posterior["z_c_Hair"][0], found.blocks["Hair"])
    np.testing.assert_array_equal(posterior["z_c_Young"][0], found.blocks["Young"][:, 0])
    np.testing.assert_array_equal(posterior["z_style"][0], found.style)
    np.testing.assert_array_equal(codes["z_c_Young"], rows.labels[:, 2])


def test_a_density_is_drawn_of_every_class_that_has_one():
    sample = np.random.default_rng(0).normal(size=400)
    figure, axes = densities([sample, sample + 3, np.ones(5)], ["red", "blue", "green"], (3, 2))
    drawn = {
        line.get_color(): line.get_xydata() for line in axes.lines if len(line.get_xydata()) > 9
    }
    assert set(drawn) == {"red", "blue"}
    for colour, mean in (("red", 0), ("blue", 3)):
        x, y = drawn[colour].T
        assert trapezoid(y, x) == pytest.approx(1, abs=0.05)
        assert trapezoid(x * y, x) == pytest.approx(mean, abs=0.2)
    assert figure.axes == [axes]
