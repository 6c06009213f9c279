from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccvae.data import Batch, Binary, Categorical, Dataset, LabelSpace
from ccvae.data.dataset import labelled_rows
from ccvae.data.faces import faces

# A machine that is busy with other things must not fail a test.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SEEDS = st.integers(0, 2**31)
FRACTIONS = st.floats(0, 1)


def make(rows: int = 30, domains: bool = True) -> Dataset:
    """Image i is grey level i throughout; its labels are i mod 2, i mod 3, its domain i mod 4."""
    i = torch.arange(rows)
    return Dataset(
        "toy",
        i.byte()[:, None, None, None].expand(rows, 3, 4, 5),
        torch.stack([i % 2, i % 3], -1).float(),
        i % 4 if domains else None,
        LabelSpace([Binary("Odd"), Categorical("Third", ("a", "b", "c"))]),
        train=i[rows // 3 :],
        test=i[: rows // 3],
    )


@relaxed
@given(st.integers(1, 300), FRACTIONS, SEEDS)
def test_labelled_fraction_is_exact(rows: int, fraction: float, seed: int) -> None:
    count = round(fraction * rows)
    if fraction > 0 and count == 0:
        with pytest.raises(
            ValueError, match=f"of {rows} rows leaves no labelled row; give at least"
        ):
            labelled_rows(rows, fraction, seed)
        return
    kept = labelled_rows(rows, fraction, seed)
    assert len(kept) == count == len(kept.unique())
    assert torch.equal(kept, kept.sort().values)
    assert torch.equal(kept, labelled_rows(rows, fraction, seed))
    assert count == 0 or 0 <= int(kept.min()) <= int(kept.max()) < rows


@relaxed
@given(st.integers(10, 300), st.floats(0.1, 1), st.floats(0.1, 1), SEEDS)
def test_labelled_rows_nest(rows: int, one: float, other: float, seed: int) -> None:
    few, many = (labelled_rows(rows, f, seed).tolist() for f in sorted((one, other)))
    assert set(few) <= set(many)


def test_seeds_label_different_rows() -> None:
    assert not torch.equal(labelled_rows(200, 0.2, 0), labelled_rows(200, 0.2, 1))


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_fraction_outside_the_unit_interval(fraction: float) -> None:
    with pytest.raises(ValueError, match="expected a labelled fraction between 0 and 1, got"):
        labelled_rows(10, fraction, 0)


@relaxed
@given(st.floats(0.05, 1), SEEDS)
def test_training_shows_labels_of_the_kept_rows_alone(fraction: float, seed: int) -> None:
    data = make()
    rows = data.training(fraction, seed)
    assert torch.equal(rows.rows, data.train)
    shown = ~rows.labels.isnan()
    assert torch.equal(shown.all(-1), shown.any(-1))
    assert int(shown.all(-1).sum()) == round(fraction * len(data.train)) == len(rows.labelled)
    assert torch.equal(rows.labels[shown], data.labels[data.train][shown])
    assert not data.labels.isnan().any(), "the data set keeps its own labels"


def test_labelled_keeps_rows_with_some_label() -> None:
    data = make()
    labels = data.labels[data.test].clone()
    labels[0] = torch.nan
    labels[1, 0] = torch.nan
    rows = data.subset(data.test, labels)
    assert rows.labelled.rows.tolist() == data.test[1:].tolist()
    assert torch.equal(rows.labelled.labels.isnan(), labels[1:].isnan())


@relaxed
@given(st.integers(1, 25), st.none() | SEEDS)
def test_batches_pass_over_every_row_once(size: int, seed: int | None) -> None:
    rows = make().training(0.5, 0)
    batches = list(rows.batches(size, seed))
    index = torch.cat([batch.index for batch in batches])
    assert torch.equal(index.sort().values, torch.arange(len(rows)))
    assert all(len(batch.x) == size for batch in batches[:-1])
    assert {batch.size for batch in batches} == {len(rows)}
    if seed is None:
        assert torch.equal(index, torch.arange(len(rows)))
    else:
        again = torch.cat([batch.index for batch in rows.batches(size, seed)])
        assert torch.equal(index, again)
    for batch in batches:
        grey = (batch.x[:, 0, 0, 0] * 255).round()
        assert torch.equal(grey, rows.rows[batch.index].float())
        assert batch.d is not None
        assert torch.equal(batch.d, rows.rows[batch.index] % 4)
        assert torch.equal(batch.y.nan_to_num(9), rows.labels[batch.index].nan_to_num(9))


def test_batch_is_what_a_program_takes() -> None:
    batch = make(domains=False).subset(torch.arange(6)).batch(torch.tensor([4, 1]))
    assert batch.x.dtype == torch.float32
    assert batch.x.shape == (2, 3, 4, 5)
    assert batch.x.max() <= 1
    assert batch.d is None
    assert batch.args == (batch.x, batch.y, None)
    assert set(batch.kwargs) == {"index", "size"}
    hidden = batch.hidden()
    assert isinstance(hidden, Batch)
    assert hidden.y.isnan().all()
    assert hidden.y.shape == batch.y.shape
    assert not batch.y.isnan().any()
    assert hidden.x is batch.x


def test_shape() -> None:
    assert make().shape == (3, 4, 5)


@pytest.mark.parametrize("part", ["images", "labels", "domains"])
def test_lengths_must_agree(part: str) -> None:
    data = make()
    with pytest.raises(
        ValueError, match=r"toy: expected as many images as label rows .* \[29, 30\]"
    ):
        replace(data, **{part: getattr(data, part)[:-1]})


def test_codes_must_fit() -> None:
    data = make()
    with pytest.raises(ValueError, match="'Third' has the code 3 in row 0"):
        replace(data, labels=data.labels + torch.tensor([0.0, 3.0]))


def test_balanced_labels_are_exact_nested_and_even():
    codes = torch.tensor([0.0] * 60 + [1.0] * 30 + [2.0] * 10)
    small = labelled_rows(100, 0.12, 3, codes)
    large = labelled_rows(100, 0.5, 3, codes)
    assert [(codes[small] == k).sum().item() for k in range(3)] == [4, 4, 4]
    # Ten rows of the rarest class are all there is; the others go on taking turns.
    assert [(codes[large] == k).sum().item() for k in range(3)] == [20, 20, 10]
    assert set(small.tolist()) < set(large.tolist())
    assert torch.equal(small, labelled_rows(100, 0.12, 3, codes))


def test_balanced_labels_take_annotated_rows_first() -> None:
    codes = torch.tensor([0.0] * 20 + [1.0] * 5 + [torch.nan] * 75)
    few, all_known, more = (labelled_rows(100, share, 3, codes) for share in (0.1, 0.25, 0.3))
    assert [(codes[few] == k).sum().item() for k in range(2)] == [5, 5]
    assert all_known.tolist() == list(range(25))
    assert codes[more].isnan().sum() == 5


def test_the_whole_of_a_data_set_need_not_be_in_use() -> None:
    data = replace(make(), train=torch.arange(3), test=torch.arange(5, 7))
    hidden = data.hiding({"Odd": 1.0}, seed=0)
    assert hidden.labels[:, 0].isnan().tolist() == [True] * 3 + [False] * 27
    assert not data.labels.isnan().any()


def test_averaged_images_are_means_of_squares():
    data = faces(12, pixels=4)
    half = data.averaged(2)
    assert half.shape == (3, 2, 2)
    means = data.images.unflatten(-1, (2, 2)).unflatten(-3, (2, 2)).float().mean((-3, -1))
    assert ((half.images - means).abs() <= 0.5).all()
    assert data.averaged(4) is data
    with pytest.raises(ValueError, match="4 is a whole multiple of, got 3"):
        data.averaged(3)


@pytest.mark.parametrize("rows", [1, 4, 10, 11])
def test_a_thinned_batch_has_rows_of_all_of_it(rows):
    data = make(domains=True)
    batch = data.training(1.0, 0).batch(torch.arange(10))
    some = batch.thinned(rows)
    assert some.rows == min(rows, 10)
    assert some.size == batch.size
    assert torch.equal(data.training(1.0, 0).batch(some.index).x, some.x)
    assert {int(some.index[0]), int(some.index[-1])} <= {0, 9}
    assert len(some.index.unique()) == some.rows == len(some.d) == len(some.y)
    weighed = replace(batch, weights=torch.arange(10.0)).thinned(rows)
    assert torch.equal(weighed.weights.long(), some.index)
