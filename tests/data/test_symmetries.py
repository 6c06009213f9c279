"""What may be done to an image without a change to what is said of it."""

from dataclasses import replace

import pytest
import torch

from ccvae.data import Symmetries
from ccvae.data.digits import digits
from ccvae.data.symmetries import Moves

IMAGE = torch.arange(24).view(1, 2, 3, 4)


def move(mirrored, down, right):
    moves = Moves(torch.tensor([mirrored]), torch.tensor([[down, right]]))
    return moves.apply(IMAGE)[0]


def test_a_mirror_image_exchanges_left_and_right():
    assert torch.equal(move(True, 0, 0), IMAGE[0].flip(-1))
    assert torch.equal(move(False, 0, 0), IMAGE[0])


def test_a_shift_repeats_the_edge_that_it_leaves():
    moved = move(False, 1, -2)
    assert moved[0].tolist() == [[2, 3, 3, 3], [2, 3, 3, 3], [6, 7, 7, 7]]


def test_each_image_moves_by_itself_and_stays_a_byte():
    images = IMAGE.expand(2, -1, -1, -1).byte()
    moves = Moves(torch.tensor([False, True]), torch.tensor([[0, 1], [2, 0]]))
    both = moves.apply(images)
    assert both.dtype == torch.uint8
    for row in range(2):
        assert torch.equal(both[row], moves.part(slice(row, row + 1)).apply(images[:1])[0])


def test_moves_are_drawn_within_what_is_allowed():
    moves = Symmetries(mirrored=True, shift=2).draw(400, seed=1)
    assert 150 < moves.mirrored.sum() < 250
    assert set(moves.shifts.flatten().tolist()) == {-2, -1, 0, 1, 2}
    again = Symmetries(mirrored=True, shift=2).draw(400, seed=1)
    assert torch.equal(moves.shifts, again.shifts)
    assert not Symmetries(shift=1).draw(50, seed=0).mirrored.any()


def test_digits_are_left_alone():
    data = digits()
    assert not data.symmetries
    assert data.training(0.1, 0).moves(5, seed=0) is None


def test_a_batch_has_the_moved_images():
    data = replace(digits(), symmetries=Symmetries(mirrored=True))
    rows = data.subset(data.test[:6])
    index = torch.arange(6)
    moves = rows.moves(6, seed=4 << 40)
    assert 0 < moves.mirrored.sum() < 6
    plain, moved = rows.batch(index), rows.batch(index, moves=moves)
    for row, mirrored in enumerate(moves.mirrored):
        expected = plain.x[row].flip(-1) if mirrored else plain.x[row]
        assert torch.equal(moved.x[row], expected)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(plain.x, moved.x)
