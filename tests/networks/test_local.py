"""A decoder in which every label acts in a place of its own."""

import pytest
import torch

from ccvae.config import Config
from ccvae.data import Binary, Categorical, LabelSpace, Real
from ccvae.inference import CCVAEObjective, check_pair
from ccvae.inference.catalogue import build_pair
from ccvae.networks import LocalDecoder
from ccvae.networks.convolutional import sides
from ccvae.networks.local import CELLS, COARSE_CELLS, FLOOR, PART, STRENGTH, THRESHOLD, Told
from ccvae.networks.tables import Table

WIDTHS = (6, 4, 5, 7)
BLOCKS, STYLE = (1, 1, 3), 2
LATENTS = sum(BLOCKS) + STYLE
REACH = {32: (1, 2), 16: (3, 6)}
"""Pixels that a cell reaches to before its first one, and from there to its last, by cells."""


def small(blocks=BLOCKS, style=STYLE, channels=3, cells=CELLS):
    torch.manual_seed(0)
    return LocalDecoder(
        sum(blocks) + style, channels, blocks, 64, cells=cells, widths=WIDTHS, features=8
    )


def place(decoder, label, row, column):
    """Let a label act in one cell."""
    changes = decoder.trunk[0].changes
    with torch.no_grad():
        changes.logits[label] = -1e3
        changes.logits[label, row * changes.side + column] = 1e3


@pytest.mark.parametrize("blocks", [(1,), (1, 1), (2,), (1, 1, 4), (1, 2, 2, 4)])
@pytest.mark.parametrize("leading", [(3,), (2, 1, 3)])
def test_it_takes_the_blocks_of_any_labels_and_any_leading_shape(blocks, leading):
    decoder = small(blocks, channels=5)
    z = torch.randn(*leading, sum(blocks) + STYLE)
    raw = decoder(z)
    assert raw.shape == (*leading, 5, 64, 64)
    one_by_one = torch.cat([decoder(row[None]) for row in z.flatten(0, -2)])
    torch.testing.assert_close(raw.flatten(0, -4), one_by_one, rtol=1e-4, atol=1e-5)


def test_every_parameter_has_a_gradient():
    decoder = small()
    decoder(torch.randn(3, LATENTS)).square().sum().backward()
    for parameter in decoder.parameters():
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any()


def test_the_masks_start_even_and_stay_between_zero_and_a_fixed_sum():
    decoder = small()
    masks = decoder.masks()
    assert masks.shape == (len(BLOCKS), CELLS, CELLS)
    torch.testing.assert_close(masks, torch.full_like(masks, masks[0, 0, 0].item()))
    even = masks.sum((1, 2))
    with torch.no_grad():
        decoder.trunk[0].changes.logits.normal_(0, 2)
    masks = decoder.masks()
    assert (masks == 0).float().mean() > 0.5
    assert (masks >= 0).all()
    assert (masks.sum((1, 2)) < even / (1 - THRESHOLD)).all()


@pytest.mark.parametrize("cells", [32, 16])
@pytest.mark.parametrize("label", range(len(BLOCKS)))
@pytest.mark.parametrize(("row", "column"), [(5, 9), (0, 0), (15, 8)])
def test_an_intervention_changes_nothing_beyond_its_cell_and_the_reach(label, row, column, cells):
    decoder = small(cells=cells)
    place(decoder, label, row, column)
    before = torch.randn(4, LATENTS)
    after = before.clone()
    start = sum(BLOCKS[:label])
    after[:, start : start + BLOCKS[label]] += 1
    changed = (decoder(after) != decoder(before)).any(0).any(0)
    width, (low, high) = 64 // cells, REACH[cells]
    rows, columns = (
        slice(max(0, width * cell - low), width * cell + high + 1) for cell in (row, column)
    )
    assert changed[rows, columns].any()
    changed[rows, columns] = False
    assert not changed.any()


