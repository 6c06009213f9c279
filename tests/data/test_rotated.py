"""Rotated digits: the protocol, the rotation and the specification."""

import pytest
import torch

from ccvae.data.digits import digits
from ccvae.data.rotated import ANGLES, rotate, rotated_digits
from ccvae.data.spec import load


@pytest.fixture(scope="module")
def left_out_30():
    return rotated_digits(30)


@pytest.fixture(scope="module")
def held_out_30():
    return rotated_digits(30, held_out=True)


def test_the_protocol_of_the_paper(left_out_30):
    data = left_out_30
    assert data.name == "rotated-digits:30"
    assert data.images.shape == (6000, 1, 28, 28)
    assert data.images.dtype == torch.uint8
    assert len(data.train) == 5000
    assert len(data.test) == 1000
    assert data.domain_count == 5
    assert data.domains[data.train].bincount().tolist() == [1000] * 5
    assert (data.domains[data.test] == -1).all()
    for domain in range(5):
        rows = data.domains == domain
        assert data.labels[rows, 0].long().bincount().tolist() == [100] * 10


def test_the_domains_are_the_other_angles_in_order(left_out_30):
    upright = left_out_30.images[left_out_30.domains == 0]
    for domain, angle in enumerate((0, 15, 45, 60, 75)):
        assert torch.equal(
            left_out_30.images[left_out_30.domains == domain], rotate(upright, angle)
        )


def test_the_test_digits_are_the_same_at_the_angle_left_out(left_out_30):
    upright = left_out_30.domains == 0
    test = left_out_30.test
    assert torch.equal(left_out_30.images[test], rotate(left_out_30.images[upright], 30))
    assert torch.equal(left_out_30.labels[test], left_out_30.labels[upright])


def test_held_out_digits_are_others(left_out_30, held_out_30):
    assert held_out_30.name == "rotated-digits:30:held-out"
    train = held_out_30.train
    assert torch.equal(held_out_30.images[train], left_out_30.images[train])
    assert held_out_30.labels[held_out_30.test, 0].long().bincount().tolist() == [100] * 10
    seen = {image.numpy().tobytes() for image in left_out_30.images[left_out_30.test]}
    assert not any(
        image.numpy().tobytes() in seen for image in held_out_30.images[held_out_30.test]
    )


def test_repetition_is_bit_equal(left_out_30):
    assert torch.equal(rotated_digits(30).images, left_out_30.images)


def test_rotation_is_counter_clockwise_about_the_centre():
    image = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    image[..., 12:16, 22:26] = 200  # to the right, and so at the top once it is turned
    assert torch.equal(rotate(image, 90), image.rot90(1, (2, 3)))
    assert rotate(image, 60)[..., :14, :].sum() > 0.9 * image.sum()


@pytest.mark.parametrize("angle", ANGLES)
def test_rotation_keeps_the_ink(angle):
    some = digits().images[::500]
    ink = rotate(some, angle).float().sum((1, 2, 3)) / some.float().sum((1, 2, 3))
    torch.testing.assert_close(ink, torch.ones_like(ink), rtol=0, atol=0.05)


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("rotated-digits", "rotated-digits:0"),
        ("rotated-digits:75", "rotated-digits:75"),
        ("rotated-digits:15:held-out", "rotated-digits:15:held-out"),
    ],
)
def test_specifications(spec, name):
    assert load(spec).name == name


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rotated-digits:20", r"angle among 0, 15, 30, 45, 60, 75, got '20'; write"),
        ("rotated-digits:015", r"got '015'; write"),
        ("rotated-digits:15:heldout", r"nothing or held-out after the angle, got 'heldout'; write"),
    ],
)
def test_a_wrong_specification_says_how_to_write_it(spec, message):
    with pytest.raises(ValueError, match=message):
        load(spec)


def test_an_unknown_angle_is_refused():
    with pytest.raises(ValueError, match="got 20; choose one of them"):
        rotated_digits(20)
