"""All labels as one variable, against sums and products over single labels."""

import itertools
import math

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.infer import config_enumerate

from ccvae.data.classes import ClassColumns
from ccvae.models.joint import JointLabels

CLASSES = (3, 2, 4, 2)
COLUMNS = ClassColumns(CLASSES)
SETTINGS = list(itertools.product(*(range(count) for count in CLASSES)))
ROWS = 5
NAN = math.nan


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def single(scores):
    """Each label's own distribution, from scores kind by kind: two of 2, one of 3, one of 4."""
    second, fourth, first, third = scores.split([2, 2, 3, 4], -1)
    return [dist.Categorical(logits=part) for part in (first, second, third, fourth)]


def joint(scores, counted=True):
    return JointLabels(COLUMNS, COLUMNS.log_softmax(scores), counted)


def expected(scores, value, counted):
    """Σ over the counted labels of their log-probability, one by one."""
    total = 0.0
    for i, label in enumerate(single(scores)):
        code = value[..., i]
        total = total + torch.where(
            counted[..., i] & ~code.isnan(), label.log_prob(code.nan_to_num()), 0.0
        )
    return total


def test_the_columns_of_codes():
    codes = torch.tensor([[2.0, 0.0, 3.0, 1.0], [NAN, 1.0, NAN, NAN]])
    assert COLUMNS(codes).int().tolist() == [
        [1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1],
        [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]
    assert COLUMNS.argmax(COLUMNS(codes[0]).int()).tolist() == [2, 0, 3, 1]
    assert [tuple(table.shape) for table in COLUMNS.by_kind(torch.zeros(7, 11))] == [
        (7, 2, 2),
        (7, 1, 3),
        (7, 1, 4),
    ]
    assert not COLUMNS.state_dict()


@pytest.mark.parametrize("enumerated", [False, True])
def test_values_and_gradients_are_those_of_single_labels(enumerated):
    scores = torch.randn(ROWS, 1, 11, requires_grad=True)
    counted = torch.rand(ROWS, 1, 4) < 0.6
    counted[0], counted[1] = True, False
    labels = joint(scores, counted)
    value = labels.enumerate_support(expand=False) if enumerated else labels.sample()
    if not enumerated:
        value[2, 0, 1] = NAN
    found, by_hand = labels.log_prob(value), expected(scores, value, counted)
    torch.testing.assert_close(found, by_hand)
    weights = torch.randn_like(found)
    gradients = [torch.autograd.grad((v * weights).sum(), scores)[0] for v in (found, by_hand)]
    torch.testing.assert_close(*gradients)
    torch.testing.assert_close(
        labels.counting(True).log_prob(value),
        expected(scores, value, torch.ones_like(counted)),
    )


def test_labels_of_which_none_is_counted_have_no_density():
    scores = torch.randn(ROWS, 1, 11)
    none = joint(scores, False)
    for value in (none.sample(), none.enumerate_support(expand=False)):
        assert none.support.check(value).all()
        torch.testing.assert_close(
            none.log_prob(value),
            joint(scores, torch.zeros(ROWS, 1, 4, dtype=torch.bool)).log_prob(value),
        )
    assert none.expand(torch.Size([6, ROWS, 1])).counted is False


def test_the_support_is_every_setting():
    labels = joint(torch.randn(ROWS, 1, 11))
    support = labels.enumerate_support(expand=False)
    assert support.shape == (48, 1, 1, 4)
    assert [tuple(codes) for codes in support.flatten(0, -2).tolist()] == SETTINGS
    assert labels.enumerate_support().shape == (48, ROWS, 1, 4)
    assert labels.settings == (3, 6, 24, 48)
    torch.testing.assert_close(labels.log_prob(support).exp().sum(0), torch.ones(ROWS, 1))
    assert labels.support.check(support).all()
    assert not labels.support.check(torch.tensor([0.0, 2.0, 0.0, 0.0]))
    assert labels.support.check(torch.tensor([NAN, 1.0, 3.0, 1.0]))


def test_the_number_of_settings_is_known_without_listing_them():
    columns = ClassColumns([2] * 100)
    assert JointLabels(columns, torch.zeros(200)).settings[-1] == 2**100


def test_expanding_repeats_the_batch():
    counted = torch.rand(ROWS, 1, 4) < 0.5
    labels = joint(torch.randn(11), counted)
    assert (labels.batch_shape, labels.event_shape) == ((ROWS, 1), (4,))
    wide = labels.expand(torch.Size([6, ROWS, 1]))
    assert (wide.batch_shape, wide.event_shape) == ((6, ROWS, 1), (4,))
    value = wide.sample()
    assert value.shape == (6, ROWS, 1, 4)
    torch.testing.assert_close(wide.log_prob(value), labels.log_prob(value))
    with pyro.plate("wide", 6, dim=-3), pyro.plate("rows", ROWS, dim=-2):
        assert pyro.sample("y", joint(torch.zeros(11))).shape == (6, ROWS, 1, 4)


def test_draws_have_their_probabilities():
    scores = torch.randn(11)
    labels = joint(scores)
    draws = labels.sample((20_000,))
    assert draws.shape == (20_000, 4)
    assert labels.support.check(draws).all()
    for i, label in enumerate(single(scores)):
        shares = torch.bincount(draws[:, i].long(), minlength=CLASSES[i]) / len(draws)
        torch.testing.assert_close(shares, label.probs, atol=0.02, rtol=0)
    assert labels.mode.tolist() == [label.probs.argmax().item() for label in single(scores)]
    assert not joint(torch.randn(11, requires_grad=True)).sample().requires_grad


def test_codes_that_no_label_has_are_refused():
    labels = joint(torch.zeros(11))
    with pytest.raises(ValueError, match="support"):
        labels.log_prob(torch.tensor([0.0, 2.0, 0.0, 0.0]))
    with pytest.raises(ValueError, match="log_classes"):
        joint(torch.full((11,), NAN))


def test_pyro_enumerates_it_in_one_dimension():
    def guide():
        with pyro.plate("data", ROWS, dim=-2):
            pyro.sample("y", joint(torch.zeros(ROWS, 1, 11)))

    program = pyro.poutine.enum(config_enumerate(guide), first_available_dim=-4)
    site = pyro.poutine.trace(program).get_trace().nodes["y"]
    assert site["value"].shape == (48, 1, 1, 1, 4)
    assert site["fn"].log_prob(site["value"]).shape == (48, 1, ROWS, 1)


def test_one_label_is_a_categorical():
    scores = torch.randn(ROWS, 7)
    columns = ClassColumns([7])
    labels = JointLabels(columns, columns.log_softmax(scores))
    value = labels.sample()
    torch.testing.assert_close(
        labels.log_prob(value), dist.Categorical(logits=scores).log_prob(value[..., 0])
    )
