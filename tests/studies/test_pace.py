"""Walks at equal steps of what they change."""

from itertools import pairwise

import pytest
import torch

from ccvae.data import Binary, Categorical, Ordinal, Real
from ccvae.studies.reading.blocks import class_means, find_block, moved
from ccvae.studies.reading.pace import (
    decode_at,
    evenness,
    inverted,
    shares_of,
    travelled,
    walk,
    way,
)
from ccvae.studies.reading.steps import Steps

from .handmade import WIDTH, Painter, make_handmade


class Jumpy(Painter):
    """A painter that takes the blocks through a steep tanh, as a local decoder does."""

    def forward(self, z):
        return super().forward(torch.cat([(6 * z[..., :-1]).tanh(), z[..., -1:]], -1))


@pytest.fixture
def jumpy():
    return make_handmade(painter=Jumpy())


def gaps(made, batch, name, points):
    images = decode_at(made.model, batch, made.encode(batch), find_block(made.space, name), points)
    return travelled(images).diff(dim=1)


@pytest.mark.parametrize("name", ["First", "Colour", "Second"])
@pytest.mark.parametrize("steps", [2, 10, 17])
def test_steps_of_a_walk_change_the_picture_equally(jumpy, name, steps):
    batch = jumpy.some(6)
    taken = walk(jumpy, batch, name, steps)
    assert len(taken.stops) == steps + 1
    found = gaps(jumpy, batch, name, taken.points)
    stops = [place for place, k in enumerate(taken.stops) if k is not None]
    for a, b in pairwise(stops):
        part = found[:, a:b]
        torch.testing.assert_close(part, part.mean(1, True).expand_as(part), rtol=0.1, atol=1e-4)


def test_even_steps_of_z_would_jump(jumpy):
    found = evenness(jumpy, jumpy.some(6), "First")
    assert found.walk == pytest.approx(1, abs=0.1)
    assert found.z > 4


def test_a_walk_passes_through_the_class_means_in_order(jumpy):
    taken = walk(jumpy, jumpy.some(3), "Colour", 9)
    means = class_means(jumpy.model, jumpy.space, "Colour")
    assert [k for k in taken.stops if k is not None] == [0, 1, 2]
    assert [word for word in taken.words if word] == ["red", "green", "blue"]
    for place, k in enumerate(taken.stops):
        if k is not None:
            torch.testing.assert_close(taken.points[:, place], means[k].expand(3, -1))
    assert [taken.nearest(step) for step in (0, 9)] == [0, 2]


def test_each_image_has_its_own_pace_unless_they_go_together():
    class Styled(Painter):
        """Where the jump lies depends on the style."""

        def forward(self, z):
            return super().forward(torch.cat([(6 * (z[..., :-1] - z[..., -1:])).tanh()], -1))

        def __init__(self):
            super().__init__(torch.eye(WIDTH)[:-1])

    made = make_handmade(painter=Styled())
    batch = made.some(8)
    latents, block = made.encode(batch), find_block(made.space, "First")
    ends = class_means(made.model, made.space, "First")
    own = way(made.model, batch, latents, block, (ends[0], ends[1]))
    same = way(made.model, batch, latents, block, (ends[0], ends[1]), together=True)
    assert own.even(10).std(0).max() > 0.05
    assert same.even(10).std(0).max() == 0
    found = gaps(made, batch, "First", same.even(10)).mean(0)
    assert found.max() < 2 * found.median()


def test_where_nothing_changes_steps_are_even_in_z():
    share = torch.tensor([[0.0, 0.2, 0.6, 1.0]])
    torch.testing.assert_close(
        inverted(share, torch.zeros(1, 4), 4), torch.linspace(0, 1, 5)[None], rtol=0, atol=1e-4
    )


def test_a_plateau_takes_no_steps():
    share = torch.tensor([[0.0, 0.25, 0.75, 1.0]])
    found = inverted(share, torch.tensor([[0.0, 1.0, 1.0, 2.0]]), 4)
    torch.testing.assert_close(found[0, [1, 3]], torch.tensor([0.125, 0.875]), rtol=0, atol=1e-4)


def test_decoding_at_points_is_decoding_one_by_one(jumpy, monkeypatch):
    monkeypatch.setattr("ccvae.studies.reading.pace.AT_ONCE", 4)
    batch = jumpy.some(3)
    latents, block = jumpy.encode(batch), find_block(jumpy.space, "Colour")
    points = torch.randn(3, 5, 2)
    images = decode_at(jumpy.model, batch, latents, block, points)
    for step in range(5):
        expected = jumpy.decode(moved(latents, block, points[:, step]), batch)
        torch.testing.assert_close(images[:, step], expected)


def test_a_number_walks_in_its_unit():
    age = Real("Age", mean=40.0, scale=15.0)
    label = Steps(age, tuple(age.from_units(n) for n in (10.0, 20.0, 50.0)))
    assert shares_of(label, [9.0, 1.0], 8) == [2, 6]
    assert shares_of(Ordinal("Size", ("s", "m", "l")), [9.0, 1.0], 8) == [4, 4]
    assert shares_of(Binary("a"), [1.0], 3) == [3]
    assert shares_of(Categorical("c", tuple("abcd")), [1.0, 1.0, 1.0], 1) == [1, 1, 1]
