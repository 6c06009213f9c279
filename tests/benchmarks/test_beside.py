"""Interventions of two runs on the same face."""

import io

import torch
from PIL import Image

from ccvae.benchmarks.beside import beside, interventions
from ccvae.data import Binary, LabelSpace
from ccvae.studies import Subject
from ccvae.studies.reading.counterfactuals import cases

from ..studies.conftest import make_data, make_pair

SPACE = LabelSpace([Binary("Smiling"), Binary("Young")])


def test_a_map_shows_what_an_intervention_changes():
    data = make_data(SPACE, (3, 8, 8))
    subject = Subject(*make_pair(SPACE, (3, 8, 8)), data.subset(data.test))
    images, maps = interventions(subject, 1, SPACE.names)
    assert images.shape == (3, 3, 8, 8)
    torch.testing.assert_close(maps, (images - images[0]).abs().mean(1))
    batch = subject.batch(subject.rows.first(2))
    torch.testing.assert_close(images[1], cases(subject, batch, "Smiling")[0].image[1])
    one, two = (
        Image.open(io.BytesIO(beside([subject] * count, ["a", "b"][:count], 0))) for count in (1, 2)
    )
    assert two.height > 1.5 * one.height
