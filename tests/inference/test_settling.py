"""What a configuration leaves open and its rows decide."""

import pytest
import torch

from ccvae.config import Config
from ccvae.data import Binary, Categorical, Dataset, LabelSpace, Ordinal
from ccvae.inference.runs.settling import SCORED, rows_of_a_class, settled, settled_as

HAIR = Categorical("hair", ("black", "blond", "brown", "grey"))
AGE = Ordinal("age", ("child", "young", "old"))
NAN = torch.nan


def rows_with(labels, known, count=600):
    """So many rows, of which the first ``known`` have labels."""
    entries = torch.zeros(count, len(labels))
    entries[known:] = NAN
    entries[:2, 0] = NAN  # rows that have some of their labels
    everything = torch.arange(count)
    images = torch.zeros(count, 1, 4, 4, dtype=torch.uint8)
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
    config = Config(network="mlp", validation=0.0, alpha=1.0)
    assert settled(config, rows_with(labels, known)).heads == heads


def test_rows_of_a_class_are_those_of_the_label_that_has_fewest():
    two = Categorical("two", ("x", "y", "z"))
    assert rows_of_a_class(rows_with((two, HAIR), 120)) == 30
    assert rows_of_a_class(rows_with((HAIR, two), 120)) == 118 / 4


@pytest.mark.parametrize("options", [{"trunks": 1}, {"heads": "stick"}])
def test_heads_stay_where_there_is_one_trunk_or_a_word(options):
    config = Config(network="mlp", validation=0.0, alpha=1.0, **options)
    assert settled(config, rows_with((Binary("a"), HAIR), 600)).heads == "stick"


def test_blocks_that_no_image_moves_have_scores_with_few_rows_too():
    config = Config(network="mlp", validation=0.0, alpha=1.0, taught_apart=True)
    assert settled(config, rows_with((Binary("a"), HAIR), 8)).heads == "softmax"


def test_a_run_that_goes_on_keeps_its_heads_and_on_other_rows_its_weights():
    before = Config(heads="stick", alpha=3.0, labelled_share=0.2)
    assert settled_as(Config(), before) == Config(heads="stick")
    assert settled_as(Config(heads="softmax"), before).heads == "softmax"
    assert settled_as(Config(), before, other=True) == before
