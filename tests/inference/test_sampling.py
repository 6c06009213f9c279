"""Which rows a step sees, and that their weights make up for it."""

import math

import pyro
import pytest
import torch
from pyro.infer import Trace_ELBO, TraceEnum_ELBO, config_enumerate
from torch.overrides import TorchFunctionMode

from ccvae.data import Binary, Categorical, Dataset, LabelSpace
from ccvae.inference import (
    CCVAEObjective,
    DIVAObjective,
    M2Objective,
    OurAdaptedDIVAObjective,
    VAEObjective,
)
from ccvae.inference.training.sampling import LabelledShare, draws, even_over_classes, once

NAN = math.nan
SPACE = LabelSpace([Binary("a"), Categorical("hair", ("x", "y", "z")), Binary("b")])


class Quiet(TorchFunctionMode):
    """Noise is its middle, so that a row's terms are the same whenever it is drawn."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name in ("normal_", "uniform_"):
            return args[0].fill_(0.0 if name == "normal_" else 0.5)
        if name in ("randn_like", "rand_like"):
            return torch.full_like(args[0], 0.0 if name == "randn_like" else 0.5)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def rows(make_pair):
    """The 36 patterns of a pair's labels, 9 of them without any: no, once and five times more."""
    pair = make_pair(program="vae")
    y = torch.cat([pair.args[1].float(), torch.full((9, 3), NAN)])
    images = torch.randint(0, 256, (len(y), 1, 2, 2), generator=torch.Generator().manual_seed(0))
    everyone = torch.arange(len(y))
    data = Dataset("patterns", images.byte(), y, everyone % 3, SPACE, everyone, everyone[:0])
    return data.subset(everyone)


@pytest.fixture
def whole(rows):
    """So many epochs that both streams end a pass: 35 rows have labels, 10 have none."""
    assert rows.shown.sum() == 35
    return rows, range(70)


def all_drawn(sampler, rows, epochs, size=9, seed=3):
    return [drawn for epoch in epochs for drawn in sampler(rows, size, seed, epoch)]


def test_a_stream_goes_through_its_rows_again_and_again_in_new_orders():
    passes = draws(7, None, 5, 0, 21).view(3, 7)
    assert all(sorted(order) == list(range(7)) for order in passes.tolist())
    assert len({tuple(order) for order in passes.tolist()}) == 3
    assert torch.equal(draws(7, None, 5, 9, 8), passes.flatten()[9:17])
    p = torch.tensor([0.5, 0.3, 0.2])
    counts = torch.stack([draws(3, p, seed, 0, 30).bincount(minlength=3) for seed in range(40)])
    assert ((counts - 30 * p).abs() <= 10).all()  # in each of ten passes rounded up or down
    assert torch.allclose(counts.double().mean(0) / 30, p.double(), atol=0.02)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.99])
def test_every_batch_has_its_share_of_labels(rows, share):
    few = rows.at(torch.tensor([0, 1, 2, *range(36, 45)]))
    drawn = all_drawn(LabelledShare(share), few, range(3), size=6)
    assert len(drawn) == 3 * 2  # as many steps as a pass over all rows takes
    shown = [int(few.shown[index].sum()) for index, _ in drawn]
    assert set(shown) == {min(5, max(1, round(6 * share)))}


@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_weighted_rows_add_up_to_the_sum_over_the_data(whole, share, by_class):
    rows, epochs = whole
    drawn = all_drawn(LabelledShare(share, by_class), rows, epochs)
    values = torch.randn(len(rows), generator=torch.Generator().manual_seed(1)).double()
    sums = torch.stack([(weights * values[index]).sum() for index, weights in drawn])
    estimate = len(rows) / 9 * sums
    if not by_class:
        assert math.isclose(estimate.mean(), values.sum(), rel_tol=1e-10)
        return
    # Here a pass rounds the counts of rows at random, so the sum holds on average.
    error = estimate.std() / len(estimate) ** 0.5
    assert abs(estimate.mean() - values.sum()) < 4 * error
    # And exactly, with what was drawn of each row put back into what it is drawn on average.
    labelled = rows.shown.nonzero()[:, 0]
    p = even_over_classes(rows.labels[labelled])
    seen = {
        int(i): float(w) for index, weights in drawn for i, w in zip(index, weights, strict=True)
    }
    mean = sum(p[j] * seen[int(i)] * values[i] for j, i in enumerate(labelled))
    kept = round(9 * share) * len(rows) / 9
    assert math.isclose(kept * mean, values[labelled].sum(), rel_tol=1e-10)


