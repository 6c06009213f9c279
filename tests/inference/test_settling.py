"""What a configuration leaves open and its rows decide."""

from dataclasses import replace

import pytest
import torch

from ccvae.config import Config
from ccvae.data import Binary, Categorical, Dataset, LabelSpace, Ordinal
from ccvae.inference.runs.settling import SCORED, rows_of_a_class, settled, settled_as
from ccvae.inference.training.sampling import LABELLED_SHARE, SHARE_APART

HAIR = Categorical("hair", ("black", "blond", "brown", "grey"))
AGE = Ordinal("age", ("child", "young", "old"))
NAN = torch.nan


def rows_with(labels, known, count=600, side=4):
    """So many rows, of which the first ``known`` have labels."""
    entries = torch.zeros(count, len(labels))
    entries[known:] = NAN
    entries[:2, 0] = NAN  # rows that have some of their labels
    everything = torch.arange(count)
    images = torch.zeros(count, 1, side, side, dtype=torch.uint8)
    data = Dataset("a", images, entries, None, LabelSpace(labels), everything, everything[:0])
    return data.subset(everything)


@pytest.mark.parametrize(
    ("labels", "known", "heads"),
    [
        ((Binary("a"), HAIR), 4 * SCORED, "softmax"),
        ((Binary("a"), HAIR), 4 * SCORED - 1, "stick"),
        ((HAIR, AGE), 4 * SCORED, "stick"),  # two of the rows do not know their hair
        ((Binary("a"), AGE), 600, "stick"),
    ],
)
def test_heads_follow_from_the_labelled_rows_of_a_class(labels, known, heads):
    config = Config(network="mlp", validation=0.0, alpha=1.0, taught_apart=False)
    assert settled(config, rows_with(labels, known)).heads == heads


def test_rows_of_a_class_are_those_of_the_label_that_has_fewest():
    two = Categorical("two", ("x", "y", "z"))
    assert rows_of_a_class(rows_with((two, HAIR), 120)) == 30
    assert rows_of_a_class(rows_with((HAIR, two), 120)) == 118 / 4


@pytest.mark.parametrize("options", [{"trunks": 1, "taught_apart": False}, {"heads": "stick"}])
def test_heads_stay_where_there_is_one_trunk_or_a_word(options):
    config = Config(network="mlp", validation=0.0, alpha=1.0, **options)
    assert settled(config, rows_with((Binary("a"), HAIR), 600)).heads == "stick"


def test_blocks_that_no_image_moves_have_scores_with_few_rows_too():
    config = Config(network="mlp", validation=0.0, alpha=1.0, taught_apart=True)
    assert settled(config, rows_with((Binary("a"), HAIR), 8)).heads == "softmax"


@pytest.mark.parametrize(
    ("options", "apart"),
    [
        ({}, True),
        ({"alpha": 3.0}, True),
        ({"objective": "our-adapted-diva"}, True),
        ({"alpha_rule": "paper"}, False),
        ({"objective": "adapted-diva"}, False),  # nothing would teach the blocks what labels are
        ({"objective": "ccvae-authors"}, False),
        ({"objective": "importance-weighted"}, False),
        ({"objective": "pyro:TraceEnum_ELBO"}, False),
        ({"program": "m2"}, None),
        ({"program": "diva"}, None),
        ({"taught_apart": False}, False),
        ({"objective": "adapted-diva", "taught_apart": True}, True),
    ],
)
def test_blocks_are_taught_apart_where_an_alpha_teaches_them(options, apart):
    config = Config(**({"network": "mlp", "validation": 0.0, "likelihood": "bernoulli"} | options))
    assert settled(config, rows_with((Binary("a"), HAIR), 60)).taught_apart is apart


def test_a_decoder_that_keeps_images_from_blocks_stays_as_it_is():
    config = Config(network="local", validation=0.0, alpha=1.0)
    found = settled(config, rows_with((Binary("a"), HAIR), 60, side=16))
    assert (found.taught_apart, found.labelled_share) == (None, LABELLED_SHARE)


def test_alpha_is_a_fifth_where_blocks_are_taught_apart():
    rows = rows_with((Binary("a"), HAIR), 60)
    rows.dataset.images.copy_(torch.arange(600)[:, None, None, None] % 256)
    config = Config(network="mlp", validation=0.0)
    together = settled(replace(config, taught_apart=False), rows).alpha
    assert settled(config, rows).alpha == pytest.approx(together / 5, rel=0.05)


@pytest.mark.parametrize(
    ("options", "share"),
    [
        ({}, SHARE_APART),
        ({"taught_apart": False}, LABELLED_SHARE),
        ({"program": "m2"}, LABELLED_SHARE),
        ({"labelled_share": 0.4}, 0.4),
    ],
)
def test_half_of_a_batch_has_labels_where_blocks_are_taught_apart(options, share):
    config = Config(**({"network": "mlp", "validation": 0.0, "alpha": 1.0} | options))
    assert settled(config, rows_with((Binary("a"), HAIR), 60)).labelled_share == share
    assert settled(config, rows_with((Binary("a"), HAIR), 400)).labelled_share in (0.0, 0.4)


@pytest.mark.parametrize(
    ("options", "trunks"),
    [({}, 1), ({"taught_apart": False}, 2), ({"trunks": 2}, 2), ({"program": "m2"}, None)],
)
def test_blocks_that_are_taught_apart_share_a_trunk_with_the_style(options, trunks):
    config = Config(**({"network": "mlp", "validation": 0.0, "alpha": 1.0} | options))
    assert settled(config, rows_with((Binary("a"), HAIR), 60)).trunks == trunks


def test_a_run_that_goes_on_is_taught_as_it_was():
    before = Config(heads="stick", taught_apart=False)
    assert settled_as(Config(heads="stick"), before) == before
    assert settled_as(Config(taught_apart=True), before).taught_apart is True


def test_a_run_that_goes_on_keeps_its_heads_and_on_other_rows_its_weights():
    before = Config(heads="stick", taught_apart=True, alpha=3.0, labelled_share=0.2)
    assert settled_as(Config(), before) == Config(heads="stick", taught_apart=True)
    assert settled_as(Config(heads="softmax"), before).heads == "softmax"
    assert settled_as(Config(), before, other=True) == before