@pytest.mark.parametrize("side", [16, 28, 33, 50, 64, 100, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_takes_squares_of_any_size(side, channels):
    decoder = LocalDecoder(LATENTS, channels, BLOCKS, side, features=8)
    assert decoder(torch.randn(2, LATENTS)).shape == (2, channels, side, side)
    cells = decoder.masks().shape[-1]
    assert cells in sides(side)[1:]
    assert cells <= CELLS


def test_numbers_and_ordered_classes_are_told_as_they_are():
    told = Told((1, 2, 1), (False, False, True))
    z = torch.tensor([[3.0, -3.0, 0.0, 3.0], [0.0, 3.0, 0.1, -1.0]])
    expected = torch.tensor([[1.0, -1.0, 0.0, 1.5], [0.0, 1.0, 0.2913, -0.5]])
    torch.testing.assert_close(told(z), expected, rtol=0, atol=1e-4)


def test_the_style_reaches_the_whole_image():
    decoder = small()
    z = torch.randn(4, LATENTS)
    other = torch.cat([z[:, :-STYLE], torch.randn(4, STYLE)], -1)
    changed = (decoder(z) != decoder(other)).any(0).any(0)
    assert changed.float().mean() > 0.9  # not where the ReLU is off


def test_a_cell_that_is_off_may_come_back():
    decoder = small()
    place(decoder, 0, 5, 9)
    with torch.no_grad():
        decoder.trunk[0].changes.logits[0].clamp_(-1, 8)  # off, but of some weight
    mask = decoder.masks()[0]
    assert mask[0, 0] == 0
    mask[0, 0].backward()
    assert decoder.trunk[0].changes.logits.grad[0, 0] > 0


def test_a_cell_that_is_weak_beside_the_others_of_its_label_is_off():
    decoder = small()
    changes = decoder.trunk[0].changes
    with torch.no_grad():
        changes.logits.normal_(0, 1.5)
    share = changes.logits.softmax(-1) * CELLS**2
    mask = STRENGTH * (share - THRESHOLD)
    largest = mask.amax(-1, keepdim=True)
    weak = (mask < FLOOR) & (mask < PART * largest)
    found = decoder.masks().flatten(1)
    assert (found[weak] == 0).all()
    torch.testing.assert_close(found[~weak], mask[~weak])
    assert (weak & (mask > 0)).any()
    found[weak & (mask > 0)].sum().backward()
    assert changes.logits.grad.any()


def test_a_block_at_a_class_mean_tells_its_class_and_little_else():
    decoder = small((1,))
    z = torch.zeros(4, 1 + STYLE)
    z[:, 0] = torch.tensor([-2.0, 2.0, 2.5, 4.0])
    low, mean, *same = decoder(z)
    for image in same:
        assert (image - mean).norm() < 1e-3 * (low - mean).norm()


def test_a_picture_moves_the_style_and_no_block():
    z = torch.randn(3, LATENTS, requires_grad=True)
    small()(z).square().sum().backward()
    blocks, style = z.grad.tensor_split([sum(BLOCKS)], -1)
    assert not blocks.any()
    assert style.any()


def test_its_tables_take_the_steps_of_tables():
    changes = small().trunk[0].changes
    assert isinstance(changes, Table)
    assert {name for name, _ in changes.named_parameters()} == {"logits", "directions"}


def test_it_is_made_and_run_on_the_meta_device():
    with torch.device("meta"):
        decoder = LocalDecoder(LATENTS, 3, BLOCKS, ordered=(False, True, False))
    assert decoder(torch.randn(2, LATENTS, device="meta")).device.type == "meta"


@pytest.mark.parametrize(("inputs", "blocks"), [(5, ()), (5, (1, 4)), (5, (3, 4))])
def test_it_refuses_latents_without_blocks_or_without_style(inputs, blocks):
    with pytest.raises(ValueError, match=r"expected blocks .* only the program ccvae has such"):
        LocalDecoder(inputs, 3, blocks)


@pytest.mark.parametrize(("network", "cells"), [("local", CELLS), ("local64", COARSE_CELLS)])
def test_a_pair_has_it_by_name_with_the_blocks_of_its_labels(network, cells):
    space = LabelSpace([Categorical("hair", ("none", "dark", "grey")), Binary("a"), Binary("b")])
    model, guide = build_pair(Config(network=network, style=4), space, (3, 64, 64))
    assert model.decoder.masks().shape == (3, cells, cells)
    assert model.decoder.trunk[0].changes.owner.tolist() == [0, 1, 2, 2]
    assert [q.log_classes.shape for q in guide.predict(torch.rand(2, 3, 64, 64))] == [
        (2, 2, 2),
        (2, 1, 3),
    ]


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 20, 20)])
def test_a_pair_with_it_passes_the_check(shape):
    space = LabelSpace([Categorical("hair", ("none", "dark", "grey")), Binary("a"), Real("age")])
    model, guide = build_pair(Config(network="local", style=4), space, shape)
    y = torch.tensor([[0.0, 1, 1.2], [torch.nan, 0, 0], [2, torch.nan, -1], [torch.nan] * 3])
    batch = (torch.rand(4, *shape), y)
    check_pair(model, guide, *batch, objective=CCVAEObjective(), index=torch.arange(4), size=9)
    assert guide.encoder.told.ordered.tolist() == [False, False, False, True]
    assert model.decoder.trunk[0].changes.told.ordered.equal(guide.encoder.told.ordered)


@pytest.mark.parametrize("program", ["vae", "m2"])
def test_programs_without_blocks_refuse_it(program):
    config = Config(program=program, network="local", style=4)
    with pytest.raises(ValueError, match="choose the network conv-any for others"):
        build_pair(config, LabelSpace([Binary("a")]), (3, 64, 64))