PROGRAMS = {
    "vae": VAEObjective(),
    "m2": M2Objective(3.0),
    "diva": DIVAObjective(5.0, 7.0),
    "ccvae": CCVAEObjective(30.0),
    "our-adapted-diva": OurAdaptedDIVAObjective(30.0),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_objective_of_weighted_batches_is_that_of_all_rows(double, make_pair, whole, name):
    rows, epochs = whole
    pair = make_pair(program=name if name in ("vae", "m2", "diva") else "ccvae")
    module = PROGRAMS[name](*pair.programs)

    def loss(index, weights=None):
        batch = rows.batch(index)
        args = batch.x.double(), batch.y.double(), batch.d
        return module(*args, **batch.kwargs, weights=weights).item()

    drawn = all_drawn(LabelledShare(0.4), rows, epochs)
    with torch.no_grad(), pyro.get_param_store().scope(), Quiet():
        expected = loss(torch.arange(len(rows)))
        # A row's terms do not depend on the others of its batch, so batches may be put together.
        index, weights = (torch.cat(part) for part in zip(*drawn, strict=True))
        assert math.isclose(loss(index, weights), expected, rel_tol=1e-10)
        assert not math.isclose(loss(index), expected, rel_tol=1e-3)


# The labels' plate is checked by the suite itself; Pyro warns of every nested one.
@pytest.mark.filterwarnings("ignore:at model site")
@pytest.mark.parametrize("elbo", [Trace_ELBO, TraceEnum_ELBO])
def test_pyros_own_elbo_weighs_the_rows_alike(double, make_pair, elbo):
    """As the training does it: a scale around both programs, one number a row."""
    pair = make_pair()
    guide = config_enumerate(pair.guide) if elbo is TraceEnum_ELBO else pair.guide
    objective = elbo(max_plate_nesting=2)

    def loss(weights):
        torch.manual_seed(0)
        with pyro.get_param_store().scope(), pyro.poutine.scale(scale=weights[:, None]):
            return objective.loss(pair.model, guide, *pair.args, **pair.kwargs)

    first, second = 0.1 + torch.rand(2, 36)
    assert math.isclose(loss(first) + loss(second), loss(first + second), rel_tol=1e-10)
    assert math.isclose(2 * loss(torch.ones(36)), loss(torch.full((36,), 2.0)), rel_tol=1e-10)


def test_labels_and_their_classes_come_equally_often():
    y = torch.tensor([[0, 0], [0, NAN], [0, NAN], [1, 2], [NAN, 2], [NAN, 2]])
    p = even_over_classes(y)
    assert math.isclose(p.sum(), 1)
    for column in range(2):
        # Among what is drawn for a label: half for each class, a quarter of all draws.
        own = [even_over_classes(y[:, [column]].nan_to_num(nan=NAN))[y[:, column] == k].sum()
               for k in y[:, column].unique() if not k.isnan()]  # fmt: skip
        assert torch.allclose(torch.stack(own), torch.tensor(0.5).double())
    assert p.argmax() == 0  # the only one of the second label's first class
    assert p.min() > 0


def test_where_all_rows_have_labels_or_none_each_is_seen_once(rows):
    for some in (rows.labelled, rows.at(~rows.shown)):
        for mine, plain in zip(LabelledShare(0.3)(some, 8, 1, 2), once(some, 8, 1, 2), strict=True):
            assert torch.equal(mine.rows, plain.rows)
            assert mine.weights is None


def test_two_processes_share_the_rows_of_one(rows):
    for drawn in LabelledShare(0.4)(rows, 9, 0, 0):
        halves = [drawn.part(slice(rank, None, 2)) for rank in range(2)]
        assert sorted(torch.cat([h.rows for h in halves]).tolist()) == sorted(drawn.rows.tolist())
        labelled = [int(rows.shown[half.rows].sum()) for half in halves]
        assert abs(labelled[0] - labelled[1]) <= 1
        total = sum(float(half.weights.sum()) for half in halves)
        assert math.isclose(total, float(drawn.weights.sum()))


def test_rows_with_a_number_are_drawn_alike_and_ordered_classes_evenly():
    """Numbers have no classes to be even over, and may all differ."""
    y = torch.tensor([[0.0, NAN], [0.0, 0.3], [0.0, -1.2], [2.0, NAN]])
    p = even_over_classes(y, ("ordinal", "real"))
    classes = torch.tensor([1 / 6, 1 / 6, 1 / 6, 1 / 2], dtype=torch.float64)
    numbers = torch.tensor([0.0, 0.5, 0.5, 0.0], dtype=torch.float64)
    torch.testing.assert_close(p, (classes + numbers) / 2)
